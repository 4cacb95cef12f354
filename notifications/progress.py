"""How a send is going: one look at the deliveries for all who watch, in whatever process of ours they ask.

A look counts by state, and what was settled in each of the last sixty minutes. It is kept in the database for 19 times
as long as it took, and at least a second and a half: looking never takes more than a twentieth of one core, however
long the list is and however many watch. Nobody waits for a look that somebody else is taking.
"""

import time
from collections import Counter
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import TypeVar

from django.core.cache import cache
from django.db import connection, transaction
from django.utils import timezone

from notifications.models import Delivery, Edition

State = Delivery.State
T = TypeVar("T")
KEPT_SECONDS = 1.5
TIMES_AS_LONG = 19
NEVER_LOOKED = (0.0, 0.0, None)
FORM = 2  # of what is kept: the processes of an upgrade do not read each other's
SHOWN_MINUTES = 60
LONG = 10_000  # people; counting them at each look would make each look wait
QUEUED = (State.PLANNED, State.CLAIMED, State.RETRY_WAIT)
HANDED = (State.HANDED_OVER, State.ASSUMED_SENT, State.COMPLAINED)
FAILED = (State.REFUSED, State.BOUNCED)
WITHHELD = (State.SUPPRESSED, State.CANCELLED)

# By the index of the notice's people; minutes are counted back from now, so that the first is the last sixty seconds.
LOOK = """
SELECT state, CASE WHEN settled_at > now() - interval '1 hour'
    THEN floor(extract(epoch FROM now() - settled_at) / 60)::int END AS minute, count(*)
FROM notifications_delivery WHERE notice_id = %(notice)s AND edition_id = %(edition)s GROUP BY 1, 2
"""


@dataclass(frozen=True)
class Slice:
    kind: str
    label: str
    number: int
    note: str


@dataclass(frozen=True)
class Progress:
    """`minutes` is how many messages were settled in each of the last sixty minutes, the latest first."""

    counts: Mapping[str, int]
    minutes: tuple[int, ...] = ()
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
    def per_minute(self) -> int:
        """Messages settled in the last sixty seconds."""
        return self.minutes[0] if self.minutes else 0

    @property
    def capacity(self) -> int:
        """The most that any of the last minutes saw: what our way out can do, as far as we have seen."""
        return max(self.minutes, default=0)

    @property
    def seconds_left(self) -> int | None:
        return round(60 * self.queued / self.per_minute) if self.per_minute and self.queued else None

    @property
    def milestone(self) -> int:
        """0, 25, 50, 75 or 100 per cent: the only moments that are read out."""
        return 25 * (4 * (self.total - self.queued - self.in_air) // self.total) if self.total else 0

    @property
    def slices(self) -> list[Slice]:
        """The parts of the bar in a fixed order; together they are everybody on the list."""
        return [
            Slice("delivered", "Delivered", self.number(State.DELIVERED), "Accepted by their mail server"),
            Slice("handed", "Handed over", self.number(*HANDED), self._handed_note),
            Slice("unknown", "Unknown", self.unknown, "Contact lost at the last moment; not sent again without you"),
            Slice("bounced", "Refused or bounced", self.failed, self._failed_note),
            Slice("queued", "Waiting", self.queued + self.in_air, self._waiting_note),
            Slice("suppressed", "Held back", self.number(*WITHHELD, State.BLOCKED), self._withheld_note),
        ]

    @property
    def bar(self) -> list[tuple[str, str, int]]:
        return [(part.kind, part.label, part.number) for part in self.slices]

    @property
    def _handed_note(self) -> str:
        complained = self.number(State.COMPLAINED)
        said = f"{complained:,} complained about it" if complained else "more is not known yet"
        return f"Taken by our relay; {said}"

    @property
    def _failed_note(self) -> str:
        tried = self.handed_over + self.number(State.REFUSED)
        return f"{100 * self.failed / tried:.1f} % of those tried" if self.failed else "Nobody so far"

    @property
    def _waiting_note(self) -> str:
        on_the_wire = f"{self.in_air:,} on the wire now" if self.in_air else ""
        again = f"{self.retrying:,} put off and tried again" if self.retrying else ""
        nothing = "Nothing sent to them yet" if self.queued else "Nobody waits"
        return ", ".join(filter(None, [on_the_wire, again])) or nothing

    @property
    def _withheld_note(self) -> str:
        return f"{self.blocked:,} need a correction" if self.blocked else "Cancelled or taken off the list"


def progress_of(edition: Edition, *, fresh: bool = False) -> Progress:
    if fresh:
        return _look(edition)
    return shared(f"send-{edition.pk}", lambda: _look(edition), at_least=KEPT_SECONDS)


def _look(edition: Edition) -> Progress:
    counts, minutes = Counter[str](), Counter[int]()
    with connection.cursor() as cursor:
        cursor.execute(LOOK, {"edition": edition.pk, "notice": edition.notice_id})
        for state, minute, number in cursor.fetchall():
            counts[state] += number
            if minute is not None:
                minutes[minute] += number
    return Progress(dict(counts), tuple(minutes[minute] for minute in range(SHOWN_MINUTES)))


def is_long(edition: Edition) -> bool:
    return (edition.recipients_count or 0) >= LONG


def counted(edition: Edition, what: str, count: Callable[[], T]) -> T:
    """For pages: of a short list counted at each look, of a long one what somebody counted lately."""
    return shared(f"{what}-{edition.pk}", count, at_least=KEPT_SECONDS) if is_long(edition) else count()


_remembered: dict[str, tuple[float, float, object]] = {}


def shared(key: str, look: Callable[[], T], *, at_least: float) -> T:
    """What somebody looked at lately, here or in another process; else a look of our own, unless one is under way."""
    since, until, kept = _remembered.get(key, NEVER_LOOKED)
    if since <= time.time() < until:
        return kept  # type: ignore[return-value]
    since, until, kept = cache.get(key, version=FORM) or NEVER_LOOKED
    if not since <= time.time() < until:  # also where the clock went back since
        with transaction.atomic():
            if _is_first(key) or kept is None:
                began = time.perf_counter()
                kept, since = look(), time.time()
                until = since + max(at_least, TIMES_AS_LONG * (time.perf_counter() - began))
                cache.set(key, (since, until, kept), timeout=600, version=FORM)
    if len(_remembered) > 200:
        _remembered.clear()
    now = time.time()
    soon = now + KEPT_SECONDS / 3
    _remembered[key] = now, (max(until, soon) if since <= now else soon), kept
    return kept  # type: ignore[return-value]


def _is_first(key: str) -> bool:
    with connection.cursor() as cursor:
        cursor.execute("SELECT pg_try_advisory_xact_lock(hashtextextended(%s, 0))", [f"look {key}"])
        return bool(cursor.fetchone()[0])


@dataclass(frozen=True)
class Spark:
    """Messages in each of the last minutes, as the lines of a 120 by 64 picture; `cap` is the height of the limit."""

    trace: str
    area: str
    top: int
    minutes: int
    first: datetime
    last: datetime
    cap: float | None


def spark_of(progress: Progress, limit: int | None = None) -> Spark | None:
    """Nothing before there are three minutes to show. The minute that is under way is the first of them."""
    used = [minute for minute, number in enumerate(progress.minutes) if number]
    if not used or used[-1] - used[0] < 2:
        return None
    values = list(reversed(progress.minutes[: used[-1] + 1]))
    peak = max(values)
    top = max(peak, limit) if limit and limit < 3 * peak else peak
    points = [
        f"{round(120 * at / (len(values) - 1), 1)} {round(60 - 52 * number / top, 1)}"
        for at, number in enumerate(values)
    ]
    trace = f"M{' '.join(points)}"
    cap = round(60 - 52 * limit / top, 1) if limit and limit <= top else None
    first = progress.at - timedelta(minutes=len(values))
    return Spark(trace, f"{trace}V64H0Z", peak, len(values), first, progress.at, cap)
