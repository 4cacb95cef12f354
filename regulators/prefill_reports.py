"""of_reports(): what the other reports of the incident, and this one so far, tell a form: who knows, what follows."""

from collections.abc import Iterator

from django.urls import reverse

from breachdesk.incidents.models import Incident
from regulators.catalogue import get_regime, get_supervisor, supervisors_of, the_catalogue
from regulators.fitting import standing_for
from regulators.known import Known, day_of
from regulators.models import Answer, DutyMet, Filing, StatedFact
from regulators.positions import MAIN_ESTABLISHMENT

OF_THIS_FILING = "filing."
"""Facts that hold for one filing alone, and are never taken from another."""
DATA_PROTECTION = frozenset({"eu_gdpr", "uk_gdpr", "ch_fadp", "gg_dpl", "gi_gdpr", "im_gdpr", "je_dpjl"})
"""Laws whose authorities European forms mean by other data protection authorities."""


def of_reports(filing: Filing) -> dict[str, Known]:
    return {**_of_other_filings(filing), **_of_this(filing), **_of_told(filing), **_of_lead(filing)}


def _of_other_filings(filing: Filing) -> dict[str, Known]:
    """What was answered by hand in other reports of the incident; of two, the later one."""
    known = {}
    for answer in Answer.objects.in_other_filings(filing):
        question = answer.filing.definition.question(answer.question)
        if question.fact and not question.fact.startswith(OF_THIS_FILING):
            value = standing_for(question, answer.value)
            origin = f"As answered in the report to the {answer.filing.addressee.short_name}."
            known[question.fact] = Known(value, origin, f"{answer.filing.get_absolute_url()}#q-{answer.question}")
    return known


def _of_this(filing: Filing) -> dict[str, Known]:
    """Whether this is the first report of the incident to this authority, how it calls it since, what was promised."""
    known, previous, url = {}, filing.previous, filing.get_absolute_url()
    if law := filing.law:
        known["filing.legal_basis"] = Known(law, f"From the law that this report answers: {get_regime(law).name}.")
    if promised := [answer.promised_on for answer in filing.answers.all() if answer.promised_on]:
        origin = "From the answers of this report that are promised."
        known["filing.more_to_come"] = Known("yes", origin)
        known["filing.expected_update"] = Known(min(promised), origin)
    if previous is None:
        return {**known, "filing.type": Known("initial", "This is the first report of this incident.")}
    known["filing.type"] = Known("follow_up", f"Version {previous.number} went before it.", url)
    receipt = getattr(previous, "receipt", None)
    if receipt and (reference := receipt.authority_reference):
        known["filing.authority_reference"] = Known(reference, f"From the receipt of version {previous.number}.", url)
    return known


# Who else was told


def _of_told(filing: Filing) -> dict[str, Known]:
    incident, told = filing.incident, list(_told_by_filing(filing))
    url, origin = reverse("duties", args=[incident.reference]), "From what was submitted and recorded as told."
    lines = [line for _, line in told] + list(_told_otherwise(incident))
    if not lines:
        return {}
    known = {"others.status": Known("yes", origin, url), "others.list": Known("\n".join(lines), origin, url)}
    if others := [line for law, line in told if law in DATA_PROTECTION]:
        known["cross_border.other_sas"] = Known("\n".join(others), origin, url)
    return known


def _told_by_filing(filing: Filing) -> Iterator[tuple[str, str]]:
    """The law and a line, for each other authority that got a report."""
    for other in Filing.objects.of(filing.incident).with_case():
        times = [one.receipt.submitted_at for one in other.versions.all() if hasattr(one, "receipt")]
        if times and other.authority_key != filing.authority_key:
            yield other.law or "", f"{other.addressee.name}, {day_of(min(times), filing.incident.aware.zone)}"


def _told_otherwise(incident: Incident) -> Iterator[str]:
    for met in DutyMet.objects.of(incident):
        laws = the_catalogue().regimes.get(met.regime, ())
        duty = next((duty for law in reversed(laws) for duty in law.duties if duty.id == met.duty), None)
        whom = (duty.whom or duty.title) if duty else met.duty
        yield f"{whom} ({met.place}), {day_of(met.told_at, incident.aware.zone)}"


# The lead authority


def _of_lead(filing: Filing) -> dict[str, Known]:
    """Of our main establishment (GDPR Article 56(1)), where its place has one authority or ours was named."""
    stated = {row.key: row.value for row in StatedFact.objects.for_cases([filing.incident]) if row.value}
    place = stated.get(MAIN_ESTABLISHMENT)
    if not place:
        return {}
    ours = stated.get(f"supervisor.{place}")
    of_the_law = set(get_regime("eu_gdpr").authorities)
    found = [get_supervisor(ours)] if ours else [one for one in supervisors_of(place) if one.id in of_the_law]
    if len(found) != 1:
        return {}
    origin = "From where our main establishment is, as “Our position” says."
    return {"cross_border.lead": Known(found[0].name, origin, reverse("position"))}
