"""warnings_of(): when colleagues are reminded that a date comes near. A pure function of the date and a moment.

A warning is due at a share of the period, at so many hours before its end, and once when the end has passed. One that
would fall on the start of the period or before it is left out: a period of 24 hours has no warning 24 hours ahead. Of
a date that was taken over from another event no share is worked out, because its period is that one's.
"""

from dataclasses import dataclass
from datetime import datetime, timedelta

from regulators.clocks import Due

OVERDUE = "overdue"
JUST_AFTER = timedelta(microseconds=1)


@dataclass(frozen=True)
class Period:
    """An end and what warnings go by. `start` is None where the end was taken over from another event.

    `must_precede`: at that very moment it is already too late.
    """

    at: datetime
    start: datetime | None = None
    must_precede: bool = False


def period_of(due: Due) -> Period | None:
    """None without a date."""
    if due.at is None:
        return None
    return Period(due.at, None if due.end and due.end.is_taken_over else due.starts_at, due.must_precede)


@dataclass(frozen=True)
class Times:
    """`shares` in per cent of the period, `hours` before its end."""

    shares: tuple[int, ...] = (50, 75)
    hours: tuple[int, ...] = (24, 6, 1)


@dataclass(frozen=True)
class Reached:
    """A warning whose time has come: its name in the trail, and when that was."""

    code: str
    at: datetime

    @property
    def is_overdue(self) -> bool:
        return self.code == OVERDUE


USUAL = Times()


def read_times(text: str) -> Times:
    """Of a setting: `50% 75% 24h 6h 1h`. Raises ValueError, with a sentence, for what is no such time."""
    shares: list[int] = []
    hours: list[int] = []
    for word in text.split():
        number, unit = word[:-1], word[-1]
        if unit not in "%h" or not number.isdecimal():
            raise ValueError(f"{word} is no time of a warning: write a share (50%) or hours before the end (24h).")
        (shares if unit == "%" else hours).append(int(number))
    return Times(tuple(shares), tuple(hours))


def warnings_of(period: Period | None, moment: datetime, times: Times = USUAL) -> tuple[Reached, ...]:
    """Those whose time has come by `moment`, in the order of their times. Without a date there are none."""
    if period is None:
        return ()
    found = [Reached(f"{hours}_hours", period.at - timedelta(hours=hours)) for hours in times.hours]
    found.append(Reached(OVERDUE, period.at if period.must_precede else period.at + JUST_AFTER))
    if start := period.start:
        whole = period.at - start
        found += [Reached(f"{share}_percent", start + whole * share / 100) for share in times.shares]
        found = [one for one in found if one.at > start]
    return tuple(sorted((one for one in found if one.at <= moment), key=lambda one: (one.at, one.code)))
