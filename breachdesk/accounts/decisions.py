"""Whoever must approve, sign off or decide is asked; what is decided is settled. Called from higher apps' actions."""

from collections.abc import Iterable

from django.db import models, transaction
from django.db.models import Q
from django.utils import timezone

from breachdesk.accounts import tasks
from breachdesk.accounts.models import PendingDecision, PendingDecisionQuerySet, User
from breachdesk.audit.record import record


def ask_for_decision(
    permission: str,
    *,
    on: models.Model,
    url: str,
    sentence: str,
    by: User | None,
    excluding: Iterable[User] = (),
) -> PendingDecision:
    """Part of the caller's transaction. Asking again about the same thing takes the place of the first time.

    `sentence` goes out by e-mail: it holds a reference and what is to be decided, no title and nobody's data.
    """
    replaced = _settle(PendingDecision.objects.open().about(on).filter(permission=permission))
    decision = PendingDecision.objects.create(
        permission=permission,
        object_kind=on._meta.label_lower,
        object_id=on.pk,
        incident_id=getattr(on, "incident_id", None),
        sentence=sentence,
        url=url,
        asked_by=by,
        asked_at=timezone.now(),
    )
    decision.excluded.set(excluding)
    users = list(decision.who_may().values_list("pk", flat=True))
    record(
        "decision.asked",
        by=by,
        on=on,
        also=[decision, *replaced],
        asked=len(users),
        permission=permission,
        users=sorted(map(str, users)),
    )
    # A lost ring only costs time: the beat looks for whoever was not told.
    transaction.on_commit(lambda: tasks.tell_colleagues.delay(str(decision.pk)), robust=True)
    return decision


def settle_decisions(*, on: models.Model, by: User | None = None) -> int:
    """Part of the caller's transaction: nobody is asked about this object any more. Returns how many were open."""
    settled = _settle(PendingDecision.objects.open().about(on))
    if settled:
        record("decision.settled", by=by, on=on, also=settled, kind=on._meta.label_lower)
    return len(settled)


def _settle(decisions: PendingDecisionQuerySet) -> list[PendingDecision]:
    settled = list(decisions.select_for_update())
    for decision in settled:
        decision.settled_at = timezone.now()
        decision.version += 1
        decision.save(update_fields=["settled_at", "version"])
    return settled


def waiting_for(user: User) -> PendingDecisionQuerySet:
    """What this user may decide and has not excluded themselves from by writing it, oldest first."""
    return (
        PendingDecision.objects.open()
        .filter(permission__in=user.get_all_permissions())
        .filter(~Q(excluded=user))
        .oldest_first()
    )
