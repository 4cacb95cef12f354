"""stale_answers(): every signed-off filing and submitted notice that says a fact as it was and is not any more.

Counts of people have a list of their own (figures.py). Here are kinds of data, moments and what happened, where an
answer takes them from the facts, and the days of corrected moments in the words of notices. Nothing is kept for it.
"""

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime
from typing import TYPE_CHECKING
from zoneinfo import ZoneInfo

from django.urls import reverse

from breachdesk.audit.canonical import parse
from breachdesk.incidents.mentions import Day, days_in
from breachdesk.incidents.models import Incident, Moment
from notifications.models import Edition
from regulators.changes import Change, changes_between
from regulators.content import content_of
from regulators.models import Filing, FilingVersion
from regulators.sheet import Sheet, sheet_of

if TYPE_CHECKING:
    from breachdesk.accounts.models import User

FACTS = ("incident.", "data.")
"""Others are counts, or change by filing and telling: no version said those wrongly."""


@dataclass(frozen=True)
class Stale:
    """One answer of one paper, as it was said and as the facts say it now. `went_out`: an authority has it."""

    what: str
    url: str
    at: datetime
    question: str
    said: str
    now: str
    went_out: bool


def stale_answers(incident: Incident, user: "User", now: datetime) -> list[Stale]:
    """Newest first."""
    found = [*_of_filings(incident, user, now), *_of_notices(incident, user)]
    return sorted(found, key=lambda stale: stale.at, reverse=True)


def _of_filings(incident: Incident, user: "User", now: datetime) -> Iterator[Stale]:
    """Of each filing the last version alone: an earlier one was followed by it."""
    for filing in Filing.objects.visible_to(user).of(incident).with_case():
        last = max(filing.versions.all(), key=lambda version: version.number, default=None)
        if last:
            yield from _of_version(filing, last, sheet_of(filing, at=now))


def _of_version(filing: Filing, version: FilingVersion, sheet: Sheet) -> Iterator[Stale]:
    receipt = getattr(version, "receipt", None)
    at = receipt.submitted_at if receipt else version.signed_at
    what = f"{filing.definition.title} to the {filing.addressee.short_name}, version {version.number}"
    for change in _changes(version, sheet):
        label = f"{change.number} {change.label}"
        yield Stale(what, filing.get_absolute_url(), at, label, change.before, change.after, receipt is not None)


def _changes(version: FilingVersion, sheet: Sheet) -> Iterator[Change]:
    """What somebody typed is left alone: it follows no fact."""
    live = {given.key for given in sheet.asked if given.live and (given.question.fact or "").startswith(FACTS)}
    changes = changes_between(parse(bytes(version.content)), content_of(sheet))
    return (change for change in changes if change.key in live and change.before)


def _of_notices(incident: Incident, user: "User") -> Iterator[Stale]:
    corrected = [moment for moment in incident.moments.all() if moment.superseded_at and moment.at]
    editions = Edition.objects.visible_to(user).of(incident).with_incident() if corrected else ()
    for edition in editions:
        if edition.submitted_at and edition.state != Edition.State.CANCELLED:
            for moment in corrected:
                yield from _of_wording(edition, moment, incident.moment(moment.kind))


def _of_wording(edition: Edition, old: Moment, new: Moment | None) -> Iterator[Stale]:
    text = f"{edition.subject} {edition.body}"
    said = next((day for day in days_in(text) if _is_of(day, old)), None)
    if said is None or edition.submitted_at is None or (new and _is_of(said, new)):
        return
    yield Stale(
        f"Notice “{edition.notice.title}”, {edition.language}, revision {edition.revision}",
        reverse("edition-detail", args=[edition.notice.incident.reference, edition.pk]),
        edition.submitted_at,
        old.get_kind_display(),
        said.words,
        _day_of(new) if new and new.at else "not known",
        edition.started_at is not None,
    )


def _is_of(day: Day, moment: Moment) -> bool:
    return moment.at is not None and day.is_on(moment.at.astimezone(ZoneInfo(moment.zone)).date())


def _day_of(moment: Moment) -> str:
    assert moment.at is not None
    there = moment.at.astimezone(ZoneInfo(moment.zone))
    return f"{there.day} {there:%B %Y}"
