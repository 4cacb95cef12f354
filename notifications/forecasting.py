"""When the last message of an edition goes out under its limits, worked out step by step from the same rules.

A step lasts until something changes: quiet hours begin or end in a zone, a wave is full or the next one opens, a day
ends. Within it, messages leave at the rate allowed, or all at once where there is none. Not foreseen, and said so: what
the mail route itself needs, limits per domain (addresses are sealed until they are used), who is put off and tried
again, and how long people look at the first few before they go on.
"""

from collections import Counter
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from datetime import UTC, date, datetime, time, timedelta
from zoneinfo import ZoneInfo

from notifications.schedule import Schedule, counted, local_words
from notifications.zones import Place, Span, nights, zones_with_a_day

LOOKED_AHEAD = timedelta(days=60)
KNOWN_NIGHTS = timedelta(days=7)


@dataclass(frozen=True)
class Forecast:
    """Days are those of `zone`; `ends_at` is None where it takes longer than is looked ahead."""

    people: int
    begins_at: datetime
    ends_at: datetime | None
    days: tuple[tuple[date, int], ...]
    zone: str
    is_held_up: bool

    def sentence(self) -> str:
        if not self.people:
            return "There is nobody on the list yet, so nothing can be foreseen."
        if self.ends_at is None:
            gone = sum(number for _, number in self.days)
            return f"In {LOOKED_AHEAD.days} days it reaches {gone:,} of {self.people:,} people. Loosen the limits."
        if not self.is_held_up:
            return "No limit holds it up: it takes as long as the mail route needs."
        took = _span(self.ends_at - self.begins_at)
        return (
            f"The last of {counted(self.people, 'message')} goes out on {local_words(self.ends_at, self.zone)}{took}."
        )


def _span(took: timedelta) -> str:
    hours, minutes = divmod(round(took.total_seconds() / 60), 60)
    if not hours:
        return f", {counted(max(minutes, 1), 'minute')} after the first"
    return f", {counted(hours, 'hour')} after the first" if hours < 72 else f", {hours // 24} days after the first"


@dataclass
class _Group:
    """People for whom it is day and night at the same times."""

    zones: tuple[str, ...]
    people: int
    known: list[Span] = field(default_factory=list)
    until: datetime | None = None

    def change(self, schedule: Schedule, at: datetime) -> tuple[bool, datetime]:
        """Whether it is day for them, and when that ends; or when their night does."""
        if schedule.quiet is None:
            return True, at + LOOKED_AHEAD
        if self.until is None or at + timedelta(days=2) > self.until:
            self.until = at + KNOWN_NIGHTS
            self.known = nights(self.zones, schedule.quiet, at, self.until)
        coming = next((span for span in self.known if span[1] > at), None)
        if coming is None:
            return True, self.until
        return (True, coming[0]) if coming[0] > at else (False, coming[1])


def forecast(
    schedule: Schedule,
    people: Mapping[Place, int],
    *,
    begins_at: datetime,
    organisation_zone: str,
    wave: tuple[datetime, int] | None = None,
) -> Forecast:
    """People by where they live, from the moment it begins; `wave` is when an open one began and its room."""
    groups, total = _groups(schedule, people, organisation_zone, begins_at), sum(people.values())
    at, last, days = begins_at, begins_at, Counter[date]()
    (wave_at, room), zone = wave or (begins_at, schedule.wave_size or total), schedule.zone or organisation_zone
    while groups and at < begins_at + LOOKED_AHEAD:
        looks = [(group, *group.change(schedule, at)) for group in groups]
        awake = [group for group, is_day, _ in looks if is_day]
        if awake and schedule.wave_hours and at >= wave_at + timedelta(hours=schedule.wave_hours):
            wave_at, room = at, schedule.wave_size or total
        until = min(change for _, _, change in looks)
        if not awake or not room:
            at = until if not awake else wave_at + timedelta(hours=schedule.wave_hours or 1)
            continue
        until = min(until, _midnight(at, zone))
        gone, at = _step(schedule, awake, room, at, until)
        room -= gone if schedule.wave_size else 0
        if gone:
            days[at.astimezone(ZoneInfo(zone)).date() if at < until else _day_before(until, zone)] += gone
            last = at
        groups = [group for group in groups if group.people]
    rows = tuple(sorted(days.items()))
    return Forecast(total, begins_at, None if groups else last, rows, zone, last > begins_at)


def _groups(schedule: Schedule, people: Mapping[Place, int], zone: str, at: datetime) -> list[_Group]:
    alike: Counter[tuple[str, ...]] = Counter()
    for place, number in people.items():
        alike[zones_with_a_day(place, schedule.quiet, zone, at) if schedule.quiet else ()] += number
    return [_Group(zones, number) for zones, number in sorted(alike.items()) if number]


def _step(
    schedule: Schedule, awake: Iterable[_Group], room: int, at: datetime, until: datetime
) -> tuple[int, datetime]:
    """How many leave before something changes, and when the last of them did, or the change."""
    rate = schedule.per_minute
    most = int((until - at).total_seconds() * rate / 60) if rate else room
    left = wanted = min(room, most)
    for group in awake:
        taken = min(group.people, left)
        group.people, left = group.people - taken, left - taken
    gone = wanted - left
    if rate is None:
        return gone, at
    return gone, until if gone == most else at + timedelta(seconds=60 * gone / rate)


def _midnight(at: datetime, zone: str) -> datetime:
    following = at.astimezone(ZoneInfo(zone)).date() + timedelta(days=1)
    return max(datetime.combine(following, time(), ZoneInfo(zone)).astimezone(UTC), at + timedelta(minutes=1))


def _day_before(at: datetime, zone: str) -> date:
    return (at - timedelta(microseconds=1)).astimezone(ZoneInfo(zone)).date()
