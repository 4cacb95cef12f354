"""waterfall_of(): from the rows of a file to the people who were reached, line by line; it always adds up.

Pure: numbers in, lines out. Rows become people where repeated rows are merged; from there on each person counts once in
each line. Whoever is left out stands under the first of these that holds:

1. no longer affected: taken off by a later list;
2. deceased: marked so by a list, or on hold for it;
3. on hold: the police, a dispute, their own wish, no customer as they say, another reason, in this order;
4. no way to reach: neither an email address nor a postal one.

Everybody else is to be told. Who was told before being left out is counted beside it, never within.
"""

from collections.abc import Iterator
from dataclasses import dataclass

from breachdesk.people.models import Tally
from breachdesk.people.told import Told

WITHDRAWN = "withdrawn"
LEFT_OUT = {
    "deceased": "Deceased",
    "police": "On hold: the police asked us to wait",
    "dispute": "On hold: a dispute",
    "asked": "On hold: they asked not to be contacted",
    "not_ours": "On hold: they say they are no customer",
    "other": "On hold: another reason",
    "held": "On hold",
    "no_way": "No way to reach them",
}


@dataclass(frozen=True)
class Line:
    """A sum, or what goes off the sum before it. Bars are in per cent of the longest, which is the first."""

    key: str
    label: str
    number: int
    is_sum: bool
    note: str = ""
    x: float = 0.0
    width: float = 0.0

    @property
    def sign(self) -> str:
        return "" if self.is_sum else "−"


class DoesNotAddUp(AssertionError):
    """Two counts contradict each other; nothing may be drawn that hides it."""


def waterfall_of(tally: Tally, told: Told) -> list[Line]:
    return _drawn(list(_lines(tally, told)), tally.rows_read)


def _lines(tally: Tally, told: Told) -> Iterator[Line]:
    valid = tally.rows_read - tally.rows_rejected
    yield Line("rows", "Rows read", tally.rows_read, True)
    yield Line("rejected", "Not accepted", tally.rows_rejected, False, "Each with its reason, to be corrected")
    yield Line("valid", "Valid rows", valid, True)
    yield Line("merged", "About somebody known already", tally.rows_repeated, False, "Merged; every source is kept")
    yield Line("known", "People on the lists", valid - tally.rows_repeated, True)
    yield Line(WITHDRAWN, "No longer affected", tally.excluded.get(WITHDRAWN, 0), False, "By a later list")
    yield Line("affected", "People affected", tally.people, True)
    for key, label in LEFT_OUT.items():
        yield Line(key, label, tally.excluded.get(key, 0), False)
    yield Line("to_be_told", "To be told", tally.to_be_told, True, _by_post(tally.by_post_only))
    yield Line("not_told", "Not told yet", tally.to_be_told - told.handed_over, False)
    yield Line("told", "Told", told.handed_over, True, _told_before(told.left_out))
    yield Line("not_reached", "Came back, or nothing heard yet", told.handed_over - told.reached, False)
    yield Line("reached", "Reached", told.reached, True, "Their mail server took the message")


def _by_post(number: int) -> str:
    return f"{number:,} of them by letter alone" if number else ""


def _told_before(number: int) -> str:
    return f"{number:,} more were told before they were left out" if number else ""


def _drawn(lines: list[Line], longest: int) -> list[Line]:
    return [
        Line(line.key, line.label, line.number, line.is_sum, line.note, *_place(rest, line, longest))
        for line, rest in zip(lines, _rests(lines), strict=True)
    ]


def _rests(lines: list[Line]) -> Iterator[int]:
    """What is left after each line. Each sum is what went before it, or the lines do not add up."""
    rest = lines[0].number
    for line in lines:
        rest -= 0 if line.is_sum else line.number
        if line.number < 0 or (line.is_sum and line.number != rest):
            raise DoesNotAddUp(f"{line.label}: {line.number}, but {rest} are left.")
        yield rest


def _place(rest: int, line: Line, longest: int) -> tuple[float, float]:
    """What goes off hangs where it was cut from. What is not nothing is wide enough to be seen."""
    if not longest or not line.number:
        return 0.0, 0.0
    width = max(round(100 * line.number / longest, 2), 0.3)
    x = 0.0 if line.is_sum else min(round(100 * rest / longest, 2), 100 - width)
    return x, width
