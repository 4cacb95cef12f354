"""When a duty is due: pure functions of events, periods and calendars. Nothing here asks what time it is.

due_of() turns a Clock of the catalogue and the instants somebody stated into the last moment that is in time. No start
event, no date: what is missing is named. Where a rule can be read in two ways the one that ends earlier is the date.

Units, and what each follows.
  minutes, hours  elapsed time, added in UTC, where every hour has 60 minutes; nights, weekends and holidays count. UK
                  GDPR and GDPR Article 33(1); the ICO and most EU authorities count so. A change of the clocks moves
                  the time of day, never the period.
  calendar_days   dates in the regime's zone. The day of the event is not counted (Regulation 1182/71, Article 3(1),
                  and the usual rule in the United States and Asia) unless `counts_first_day`; the period ends with the
                  end of its last day (Article 3(2)(b)), unless not `whole_days`: then at the time of day of the start.
  business_days   the same on the days that are open in the regime's calendar (Regulation 1182/71, Article 2(2)). An
                  event on a closed day is followed by day 1 on the next open one (Form 8-K, General Instruction B.1).
  months          end with the day that bears the date of the event, or with the last day of a month without such a
                  date (Article 3(2)(c)); with `counts_first_day` on the day before it.
  with, before    no period: with another event, or before it (many US states and the notice to their residents). While
                  that event has not happened its own deadline is taken over, since it may not come later than that.

`moves_off_closed_days`: an end on a closed day moves to the next working day (Article 3(4)); an end in hours moves only
where its own rule says so. `moved_ends_at`: the time of day of an end that moved (noon of the next working day:
Regulation (EU) 2025/301, Article 5(4)).
`ends_at`: the time of day at which the last day ends (17:30 for EDGAR, 17 CFR 232.13(a)(2)). With `counts_first_day`
an event after that time is one of the next day; otherwise it is an event of its day, as at every other hour.
Whichever of several limits ends first decides; one whose start is missing could only make it earlier and is named. A
limit with `when` counts unless the test is answered *no*.

Regulation 1182/71 reads some periods as longer. Its readings stand beside the date, for information: see readings_of().

Instants are aware of their zone, or ValueError is raised. Dates are whole days in the regime's zone; the last moment of
a day is the microsecond before the next one begins.
"""

import calendar as months
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from datetime import UTC, date, datetime, time, timedelta
from itertools import islice
from zoneinfo import ZoneInfo

from regulators.calendars import DAY, is_working_day, working_days_from
from regulators.catalogue.conditions import Test
from regulators.catalogue.rules import Clock, Limit, Start, Unit
from regulators.facts import Stated

ELAPSED = {Unit.MINUTES: timedelta(minutes=1), Unit.HOURS: timedelta(hours=1)}
MOMENT = timedelta(microseconds=1)
TWO_DAYS = {Unit.HOURS: 48, Unit.CALENDAR_DAYS: 2}


@dataclass(frozen=True)
class Place:
    """Where a period is counted: the zone whose dates count, and the calendar whose holidays do."""

    zone: ZoneInfo
    calendar: str | None

    def day_of(self, moment: datetime) -> date:
        return moment.astimezone(self.zone).date()

    def end_of(self, day: date) -> datetime:
        """Its last moment. A day that ends in a repeated hour ends the first time."""
        return self.at(day + DAY, time(0)) - MOMENT

    def at(self, day: date, at: time) -> datetime:
        """The earliest instant with that reading; one that the clocks skip is the instant they change."""
        early = datetime.combine(day, at, self.zone).astimezone(UTC)
        if early.astimezone(self.zone).replace(tzinfo=None) == datetime.combine(day, at):
            return early
        return self.change_before(early)

    def change_before(self, late: datetime) -> datetime:
        """The instant at which the clocks changed, within the day before `late`."""
        early, offset = late - DAY, late.astimezone(self.zone).utcoffset()
        while late - early > timedelta(seconds=1):
            middle = early + (late - early) / 2
            if middle.astimezone(self.zone).utcoffset() == offset:
                late = middle
            else:
                early = middle
        return late.replace(microsecond=0)

    def open_days_from(self, day: date) -> Iterator[date]:
        if self.calendar is None:
            raise ValueError("A period in working days needs a calendar of public holidays.")
        return working_days_from(self.calendar, day)

    def is_open(self, day: date) -> bool:
        return self.calendar is None or is_working_day(self.calendar, day)


@dataclass(frozen=True)
class End:
    """What one limit comes to. `event` is the one that must have happened; without `start` and `at` it is not stated.

    `is_taken_over`: the event is still to come, and `at` is its own deadline. `counts`: the answer to its `when`.
    """

    limit: Limit
    event: Start
    counts: bool | None
    stated: Stated | None = None
    start: datetime | None = None
    at: datetime | None = None
    is_taken_over: bool = False

    @property
    def is_dated(self) -> bool:
        return self.at is not None and self.counts is not False


@dataclass(frozen=True)
class Reading:
    """Another way of counting the same period, for information. Never a deadline, never an alarm."""

    name: str
    at: datetime
    is_disputed: bool


@dataclass(frozen=True)
class Due:
    """The last moment in time, in UTC, and all it came from. `at` is None when no start event is stated, or no number.

    `must_precede`: at that very moment it is already too late (before the notice to people).
    `missing`: events whose instant nobody stated; with a date, they could only make it earlier.
    """

    clock: Clock
    place: Place
    article: str
    ends: tuple[End, ...] = ()
    readings: tuple[Reading, ...] = ()

    @property
    def end(self) -> End | None:
        """The one that decides."""
        return min((end for end in self.ends if end.is_dated), key=_order_of, default=None)

    @property
    def at(self) -> datetime | None:
        return self.end.at if self.end else None

    @property
    def starts_at(self) -> datetime | None:
        return self.end.start if self.end else None

    @property
    def must_precede(self) -> bool:
        return self.end is not None and self.end.limit.relation == "before"

    @property
    def missing(self) -> tuple[Start, ...]:
        unknown = (end.event for end in self.ends if end.counts is not False and end.at is None)
        return tuple(dict.fromkeys(unknown))

    @property
    def ends_with_its_day(self) -> bool:
        """It is due by the end of a day, and not at a time of day."""
        return self.at is not None and self.at == self.place.end_of(self.place.day_of(self.at))


def due_of(
    clock: Clock,
    starts: Mapping[Start, Stated],
    *,
    zone: str,
    calendar: str | None = None,
    owed: Mapping[Start, datetime] | None = None,
    applies: Callable[[Test], bool | None] | None = None,
    article: str = "",
    by_1182: bool = False,
) -> Due:
    """When the duty of this clock is due.

    `starts`: the instants that were stated. `owed`: by when an event still to come is itself due (people told).
    `zone`: the regime's, an IANA name. `calendar`: see calendars.py. `applies`: answers a limit's `when`; without it
    every `when` is undecided. `by_1182`: whether Regulation 1182/71 speaks to it, so that its readings are shown.
    Raises ValueError for an instant without zone and for working days without calendar, CalendarUnknown (a ValueError)
    for a calendar there is not, ZoneInfoNotFoundError for such a zone.
    """
    place = Place(ZoneInfo(zone), calendar)
    ends = tuple(_end_of(limit, starts, owed or {}, place, applies) for limit in clock.limits)
    due = Due(clock, place, article, ends)
    if not (by_1182 and due.end and due.end.limit.amount):
        return due
    return Due(clock, place, article, ends, tuple(readings_of(due.end, place)))


def is_late(due: Due, at: datetime) -> bool | None:
    """Whether something done at that moment came too late; None while there is no date."""
    if due.at is None:
        return None
    return _in_utc(at) >= due.at if due.must_precede else _in_utc(at) > due.at


def hours_since(start: datetime, moment: datetime) -> int:
    """Hours that have begun, never below 0. At exactly 72:00:00 this is 72, and a report is still in time; then 73."""
    return max(0, -((_in_utc(start) - _in_utc(moment)) // timedelta(hours=1)))


def _order_of(end: End | None) -> tuple[datetime, bool]:
    """At the same instant *before* asks for more than *with*."""
    assert end is not None
    assert end.at is not None
    return end.at, end.limit.relation != "before"


def _end_of(
    limit: Limit,
    starts: Mapping[Start, Stated],
    owed: Mapping[Start, datetime],
    place: Place,
    applies: Callable[[Test], bool | None] | None,
) -> End:
    event = Start.DISCOVERY if limit.starts == Start.END_OF_YEAR else limit.starts
    counts = True if limit.when is None else applies(limit.when) if applies else None
    stated = starts.get(event)
    if limit.relation != "after":
        at = _in_utc(stated.at) if stated else _in_utc(owed[event]) if event in owed else None
        return End(limit, event, counts, stated, at, at, is_taken_over=stated is None and at is not None)
    if stated is None:
        return End(limit, event, counts)
    start = _in_utc(stated.at)
    if limit.starts == Start.END_OF_YEAR:
        start = place.end_of(date(place.day_of(start).year, 12, 31))
    return End(limit, event, counts, stated, start, _last_moment(limit, start, place))


def _last_moment(limit: Limit, start: datetime, place: Place) -> datetime:
    if limit.unit in ELAPSED:
        at = start + elapsed_of(limit)
        moves = limit.moves_off_closed_days and not place.is_open(place.day_of(at))
        return _moved_end(limit, next(place.open_days_from(place.day_of(at))), place) if moves else at
    counted = last_day_of(limit, start, place)
    last = next(place.open_days_from(counted)) if limit.moves_off_closed_days else counted
    if last != counted:
        return _moved_end(limit, last, place)
    if limit.whole_days or not place.is_open(place.day_of(start)):
        return _end_of_day(limit, last, place)
    return place.at(last, _time_of_day(start, place))


def _end_of_day(limit: Limit, day: date, place: Place) -> datetime:
    return place.at(day, time.fromisoformat(limit.ends_at)) if limit.ends_at else place.end_of(day)


def _moved_end(limit: Limit, day: date, place: Place) -> datetime:
    if limit.moved_ends_at:
        return place.at(day, time.fromisoformat(limit.moved_ends_at))
    return _end_of_day(limit, day, place)


def _time_of_day(start: datetime, place: Place) -> time:
    """In an hour that happens twice the first counts from its beginning, so that no later start ends earlier."""
    local = start.astimezone(place.zone)
    again = local.replace(fold=1).astimezone(UTC)
    if local.fold or again == start:
        return local.time()
    change = place.change_before(again)
    return (change.astimezone(place.zone).replace(tzinfo=None)).time()


def last_day_of(limit: Limit, start: datetime, place: Place) -> date:
    """The day a period in days or months ends with, before it moves off a closed one."""
    day, amount = _day_of_event(limit, start, place), limit.amount or 0
    if limit.unit == Unit.MONTHS:
        return _months_later(day, amount, limit.counts_first_day)
    if limit.unit == Unit.CALENDAR_DAYS:
        return day + DAY * (amount - limit.counts_first_day)
    counted = place.open_days_from(day if limit.counts_first_day else day + DAY)
    return next(islice(counted, amount - 1, None))


def _day_of_event(limit: Limit, start: datetime, place: Place) -> date:
    day = place.day_of(start)
    if limit.counts_first_day and limit.ends_at and start > place.at(day, time.fromisoformat(limit.ends_at)):
        return day + DAY
    return day


def _months_later(day: date, amount: int, counts_first_day: bool) -> date:
    years, month = divmod(day.month - 1 + amount, 12)
    year, month = day.year + years, month + 1
    last = months.monthrange(year, month)[1]
    if day.day > last:
        return date(year, month, last)
    return date(year, month, day.day) - DAY * counts_first_day


def readings_of(end: End, place: Place) -> Iterator[Reading]:
    """How Regulation 1182/71 would count a period, where that ends later than the date.

    Article 3(1): the hour of the event is not counted, so hours run from the next full one. Article 3(4): a period not
    in hours that would end on a closed day ends with the next working day. Article 3(5): a period of two days or more
    holds at least two working days; whether that reaches periods in hours is disputed (for: Piltz and Pradel, ZD
    4/2019; against: the Bavarian and North Rhine-Westphalian authorities).
    """
    assert end.at is not None
    assert end.start is not None
    limit, start, at = end.limit, end.start, end.at
    if limit.unit == Unit.HOURS and at == start + elapsed_of(limit):
        local = start.astimezone(place.zone)
        begun = timedelta(minutes=local.minute, seconds=local.second, microseconds=local.microsecond)
        yield Reading("rounded_hour", at + timedelta(hours=1) - begun, is_disputed=False)
    if place.calendar is None or limit.unit in {Unit.BUSINESS_DAYS, Unit.MINUTES}:
        return
    last = place.day_of(at)
    if limit.unit != Unit.HOURS and not place.is_open(last):
        yield Reading("closed_day", place.end_of(next(place.open_days_from(last))), is_disputed=False)
    second = next(islice(place.open_days_from(place.day_of(start) + DAY), 1, None))
    if second > last and (limit.amount or 0) >= TWO_DAYS.get(limit.unit or Unit.MONTHS, 1):
        yield Reading("two_working_days", place.end_of(second), is_disputed=limit.unit == Unit.HOURS)


def elapsed_of(limit: Limit) -> timedelta:
    """The length of a period in minutes or hours."""
    assert limit.unit is not None
    return (limit.amount or 0) * ELAPSED[limit.unit]


def _in_utc(moment: datetime) -> datetime:
    if moment.utcoffset() is None:
        raise ValueError(f"{moment} has no time zone, so nobody can say when it was.")
    return moment.astimezone(UTC)
