"""What separates the columns of a text, which row names them, and names for columns that have none of their own."""

import csv
import re
import unicodedata
from collections import Counter
from collections.abc import Sequence

from breachdesk.people.reading.source import Record

DELIMITERS: dict[str, str] = {",": "comma", ";": "semicolon", "\t": "tab", "|": "vertical bar"}
LOOKED_AT = 300  # lines
LIKE_THE_OTHERS = 0.8  # of the rows
LONGEST_HEADING = 120

_SEP = re.compile(r"\ufeff?\"?sep=(.)\"?\s*$", re.IGNORECASE)
_EMAIL = re.compile(r"[^@\s]+@[^@\s]+\.[^@\s]+")
_FIGURES = re.compile(r"[\d\s.,:/+()-]*\d[\d\s.,:/+()-]*")


def stated_delimiter(lines: Sequence[str]) -> str:
    """What Excel's own first line “sep=;” says; empty without one."""
    match = _SEP.match(lines[0]) if lines else None
    return match[1] if match and match[1] in DELIMITERS else ""


def guess_delimiters(lines: Sequence[str]) -> tuple[list[str], bool]:
    """The plausible ones, the likeliest first, and whether there is only one. A list of one column has a comma."""
    found: dict[str, tuple[bool, bool, int]] = {}
    for delimiter in DELIMITERS:
        widths = [len(row) for row in _split(lines[:LOOKED_AT], delimiter) if row]
        width, rows = Counter(widths).most_common(1)[0] if widths else (1, 0)
        if width > 1:
            found[delimiter] = (rows >= LIKE_THE_OTHERS * len(widths), widths[0] == width, width)
    best = sorted(found, key=lambda delimiter: found[delimiter], reverse=True)
    if not best:
        return [","], False
    likely = found[best[0]][:2]
    return best, likely[0] and sum(fitting[:2] == likely for fitting in found.values()) == 1


def _split(lines: Sequence[str], delimiter: str) -> list[list[str]]:
    try:
        return list(csv.reader(lines, delimiter=delimiter))
    except csv.Error:
        return [line.split(delimiter) for line in lines]


def guess_header_row(records: Sequence[Record]) -> int:
    """The first row as wide and as full as most; 0 when it holds what only a person's row can hold."""
    rows = [record for record in records if not record.problem]
    if not rows:
        return 1
    width = Counter(len(record.fields) for record in rows).most_common(1)[0][0]
    filled = Counter(map(_filled, rows)).most_common(1)[0][0]
    wide = [record for record in rows if len(_trimmed(record.fields)) <= width and _filled(record) * 2 >= filled]
    first = next((record for record in wide if len(record.fields) >= width), rows[0])
    below = [record for record in rows if record.number > first.number]
    return 0 if _looks_like_a_person(first, below) else first.number


def _trimmed(fields: Sequence[str]) -> list[str]:
    cells = list(fields)
    while cells and not cells[-1].strip():
        cells.pop()
    return cells


def _filled(record: Record) -> int:
    return sum(bool(text.strip()) for text in record.fields)


def _looks_like_a_person(row: Record, below: Sequence[Record]) -> bool:
    """An email address, or a figure where the rows below have figures too."""
    for place, text in enumerate(row.fields):
        if _EMAIL.fullmatch(text.strip()):
            return True
        others = [record.fields[place] for record in below if len(record.fields) > place]
        if others and _FIGURES.fullmatch(text) and all(_FIGURES.fullmatch(other) for other in others):
            return True
    return False


def distinct_headings(cells: Sequence[str]) -> list[str]:
    """For display and for choosing a column: no two are the same, and none is blank."""
    headings: list[str] = []
    for place, cell in enumerate(cells, 1):
        name = _printable(cell) or f"Column {place}"
        heading, times = name, 1
        while heading in headings:
            times += 1
            heading = f"{name} ({times})"
        headings.append(heading)
    return headings


def _printable(cell: str) -> str:
    text = "".join(" " if unicodedata.category(sign)[0] == "C" else sign for sign in cell[: 4 * LONGEST_HEADING])
    return " ".join(text.split())[:LONGEST_HEADING]
