"""When an edition begins by itself, and how fast and to whom it goes out: what an approver binds along with the words.

Kept as JSON in `Edition.schedule`; {} is "at once, and as fast as the route allows". Units and rounding:

- `start_at`: an instant, kept in UTC to the minute, with the IANA zone it was typed in. `late_after`: minutes.
- Quiet hours: from and until, times of day in each recipient's own zone, at most 12 hours between them: people whose
  country spans ten hours of zones must be left a time at which it is day for all of them.
- Rates: messages a minute; of all, and to addresses of one domain. At once: how many messages to addresses of one
  domain may be in the workers' hands together, and so at most as many on the wire.
- Waves: at most `size` people in every `hours`. Tied to a hotline, size = calls it answers in an hour x hours of a wave
  / share of people who call, rounded down and at least 1. The share is kept in thousandths: 2.5 per cent are 25.
- Canary: how many go first, before the edition pauses by itself. Where the edition is not larger, there is none.

A `Rate` is what somebody chose in place of the three numbers of speed while it is sent: `Edition.rate`. The schedule
stays what was approved.
"""

from collections.abc import Mapping
from dataclasses import asdict, dataclass, fields, replace
from datetime import UTC, datetime, time, timedelta
from functools import cache
from typing import Any
from zoneinfo import ZoneInfo, available_timezones

LATE_AFTER = 30
MOST_PER_MINUTE = 1_000_000
MOST_AT_ONCE = 1000
MOST_PEOPLE = 100_000_000
LONGEST_QUIET = timedelta(hours=12)
SUGGESTED_CANARY = 25
SUGGESTED_QUIET = (time(21), time(8))
LEAST_LATE, MOST_LATE = 5, 24 * 60
MOST_HOURS = 7 * 24


class ScheduleFault(ValueError):
    """One sentence to whoever typed it, and the field it is about."""

    def __init__(self, field: str, sentence: str) -> None:
        super().__init__(sentence)
        self.field = field


@dataclass(frozen=True)
class Hotline:
    """What the size of a wave follows from."""

    calls_per_hour: int
    thousandths: int  # of the people told, who call

    def size(self, hours: int) -> int:
        return max(1, self.calls_per_hour * hours * 1000 // self.thousandths)

    @property
    def per_cent(self) -> str:
        return f"{self.thousandths / 10:g} per cent"

    def arithmetic(self, hours: int) -> str:
        """2 hours x 120 calls an hour are 240 calls; if 5 per cent call, that is 4,800 people a wave."""
        calls = self.calls_per_hour * hours
        return (
            f"{counted(hours, 'hour')} × {self.calls_per_hour:,} calls an hour are {calls:,} calls; if {self.per_cent} "
            f"of the people call, {calls:,} ÷ {self.thousandths / 10:g} % = {self.size(hours):,} people a wave, "
            "rounded down."
        )


@dataclass(frozen=True)
class Schedule:
    start_at: datetime | None = None
    zone: str = ""
    late_after: int = LATE_AFTER
    quiet: tuple[time, time] | None = None
    per_minute: int | None = None
    per_domain: int | None = None
    at_once: int | None = None
    wave_size: int | None = None
    wave_hours: int | None = None
    hotline: Hotline | None = None
    canary: int = 0

    def __post_init__(self) -> None:
        _check_start(self)
        _check_quiet(self.quiet)
        _check_number("per_minute", self.per_minute, "messages a minute", MOST_PER_MINUTE)
        _check_number("per_domain", self.per_domain, "messages a minute to one domain", MOST_PER_MINUTE)
        if self.per_minute and self.per_domain and self.per_domain > self.per_minute:
            raise ScheduleFault("per_domain", "One domain cannot get more a minute than all together do.")
        _check_number("at_once", self.at_once, "messages to one domain at the same time", MOST_AT_ONCE)
        _check_waves(self)
        if not 0 <= self.canary <= MOST_PEOPLE:
            raise ScheduleFault("canary", "Say how many people go first, as a number; 0 for none.")

    @property
    def is_limited(self) -> bool:
        """Whether anything is asked before messages are taken; else a worker takes as many as it can."""
        return bool(self.quiet or self.per_minute or self.per_domain or self.at_once or self.wave_size or self.canary)

    @property
    def latest_start(self) -> datetime | None:
        """After this it no longer begins by itself."""
        return self.start_at + timedelta(minutes=self.late_after) if self.start_at else None

    def canary_of(self, people: int) -> int:
        """How many go first of so many; 0 where that would be all of them."""
        return self.canary if people > self.canary else 0

    @classmethod
    def from_json(cls, stored: Mapping[str, Any]) -> "Schedule":
        """Raises ScheduleFault for anything that to_json() would not have written."""
        if unknown := sorted(set(stored) - set(_DEFAULTS)):
            raise ScheduleFault("", f"The stored schedule has a part that is not known here: {', '.join(unknown)}.")
        try:
            schedule = cls(**{key: _read(key, value) for key, value in stored.items()})
        except (TypeError, AttributeError, KeyError) as problem:
            raise ScheduleFault("", "The stored schedule cannot be read. Set it again.") from problem
        if schedule.to_json() != dict(stored):
            raise ScheduleFault("", "The stored schedule is not in the form in which it is kept. Set it again.")
        return schedule

    def to_json(self) -> dict[str, Any]:
        """Only what differs from {}, in one form: equal schedules are equal JSON."""
        kept = ((field.name, getattr(self, field.name)) for field in fields(self))
        return {name: _write(value) for name, value in kept if value != _DEFAULTS[name]}

    def sentences(self) -> list[str]:
        """What it means, for people: one sentence for each part that is set."""
        return [sentence for sentence in (say(self) for say in _SENTENCES) if sentence]


_DEFAULTS = {field.name: field.default for field in fields(Schedule)}


@dataclass(frozen=True)
class Rate:
    """How fast, as somebody set it while it is sent; None is no limit of ours."""

    per_minute: int | None = None
    per_domain: int | None = None
    at_once: int | None = None

    @classmethod
    def of(cls, schedule: Schedule) -> "Rate":
        return cls(schedule.per_minute, schedule.per_domain, schedule.at_once)

    def words(self) -> str:
        """600 a minute, 60 a minute to one domain."""
        said = [
            f"{self.per_minute:,} a minute" if self.per_minute else "",
            f"{self.per_domain:,} a minute to one domain" if self.per_domain else "",
            f"{self.at_once:,} at once to one domain" if self.at_once else "",
        ]
        return ", ".join(filter(None, said)) or "no limit"

    @property
    def code(self) -> str:
        """As the trail says it: 600/min+60/min/domain."""
        said = [
            f"{self.per_minute}/min" if self.per_minute else "",
            f"{self.per_domain}/min/domain" if self.per_domain else "",
            f"{self.at_once}_at_once/domain" if self.at_once else "",
        ]
        return "+".join(filter(None, said)) or "no_limit"

    def to_json(self) -> dict[str, int | None]:
        return asdict(self)


def in_force(stored: Mapping[str, Any], rate: Mapping[str, Any] | None) -> Schedule:
    """The schedule as it holds now: as approved, with the numbers of speed that somebody set on the way."""
    schedule = Schedule.from_json(stored)
    return schedule if rate is None else with_rate(schedule, Rate(**rate))


def with_rate(schedule: Schedule, rate: Rate) -> Schedule:
    """Raises ScheduleFault for numbers that no schedule may have."""
    return replace(schedule, per_minute=rate.per_minute, per_domain=rate.per_domain, at_once=rate.at_once)


@cache
def known_zones() -> frozenset[str]:
    return frozenset(available_timezones())


def _check_start(schedule: Schedule) -> None:
    start = schedule.start_at
    if start is None:
        if schedule.zone or schedule.late_after != LATE_AFTER:
            raise ScheduleFault("start_date", "Say on which day and at what time it begins, or leave all of it empty.")
        return
    if start.tzinfo is None or start.second or start.microsecond:
        raise ScheduleFault("start_time", "Give the start to the minute, with its time zone.")
    if schedule.zone not in known_zones():
        raise ScheduleFault("zone", f"“{schedule.zone}” is not a time zone we know. Choose one from the list.")
    if not LEAST_LATE <= schedule.late_after <= MOST_LATE:
        raise ScheduleFault(
            "late_after",
            f"Give between {LEAST_LATE} and {MOST_LATE:,} minutes after which it does not start by itself.",
        )


def _check_quiet(quiet: tuple[time, time] | None) -> None:
    if quiet is None:
        return
    if quiet[0] == quiet[1]:
        raise ScheduleFault("quiet_until", "Quiet hours that end when they begin would never let anything go out.")
    if quiet_length(quiet) > LONGEST_QUIET:
        raise ScheduleFault(
            "quiet_until", "Quiet hours may last 12 hours at most: in a country of many zones it must be day for all."
        )


def quiet_length(quiet: tuple[time, time]) -> timedelta:
    begin, end = (timedelta(hours=one.hour, minutes=one.minute) for one in quiet)
    return (end - begin) % timedelta(days=1)


def _check_number(field: str, value: int | None, what: str, most: int) -> None:
    if value is not None and not 1 <= value <= most:
        raise ScheduleFault(field, f"Give between 1 and {most:,} {what}, or leave it empty for no limit.")


def _check_waves(schedule: Schedule) -> None:
    size, hours, hotline = schedule.wave_size, schedule.wave_hours, schedule.hotline
    if (size is None) != (hours is None):
        missing = "wave_hours" if hours is None else "wave_size"
        raise ScheduleFault(missing, "A wave needs both: how many people, and how many hours until the next.")
    _check_number("wave_size", size, "people in a wave", MOST_PEOPLE)
    if hours is not None and not 1 <= hours <= MOST_HOURS:
        raise ScheduleFault("wave_hours", f"Give between 1 and {MOST_HOURS} hours from one wave to the next.")
    if hotline is None:
        return
    if not 1 <= hotline.calls_per_hour <= 1_000_000:
        raise ScheduleFault("calls_per_hour", "Say how many calls the hotline answers in an hour, 1 at least.")
    if not 1 <= hotline.thousandths <= 1000:
        raise ScheduleFault("share", "Say how many per cent of the people will call, between 0.1 and 100.")
    if hours is None or size != hotline.size(hours):
        raise ScheduleFault("wave_size", "The size of a wave does not follow from the hotline's numbers. Set it again.")


def _write(value: Any) -> Any:
    match value:
        case datetime():
            return value.astimezone(UTC).strftime("%Y-%m-%dT%H:%MZ")
        case Hotline():
            return [value.calls_per_hour, value.thousandths]
        case (time() as begin, time() as end):
            return [f"{begin:%H:%M}", f"{end:%H:%M}"]
    return value


def _read(key: str, value: Any) -> Any:
    try:
        match key:
            case "start_at":
                return datetime.strptime(value, "%Y-%m-%dT%H:%MZ").replace(tzinfo=UTC)
            case "hotline":
                calls, thousandths = value
                return Hotline(_whole(calls), _whole(thousandths))
            case "quiet":
                begin, end = value
                return time.fromisoformat(begin), time.fromisoformat(end)
            case "zone":
                return str(value)
    except (ValueError, TypeError) as problem:
        raise ScheduleFault("", "The stored schedule cannot be read. Set it again.") from problem
    return _whole(value)


def _whole(value: Any) -> int:
    if type(value) is not int:
        raise ScheduleFault("", "The stored schedule has a number that is none. Set it again.")
    return value


def counted(number: int, unit: str) -> str:
    """1 hour; 2 hours."""
    return f"{number:,} {unit}{'' if number == 1 else 's'}"


def _people(number: int) -> str:
    return "1 person" if number == 1 else f"{number:,} people"


def _say_start(schedule: Schedule) -> str:
    if schedule.start_at is None:
        return "It begins when somebody starts it."
    from_zone = local_words(schedule.start_at, schedule.zone)
    return (
        f"It begins by itself on {from_zone}, once it is approved and somebody with the right to send has armed it. "
        f"More than {counted(schedule.late_after, 'minute')} late, it does not start without a person."
    )


def local_words(at: datetime, zone: str) -> str:
    """Tuesday 24 November 2026 at 08:00 (Europe/Berlin)."""
    local = at.astimezone(ZoneInfo(zone))
    return f"{local:%A} {local.day} {local:%B %Y} at {local:%H:%M} ({zone.replace('_', ' ')})"


def _say_quiet(schedule: Schedule) -> str:
    if schedule.quiet is None:
        return ""
    begin, end = schedule.quiet
    return (
        f"Nobody gets it between {begin:%H:%M} and {end:%H:%M} of their own time; where a country has several zones, "
        "in none of them."
    )


def _say_rates(schedule: Schedule) -> str:
    said = []
    if schedule.per_minute:
        said.append(f"at most {counted(schedule.per_minute, 'message')} a minute in all")
    if schedule.per_domain:
        said.append(f"at most {counted(schedule.per_domain, 'message')} a minute to addresses of one domain")
    if schedule.at_once:
        said.append(f"at most {counted(schedule.at_once, 'message')} to addresses of one domain at the same time")
    return f"{' and '.join(said)}.".capitalize() if said else ""


def _say_waves(schedule: Schedule) -> str:
    if schedule.wave_size is None or schedule.wave_hours is None:
        return ""
    every = "every hour" if schedule.wave_hours == 1 else f"every {schedule.wave_hours} hours"
    said = f"A wave of {_people(schedule.wave_size)} {every}."
    return f"{said} {schedule.hotline.arithmetic(schedule.wave_hours)}" if schedule.hotline else said


def _say_canary(schedule: Schedule) -> str:
    if not schedule.canary:
        return ""
    return f"After the first {_people(schedule.canary)} it pauses by itself, until somebody has looked and goes on."


_SENTENCES = (_say_start, _say_quiet, _say_rates, _say_waves, _say_canary)
