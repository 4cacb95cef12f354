"""What a text seems to be, told from its first part and, where any place can be read, from a little of the rest."""

import re
from collections.abc import Mapping, Sequence
from dataclasses import replace
from io import StringIO

from django.core.exceptions import ValidationError

from breachdesk.people.reading.archives import Content, Plain, read_fully
from breachdesk.people.reading.dialect import (
    DELIMITERS,
    LOOKED_AT,
    distinct_headings,
    guess_delimiters,
    guess_header_row,
    stated_delimiter,
)
from breachdesk.people.reading.encodings import ENCODINGS, guess_encodings, text_of
from breachdesk.people.reading.limits import SAMPLE
from breachdesk.people.reading.lines import GivenLines
from breachdesk.people.reading.source import Inspection, Readable, Record, Source
from breachdesk.people.reading.text import TextRows, heading_of

Choices = Mapping[str, str | int]

BEGINNING, WINDOW, WINDOWS = SAMPLE * 3 // 4, SAMPLE // 16, 4  # bytes; together SAMPLE
FIRST, FURTHER = 10, 10  # rows shown

_PLAIN_BYTES = bytes({*range(0x20, 0x7F), *range(0x80, 0x100), 0x09, 0x0A, 0x0C, 0x0D, 0x1A, 0x1B})
_CUT_SHORT = re.compile(r"\s*\d([.,]\d+)?E\+\d{2}\s*")


def inspect_text(content: Content, source: Source, wanted: Choices) -> Inspection:
    sample, further = _sample(content)
    _refuse_binary(sample)
    encodings, sure = guess_encodings(sample, further)
    source = checked(replace(source, encoding=str(wanted.get("encoding", encodings[0]))))
    lines = _whole_lines(sample, source.encoding)
    stated = stated_delimiter(lines)
    delimiters, single = ([stated], True) if stated else guess_delimiters(lines[:LOOKED_AT])
    source = checked(replace(source, delimiter=str(wanted.get("delimiter", delimiters[0])), header_row=0))
    guessed = guess_header_row(records_of(lines[:LOOKED_AT], source)[bool(stated) :])
    source = checked(replace(source, header_row=int(wanted.get("header_row", guessed))))
    headings, records = _read(lines, source)
    return Inspection(
        source=source,
        encodings=encodings,
        delimiters=delimiters,
        members=[],
        sheets=[],
        headings=headings,
        sample=chosen_sample(records),
        certain=("encoding" in wanted or sure)
        and ("delimiter" in wanted or single)
        and ("header_row" in wanted or guessed == 1 + bool(stated)),
        notes=notes_on(source, headings, records),
    )


def checked(source: Source) -> Source:
    if source.encoding not in ENCODINGS or source.delimiter not in DELIMITERS or source.header_row < 0:
        raise ValidationError("The file cannot be read with this encoding, separator or row of headings. Choose again.")
    return source


def records_of(lines: list[str], source: Source, width: int = 0) -> list[Record]:
    rows = TextRows(GivenLines(lines), source.delimiter, width=width, header_row=source.header_row)
    return list(rows.records())


def _read(lines: list[str], source: Source) -> tuple[list[str], list[Record]]:
    """Headings and rows, as TextTable will give them."""
    before = replace(source, header_row=max(source.header_row - 1, 0))
    named = heading_of(next(iter(records_of(lines, before)), None), source.header_row)
    return distinct_headings(named), records_of(lines, source, len(named))


def _sample(content: Content) -> tuple[bytes, list[bytes]]:
    """The beginning, and whole lines from four places further on when the file can be read at any place."""
    stream = content.open()
    sample = read_fully(stream, BEGINNING)
    if len(sample) < BEGINNING or type(content) is not Plain:
        return sample, []
    size = stream.seek(0, 2)
    places = [BEGINNING + (size - BEGINNING - WINDOW) * part // (WINDOWS - 1) for part in range(WINDOWS)]
    return sample, [_window(stream, max(place, 0)) for place in places]


def _window(stream: Readable, place: int) -> bytes:
    """Its whole lines; of UTF-16 and UTF-32 the file's beginning has told enough."""
    stream.seek(place)
    piece = read_fully(stream, WINDOW)
    return piece[piece.find(b"\n") + 1 : piece.rfind(b"\n") + 1]


def _whole_lines(sample: bytes, encoding: str) -> list[str]:
    cut = len(sample) == BEGINNING
    lines = StringIO(text_of(sample, encoding, whole=not cut), newline="").readlines()
    return lines[:-1] if cut and len(lines) > 1 else lines


def _refuse_binary(sample: bytes) -> None:
    """Control bytes make a tenth of what is no text; NUL is left to the encodings that have it in each letter."""
    odd = len(sample.translate(None, _PLAIN_BYTES)) - sample.count(0)
    if odd > len(sample) // 20 or sample.count(0) > len(sample) * 4 // 5:
        raise ValidationError("This file is not text, and no workbook either. Export the list as CSV and upload that.")


def chosen_sample(records: Sequence[Record]) -> list[Record]:
    """The first rows, and some further on: those with letters other than ASCII show whether the encoding is right."""
    rest = records[FIRST:]
    telling = [record for record in rest if not "".join(record.fields).isascii()] or rest
    return [*records[:FIRST], *telling[:: max(1, -(-len(telling) // FURTHER))]]


def notes_on(source: Source, headings: Sequence[str], records: Sequence[Record]) -> list[str]:
    notes = []
    if source.header_row == 0:
        notes.append("No row seems to name the columns: the first row looks like a person's. It is read as a person's.")
    elif source.header_row > 1:
        notes.append(f"Row {source.header_row:,} names the columns; what stands above it is left out.")
    if not records:
        notes.append("There are no rows below the headings.")
    for place, heading in enumerate(headings):
        if any(len(record.fields) > place and _CUT_SHORT.fullmatch(record.fields[place]) for record in records):
            notes.append(
                f"“{heading}” holds numbers such as 4.47E+11: a spreadsheet program has cut digits off. They cannot be "
                "brought back; export the column as text."
            )
    return notes
