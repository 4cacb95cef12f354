"""A local date and time, as a person types it, to the instant it means."""

from datetime import UTC, date, datetime, time, timedelta
from zoneinfo import ZoneInfo


class NoSuchTime(ValueError):
    """The clocks jumped over this local time (spring, daylight saving)."""


def instant_of(day: date, clock: time, zone: str) -> datetime:
    """The instant in UTC. Raises NoSuchTime for a local time that the zone skipped.

    An hour that happens twice (autumn) is read as its first passing: a duty's clock then starts earlier, never later.
    """
    local = datetime.combine(day, clock, ZoneInfo(zone))
    instant = local.astimezone(UTC)
    if instant.astimezone(ZoneInfo(zone)).replace(tzinfo=None) != local.replace(tzinfo=None):
        raise NoSuchTime(
            f"{clock:%H:%M} did not exist in {zone} on {day:%d %B %Y}: the clocks went forward. "
            "Give a time before or after."
        )
    return instant


def meant_yesterday(instant: datetime, now: datetime) -> datetime | None:
    """What was probably meant by a time later today: the same time one day before."""
    earlier = instant - timedelta(days=1)
    return earlier if now < instant <= now + timedelta(days=1) and earlier <= now else None
