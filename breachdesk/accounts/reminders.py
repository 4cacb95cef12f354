"""The e-mails about pending decisions: to whoever may decide, and after a while to their deputies, once.

No transaction is open while the relay talks: an attempt is claimed, made, and then noted as made. If the relay or this
process fails in between, the next beat tries again; a colleague may then get the same sentence twice, never not at all.
"""

from datetime import datetime
from uuid import UUID

from django.db import models, transaction

from breachdesk.accounts.models import Organisation, PendingDecision, User
from breachdesk.accounts.staff_mail import absolute, letter_to, send
from breachdesk.audit.record import record


def call_deputies(moment: datetime) -> int:
    """Names the deputies of whoever has not decided in time; tell_the_untold() then writes to them."""
    after = Organisation.current().deputy_after
    called = 0
    for pk in PendingDecision.objects.due_for_deputies(moment, after).values_list("pk", flat=True):
        called += _call_deputies_of(pk, moment)
    return called


@transaction.atomic
def _call_deputies_of(pk: UUID, moment: datetime) -> bool:
    decision = PendingDecision.objects.open().select_for_update(skip_locked=True).filter(pk=pk).first()
    if decision is None or decision.deputies_asked_at:
        return False
    users = sorted(str(user) for user in decision.deputies().values_list("pk", flat=True))
    decision.deputies_asked_at, decision.tried_at = moment, None
    decision.version += 1
    decision.save(update_fields=["deputies_asked_at", "tried_at", "version"])
    record(
        "decision.deputies_asked",
        by=None,
        on=decision,
        asked=len(users),
        users=users,
        permission=decision.permission,
        kind=decision.object_kind,
    )
    return True


def tell_the_untold(moment: datetime) -> None:
    for pk in PendingDecision.objects.untold(moment).values_list("pk", flat=True):
        tell(pk, moment)


def tell(pk: UUID, moment: datetime) -> None:
    """Does nothing when somebody else is at it, when all were told, or when it was decided meanwhile."""
    if not PendingDecision.objects.untold(moment).filter(pk=pk).update(tried_at=moment):
        return
    decision = PendingDecision.objects.get(pk=pk)
    if decision.told_at is None and _send_all(decision, decision.who_may(), as_deputy=False):
        _note(pk, told_at=moment)
    owed_to_deputies = decision.deputies_asked_at and decision.deputies_told_at is None
    if owed_to_deputies and _send_all(decision, decision.deputies(), as_deputy=True):
        _note(pk, deputies_told_at=moment)


def _send_all(decision: PendingDecision, users: models.QuerySet[User], *, as_deputy: bool) -> bool:
    """True when the relay took at least one, or there was nobody to write to: a retry would only repeat itself."""
    context = {"sentence": decision.sentence, "link": absolute(decision.url), "as_deputy": as_deputy}
    problems = [send(letter_to(user, "decision", context)) for user in users]
    return not problems or "" in problems


def _note(pk: UUID, **moments: datetime) -> None:
    PendingDecision.objects.filter(pk=pk).update(**moments)
