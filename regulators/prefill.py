"""known_answers(): what the incident, the people, the notices and the organisation already tell us, with its origin.

Nothing here is stored: an answer nobody has edited is worked out afresh on every look, until sign-off fixes it.
"""

from collections import Counter
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from django.urls import reverse

from breachdesk.accounts.models import Organisation
from breachdesk.audit.canonical import time_text
from breachdesk.incidents.models import Incident, Moment
from breachdesk.people.models import CountEntry, Tally
from notifications.models import Delivery, Edition
from regulators.catalogue.schema import Form, Kind, Question
from regulators.deadlines import hours_since
from regulators.wording import said

CATEGORIES: dict[str, tuple[str, ...]] = {
    "name": ("basic_identifiers",),
    "email": ("basic_identifiers",),
    "postal_address": ("basic_identifiers",),
    "phone": ("basic_identifiers",),
    "birth_date": ("basic_identifiers",),
    "customer_number": ("other",),
    "orders": ("other",),
    "password": ("identification",),
    "payment_card": ("economic_financial",),
    "bank_account": ("economic_financial",),
    "identity_document": ("official_documents",),
    "national_number": ("official_documents",),
    "location": ("location",),
    "messages": ("other",),
    "health": ("health",),
    "ethnicity": ("racial_ethnic",),
    "belief": ("religious",),
    "politics": ("political",),
    "union": ("union",),
    "sex_life": ("sex_life", "sexual_orientation"),
    "biometric": ("genetic_biometric",),
    "criminal": ("criminal",),
    "other": ("other",),
}
"""Our kinds of data in the categories that regulators' forms share."""

REACHED = {
    Delivery.State.HANDED_OVER,
    Delivery.State.DELIVERED,
    Delivery.State.BOUNCED,
    Delivery.State.COMPLAINED,
    Delivery.State.ASSUMED_SENT,
}
"""The mail system took the message, whatever became of it later."""


@dataclass(frozen=True)
class Known:
    """One fact: its value in the form's shape, and a sentence and an address for where it comes from."""

    value: Any
    origin: str
    url: str = ""


def known_answers(form: Form, incident: Incident, *, at: datetime) -> dict[str, Known]:
    """By question key. A fact that does not fit the question (a sector the form has no choice for) is left out."""
    known = known_facts(incident, at=at)
    found = ((question, known.get(question.fact or "")) for question in form.questions)
    return {question.key: fitted for question, fact in found if fact and (fitted := _fitted(question, fact))}


def known_facts(incident: Incident, *, at: datetime) -> dict[str, Known]:
    """By fact key, as catalogue/facts.yaml names them."""
    return {
        "filing.type": Known("initial", "This is the first report of this incident."),
        "filing.hours_since_awareness": Known(hours_since(incident.aware_at, at), "The awareness clock."),
        **_of_incident(incident),
        **_of_people(incident),
        **_of_notices(incident),
        **_of_organisation(Organisation.objects.first()),
    }


def _of_incident(incident: Incident) -> dict[str, Known]:
    source, url = "From the incident’s facts.", incident.get_absolute_url()
    known = {"incident.description": Known(_description(incident), source, url)}
    if incident.kinds:
        unsure = " They are marked there as not certain." if incident.kinds_uncertain else ""
        taken = {category for kind in incident.kinds for category in CATEGORIES[kind]}
        known["data.categories"] = Known(taken, f"From the kinds of data in the incident.{unsure}", url)
        listed = ", ".join(incident.kind_labels).capitalize()
        known["data.categories_details"] = Known(f"{listed}.", f"From the kinds of data in the incident.{unsure}", url)
    if incident.aware.basis:
        known["incident.discovered_how"] = Known(incident.aware.basis, "From how we became aware.", url)
    for fact, kind in {"incident.aware_at": Moment.Kind.AWARE, "incident.occurred_start": Moment.Kind.BEGAN}.items():
        if (moment := incident.moment(kind)) and moment.at:
            stated = {"at": time_text(moment.at), "zone": moment.zone, "precision": str(moment.precision)}
            known[fact] = Known(stated, f"From “{moment.get_kind_display()}” in the incident.", url)
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
    return known | {
        "data.record_count": Known(tally.rows_read, f"From People: every row of {files}.", url),
        "people.categories": Known({"customers"}, "From People: the affected people are customers.", url),
    }


def _of_entry(entry: CountEntry, files: str, url: str) -> dict[str, Known]:
    number = entry.count.one_number
    if number is None:
        return {}
    if entry.basis == CountEntry.Basis.LIST:
        return {"people.count": Known(number, f"From People: {files}, without repetitions.", url)}
    rests_on = entry.get_basis_display().lower()
    return {"people.count": Known(number, f"From the count of people: {entry.count} ({rests_on}).", url)}


def _of_estimate(incident: Incident) -> dict[str, Known]:
    highest = incident.people_high or incident.people_low
    if highest is None:
        return {}
    origin = f"From the incident’s estimate: {incident.people_estimate}."
    return {"people.count": Known(highest, origin, incident.get_absolute_url())}


def _of_notices(incident: Incident) -> dict[str, Known]:
    editions = [e for e in Edition.objects.of(incident).in_order() if e.state != Edition.State.CANCELLED]
    if not editions:
        return {}
    url = reverse("notice-list", args=[incident.reference])
    states = {edition.state for edition in editions}
    status = "yes" if states == {Edition.State.FINISHED} else "planned" if states == {Edition.State.DRAFT} else None
    known = {"individuals.status": Known(status or "in_progress", "From the notices; it follows their sending.", url)}
    if started := [edition for edition in editions if edition.started_at]:
        known["individuals.details"] = Known(_told(incident, started), "Live from the sending of the notices.", url)
    return known


def _told(incident: Incident, editions: Iterable[Edition]) -> str:
    editions = list(editions)
    counts: Counter[str] = Counter()
    for tally in Delivery.objects.tally(editions).values():
        counts.update(tally)
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
    typed = {
        "controller.name": organisation.legal_name,
        "controller.address": organisation.address,
        "controller.ico_number": organisation.ico_registration,
        "controller.sector": organisation.sector,
        "reporter.contact": dpo if any(dpo.values()) else None,
        "dpo.same_as_reporter": "yes" if any(dpo.values()) else None,
    }
    return {fact: Known(value, "From what is said about the organisation.") for fact, value in typed.items() if value}


def _fitted(question: Question, known: Known) -> Known | None:
    """The fact as this question can hold it, or None when it cannot."""
    fit = FITTING.get(question.kind)
    value = fit(question, known.value) if fit else known.value
    return Known(value, known.origin, known.url) if value else None


def _fitting_choice(question: Question, value: str) -> str | None:
    if value in question.values:
        return value
    same = (choice.value for choice in question.choices if choice.label.casefold() == value.casefold())
    return next(same, None)


def _fitting_choices(question: Question, value: set[str]) -> list[str]:
    return [item for item in question.values if item in value]


FITTING: dict[Kind, Callable[[Question, Any], Any]] = {
    Kind.CHOICE: _fitting_choice,
    Kind.YES_NO: _fitting_choice,
    Kind.CHOICES: _fitting_choices,
}
