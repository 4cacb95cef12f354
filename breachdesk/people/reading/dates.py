"""Days of birth as files write them. Whether the day or the month comes first is a fact about a column, confirmed by
whoever matched it; one row alone never decides it, or 03/04 and 13/04 of one file would be read in two ways.
"""

import re
from collections.abc import Iterable
from contextlib import suppress
from datetime import date
from functools import lru_cache

ORDERS = {"dmy": "Day first: 31/05/1984", "mdy": "Month first: 05/31/1984"}
EARLIEST_BIRTH = 1890
ADULT_AT = 18
ISO_LENGTH = len("1984-05-31")

# Year first is the same everywhere (ISO 8601, 1984/5/31, 1984年5月31日). Midnight is how databases print a day.
_YEAR_FIRST = re.compile(r"(\d{4})(?:-(\d{1,2})-|/(\d{1,2})/|\.(\d{1,2})\.|年(\d{1,2})月)(\d{1,2})[日.]?")
_COMPACT = re.compile(r"(\d{4})(\d\d)(\d\d)")
_YEAR_LAST = re.compile(r"(\d{1,2})([-/.])\s?(\d{1,2})\2\s?(\d{4})")
_NAMED_MONTH = re.compile(r"(\d{1,2})[-. ]+([A-Za-z]{3,9})[-., ]+(\d{4})|([A-Za-z]{3,9}) (\d{1,2}),? (\d{4})")
_SHORT_YEAR = re.compile(r"\d{1,2}([-/.])\d{1,2}\1\d\d|\d{1,2}[-. ]?[A-Za-z]{3,9}[-. ]?\d\d")
_MIDNIGHT = re.compile(r"(.{6,}?)[T ]00:00(?::00(?:\.0+)?)?(?:Z|[+-]\d\d:?\d\d)?")
_MONTHS = (
    "january", "february", "march", "april", "may", "june", "july", "august", "september", "october", "november",
    "december",
)  # fmt: skip
_MONTH = {name: number for number, name in enumerate(_MONTHS, 1)} | {
    name[:3]: number for number, name in enumerate(_MONTHS, 1)
}


class NotADay(Exception):
    """Says by a key of rows.REASONS what is wrong with the text."""


def birth_day(text: str, order: str, today: date) -> date:
    """The day that `text` names when the column is written in `order`: dmy, mdy, or empty when nobody said.

    Raises NotADay: for a year of two digits (24 may be a child or be a hundred years old), for a day that is not in
    the calendar, lies ahead or before 1890, and for 03/04/1980 while the order is not known.
    """
    day = written_day(text, order)
    if day.year < EARLIEST_BIRTH or day > today:
        raise NotADay("birth_date")
    return day


def written_day(text: str, order: str) -> date:
    if midnight := _MIDNIGHT.fullmatch(text):
        text = midnight[1]
    year, month, day = _parts(text, order)
    try:
        return date(year, month, day)
    except ValueError:
        raise NotADay("birth_date") from None


def _parts(text: str, order: str) -> tuple[int, int, int]:
    if found := _YEAR_FIRST.fullmatch(text):
        return int(found[1]), int(found[2] or found[3] or found[4] or found[5]), int(found[6])
    if found := _COMPACT.fullmatch(text):
        return int(found[1]), int(found[2]), int(found[3])
    if found := _YEAR_LAST.fullmatch(text):
        return _in_order(int(found[1]), int(found[3]), int(found[4]), order)
    if found := _NAMED_MONTH.fullmatch(text):
        day, name, year = (found[1], found[2], found[3]) if found[1] else (found[5], found[4], found[6])
        return int(year), _MONTH.get(name.lower(), 0), int(day)
    raise NotADay("birth_year" if _SHORT_YEAR.fullmatch(text) else "birth_date")


def _in_order(first: int, second: int, year: int, order: str) -> tuple[int, int, int]:
    if not order and first != second:
        raise NotADay("birth_order")
    return (year, first, second) if order == "mdy" else (year, second, first)


def order_of(texts: Iterable[str]) -> str:
    """dmy or mdy when the texts leave no doubt; empty when they do, or when none of them needs an order.

    Nobody who writes the month first puts full stops between.
    """
    found = [match for match in map(_YEAR_LAST.fullmatch, texts) if match]
    day_first = any(int(match[1]) > 12 or match[2] == "." for match in found)
    month_first = any(int(match[3]) > 12 for match in found)
    return "" if day_first == month_first else "dmy" if day_first else "mdy"


def needs_order(texts: Iterable[str]) -> bool:
    return any(_YEAR_LAST.fullmatch(text) for text in texts)


def read_birth(text: str, order: str, today: date) -> tuple[str, bool] | str:
    """The day in ISO 8601 and whether that makes a minor today; or the key of the reason why it is no day."""
    if len(text) == ISO_LENGTH and text[4] == text[7] == "-":
        with suppress(ValueError):  # of which the reason is found below
            date.fromisoformat(text)
            earliest, youngest_adult, last = _bounds(today)
            return (text, text > youngest_adult) if earliest <= text <= last else "birth_date"
    return read_any_birth(text, order, today)


@lru_cache(maxsize=4)
def _bounds(today: date) -> tuple[str, str, str]:
    """The earliest day of birth, the latest of an adult, and the latest of all. In ISO 8601 texts sort as days do."""
    return f"{EARLIEST_BIRTH}-01-01", f"{today.year - ADULT_AT}-{today:%m-%d}", today.isoformat()


@lru_cache(maxsize=65_536)  # 100 years are 36,525 days; one more spelling of each still fits
def read_any_birth(text: str, order: str, today: date) -> tuple[str, bool] | str:
    """The same for any spelling."""
    try:
        day = birth_day(text, order, today)
    except NotADay as reason:
        return str(reason)
    age = today.year - day.year - ((today.month, today.day) < (day.month, day.day))
    return day.isoformat(), age < ADULT_AT
