"""Which days are closed: Saturdays and Sundays, or whatever the weekend of the place is, and its public holidays.

A calendar is named by the code of its place: `US`, `US-VT`, `DE-BY`; `EU` stands for the institutions of the Union, for
which the closing days of the ECB's TARGET system are taken: all of them are holidays of the institutions too.

The source is the library `holidays`, in its category *public*. Half days, bank holidays, optional days off and days on
which offices are closed by order are working days here, as is a Saturday that is worked to make up for a holiday. So
whenever calendars differ the deadline falls on the earlier day. Regulation 1182/71, Article 2: holidays are those of
the place where the act is to be done; all other days except Saturdays and Sundays are working days.
"""

from collections.abc import Iterator
from datetime import date, timedelta
from functools import lru_cache
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from holidays import HolidayBase

DAY = timedelta(days=1)
# Where the library calls *public* less than the days on which the authority is closed by law.
WHOLE = {"HK": ("public", "optional")}  # General Holidays Ordinance, Cap. 149


class CalendarUnknown(ValueError):
    """There is no calendar of that name, or it does not know the year."""


@lru_cache(maxsize=256)
def _calendar(code: str) -> "HolidayBase":
    import holidays  # a tenth of what every process would take to start, and few ever count working days

    if code == "EU":
        return holidays.financial_holidays("ECB", language="en_US")
    country, _, part = code.partition("-")
    try:
        categories = WHOLE.get(country, ("public",))
        return holidays.country_holidays(country, subdiv=part or None, language="en_US", categories=categories)
    except NotImplementedError as missing:
        raise CalendarUnknown(f"There is no calendar of public holidays for {code}.") from missing


def is_working_day(code: str, day: date) -> bool:
    calendar = _calendar(code)
    if not calendar.start_year <= day.year <= calendar.end_year:
        raise CalendarUnknown(f"The public holidays of {code} are not known for {day.year}.")
    return bool(calendar.is_working_day(day))


def why_closed(code: str, day: date) -> str:
    """The holiday's name, or the weekday's; nothing for a working day."""
    return "" if is_working_day(code, day) else _calendar(code).get(day) or f"a {day:%A}"


def is_estimated(code: str, day: date) -> bool:
    """A holiday that waits for the sight of the moon: its date is a forecast."""
    return "estimated" in (_calendar(code).get(day) or "")


def working_days_from(code: str, day: date) -> Iterator[date]:
    """Every working day from `day` on, itself included."""
    while True:
        if is_working_day(code, day):
            yield day
        day += DAY


def closed_days_between(code: str, first: date, last: date) -> list[date]:
    days = (first + DAY * n for n in range((last - first).days + 1))
    return [day for day in days if not is_working_day(code, day)]


def weekend_of(code: str) -> list[str]:
    """Saturday and Sunday in most places, in the order of the week."""
    monday = date(2024, 1, 1)
    return [f"{monday + DAY * number:%A}" for number in sorted(_calendar(code).weekend)]
