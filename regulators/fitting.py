"""fitted(): a fact as one question of one form can hold it, or None when it cannot.

What a choice stands for is said in the form's own file, so that no form needs a line of code here.
"""

from collections.abc import Callable
from datetime import date
from typing import Any
from zoneinfo import ZoneInfo

from breachdesk.audit.canonical import time_of
from regulators.catalogue.schema import Kind, Question
from regulators.wording import PARTS, said, said_day


def fitted(question: Question, value: Any) -> Any:
    return FITTING[question.kind](question, value)


def standing_for(question: Question, value: Any) -> Any:
    """The other way round: an answer as a fact, in the words that the choices of every form share."""
    match question.kind:
        case Kind.CHOICE:
            chosen = next((one for one in question.choices if one.value == value), None)
            return None if chosen is None or chosen.is_a_range else (chosen.means or (chosen.value,))[0]
        case Kind.CHOICES:
            chosen_ones = [one for one in question.choices if one.value in value]
            return {meaning for one in chosen_ones for meaning in one.means or (one.value,)}
        case Kind.DATE:
            return date.fromisoformat(value)
        case Kind.DATES | Kind.MONEY | Kind.PERCENT:
            return None
        case _:
            return value


def is_moment(value: Any) -> bool:
    return isinstance(value, dict) and "at" in value


def is_contact(value: Any) -> bool:
    return isinstance(value, dict) and set(value) == set(PARTS)


def _text(_: Question, value: Any) -> str | None:
    match value:
        case bool() | set():
            return None
        case str():
            return value or None
        case int():
            return f"{value:,}"
        case date():
            return said_day(value)
    if is_moment(value):
        return said(time_of(value["at"]), value["zone"])
    return "\n".join(value[part] for part in PARTS if value.get(part)) if is_contact(value) else None


def _choice(question: Question, value: Any) -> str | None:
    if isinstance(value, set):
        return None
    fits = (choice.value for choice in question.choices if choice.fits(value))
    same = (one.value for one in question.choices if isinstance(value, str) and _same(one.label, value))
    return next(fits, None) or next(same, None)


def _same(label: str, value: str) -> bool:
    return label.casefold() == value.casefold()


def _choices(question: Question, value: Any) -> list[str] | None:
    values = value if isinstance(value, set) else {value} if isinstance(value, str) else set()
    return [choice.value for choice in question.choices if any(choice.fits(one) for one in values)] or None


def _yes_no(question: Question, value: Any) -> str | None:
    return value if isinstance(value, str) and value in question.values else None


def _number(_: Question, value: Any) -> int | None:
    return value if isinstance(value, int) and not isinstance(value, bool) else None


def _date(_: Question, value: Any) -> str | None:
    """The day of a moment is that of its own zone."""
    if is_moment(value):
        value = time_of(value["at"]).astimezone(ZoneInfo(value["zone"])).date()
    return value.isoformat() if isinstance(value, date) else None


def _dates(question: Question, value: Any) -> list[str] | None:
    day = _date(question, value)
    return [day] if day else None


def _moment(_: Question, value: Any) -> dict[str, str] | None:
    return value if is_moment(value) else None


def _contact(_: Question, value: Any) -> dict[str, str] | None:
    return value if is_contact(value) else None


def _url(_: Question, value: Any) -> str | None:
    return value if isinstance(value, str) and value.startswith(("https://", "http://")) else None


def _never(_: Question, value: Any) -> None:
    return None


FITTING: dict[Kind, Callable[[Question, Any], Any]] = {
    Kind.TEXT: _text,
    Kind.LONG_TEXT: _text,
    Kind.CHOICE: _choice,
    Kind.CHOICES: _choices,
    Kind.YES_NO: _yes_no,
    Kind.NUMBER: _number,
    Kind.DATE: _date,
    Kind.DATES: _dates,
    Kind.MOMENT: _moment,
    Kind.CONTACT: _contact,
    Kind.URL: _url,
    Kind.MONEY: _never,
    Kind.PERCENT: _never,
}
