"""Everything that changes a notice or an edition. What changes a single delivery is in delivery.py."""

from notifications.actions.approving import approve_edition, break_glass, open_rendering
from notifications.actions.audience import define_audience
from notifications.actions.commenting import comment_on, settle_comment
from notifications.actions.deciding import overrule_checks, reject_edition, submit_for_review, withdraw
from notifications.actions.sending import cancel_edition, pause_edition, resume_edition, start_edition
from notifications.actions.writing import add_edition, create_notice, save_draft

__all__ = [
    "add_edition",
    "approve_edition",
    "break_glass",
    "cancel_edition",
    "comment_on",
    "create_notice",
    "define_audience",
    "open_rendering",
    "overrule_checks",
    "pause_edition",
    "reject_edition",
    "resume_edition",
    "save_draft",
    "settle_comment",
    "start_edition",
    "submit_for_review",
    "withdraw",
]
