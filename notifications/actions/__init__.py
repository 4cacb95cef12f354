"""Everything that changes a notice or an edition. What changes a single delivery is in delivery.py."""

from notifications.actions.amending import approve_amendment, ask_amendment, refuse_amendment
from notifications.actions.approving import approve_edition, break_glass, open_rendering
from notifications.actions.audience import define_audience
from notifications.actions.commenting import comment_on, settle_comment
from notifications.actions.deciding import overrule_checks, reject_edition, submit_for_review, withdraw
from notifications.actions.letters import begin_letters, post_letters, take_letters, void_letters
from notifications.actions.resuming import resume_sending
from notifications.actions.schedule import set_schedule
from notifications.actions.second_address import try_second_address
from notifications.actions.sending import cancel_edition, change_rate, change_route, pause_edition, resume_edition
from notifications.actions.starting import disarm_edition, start_due_editions, start_edition
from notifications.actions.unknowns import (
    ask_resend,
    confirm_resend,
    give_up,
    take_as_sent,
    try_again,
    withdraw_resend,
)
from notifications.actions.writing import add_edition, create_notice, save_draft

__all__ = [
    "add_edition",
    "approve_amendment",
    "approve_edition",
    "ask_amendment",
    "ask_resend",
    "begin_letters",
    "break_glass",
    "cancel_edition",
    "change_rate",
    "change_route",
    "comment_on",
    "confirm_resend",
    "create_notice",
    "define_audience",
    "disarm_edition",
    "give_up",
    "open_rendering",
    "overrule_checks",
    "pause_edition",
    "post_letters",
    "refuse_amendment",
    "reject_edition",
    "resume_edition",
    "resume_sending",
    "save_draft",
    "set_schedule",
    "settle_comment",
    "start_due_editions",
    "start_edition",
    "submit_for_review",
    "take_as_sent",
    "take_letters",
    "try_again",
    "try_second_address",
    "void_letters",
    "withdraw",
    "withdraw_resend",
]
