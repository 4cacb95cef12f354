"""A person decides whether the authority and the people are told. No score does, and no decision is overwritten."""

from dataclasses import dataclass
from typing import TYPE_CHECKING

from django.core.exceptions import ValidationError
from django.utils import timezone

from breachdesk.accounts.permissions import action
from breachdesk.audit.record import record
from breachdesk.incidents.locking import lock_open
from breachdesk.incidents.models import Assessment, Decision, Incident

if TYPE_CHECKING:
    from breachdesk.accounts.models import User

WHOM = {Decision.About.AUTHORITY: "the_authority", Decision.About.PEOPLE: "the_people"}


@dataclass(frozen=True)
class Verdict:
    """`facts` is the digest of what was known; `expected` the decision that stood when the page was opened."""

    about: Decision.About
    tell: bool
    reason: str
    facts: bytes
    expected: Decision | None = None


@action("incidents.decide_notification")
def decide_notification(incident: Incident, verdict: Verdict, *, by: "User") -> Decision:
    incident = lock_open(incident)
    if not verdict.reason.strip():
        raise ValidationError({"reason": "Give the reason. The authority may ask for it, above all after a no."})
    standing = Decision.objects.of(incident).standing().filter(about=verdict.about).first()
    if standing != verdict.expected:
        raise ValidationError("Somebody decided this while you were typing. Nothing was overwritten: look again first.")
    _refuse_contradiction(incident, verdict)
    return _decide(incident, verdict, standing, by)


def _refuse_contradiction(incident: Incident, verdict: Verdict) -> None:
    """A high risk to people is more than a risk: who tells them tells the authority (GDPR Articles 33(1) and 34(1))."""
    authority = verdict.about == Decision.About.AUTHORITY
    other = Decision.About.PEOPLE if authority else Decision.About.AUTHORITY
    told = dict(Decision.objects.of(incident).standing().values_list("about", "tell"))
    if authority and not verdict.tell and told.get(other):
        raise ValidationError("It was decided to tell the people: their risk is high. Then the authority is told too.")
    if not authority and verdict.tell and told.get(other) is False:
        raise ValidationError("It was decided not to tell the authority: no risk. Change that decision first.")


def _decide(incident: Incident, verdict: Verdict, standing: Decision | None, by: "User") -> Decision:
    now = timezone.now()
    if standing:
        standing.superseded_at = now
        standing.version += 1
        standing.save(update_fields=["superseded_at", "version"])
    decision = Decision.objects.create(
        incident=incident,
        about=verdict.about,
        tell=verdict.tell,
        reason=verdict.reason.strip(),
        assessment=Assessment.objects.of(incident).first(),
        facts=verdict.facts,
        decided_by=by,
        decided_at=now,
    )
    record(
        "notification.decided",
        by=by,
        on=decision,
        also=[standing] if standing else [],
        private={"reason": decision.reason},
        answer="to_tell" if decision.tell else "not_to_tell",
        about=WHOM[verdict.about],
        assessment=decision.assessment_id,
        facts=verdict.facts,
        replaces=standing.pk if standing else None,
    )
    return decision
