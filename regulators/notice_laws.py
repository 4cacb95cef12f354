"""What notices ask of the laws: which have people told of a case, with which contents; and was an authority told."""

from django.utils import timezone

from breachdesk.incidents.models import Incident
from notifications.laws import Laws, Told, answers_laws
from notifications.lint.law import Law
from regulators.case_facts import facts_of
from regulators.catalogue.rules import Recipient
from regulators.models import FilingVersion
from regulators.obligations import Obligation, Verdict, obligations_of
from regulators.standing import the_rulebook


@answers_laws
def laws_of_notices(incident: Incident) -> Laws:
    """A law whose duty to tell people is ruled out is not there; one that is undecided asks and does not demand."""
    answer = obligations_of(facts_of(incident), the_rulebook(), timezone.now())
    told = tuple(
        _told(one)
        for one in answer.obligations
        if one.duty.tell == Recipient.PEOPLE and one.verdict != Verdict.NOT_OWED and one.regime.notice_contents
    )
    return Laws(told, FilingVersion.objects.submitted_of([incident]).exists())


def _told(one: Obligation) -> Told:
    contents = one.regime.notice_contents
    assert contents is not None
    is_owed = one.verdict == Verdict.OWED and contents.set_by_statute
    law = Law(one.regime.id, one.regime.name, one.duty.article, contents.parts, is_owed)
    return Told(law, frozenset([one.place] if one.place else one.regime.places))
