"""Pausing, going on, stopping for good; and how fast and by which way it goes from now on."""

from functools import partial
from typing import TYPE_CHECKING

from django.core.exceptions import ValidationError
from django.db import transaction
from django.utils import timezone

from breachdesk.accounts.decisions import settle_decisions
from breachdesk.accounts.permissions import action
from breachdesk.audit.record import record
from notifications import delivery, pace, routes, tasks
from notifications.models import Edition
from notifications.schedule import Rate, Schedule, ScheduleFault, in_force, with_rate

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
    settle_decisions(on=locked, by=by)
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


@action("notifications.send_edition")
def change_rate(
    edition: Edition, *, rate: Rate | None, by: "User", reason: str, expected_version: int | None = None
) -> int:
    """How fast it goes from now on; None is what was approved. Returns how many messages were already on their way.

    What was approved stays as it was: this is a person's change on the way, and stands beside it.
    """
    locked = _held_back(edition, "changed", reason, expected_version)
    approved, before = Schedule.from_json(locked.schedule), in_force(locked.schedule, locked.rate)
    after = _with_rate(approved, rate)
    if after == before:
        raise ValidationError("It goes out like that already. Nothing was changed.")
    locked.rate = None if after == approved else Rate.of(after).to_json()
    in_air = _go_on_as_changed(locked)
    pace.start_anew(locked.pk, after)
    if (before.per_domain, before.at_once) != (after.per_domain, after.at_once):
        transaction.on_commit(partial(pace.bring_forward, locked.pk, why="rate_changed"), robust=True)
    record(
        "edition.rate_changed",
        by=by,
        on=locked,
        private=typed(reason),
        rate=Rate.of(after).code,
        before=Rate.of(before).code,
        approved=Rate.of(approved).code,
        in_air=in_air,
        epoch=locked.epoch,
        **which(locked),
    )
    return in_air


@action("notifications.send_edition")
def change_route(edition: Edition, *, route: int, by: "User", reason: str, expected_version: int | None = None) -> int:
    """By which way the others leave from now on. Returns how many messages were already on their way by the old one.

    Whoever is in doubt on the old way stays so: nobody's message moves to the other by this.
    """
    if not routes.is_set_up(route):
        raise ValidationError("There is no such way out: it is not set up. Nothing was changed.")
    locked = _held_back(edition, "changed", reason, expected_version)
    if locked.route == route:
        raise ValidationError("It goes by that way already. Nothing was changed.")
    before, locked.route = locked.route, route
    in_air = _go_on_as_changed(locked)
    record(
        "edition.route_changed",
        by=by,
        on=locked,
        private=typed(reason),
        route=route,
        before=before,
        in_air=in_air,
        epoch=locked.epoch,
        **which(locked),
    )
    return in_air


def _with_rate(approved: Schedule, rate: Rate | None) -> Schedule:
    try:
        return with_rate(approved, rate) if rate else approved
    except ScheduleFault as fault:
        raise ValidationError({fault.field: str(fault)}) from fault


def _held_back(edition: Edition, done: str, reason: str, expected_version: int | None) -> Edition:
    """Locked while nobody is taken and nothing is begun, in the order in which the workers lock."""
    if not reason.strip():
        raise ValidationError({"reason": "Say why: it stands in the trail beside what was approved."})
    delivery.hold_back_hand_overs(edition.pk)
    pace.hold(edition.pk)
    return lock(edition, STARTED, done, expected_version)


def _go_on_as_changed(locked: Edition) -> int:
    """A new epoch if it is being sent: what is with a worker and was not begun comes back first."""
    in_air = delivery.in_the_air(locked)
    if locked.state == State.SENDING:
        locked.epoch += 1
        transaction.on_commit(partial(tasks.ring, locked.pk), robust=True)
    save(locked)
    return in_air
