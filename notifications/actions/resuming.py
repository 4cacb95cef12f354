"""Sending goes on after a restore, a failover or a move, by the word of whoever runs this installation."""

from functools import partial

from django.core.exceptions import ValidationError
from django.db import transaction

from breachdesk.accounts.permissions import OPERATOR, action
from breachdesk.audit.record import record
from notifications import epochs, tasks
from notifications.models import Edition
from notifications.reconciling import stop_what_was_sent


@action(OPERATOR)
def resume_sending(*, reason: str, by: None) -> None:
    """From this database as it is. What some evidence says was sent is stopped first."""
    if not reason.strip():
        raise ValidationError("Say with --reason why sending may go on. It stands in the trail for ever.")
    epoch, why = epochs.locked()
    if why is None:
        raise ValidationError("Nothing is held back: this database is the one that messages were sent from.")
    stop_what_was_sent()
    before = epochs.let_go(epoch)
    record(
        "sending.resumed",
        by=by,
        why=why,
        number=epoch.number,
        file_number=before,
        private={"reason": reason.strip()},
    )
    transaction.on_commit(epochs.remember_here)
    for edition_id in Edition.objects.sending().values_list("pk", flat=True):
        transaction.on_commit(partial(tasks.ring, edition_id), robust=True)
