"""Everything that changes a notice or an edition. What changes a single delivery is in delivery.py."""

from notifications.actions.deciding import approve_edition, overrule_checks, reject_edition, submit_for_review, withdraw
from notifications.actions.sending import cancel_edition, pause_edition, resume_edition, start_edition
from notifications.actions.writing import add_edition, create_notice, save_draft

__all__ = [
    "add_edition",
    "approve_edition",
    "cancel_edition",
    "create_notice",
    "overrule_checks",
    "pause_edition",
    "reject_edition",
    "resume_edition",
    "save_draft",
    "start_edition",
    "submit_for_review",
    "withdraw",
]
