"""A finished edition goes on for those about whom a colleague decided: a second address, a resend, another try."""

from typing import TYPE_CHECKING

from breachdesk.audit.record import record
from notifications.locked import open_the_gate, refuse_difference, which
from notifications.models import DeliveryDecision, Edition

if TYPE_CHECKING:
    from breachdesk.accounts.models import User


def reopen_if_finished(locked: Edition, decision: DeliveryDecision, moved: int, *, by: "User") -> bool:
    """Call it after the confirmed decision was carried out, in its transaction; the workers are rung at the commit.

    Nothing of it is sent if it is not what was approved any more: then all of the transaction is refused.
    """
    if locked.state != Edition.State.FINISHED or not moved:
        return False
    refuse_difference(locked, "sent")
    open_the_gate(locked)
    record("edition.reopened", by=by, on=locked, people=moved, kind=decision.kind, epoch=locked.epoch, **which(locked))
    return True
