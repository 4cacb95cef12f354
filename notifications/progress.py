"""How a send is going: numbers from one count by state, speed from the settled batches. Cheap enough to be watched."""

import time
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from uuid import UUID

from django.db.models import Count, F, Sum
from django.db.models.functions import TruncMinute
from django.utils import timezone

from notifications.models import Attempt, Batch, Delivery, Edition

State = Delivery.State
KEPT_SECONDS = 1.5
MEASURED = timedelta(seconds=60)
SHOWN_MINUTES = 60
QUEUED = (State.PLANNED, State.CLAIMED, State.RETRY_WAIT)
HANDED = (State.HANDED_OVER, State.ASSUMED_SENT, State.COMPLAINED)
FAILED = (State.REFUSED, State.BOUNCED)
NOT_REACHED = (State.UNKNOWN, State.REFUSED, State.RETRY_WAIT, State.BLOCKED)
WITHHELD = (State.SUPPRESSED, State.CANCELLED)
REASONS = (
    ("5.1", "The address does not exist or cannot take mail"),
    ("5.2", "The mailbox is full or closed"),
    ("4.2", "The mailbox is full or busy"),
    ("5.4", "The receiving network could not be reached"),
    ("4.4", "The receiving network could not be reached"),
    ("5.7", "Refused by the receiver's policy"),
    ("4.7", "Put off by the receiver's policy"),
    ("5", "Refused for good"),
    ("4", "Put off for now"),
)


@dataclass(frozen=True)
class Slice:
    kind: str
    label: str
    number: int
    note: str


@dataclass(frozen=True)
class Progress:
    counts: Mapping[str, int]
    per_minute: int = 0
    at: datetime = field(default_factory=timezone.now)

    def number(self, *states: str) -> int:
        return sum(self.counts.get(state, 0) for state in states)

    @property
    def total(self) -> int:
        return sum(self.counts.values())

    @property
    def handed_over(self) -> int:
        """Everything that the relay took, whatever came of it later."""
        return self.number(*HANDED, State.DELIVERED, State.BOUNCED)

    @property
    def queued(self) -> int:
        return self.number(*QUEUED)

    @property
    def in_air(self) -> int:
        return self.number(State.HANDING_OVER)

    @property
    def unknown(self) -> int:
        return self.number(State.UNKNOWN)

    @property
    def blocked(self) -> int:
        return self.number(State.BLOCKED)

    @property
    def failed(self) -> int:
        return self.number(*FAILED)

    @property
    def retrying(self) -> int:
        return self.number(State.RETRY_WAIT)

    @property
    def seconds_left(self) -> int | None:
        return round(60 * self.queued / self.per_minute) if self.per_minute and self.queued else None

    @property
    def done_at(self) -> datetime | None:
        return self.at + timedelta(seconds=self.seconds_left) if self.seconds_left else None

    @property
    def milestone(self) -> int:
        """0, 25, 50, 75 or 100 per cent: the only moments that are read out."""
        return 25 * (4 * (self.total - self.queued - self.in_air) // self.total) if self.total else 0

    @property
    def slices(self) -> list[Slice]:
        """The parts of the bar in a fixed order; together they are everybody on the list."""
        return [
            Slice("delivered", "Delivered", self.number(State.DELIVERED), "Accepted by their mail server"),
            Slice("handed", "Handed over", self.number(*HANDED), "Taken by our relay; more is not known yet"),
            Slice("unknown", "Unknown", self.unknown, "Contact lost at the last moment; not sent again without you"),
            Slice("bounced", "Refused or bounced", self.failed, "Not reached by email"),
            Slice("queued", "Waiting", self.queued + self.in_air, self._waiting_note),
            Slice("suppressed", "Held back", self.number(*WITHHELD, State.BLOCKED), self._withheld_note),
        ]

    @property
    def bar(self) -> list[tuple[str, str, int]]:
        return [(part.kind, part.label, part.number) for part in self.slices]

    @property
    def _waiting_note(self) -> str:
        on_the_wire = f"{self.in_air:,} on the wire now" if self.in_air else ""
        again = f"{self.retrying:,} put off and tried again" if self.retrying else ""
        return ", ".join(filter(None, [on_the_wire, again])) or "Nothing sent to them yet"

    @property
    def _withheld_note(self) -> str:
        return f"{self.blocked:,} need a correction" if self.blocked else "Cancelled or taken off the list"


_remembered: dict[UUID, tuple[float, Progress]] = {}


def progress_of(edition: Edition, *, fresh: bool = False) -> Progress:
    """One count for all who watch. However long the list, a process spends at most a tenth of its time on counting."""
    began = time.monotonic()
    kept_until, kept = _remembered.get(edition.pk, (0.0, None))
    if kept and not fresh and began < kept_until:
        return kept
    if len(_remembered) > 100:
        _remembered.clear()
    counts = Delivery.objects.tally([edition]).get(edition.pk, {})
    progress = Progress(counts, per_minute_of(edition))
    now = time.monotonic()
    _remembered[edition.pk] = (now + max(KEPT_SECONDS, 9 * (now - began)), progress)
    return progress


def per_minute_of(edition: Edition) -> int:
    """Messages settled in the last minute, or since the start if that is less long ago."""
    now = timezone.now()
    since = max(now - MEASURED, edition.started_at or now)
    settled = Batch.objects.filter(edition=edition, settled_at__gt=since).aggregate(rows=Sum("rows"))
    seconds = max((now - since).total_seconds(), 1)
    return round(60 * (settled["rows"] or 0) / seconds)


@dataclass(frozen=True)
class Spark:
    """Messages in each of the last minutes, as the lines of a 120 by 64 picture."""

    trace: str
    area: str
    top: int
    first: datetime
    last: datetime

    @property
    def minutes(self) -> int:
        return round((self.last - self.first).total_seconds() / 60)


def spark_of(edition: Edition) -> Spark | None:
    """Nothing before there are three minutes to show."""
    since = timezone.now() - timedelta(minutes=SHOWN_MINUTES)
    settled = Batch.objects.filter(edition=edition, settled_at__gt=since).annotate(minute=TruncMinute("settled_at"))
    rows = list(settled.values_list("minute").annotate(messages=Sum("rows")).order_by("minute"))
    if len(rows) < 3:
        return None
    first, last = rows[0][0], rows[-1][0]
    by_minute, top = dict(rows), max(messages for _, messages in rows) or 1
    minutes = [first + timedelta(minutes=step) for step in range(round((last - first).total_seconds() / 60) + 1)]
    points = [
        f"{round(120 * at / (len(minutes) - 1), 1)} {round(60 - 52 * by_minute.get(minute, 0) / top, 1)}"
        for at, minute in enumerate(minutes)
    ]
    trace = f"M{' '.join(points)}"
    return Spark(trace, f"{trace}V64H0Z", top, first, last)


@dataclass(frozen=True)
class Reason:
    words: str
    answer: str
    people: int
    what_now: str


def reasons_of(edition: Edition) -> list[Reason]:
    """Why people were not reached at once, the most frequent reason first."""
    rows = (
        Attempt.objects.filter(delivery__edition=edition, outcome=F("delivery__state"), outcome__in=NOT_REACHED)
        .values_list("outcome", "code", "enhanced", "reason")
        .annotate(people=Count("delivery", distinct=True))
        .order_by("-people")
    )
    return [
        Reason(
            reason or _words(outcome, code, enhanced), f"{code or ''} {enhanced}".strip(), people, _what_now(outcome)
        )
        for outcome, code, enhanced, reason, people in rows
    ]


def _words(outcome: str, code: int | None, enhanced: str) -> str:
    if outcome == State.UNKNOWN:
        return "Contact lost after the message was written, before the answer"
    told = enhanced or str(code or "")
    return next((words for start, words in REASONS if told.startswith(start)), "The relay gave no reason")


def _what_now(outcome: str) -> str:
    match outcome:
        case State.UNKNOWN:
            return "Counted, never sent again by itself"
        case State.RETRY_WAIT:
            return "Tried again by itself"
        case State.BLOCKED:
            return "Needs a correction in the people's list"
        case _:
            return "Not tried again"
