"""working_of(): how a date was found, in plain sentences that a person can check with a calendar and a clock.

Each sentence is true by itself. Readings of Regulation 1182/71 come last and say that they are not the date.
"""

from collections.abc import Iterator
from datetime import UTC, date, datetime, timedelta
from itertools import islice

from regulators.calendars import closed_days_between, is_estimated, weekend_of, why_closed
from regulators.catalogue.rules import Limit, Start, Unit
from regulators.clocks import Due, End, Place, Reading, elapsed_of, last_day_of

HAPPENED = {
    Start.AWARENESS: "We became aware",
    Start.SUSPICION: "We first suspected it",
    Start.DETECTION: "It was detected",
    Start.DISCOVERY: "It was discovered",
    Start.OCCURRENCE: "It happened",
    Start.TOLD_BY_OTHERS: "Somebody else told us",
    Start.SHOULD_HAVE_KNOWN: "We should have known of it",
    Start.CONFIRMATION: "It was confirmed",
    Start.DETERMINATION: "It was decided that this is a breach to report",
    Start.ASSESSMENT_COMPLETED: "The assessment was finished",
    Start.CLASSIFICATION: "The incident was classified",
    Start.MATERIALITY: "The incident was decided to be material",
    Start.PEOPLE_IDENTIFIED: "It was known who is affected",
    Start.RANSOM_PAYMENT: "A ransom was paid",
    Start.INCIDENT_HANDLED: "The handling of the incident ended",
    Start.FIX_AVAILABLE: "A fix was available",
    Start.REQUEST: "The authority asked for it",
    Start.AUTHORITY_TOLD: "The authority was told",
    Start.HHS_TOLD: "The federal health department was told",
    Start.PEOPLE_TOLD: "The people were told",
    Start.FIRST_REPORT: "The first report was submitted",
    Start.NOTIFICATION: "The full notification was submitted",
    Start.LAST_REPORT: "The last report was submitted",
    Start.STATEMENT_READY: "The statement to the authority was ready",
    Start.END_OF_YEAR: "The year of discovery ended",
}
STILL_TO_COME = {
    Start.PEOPLE_TOLD: "The people are to be told",
    Start.AUTHORITY_TOLD: "The authority is to be told",
    Start.FIRST_REPORT: "The first report is due",
    Start.NOTIFICATION: "The full notification is due",
    Start.LAST_REPORT: "The last report is due",
}
NAMES = {
    Unit.MINUTES: "minute",
    Unit.HOURS: "hour",
    Unit.CALENDAR_DAYS: "calendar day",
    Unit.BUSINESS_DAYS: "business day",
    Unit.MONTHS: "month",
}
LISTED = 10
"""As many business days as are written out one by one."""


def working_of(due: Due) -> list[str]:
    """The sum. Without a date: which event is not stated."""
    counted = [end for end in due.ends if end.counts is not False]
    sentences = [sentence for end in counted for sentence in _of_end(end, due)]
    dated = [end for end in counted if end.at]
    if len(dated) > 1 and due.at:
        sentences.append(f"Whichever ends first counts: {_said(due.at, due.place)}.")
    if not due.clock.limits:
        sentences.append("The law names no number of hours or days, so there is no date to work out.")
    return [*sentences, *(_said_of(reading, due) for reading in due.readings)]


def said_until(due: Due) -> str:
    """The date in words, in the law's zone: a moment, or the end of a day."""
    assert due.at is not None
    return _said(due.at, due.place)


def missing_sentence(start: Start) -> str:
    return f"“{HAPPENED[start]}”: nobody has stated when. Without it there is no date."


def _of_end(end: End, due: Due) -> Iterator[str]:
    limit, place = end.limit, due.place
    if end.at is None:
        yield _not_stated(end, due)
        return
    yield from _of_event(end, place)
    law = limit.article or due.article or "The rule"
    if limit.relation != "after":
        asked = "before that" if limit.relation == "before" else "no later than that"
        yield f"{law} asks for this {asked}."
    elif limit.unit in {Unit.HOURS, Unit.MINUTES}:
        yield from _of_elapsed(end, place, law)
    else:
        yield from _of_days(end, place, law)
    if limit.until_received:
        yield "It is in time only if it has arrived by then; sending it by then is not enough."
    if end.counts is None:
        yield "Whether this end counts depends on a fact nobody has stated, so it counts."


def _not_stated(end: End, due: Due) -> str:
    if due.at is None:
        return missing_sentence(end.event)
    return f"“{HAPPENED[end.event]}”: nobody has stated when. It could only make the date earlier."


def _of_event(end: End, place: Place) -> Iterator[str]:
    if end.is_taken_over and end.at:
        words = STILL_TO_COME.get(end.event, f"“{HAPPENED[end.event]}” is due")
        yield f"{words} by {_said(end.at, place)}: that has not happened yet, and this may not come later."
        return
    assert end.stated is not None
    at = end.stated.at
    yield f"{HAPPENED[end.event]} on {_moment(at, place)}, which is {_utc(at)}."
    if end.stated.precision != "minute":
        yield f"That is known to the {end.stated.precision} only: if it was earlier, so is the deadline."
    if end.limit.starts == Start.END_OF_YEAR and end.start:
        yield f"That year ends on {_day(place.day_of(end.start))}."


def _of_elapsed(end: End, place: Place, law: str) -> Iterator[str]:
    limit, start = end.limit, end.start
    assert start is not None
    assert end.at is not None
    amount, unit = _amount(limit), NAMES[limit.unit or Unit.HOURS]
    yield f"{law} gives {amount}. They are elapsed {unit}s: nights, weekends and holidays count."
    elapsed = start + elapsed_of(limit)
    yield f"{amount} later is {_utc(elapsed)}, which is {_moment(elapsed, place)}."
    yield from _clock_change(start, elapsed, place, amount)
    if elapsed != end.at:
        closed = why_closed(place.calendar or "", place.day_of(elapsed))
        yield f"That day is closed ({closed}), so it moves to the next working day: {_said(end.at, place)}."


def _clock_change(start: datetime, at: datetime, place: Place, amount: str) -> Iterator[str]:
    before, after = (moment.astimezone(place.zone).utcoffset() or timedelta() for moment in (start, at))
    if moved := after - before:
        way, time_of_day = ("forward", "later") if moved > timedelta() else ("back", "earlier")
        minutes = abs(int(moved.total_seconds() // 60))
        by = "an hour" if minutes == 60 else f"{minutes} minutes"
        yield f"The clocks go {way} in between, so the time of day is {by} {time_of_day}. It is still {amount}."


def _of_days(end: End, place: Place, law: str) -> Iterator[str]:
    limit = end.limit
    assert end.start is not None
    assert end.at is not None
    last = last_day_of(limit, end.start, place)
    yield f"{law} gives {_amount(limit)}. {_first_day(limit)}"
    if limit.unit == Unit.MONTHS:
        yield _of_month(limit, place.day_of(end.start), last)
    elif limit.unit == Unit.CALENDAR_DAYS:
        yield f"Day {limit.amount} is {_day(last)}."
    else:
        yield from _of_business_days(limit, place, place.day_of(end.start), last)
    ends = place.day_of(end.at)
    if ends != last:
        closed = why_closed(place.calendar or "", last)
        yield f"That day is closed ({closed}), so the end moves to the next working day, {_day(ends)}."
    yield _ending(end, place)


def _first_day(limit: Limit) -> str:
    if limit.counts_first_day:
        cut = f", if it fell no later than {limit.ends_at}" if limit.ends_at else ""
        return f"The day of the event is day 1{cut}."
    return "The day of the event is not counted."


def _of_month(limit: Limit, start: date, last: date) -> str:
    if limit.counts_first_day:
        return f"The period ends on the day before the one with the same date: {_day(last)}."
    if last.day != start.day:
        return f"There is no {start.day} {last:%B %Y}, so the period ends with that month’s last day: {_day(last)}."
    return f"The period ends with the day that bears the same date: {_day(last)}."


def _of_business_days(limit: Limit, place: Place, start: date, last: date) -> Iterator[str]:
    calendar = place.calendar or ""
    weekend = weekend_of(calendar)
    closed = [day for day in closed_days_between(calendar, start, last) if f"{day:%A}" not in weekend]
    named = ", ".join(f"{_day(day)} ({why_closed(calendar, day)})" for day in closed)
    days = " and ".join(f"{day}s" for day in weekend)
    besides = f", nor {named}" if named else ", and no public holiday falls in between"
    yield f"By the calendar of {calendar}, {days} are not counted{besides}."
    if any(is_estimated(calendar, day) for day in closed):
        yield "A holiday that is estimated waits for the sight of the moon: look it up before you rely on it."
    first = start if limit.counts_first_day else start + timedelta(days=1)
    if (limit.amount or 0) <= LISTED:
        counted = enumerate(islice(place.open_days_from(first), limit.amount), 1)
        listed = "; ".join(f"day {number} is {_day(day)}" for number, day in counted)
        yield f"D{listed[1:]}."
    else:
        yield f"Day 1 is {_day(next(place.open_days_from(first)))}, and day {limit.amount} is {_day(last)}."


def _ending(end: End, place: Place) -> str:
    assert end.at is not None
    if end.at == place.end_of(place.day_of(end.at)):
        return (
            f"It ends with that day: at 24:00 in {place.zone.key}, which is {_utc(end.at + timedelta(microseconds=1))}."
        )
    return f"It ends at {_moment(end.at, place)}, which is {_utc(end.at)}."


def _said_of(reading: Reading, due: Due) -> str:
    at = _said(reading.at, due.place)
    not_the_date = f"{at[:1].upper()}{at[1:]}. It is not relied on."
    if reading.name == "rounded_hour":
        return f"If the hour of the event is not counted (Regulation 1182/71, Article 3(1)): {not_the_date}"
    if reading.name == "closed_day":
        return f"If a period may not end on a closed day (Regulation 1182/71, Article 3(4)): {not_the_date}"
    disputed = ", disputed for periods in hours" if reading.is_disputed else ""
    return f"If it must hold two working days (Regulation 1182/71, Article 3(5){disputed}): {not_the_date}"


def _amount(limit: Limit) -> str:
    assert limit.unit is not None
    return f"{limit.amount} {NAMES[limit.unit]}{'' if limit.amount == 1 else 's'}"


def _day(day: date) -> str:
    return f"{day:%A} {day.day} {day:%B %Y}"


def _said(at: datetime, place: Place) -> str:
    """A moment, or, where it ends a day, that day."""
    day = place.day_of(at)
    return f"the end of {_day(day)}" if at == place.end_of(day) else _moment(at, place)


def _moment(at: datetime, place: Place) -> str:
    local = at.astimezone(place.zone)
    return f"{_day(local.date())} at {local:%H:%M} {local:%Z}"


def _utc(moment: datetime) -> str:
    return f"{moment.astimezone(UTC):%Y-%m-%d %H:%M} UTC"
