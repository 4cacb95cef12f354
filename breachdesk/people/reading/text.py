"""Text with separators (RFC 4180 and what people make of it) to records, in bounded memory.

The ordinary block of lines, one row a line and every row as wide as the heading, goes through the csv module as it is.
Anything else in a block sends that block through `_carefully`, where a row that cannot be read is rejected and reading
goes on with the next line, as a person would: a quotation mark that nobody closes costs its own row, never the rows
after it. What counts as such a mark:

- the csv module's strict reading refuses the row (a character after the closing mark, or no closing mark at all
  within LONGEST_QUOTE lines or LONGEST_ROW characters);
- the row takes several lines and has not as many cells as the heading;
- one of its further lines is, by itself, a whole row of as many cells (from three on): two rows grown together would
  put one person's name on another's letter.

Cells beyond the heading that hold nothing are dropped: some programs end every line with a separator.
"""

import csv
from collections.abc import Iterable, Iterator
from itertools import count, repeat

from django.core.exceptions import ValidationError

from breachdesk.people.reading.archives import Content
from breachdesk.people.reading.dialect import distinct_headings
from breachdesk.people.reading.limits import LIMITS, LONGEST_CELL, LONGEST_QUOTE, LONGEST_ROW
from breachdesk.people.reading.lines import BAD, LONG, GivenLines, Lines
from breachdesk.people.reading.source import Record, Source, Table

STILL_OPEN = "unexpected end of data"  # csv's words for a quotation mark that nobody closed
END_OF_FILE = "\x1a"  # as DOS ends a text
NARROWEST_TELLING = 3

_new = tuple.__new__


class TextRows:
    """The records of one pass over a text, from the row after `header_row` on."""

    def __init__(self, lines: Lines | GivenLines, delimiter: str, *, width: int = 0, header_row: int = 0) -> None:
        self._lines, self._delimiter = lines, delimiter
        self._width, self._header_row = width, header_row
        self._number = 0  # of the row given last
        self._waiting: list[str] = []  # lines of a row whose end is in the next block
        self._is_open, self._read_on = False, 0  # how the row failed that could not be read
        self._marked = False  # whether a line of the block, or one that waited for it, holds a mark
        self._plain = True  # no marks and no long lines in the block
        self._first_open = 0  # the first row whose quotation mark nobody closed
        self._spent = 0  # characters read for rows whose quotation mark nobody closed

    def records(self) -> Iterator[Record]:
        for lines in self._lines.blocks():
            self._marked = self._lines.marked or (self._marked and bool(self._waiting))
            lines = self._waiting + lines
            rows = None if self._marked else self._ordinary(lines)
            if rows is None:
                yield from self._carefully(lines, at_end=False)
            else:
                self._waiting = []
                yield from map(_new, repeat(Record), zip(count(self._number + 1), rows, repeat("")))
                self._number += len(rows)
            LIMITS["rows"].check(self._number)
        yield from self._carefully(self._waiting, at_end=True)

    def _ordinary(self, lines: list[str]) -> list[list[str]] | None:
        """All rows of the block at the speed of the csv module, if there is nothing about any of them."""
        longest = max(map(len, lines))
        if self._number < self._header_row or longest > LONGEST_CELL:
            return None
        try:
            rows = list(csv.reader(lines, delimiter=self._delimiter, strict=True))
        except csv.Error:
            return None
        if not self._width or set(map(len, rows)) != {self._width}:
            return None
        if len(rows) == len(lines) or (2 * longest <= LONGEST_CELL and self._surely_apart(len(rows), lines)):
            return rows
        return None

    def _surely_apart(self, rows: int, lines: list[str]) -> bool:
        """Whether each row of several lines has two, neither of which could be a whole row: then none grew together.

        Rows of one line have all their separators in it, and there are at least 2 * rows - lines of them; as many when
        no row has three lines or more.
        """
        wide = sum(line.count(self._delimiter) >= self._width - 1 for line in lines)
        return self._width >= NARROWEST_TELLING and wide == 2 * rows - len(lines)

    def _carefully(self, lines: list[str], *, at_end: bool) -> Iterator[Record]:
        self._plain = not self._marked and max(map(len, lines), default=0) <= LONGEST_CELL
        self._waiting = []
        start = 0
        for stop in [*_too_long(lines), len(lines)]:
            yield from self._run(lines[start:stop], may_go_on=not at_end and stop == len(lines))
            if stop < len(lines):
                yield from self._rejected(lines[stop], "row_too_long")
            start = stop + 1

    def _run(self, lines: list[str], *, may_go_on: bool) -> Iterator[Record]:
        while lines:
            read = 0
            for fields, taken in self._rows_of(lines):
                read += taken
                self._number += 1
                ordinary = taken == 1 and self._plain and len(fields) == self._width > 0
                if ordinary and self._number > self._header_row:
                    yield _new(Record, (self._number, fields, ""))
                else:
                    yield from self._judged(fields)
            lines = lines[read:]
            if may_go_on and self._is_open and len(lines) < LONGEST_QUOTE and sum(map(len, lines)) <= LONGEST_ROW:
                self._waiting = lines
                return
            if lines:
                self._spend(lines[: self._read_on])
                yield from self._rejected(lines[0], "unreadable")
                lines = lines[1:]

    def _rows_of(self, lines: list[str]) -> Iterator[tuple[list[str], int]]:
        """The rows from the start that can be read, each with its number of lines, up to one that cannot."""
        reader = csv.reader(lines, delimiter=self._delimiter, strict=True)
        done, self._is_open = 0, False
        try:
            for fields in reader:
                taken = reader.line_num - done
                if taken > 1 and self._grown_together(fields, lines[done : reader.line_num]):
                    break
                yield fields, taken
                done = reader.line_num
        except csv.Error as error:
            self._is_open = str(error) == STILL_OPEN
        self._read_on = reader.line_num - done

    def _grown_together(self, fields: list[str], lines: list[str]) -> bool:
        if not self._width or self._number < self._header_row:
            return False
        if len(lines) > LONGEST_QUOTE or len(self._trimmed(fields)) != self._width:
            return True
        if self._width < NARROWEST_TELLING:
            return False
        # Only a line with that many separators can be such a row.
        wide = [line for line in lines[1:] if line.count(self._delimiter) >= self._width - 1]
        return any(len(cells) == self._width for cells in csv.reader(wide, delimiter=self._delimiter))

    def _judged(self, fields: list[str]) -> Iterator[Record]:
        if self._number <= self._header_row or not fields or fields == [END_OF_FILE]:
            return
        problem = _problem(fields)
        if problem:
            fields = [text[:LONGEST_CELL].replace(BAD, "\ufffd") for text in fields]
        yield Record(self._number, self._trimmed(fields), problem)

    def _rejected(self, line: str, problem: str) -> Iterator[Record]:
        self._number += 1
        text = line.removeprefix(LONG)[:LONGEST_CELL].rstrip("\r\n").replace(BAD, "\ufffd")
        if self._number > self._header_row:
            yield Record(self._number, [text], problem)

    def _trimmed(self, fields: list[str]) -> list[str]:
        if len(fields) > self._width > 0:
            fields = list(fields)
            while len(fields) > self._width and not fields[-1].strip():
                fields.pop()
        return fields

    def _spend(self, lines: list[str]) -> None:
        """What an open quotation mark has swallowed is read again: a few thousand times is enough."""
        self._spent += sum(map(len, lines))
        self._first_open = self._first_open or self._number + 1
        LIMITS["quotes"].check(self._spent - 4 * self._lines.characters, row=self._first_open)


def _too_long(lines: list[str]) -> list[int]:
    return [place for place, line in enumerate(lines) if len(line) > LONGEST_ROW or line[0] == LONG]


def _problem(fields: Iterable[str]) -> str:
    lengths = [len(text) for text in fields]
    if max(lengths) > LONGEST_CELL or sum(lengths) > LONGEST_ROW:
        return "row_too_long"
    return "encoding" if any(BAD in text for text in fields) else ""


class TextTable(Table):
    def __init__(self, content: Content, source: Source) -> None:
        self._content, self._source = content, source
        self.headings = distinct_headings(self._heading())

    def records(self) -> Iterator[Record]:
        return self._rows(self._source.header_row, len(self.headings))

    @property
    def bytes_read(self) -> int:
        return self._content.bytes_read

    def _rows(self, header_row: int, width: int) -> Iterator[Record]:
        lines = Lines(self._content.open(), self._source.encoding)
        return TextRows(lines, self._source.delimiter, width=width, header_row=header_row).records()

    def _heading(self) -> list[str]:
        row = self._source.header_row
        return heading_of(next(self._rows(max(row - 1, 0), 0), None), row)


def heading_of(first: Record | None, row: int) -> list[str]:
    """What the columns are called in `row`, or blanks as many as the first row has cells when none names them."""
    if first is None:
        raise ValidationError("The file holds no rows. Nobody was added.")
    if row and first.number != row:
        raise ValidationError(f"Row {row:,}, which should name the columns, is empty.")
    if first.problem in ("unreadable", "row_too_long"):
        raise ValidationError(f"Row {first.number:,}, which should name the columns, cannot be read.")
    LIMITS["columns"].check(len(first.fields), row=first.number, columns=len(first.fields))
    return first.fields if row else [""] * len(first.fields)
