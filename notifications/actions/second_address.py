from typing import TYPE_CHECKING

from django.core.exceptions import ValidationError
from django.utils import timezone

from breachdesk.accounts.permissions import action
from breachdesk.audit.record import record
from notifications import delivery, replanning
from notifications.actions.reopening import reopen_if_finished
from notifications.locked import lock, which
from notifications.models import DeliveryDecision, Edition
from notifications.second_addresses import with_a_second_address

if TYPE_CHECKING:
    from breachdesk.accounts.models import User

State = Edition.State
STILL_SENT = {State.SENDING, State.PAUSED, State.FINISHED}


@action("notifications.send_edition")
def try_second_address(
    edition: Edition, *, reason: str, by: "User", expected_version: int | None = None
) -> DeliveryDecision:
    """Whoever was refused or bounced and has another address gets the same words there, under the same Message-ID."""
    if not reason.strip():
        raise ValidationError({"reason": "Say why their second address is tried. It stands in the trail."})
    delivery.hold_back_hand_overs(edition.pk)
    locked = lock(edition, STILL_SENT, "sent to second addresses", expected_version)
    rows = with_a_second_address(locked)
    if not rows:
        raise ValidationError("Nobody who was not reached has a second address. Nothing was changed.")
    now = timezone.now()
    decision = DeliveryDecision.objects.create(
        edition=locked,
        kind=DeliveryDecision.Kind.SECOND_ADDRESS,
        rule={"of": "refused_or_bounced", "rung": 0},
        reason=reason.strip(),
        people=len(rows),
        rows_root=replanning.root_of_deliveries(rows),
        asked_by=by,
        asked_at=now,
        confirmed_by=by,
        confirmed_at=now,
    )
    moved, batches = replanning.move(decision, rows)
    record(
        "delivery.decided",
        by=by,
        on=decision,
        incident=locked.incident_id,
        batches=replanning.named_by(locked, batches),
        private={"reason": decision.reason},
        people=len(rows),
        moved=len(moved),
        kind=decision.kind,
        rows_root=bytes(decision.rows_root),
        **which(locked),
    )
    reopen_if_finished(locked, decision, len(moved), by=by)
    return decision
