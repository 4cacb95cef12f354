"""known_answers(): what the incident, the people, the notices and the organisation already tell us, with its origin.

Nothing here is stored: an answer nobody has edited is worked out afresh on every look, until sign-off fixes it.
"""

from collections import Counter
from collections.abc import Iterable
from datetime import datetime
from zoneinfo import ZoneInfo

from django.urls import reverse

from breachdesk.accounts.models import Organisation
from breachdesk.audit.canonical import time_of, time_text
from breachdesk.incidents.kinds import KINDS
from breachdesk.incidents.models import Incident, Moment
from breachdesk.people.models import CountEntry, Tally
from breachdesk.people.models.counts import Count
from notifications.models import Delivery, Edition
from regulators.clocks import hours_since
from regulators.fitting import fitted
from regulators.known import Known
from regulators.models import Filing
from regulators.prefill_reports import of_reports
from regulators.prefill_risk import of_risk
from regulators.wording import PARTS, lasting, said

EEA = frozenset(
    {"AT", "BE", "BG", "HR", "CY", "CZ", "DK", "EE", "FI", "FR", "DE", "GR", "HU", "IE", "IT"}
    | {"LV", "LT", "LU", "MT", "NL", "PL", "PT", "RO", "SK", "SI", "ES", "SE", "IS", "LI", "NO"}
)

REACHED = {
    Delivery.State.HANDED_OVER,
    Delivery.State.DELIVERED,
    Delivery.State.BOUNCED,
    Delivery.State.COMPLAINED,
    Delivery.State.ASSUMED_SENT,
}
"""The mail system took the message, whatever became of it later."""


MOMENTS = {
    "incident.aware_at": Moment.Kind.AWARE,
    "incident.occurred_start": Moment.Kind.BEGAN,
    "incident.occurred_end": Moment.Kind.ENDED,
    "incident.detected_at": Moment.Kind.DETECTED,
    "incident.discovered_at": Moment.Kind.DISCOVERED,
    "incident.determined_at": Moment.Kind.DETERMINED,
    "incident.assessed_at": Moment.Kind.ASSESSED,
    "incident.classified_at": Moment.Kind.CLASSIFIED,
    "incident.material_at": Moment.Kind.MATERIAL,
    "incident.resolved_at": Moment.Kind.HANDLED,
}
"""Facts that are moments somebody stated."""
ENDED = "From “The breach ended” as well."
NOBODY = dict.fromkeys(PARTS, "")


def known_answers(filing: Filing, facts: dict[str, Known]) -> dict[str, Known]:
    """By question key. A fact that does not fit the question (a sector the form has no choice for) is left out."""
    answers = {}
    for question in filing.definition.questions:
        known = facts.get(question.fact or "")
        value = fitted(question, known.value) if known else None
        if known and value is not None:
            answers[question.key] = Known(value, known.origin, known.url)
    return answers


def known_facts(filing: Filing, *, at: datetime) -> dict[str, Known]:
    """By fact key, as catalogue/facts.yaml names them. What we know ourselves goes before what another report says."""
    incident = filing.incident
    risk = of_risk(incident)
    return {
        **of_reports(filing),
        "filing.hours_since_awareness": Known(hours_since(incident.aware_at, at), "The awareness clock."),
        "filing.own_reference": Known(incident.reference, "Our reference of the incident."),
        "filing.authority": Known(filing.authority, "Whom this report goes to."),
        **risk,
        **_of_incident(incident),
        **_of_moments(incident),
        **_of_people(incident),
        **_of_places(incident, filing.addressee.place),
        **_of_telling(incident, risk),
        **_of_organisation(Organisation.objects.first()),
    }


def _of_incident(incident: Incident) -> dict[str, Known]:
    source, url = "From the incident’s facts.", incident.get_absolute_url()
    plain = "From the incident’s facts: put it in plain words."
    typed = {
        "incident.description": (_description(incident), source),
        "incident.plain_description": (incident.what_happened, plain),
        "risk.consequences": (incident.effects, source),
        "risk.consequences_plain": (incident.effects, plain),
        "measures.taken": (incident.action_taken, source),
        "measures.taken_plain": (incident.action_taken, plain),
        "processor.is_filer": ("yes" if incident.our_role == Incident.Role.PROCESSOR else "no", "From our role in it."),
    }
    known = {fact: Known(value, origin, url) for fact, (value, origin) in typed.items() if value}
    if incident.kinds:
        known |= _of_kinds(incident, url)
    if incident.aware.basis:
        known["incident.discovered_how"] = Known(incident.aware.basis, "From how we became aware.", url)
    if incident.origin != Incident.Origin.UNKNOWN:
        involved = "yes" if incident.origin == Incident.Origin.PROCESSOR else "no"
        known["processor.involved"] = Known(involved, source, url)
    if incident.processor:
        known["processor.name"] = Known(incident.processor, source, url)
        known["processor.contact"] = Known({**NOBODY, "name": incident.processor}, source, url)
        known["processor.details"] = Known(f"{incident.processor}, a company that works for us.", source, url)
        known["incident.origin"] = Known("processor", source, url)
    return known


def _of_kinds(incident: Incident, url: str) -> dict[str, Known]:
    unsure = " They are marked there as not certain." if incident.kinds_uncertain else ""
    origin = f"From the kinds of data in the incident.{unsure}"
    special = {kind for kind in incident.kinds if KINDS[kind].special}
    known = {
        "data.categories": Known(set(incident.kinds), origin, url),
        "data.categories_details": Known(f"{', '.join(incident.kind_labels).capitalize()}.", origin, url),
        "data.per_person": Known(_per_person(incident), origin, url),
    }
    if special or not incident.kinds_uncertain:
        known["data.special_categories"] = Known(special or {"none"}, origin, url)
    return known


def _per_person(incident: Incident) -> str:
    phrases = ", ".join(kind.phrase for key, kind in KINDS.items() if key in incident.kinds)
    return f"Each person is told what was taken of them, of all this: {phrases}."


def _of_moments(incident: Incident) -> dict[str, Known]:
    url, known, standing = incident.get_absolute_url(), {}, incident.standing_moments()
    for fact, kind in MOMENTS.items():
        if (moment := standing.get(kind)) and moment.at:
            stated = {"at": time_text(moment.at), "zone": moment.zone, "precision": str(moment.precision)}
            known[fact] = Known(stated, f"From “{moment.get_kind_display()}” in the incident.", url)
    if "incident.occurred_start" in known:
        began = known["incident.occurred_start"].value
        in_words = said(time_of(began["at"]), began["zone"])
        known["incident.occurred_text"] = Known(in_words, known["incident.occurred_start"].origin, url)
        if (ended := standing.get(Moment.Kind.ENDED)) and ended.at:
            lasted = lasting(ended.at - time_of(began["at"]))
            known["incident.duration"] = Known(lasted, f"{known['incident.occurred_start'].origin} {ENDED}", url)
            known["incident.occurred_kind"] = Known("from_to", known["incident.duration"].origin, url)
    if "incident.occurred_end" in known:
        known["incident.ongoing"] = Known("no", known["incident.occurred_end"].origin, url)
    if "incident.resolved_at" in known:
        known["incident.resolved"] = Known("yes", known["incident.resolved_at"].origin, url)
    return known


def _description(incident: Incident) -> str:
    if incident.origin != Incident.Origin.PROCESSOR:
        return incident.what_happened
    return f"{incident.what_happened}\n\nIt began at {incident.processor}, a company that works for us."


def _of_people(incident: Incident) -> dict[str, Known]:
    """The count as the ledger has it now, whoever stated it last: the worker, of the lists, or one of us."""
    tally, entry = Tally.objects.of(incident), CountEntry.objects.newest_of([incident]).get(incident.pk)
    url = reverse("people", args=[incident.reference])
    files = "one loaded file" if tally.files == 1 else f"{tally.files} loaded files"
    known = _of_estimate(incident) if entry is None else _of_entry(entry, files, url)
    if not tally.files:
        return known
    who = {"customers"} | ({"minors"} if tally.minors else set()) | ({"vulnerable"} if tally.vulnerable else set())
    told = {
        "data.record_count": Known(tally.rows_read, f"From People: every row of {files}.", url),
        "people.categories": Known(who, "From People: the affected people are customers.", url),
        "people.categories_details": Known(_who(tally), f"From People: {files}.", url),
    }
    if tally.minors:
        told["people.minors"] = Known("yes", "From People: some are marked as minors.", url)
    if tally.minors or tally.vulnerable:
        told["people.vulnerable"] = Known("yes", "From People: some are marked as minors or vulnerable.", url)
    return known | told


def _who(tally: Tally) -> str:
    marked = {"minors": tally.minors, "vulnerable": tally.vulnerable}
    said_of_them = " and ".join(f"{number:,} marked as {mark}" for mark, number in marked.items() if number)
    return f"{tally.people:,} customers{f', {said_of_them}' if said_of_them else ''}."


def _of_places(incident: Incident, place: str) -> dict[str, Known]:
    """Where people live, as the lists say it; nothing about a place while people without a country could live there."""
    tally, url = Tally.objects.of(incident), reverse("people", args=[incident.reference])
    countries = {code: people for code, people in tally.countries.items() if code and people}
    if not countries:
        return {}
    origin = "From People: by country of residence."
    lines = [f"{code} {people:,}" for code, people in sorted(countries.items(), key=lambda one: (-one[1], one[0]))]
    known = {"cross_border.countries": Known("\n".join(lines), origin, url)}
    if len(EEA & countries.keys()) > 1:
        known["cross_border.flag"] = Known("yes", "From People: in more than one country of the EEA.", url)
    country, _, part = place.partition("-")
    here = tally.states.get(part) if country == "US" and part else None if part else countries.get(country)
    if here:
        known["people.in_place"] = Known(here, origin, url)
    return known


def _of_entry(entry: CountEntry, files: str, url: str) -> dict[str, Known]:
    if entry.count.one_number is None:
        return {}
    if entry.basis == CountEntry.Basis.LIST:
        return _counted(entry.count, f"From People: {files}, without repetitions.", url)
    rests_on = entry.get_basis_display().lower()
    return _counted(entry.count, f"From the count of people: {entry.count} ({rests_on}).", url)


def _of_estimate(incident: Incident) -> dict[str, Known]:
    estimate = Count(incident.people_low, incident.people_high)
    if estimate.one_number is None:
        return {}
    return _counted(estimate, f"From the incident’s estimate: {incident.people_estimate}.", incident.get_absolute_url())


def _counted(count: Count, origin: str, url: str) -> dict[str, Known]:
    numbers = {"people.count": count.one_number, "people.count_min": count.low, "people.count_max": count.high}
    return {fact: Known(number, origin, url) for fact, number in numbers.items() if number is not None}


def _of_telling(incident: Incident, risk: dict[str, Known]) -> dict[str, Known]:
    """What the notices say; a draft says nothing against a decision not to tell people."""
    known, decided = _of_notices(incident), risk.get("individuals.decision")
    is_only_written = "individuals.date" not in known
    return {} if decided and decided.value == "not_tell" and is_only_written else known


def _of_notices(incident: Incident) -> dict[str, Known]:
    editions = [
        e for e in Edition.objects.of(incident).in_order().with_incident() if e.state != Edition.State.CANCELLED
    ]
    if not editions:
        return {}
    url, from_them = reverse("notice-list", args=[incident.reference]), f"From {_named(editions)}."
    states = {edition.state for edition in editions}
    status = "yes" if states == {Edition.State.FINISHED} else "planned" if states == {Edition.State.DRAFT} else None
    known = {"individuals.status": Known(status or "in_progress", f"{from_them} It follows their sending.", url)}
    known["individuals.channel"] = Known({"email"}, from_them, url)
    known["individuals.channel_text"] = Known("Email", from_them, url)
    known["individuals.message"] = Known(_message(editions), from_them, url)
    if started := [edition for edition in editions if edition.started_at]:
        known |= _of_sending(incident, started, f"Live from the sending of {_named(started)}.", url)
    return known


def _named(editions: Iterable[Edition]) -> str:
    titles = list(dict.fromkeys(edition.notice.title for edition in editions))
    return f"the notice “{titles[0]}”" if len(titles) == 1 else f"{len(titles)} notices"


def _message(editions: list[Edition]) -> str:
    """The words as they are written, with the fields that each person’s own data goes into."""
    first = next((one for one in editions if one.language.startswith("en")), editions[0])
    return f"{first.subject}\n\n{first.body}"


def _of_sending(incident: Incident, editions: list[Edition], origin: str, url: str) -> dict[str, Known]:
    counts: Counter[str] = Counter()
    for tally in Delivery.objects.tally(editions).values():
        counts.update(tally)
    zone = ZoneInfo(incident.aware.zone)
    began = min(edition.started_at for edition in editions if edition.started_at)
    known = {
        "individuals.details": Known(_told(incident, editions, counts), origin, url),
        "individuals.date": Known(began.astimezone(zone).date(), origin, url),
        "individuals.count": Known(sum(counts[state] for state in REACHED), origin, url),
    }
    if ended := [edition.finished_at for edition in editions if edition.finished_at]:
        known["individuals.end_date"] = Known(max(ended).astimezone(zone).date(), origin, url)
    return known


def _told(incident: Incident, editions: Iterable[Edition], counts: Counter[str]) -> str:
    total, told = counts.total(), sum(number for state, number in counts.items() if state in REACHED)
    unknown, refused = counts[Delivery.State.UNKNOWN], counts[Delivery.State.REFUSED]
    began = min(edition.started_at for edition in editions if edition.started_at)
    sentences = [
        f"We began telling people by email on {said(began, incident.aware.zone)}.",
        f"Of {total:,} messages, {told:,} were taken by the receiving mail systems.",
        f"{refused:,} were refused." if refused else "",
        f"Of {unknown:,} it is not known whether they arrived." if unknown else "",
    ]
    return " ".join(sentence for sentence in sentences if sentence)


def _of_organisation(organisation: Organisation | None) -> dict[str, Known]:
    if organisation is None:
        return {}
    dpo = {
        "name": organisation.dpo_name,
        "email": organisation.dpo_email,
        "phone": organisation.dpo_phone,
        "address": "",
    }
    there = any(dpo.values())
    typed = {
        "controller.name": organisation.legal_name,
        "controller.trade_name": organisation.short_name,
        "controller.address": organisation.address,
        "controller.registration": organisation.company_number,
        "controller.website": organisation.website,
        "controller.ico_number": organisation.ico_registration,
        "controller.sector": organisation.sector,
        "reporter.contact": dpo if there else None,
        "reporter.organisation": organisation.legal_name,
        "dpo.contact": dpo if there else None,
        "dpo.name": organisation.dpo_name,
        "dpo.email": organisation.dpo_email,
        "dpo.phone": organisation.dpo_phone,
        "dpo.same_as_reporter": "yes" if there else None,
    }
    return {fact: Known(value, "From what is said about the organisation.") for fact, value in typed.items() if value}
