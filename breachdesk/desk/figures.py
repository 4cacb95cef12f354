"""stated_figures(): every paper that says how many people are affected, beside the number as it is now.

The count of a case changes, and what was said before stays out there: signed-off and submitted filings, approved
notices, exported reports and bundles, estimates. Nothing is kept for this list: it is read from what each of them says
itself or, where a paper took the count of its moment, from the ledger as it was at that moment.
"""

import json
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, replace
from datetime import datetime
from typing import TYPE_CHECKING, Any

from django.urls import reverse

from breachdesk.audit.models import Event
from breachdesk.audit.timeline import describe
from breachdesk.incidents.mentions import numbers_in
from breachdesk.incidents.models import Incident
from breachdesk.incidents.spelled import numbers_spelled_in
from breachdesk.people.counts_then import ESTIMATING, Counts, counts_of
from breachdesk.people.models import CountEntry
from breachdesk.people.models.counts import Count
from notifications.models import Edition
from regulators.catalogue.schema import Kind
from regulators.models import Answer, Filing, FilingVersion

if TYPE_CHECKING:
    from breachdesk.accounts.models import User

FACT = "people.count"
EXPORTS = {"report.exported": "Evidence report", "bundle.exported": "Evidence bundle"}


@dataclass(frozen=True)
class Figure:
    """What one paper says, since when, and whether that is still so. `went_out` is what somebody outside has."""

    what: str
    how: str
    url: str
    at: datetime
    stated: Count
    is_outdated: bool = False
    went_out: bool = False
    note: str = ""


@dataclass(frozen=True)
class Figures:
    now: Count
    figures: list[Figure]
    ledger: list[CountEntry]  # newest first

    @property
    def outdated(self) -> list[Figure]:
        return [figure for figure in self.figures if figure.is_outdated]


def stated_figures(incident: Incident, user: "User") -> Figures:
    """Newest first."""
    ledger = list(CountEntry.objects.of(incident).oldest_first())
    events = list(Event.objects.of_incident(incident.pk).of_types([*ESTIMATING, *EXPORTS]).oldest_first())
    counts = counts_of(ledger, [event for event in events if event.type in ESTIMATING])
    found = [
        *_of_filings(incident, user, counts),
        *_of_notices(incident, user, counts),
        *_of_exports(incident, user, counts, [event for event in events if event.type in EXPORTS]),
        *_of_statements(incident, counts, ledger),
    ]
    return Figures(counts.now, sorted(found, key=lambda figure: figure.at, reverse=True), ledger[::-1])


@dataclass(frozen=True)
class WrongFiling:
    """What an authority was told and is not so any more."""

    incident: Incident
    authority: str
    figure: Figure
    now: Count


def submitted_and_wrong(incidents: Iterable[Incident], user: "User") -> list[WrongFiling]:
    """Two queries, however many incidents there are. Of each filing only the version that was submitted last counts."""
    by_id = {incident.pk: incident for incident in incidents}
    if not user.has_perm("regulators.view_filing"):
        return []
    entries = CountEntry.objects.newest_of(by_id.values())
    submitted = FilingVersion.objects.submitted_of(by_id.values())
    last = {version.filing_id: version for version in submitted}
    found = []
    for version in last.values():
        incident = by_id[version.filing.incident_id]
        entry = entries.get(incident.pk)
        now = entry.count if entry else Count(incident.people_low, incident.people_high)
        authority = version.filing.addressee.short_name
        wrong = (figure for figure in _of_version(version, now) if figure.is_outdated)
        found += [WrongFiling(incident, authority, figure, now) for figure in wrong]
    return sorted(found, key=lambda wrong: wrong.figure.at, reverse=True)


# Filings


def _of_filings(incident: Incident, user: "User", counts: Counts) -> Iterator[Figure]:
    for filing in Filing.objects.visible_to(user).of(incident).with_case():
        for version in filing.versions.all():
            yield from _of_version(version, counts.now)
            yield from _mentions(
                " ".join(_texts(version)), counts, _paper(version, "says so in its text", Count(None, None))
            )
        if not filing.is_fixed:
            yield from _of_draft(filing, counts.now)


def _of_version(version: FilingVersion, now: Count) -> Iterator[Figure]:
    keys = _keys_of(version.filing)
    for question in _questions(version):
        if question["key"] in keys:
            stated = Count.exactly(question["answer"]) if question["answer"] is not None else Count(None, None)
            figure = _paper(version, "signed off", stated)
            yield replace(figure, is_outdated=stated.one_number != now.one_number)


def _paper(version: FilingVersion, how: str, stated: Count) -> Figure:
    filing, receipt = version.filing, getattr(version, "receipt", None)
    form = filing.definition
    return Figure(
        what=f"{form.title} to the {filing.addressee.short_name}, version {version.number}",
        how="submitted" if receipt else how,
        url=filing.get_absolute_url(),
        at=receipt.submitted_at if receipt else version.signed_at,
        stated=stated,
        went_out=receipt is not None,
    )


def _of_draft(filing: Filing, now: Count) -> Iterator[Figure]:
    """Only what somebody typed: whatever follows the facts is right by itself."""
    keys, form = _keys_of(filing), filing.definition
    typed = (answer for answer in filing.answers.all() if answer.question in keys and not answer.follows_facts)
    for answer in typed:
        stated = _stated_in(answer)
        what = f"{form.title} to the {filing.addressee.short_name}, draft"
        url, outdated = filing.get_absolute_url(), stated.one_number != now.one_number
        yield Figure(what, "typed by hand", url, answer.answered_at, stated, is_outdated=outdated)


def _stated_in(answer: Answer) -> Count:
    return Count.exactly(answer.value) if isinstance(answer.value, int) else Count(None, None)


def _keys_of(filing: Filing) -> set[str]:
    """The questions that hold the number itself; some forms ask for a range of it besides."""
    asked = (question for question in filing.definition.questions if question.kind == Kind.NUMBER)
    return {question.key for question in asked if question.fact == FACT}


def _questions(version: FilingVersion) -> list[dict[str, Any]]:
    content = json.loads(bytes(version.content))
    return [question for section in content["sections"] for question in section["questions"]]


def _texts(version: FilingVersion) -> list[str]:
    return [one["answer"] for one in _questions(version) if isinstance(one["answer"], str)]


# Notices


def _of_notices(incident: Incident, user: "User", counts: Counts) -> Iterator[Figure]:
    editions = Edition.objects.visible_to(user).of(incident).with_incident().with_approvals()
    for edition in editions.exclude(state=Edition.State.CANCELLED):
        blank = Figure(
            what=f"Notice “{edition.notice.title}”, {edition.language}, revision {edition.revision}",
            how="",
            url=reverse("edition-detail", args=[incident.reference, edition.pk]),
            at=edition.submitted_at or edition.saved_at or edition.notice.created_at,
            stated=Count(None, None),
            went_out=edition.started_at is not None,
        )
        yield from _of_recipients(edition, counts, blank)
        yield from _mentions(f"{edition.subject} {edition.body}", counts, replace(blank, how="says so in its wording"))


def _of_recipients(edition: Edition, counts: Counts, blank: Figure) -> Iterator[Figure]:
    """Its list was frozen when it was submitted for approval: whoever came later is not on it."""
    if edition.recipients_count is None or edition.submitted_at is None:
        return
    then = counts.at(edition.submitted_at)
    yield replace(
        blank,
        how="approved" if any(one.voided_at is None for one in edition.approvals.all()) else "submitted for approval",
        stated=Count.exactly(edition.recipients_count),
        is_outdated=then != counts.now,
        note=f"recipients, when the count was {then}",
    )


def _mentions(text: str, counts: Counts, blank: Figure) -> Iterator[Figure]:
    """A number that was the count once, and is not now."""
    spelled = {number for number, _ in numbers_spelled_in(text, counts.old_numbers)}
    for number in sorted(spelled | ({one.value for one in numbers_in(text)} & counts.old_numbers), reverse=True):
        yield replace(blank, stated=Count.exactly(number), is_outdated=True)


# What left the product, and what was said before


def _of_exports(incident: Incident, user: "User", counts: Counts, events: Iterable[Event]) -> Iterator[Figure]:
    if not user.has_perm("audit.view_trail"):
        return
    for line in describe(events, private=False):
        stated = counts.at(line.at)
        yield Figure(
            what=f"{EXPORTS[line.event.type]}, exported by {line.actor}",
            how="exported",
            url=reverse("incident-trail", args=[incident.reference]),
            at=line.at,
            stated=stated,
            is_outdated=stated != counts.now,
            went_out=True,
        )


def _of_statements(incident: Incident, counts: Counts, entries: Iterable[CountEntry]) -> Iterator[Figure]:
    """The estimate in the incident's facts, and counts that somebody stated; the lists' own are the count itself."""
    ledger = reverse("people-counts", args=[incident.reference])
    for entry in (entry for entry in entries if entry.is_by_hand):
        stated = entry.count
        who = f"Count stated by {entry.stated_by}"
        yield Figure(who, "stated", ledger, entry.stated_at, stated, is_outdated=stated != counts.now)
    if counts.estimate and counts.estimate.count != Count(None, None):
        stated = counts.estimate.count
        url, at = incident.get_absolute_url(), counts.estimate.at
        outdated = not counts.now.lies_within(stated)
        yield Figure("The estimate in the incident’s facts", "stated", url, at, stated, is_outdated=outdated)
