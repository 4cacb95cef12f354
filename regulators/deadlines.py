"""When a report is due: pure functions of moments.

UK GDPR Article 33(1): without undue delay and, where feasible, not later than 72 hours after having become aware. The
ICO counts elapsed hours; nights, weekends and bank holidays count. So the sum is done in UTC, where every hour has 60
minutes, and only shown in the local zone: across a change of the clocks the time of day moves, the period does not.

The strict reading. Regulation 1182/71, Article 3(1) would leave out the hour in which awareness fell, and Article 3(5),
which some apply, would ask for two working days inside the period. Both end later: neither is used for a deadline.

Durations are hours; every moment is aware of its zone, or ValueError is raised.
"""

from datetime import UTC, datetime, timedelta
from zoneinfo import ZoneInfo


def due_at(aware_at: datetime, *, hours: int = 72) -> datetime:
    """The last moment of the period, in UTC: `hours` elapsed hours after `aware_at` (Article 33(1))."""
    return _in_utc(aware_at) + timedelta(hours=hours)


def hours_since(aware_at: datetime, now: datetime) -> int:
    """Whole hours elapsed, never below 0. At exactly 72:00:00 this is 72, and a report is still in time."""
    return max(0, int((_in_utc(now) - _in_utc(aware_at)) / timedelta(hours=1)))


def is_late(aware_at: datetime, at: datetime, *, hours: int = 72) -> bool:
    return _in_utc(at) > due_at(aware_at, hours=hours)


def working_of(aware_at: datetime, zone: str, *, hours: int = 72, article: str = "UK GDPR Article 33(1)") -> list[str]:
    """The sum in plain sentences, each true by itself, for a person who checks it with a calendar and a clock."""
    due, place = due_at(aware_at, hours=hours), ZoneInfo(zone)
    start, end = aware_at.astimezone(place), due.astimezone(place)
    sentences = [
        f"We became aware on {_said(start)}, which is {_utc(aware_at)}.",
        f"{article} gives {hours} hours. They are elapsed hours: nights, weekends and holidays count.",
        f"{hours} hours later is {_utc(due)}, which is {_said(end)}.",
    ]
    return [*sentences, *_clock_change(start, end, hours)]


def _clock_change(start: datetime, end: datetime, hours: int) -> list[str]:
    moved = (end.utcoffset() or timedelta()) - (start.utcoffset() or timedelta())
    if not moved:
        return []
    way, time_of_day = ("forward", "later") if moved > timedelta() else ("back", "earlier")
    minutes = abs(int(moved.total_seconds() // 60))
    amount = "an hour" if minutes == 60 else f"{minutes} minutes"
    return [f"The clocks go {way} in between, so the time of day is {amount} {time_of_day}. It is still {hours} hours."]


def _in_utc(moment: datetime) -> datetime:
    if moment.utcoffset() is None:
        raise ValueError(f"{moment} has no time zone, so nobody can say when it was.")
    return moment.astimezone(UTC)


def _said(local: datetime) -> str:
    return f"{local:%A} {local.day} {local:%B %Y} at {local:%H:%M} {local:%Z}"


def _utc(moment: datetime) -> str:
    return f"{_in_utc(moment):%Y-%m-%d %H:%M} UTC"
