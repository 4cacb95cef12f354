"""The trail screens: events as lines, filtered, what was there before, and how far the log was linked and verified."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date, datetime, time, timedelta
from itertools import groupby
from typing import TYPE_CHECKING
from uuid import UUID

from django.core.paginator import Page
from django.utils import timezone

from breachdesk.audit.canonical import from_base64url
from breachdesk.audit.events import EVENTS
from breachdesk.audit.models import Checkpoint, Entry, Event, EventQuerySet, Pending
from breachdesk.audit.timeline import Line, describe
from breachdesk.desk.changes import Change, changes_of
from breachdesk.desk.forms import TrailFilter
from breachdesk.desk.objects import CaseObject

if TYPE_CHECKING:
    from breachdesk.accounts.models import User


@dataclass(frozen=True)
class Row:
    """One event on the page. `entry` is None until the sequencer has linked it."""

    line: Line
    entry: Entry | None
    is_provable: bool
    changes: list[Change]

    @property
    def kind(self) -> str:
        """The first word of the event's type: what it is about."""
        return self.line.event.type.partition(".")[0].replace("_", " ").capitalize()


@dataclass(frozen=True)
class Verification:
    """The last time somebody had the whole log recomputed, as the trail remembers it."""

    at: datetime
    verdict: str
    size: int
    root: bytes
    rule: int | None
    idx: int | None

    @property
    def is_sound(self) -> bool:
        """Incomplete is not broken: something waited, or could not be opened."""
        return self.verdict != "invalid"


@dataclass(frozen=True)
class Standing:
    """How far the log is linked, signed and verified. Linked is not verified, and verified is not signed."""

    linked: int
    waiting: int
    oldest_waiting_at: datetime | None
    checkpoint: Checkpoint | None
    verified: Verification | None

    @property
    def is_late(self) -> bool:
        """The sequencer links within seconds; a minute means that it does not run."""
        waiting_since = self.oldest_waiting_at
        return waiting_since is not None and timezone.now() - waiting_since > timedelta(minutes=1)

    @property
    def linked_since(self) -> int:
        """Entries that came after the last verification."""
        return self.linked - self.verified.size if self.verified else self.linked

    @property
    def tone(self) -> str:
        broken = self.verified is not None and not self.verified.is_sound
        return "alarm" if broken or self.is_late else "good" if self.verified else "still"


def standing() -> Standing:
    last = Entry.objects.order_by("-idx").first()
    oldest = Event.objects.waiting_to_be_linked().oldest_first().first()
    return Standing(
        linked=last.idx + 1 if last else 0,
        waiting=Pending.objects.count(),
        oldest_waiting_at=oldest.at if oldest else None,
        checkpoint=Checkpoint.objects.order_by("-size").first(),
        verified=_last_verification(),
    )


def _last_verification() -> Verification | None:
    event = Event.objects.of_type("trail.verified").newest_first().first()
    if event is None:
        return None
    data = event.content["data"]
    root = from_base64url(data["root"])
    return Verification(event.at, data["verdict"], data["size"], root, data["rule"], data["idx"])


def events_for(form: TrailFilter, incident: UUID | None, objects: Sequence[CaseObject] = ()) -> EventQuerySet:
    """Newest first. What does not fit the filter's rules is left out of the question, not guessed."""
    events = Event.objects.of_incident(incident) if incident else Event.objects.all()
    asked = form.cleaned_data if form.is_valid() else {}
    if who := asked.get("who"):
        events = events.done_by(None if who == TrailFilter.PRODUCT else UUID(who))
    if on := asked.get("on"):
        events = events.on_objects(next(found.ids for found in objects if found.key == on))
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
    last = Checkpoint.objects.order_by("-size").first()
    changes = changes_of(lines)
    return [_row(line, entries.get(line.event.event_id), last, changes) for line in lines]


def _row(line: Line, entry: Entry | None, last: Checkpoint | None, changes: dict[UUID, list[Change]]) -> Row:
    is_provable = entry is not None and last is not None and entry.idx < last.size
    return Row(line, entry, is_provable, changes[line.event.event_id])


def by_day(rows: list[Row]) -> list[tuple[date, list[Row]]]:
    days = groupby(rows, key=lambda row: timezone.localtime(row.line.at).date())
    return [(day, list(of_day)) for day, of_day in days]
