"""The trail screens: events as lines, filtered, and how far they are linked into the log."""

from dataclasses import dataclass
from datetime import date, datetime, time, timedelta
from itertools import groupby
from typing import TYPE_CHECKING
from uuid import UUID

from django.core.paginator import Page
from django.utils import timezone

from breachdesk.audit.events import EVENTS
from breachdesk.audit.models import Entry, Event, EventQuerySet, Pending
from breachdesk.audit.timeline import Line, describe
from breachdesk.desk.forms import TrailFilter

if TYPE_CHECKING:
    from breachdesk.accounts.models import User


@dataclass(frozen=True)
class Row:
    """One event on the page. `entry` is None until the sequencer has linked it."""

    line: Line
    entry: Entry | None

    @property
    def kind(self) -> str:
        """The first word of the event's type: what it is about."""
        return self.line.event.type.partition(".")[0].replace("_", " ").capitalize()


@dataclass(frozen=True)
class Standing:
    """How far the log is linked. It says nothing about whether the log was recomputed: only verify_audit does."""

    linked: int
    waiting: int
    oldest_waiting_at: datetime | None

    @property
    def last_index(self) -> int:
        return self.linked - 1

    @property
    def is_late(self) -> bool:
        """The sequencer links within seconds; a minute means that it does not run."""
        waiting_since = self.oldest_waiting_at
        return waiting_since is not None and timezone.now() - waiting_since > timedelta(minutes=1)


def standing() -> Standing:
    last = Entry.objects.order_by("-idx").first()
    oldest = Event.objects.waiting_to_be_linked().oldest_first().first()
    return Standing(last.idx + 1 if last else 0, Pending.objects.count(), oldest.at if oldest else None)


def events_for(form: TrailFilter, incident: UUID | None) -> EventQuerySet:
    """Newest first. What does not fit the filter's rules is left out of the question, not guessed."""
    events = Event.objects.of_incident(incident) if incident else Event.objects.all()
    asked = form.cleaned_data if form.is_valid() else {}
    if who := asked.get("who"):
        events = events.done_by(None if who == TrailFilter.PRODUCT else UUID(who))
    what = asked.get("what") or ""
    events = events.of_types(types_of(what)) if what and what != TrailFilter.EVERYTHING else events
    events = events.without_machinery() if not what else events
    return events.between(start_of(asked.get("start")), start_of(asked.get("end"), days=1)).newest_first()


def types_of(group: str) -> list[str]:
    """Every event type whose first word belongs to the group."""
    first_words = TrailFilter.GROUPS[group][1]
    return [name for name in EVENTS if name.partition(".")[0] in first_words]


def start_of(day: date | None, *, days: int = 0) -> datetime | None:
    """Midnight in the reader's zone, `days` later."""
    return timezone.make_aware(datetime.combine(day + timedelta(days=days), time())) if day else None


def rows_of(page: Page[Event], user: "User") -> list[Row]:
    """Typed text is opened for those who may see the case, and for nobody else."""
    lines = describe(page.object_list, private=user.has_perm("incidents.view_incident"))
    entries = Entry.objects.in_bulk([line.event.event_id for line in lines], field_name="event_id")
    return [Row(line, entries.get(line.event.event_id)) for line in lines]


def by_day(rows: list[Row]) -> list[tuple[date, list[Row]]]:
    days = groupby(rows, key=lambda row: timezone.localtime(row.line.at).date())
    return [(day, list(of_day)) for day, of_day in days]
