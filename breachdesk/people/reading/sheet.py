"""The rows of one sheet, cell by cell as they stand in the file; what the file says of its own size is not read.

A cell comes as a spreadsheet program shows it: a date as 2026-03-09, a number with 15 digits at most (a longer one as
1.23456789012346E+17, for its other digits are gone), a formula as the result that the file keeps of it.
"""

import re
import zipfile
from collections.abc import Callable, Iterator, Sequence
from datetime import datetime, time
from math import isfinite

from django.core.exceptions import ValidationError
from openpyxl.utils.datetime import from_excel

from breachdesk.people.reading.archives import damaged
from breachdesk.people.reading.limits import LIMITS, LONGEST_CELL
from breachdesk.people.reading.markup import Streamed
from breachdesk.people.reading.shared_texts import unescaped

LAST_ROW, LAST_COLUMN = 1_048_576, 16_384  # of any sheet of Excel's
_NO_RESULT = (
    "Cell {cell} holds a formula, and the file does not keep its result. Open the workbook in a spreadsheet program, "
    "save it, and upload it again."
)
Row = tuple[int, list[str]]


class SheetRows(Streamed):
    """`styles` says of each style whether its numbers are dates ("date") or are filled with zeros ("000")."""

    def __init__(
        self,
        archive: zipfile.ZipFile,
        name: str,
        *,
        shared_text: Callable[[int], str],
        styles: Sequence[str],
        epoch: datetime,
    ) -> None:
        super().__init__(archive, name)
        self._shared_text, self._styles, self._epoch = shared_text, styles, epoch
        self.numeric: set[int] = set()  # places of columns in which a number was found
        self.widest = 0
        self._rows: list[Row] = []
        self._number, self._fields = 0, list[str]()
        self._columns: dict[str, int] = {}
        self._begin_cell({})
        self._taking = self._in_reading_aid = False

    def rows(self) -> Iterator[Row]:
        """Rows with anything in them, each with its number."""
        for _ in self.pieces():
            yield from self._rows
            self._rows.clear()

    # What expat calls, some thirty million times for 430,000 people: so these do little, in few steps.

    def opened(self, name: str, attributes: dict[str, str]) -> None:
        if name == "c":
            self._begin_cell(attributes)
        elif name == "v":
            self._taking = self._has_value = True
        elif name == "t":
            self._taking = not self._in_reading_aid
        elif name == "row":
            self._begin_row(attributes.get("r", ""))
        elif name == "f":
            self._has_formula = True
        elif name == "rPh":
            self._in_reading_aid = True

    def text(self, text: str) -> None:
        if self._taking and len(self._text) <= LONGEST_CELL:
            self._text += text

    def closed(self, name: str) -> None:
        if name in ("v", "t"):
            self._taking = False
        elif name == "c":
            if self._text or self._has_formula:
                self._end_cell()
        elif name == "row":
            if any(self._fields):
                self._rows.append((self._number, self._fields))
        elif name == "rPh":
            self._in_reading_aid = False

    def _begin_row(self, stated: str) -> None:
        self._number = max(int(stated) if stated.isdecimal() else 0, self._number + 1)
        if self._number > LAST_ROW:
            raise damaged("This workbook", f"a row has a number above {LAST_ROW:,}")
        self._fields = []
        self._column = 0

    def _begin_cell(self, attributes: dict[str, str]) -> None:
        self._place = attributes.get("r", "")
        self._type = attributes.get("t", "n")
        self._style = attributes.get("s", "")
        self._text = ""
        self._has_value = self._has_formula = False

    def _end_cell(self) -> None:
        if not self._text and not (self._type == "str" and self._has_value):
            raise ValidationError(_NO_RESULT.format(cell=self._place or f"in row {self._number:,}"))
        column, value = self._column_of(self._place), self._value()
        self.widest = max(self.widest, column + 1)
        fields = self._fields
        # Beyond the last column that is read one cell is enough to say that the row is too wide.
        column = min(column, LIMITS["columns"].most)
        if column >= len(fields):
            fields.extend([""] * (column - len(fields)))
            fields.append(value)
        else:
            fields[column] = value

    def _column_of(self, place: str) -> int:
        letters = place.rstrip("0123456789")
        column = self._columns.get(letters)
        if column is None:
            column = self._columns[letters] = _column_number(letters)
        return column if letters else len(self._fields)

    def _value(self) -> str:
        kind, text = self._type, self._text
        if kind == "s":
            return self._shared_text(int(text) if text.strip().isdecimal() else -1)
        if kind == "n":
            return self._number_shown(text)
        if kind == "b":
            return {"1": "TRUE", "0": "FALSE"}.get(text, text)
        if kind == "d":
            return text.removesuffix("T00:00:00")
        return unescaped(text)

    def _number_shown(self, text: str) -> str:
        style = (
            self._styles[int(self._style)] if self._style.isdecimal() and int(self._style) < len(self._styles) else ""
        )
        if style == "date":
            return _date_shown(text, self._epoch)
        self.numeric.add(len(self._fields))
        shown = text if text.isdecimal() and len(text) < 16 and text.isascii() else _shown(text)
        return shown.zfill(len(style)) if style else shown


def _column_number(letters: str) -> int:
    number = 0
    for letter in letters.upper():
        number = number * 26 + ord(letter) - ord("A") + 1
    if letters and not (re.fullmatch("[A-Za-z]{1,3}", letters) and number <= LAST_COLUMN):
        raise damaged("This workbook", "a cell lies outside every sheet")
    return number - 1


def _shown(text: str) -> str:
    try:
        number = float(text)
    except ValueError:
        return text
    return format(number, ".15g").replace("e", "E") if isfinite(number) else text


def _date_shown(text: str, epoch: datetime) -> str:
    try:
        moment = from_excel(float(text), epoch)
    except (ValueError, OverflowError):
        return _shown(text)
    if isinstance(moment, datetime) and moment.time() == time():
        return moment.date().isoformat()
    return moment.isoformat(" ", "seconds") if isinstance(moment, datetime) else str(moment)
