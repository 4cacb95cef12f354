"""Pausing, going on, and stopping for good."""

from typing import TYPE_CHECKING

from django.utils import timezone

from breachdesk.accounts.decisions import settle_decisions
from breachdesk.accounts.permissions import action
from breachdesk.audit.record import record
from notifications import delivery
from notifications.models import Edition

if TYPE_CHECKING:
    from breachdesk.accounts.models import User
from notifications.locked import (
    STARTED,
    STILL_WRITABLE,
    lock,
    open_the_gate,
    refuse_difference,
    save,
    typed,
    which,
)

State = Edition.State


@action("notifications.pause_edition")
def pause_edition(edition: Edition, *, by: "User", reason: str = "", expected_version: int | None = None) -> int:
    """How many messages were already on their way when the gate closed; none follows them."""
    delivery.hold_back_hand_overs(edition.pk)
    locked = lock(edition, {State.SENDING}, "paused", expected_version, even_closed=True)
    in_air = delivery.in_the_air(locked)
    locked.state, locked.stopped_by, locked.stopped_at = State.PAUSED, by, timezone.now()
    save(locked)
    record(
        "edition.paused", by=by, on=locked, private=typed(reason), in_air=in_air, epoch=locked.epoch, **which(locked)
    )
    return in_air


@action("notifications.send_edition")
def resume_edition(edition: Edition, *, by: "User", expected_version: int | None = None) -> Edition:
    locked = lock(edition, {State.PAUSED}, "resumed", expected_version)
    refuse_difference(locked, "sent")
    open_the_gate(locked)
    record("edition.resumed", by=by, on=locked, epoch=locked.epoch, **which(locked))
    return locked


@action("notifications.pause_edition")
def cancel_edition(edition: Edition, *, by: "User", reason: str = "", expected_version: int | None = None) -> int:
    """Stops an edition for good. Returns how many messages were already on their way."""
    delivery.hold_back_hand_overs(edition.pk)
    locked = lock(edition, STILL_WRITABLE | STARTED, "cancelled", expected_version, even_closed=True)
    in_air, cancelled = delivery.in_the_air(locked), 0
    if locked.state in STARTED:
        cancelled = delivery.cancel_deliveries(locked)
    else:
        delivery.forget_plan(locked)
    locked.armed_by = locked.armed_at = None
    locked.state, locked.stopped_by, locked.stopped_at = State.CANCELLED, by, timezone.now()
    save(locked)
    record(
        "edition.cancelled",
        by=by,
        on=locked,
        batches=[delivery.plan_of(locked)],
        private=typed(reason),
        epoch=locked.epoch,
        in_air=in_air,
        cancelled=cancelled,
        **which(locked),
    )
    settle_decisions(on=locked, by=by)
    return in_air
