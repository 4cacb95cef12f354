"""An Excel workbook (ECMA-376, SpreadsheetML) to records.

Dates and number formats are openpyxl's; its rows are not used, for two reasons: it keeps all shared texts as a list,
which grows with the file, and it cannot tell a formula whose result the file lacks from an empty cell.
"""

import posixpath
import zipfile
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, replace
from itertools import islice

from django.core.exceptions import ValidationError
from openpyxl.styles.numbers import BUILTIN_FORMATS, is_date_format
from openpyxl.utils.datetime import MAC_EPOCH, WINDOWS_EPOCH

from breachdesk.people.reading.archives import WORKBOOK
from breachdesk.people.reading.dialect import distinct_headings, guess_header_row
from breachdesk.people.reading.inspecting import chosen_sample, notes_on
from breachdesk.people.reading.limits import LIMITS, LONGEST_CELL, LONGEST_ROW
from breachdesk.people.reading.markup import local, small_part
from breachdesk.people.reading.shared_texts import PART, SharedTexts, read_shared_texts
from breachdesk.people.reading.sheet import Row, SheetRows
from breachdesk.people.reading.source import Inspection, Record, Source, Table

LOOKED_AT = 200  # rows
EAST_ASIAN_DATES = {*range(27, 37), *range(50, 59)}  # built-in formats that have no code of their own
_LATER = "\0"  # before the index of a shared text that is looked up afterwards; XML cannot hold it


@dataclass(frozen=True)
class Sheet:
    name: str
    part: str
    is_hidden: bool


class Workbook:
    def __init__(self, archive: zipfile.ZipFile) -> None:
        self.archive = archive
        self._parts = _targets(archive)
        root = small_part(archive, WORKBOOK)
        assert root is not None, "is_workbook() has found it"
        elements = list(root.iter())
        self._epoch = WINDOWS_EPOCH
        if any(local(each.tag) == "workbookPr" and each.get("date1904") in ("1", "true") for each in elements):
            self._epoch = MAC_EPOCH
        self.sheets = [sheet for each in elements if local(each.tag) == "sheet" and (sheet := self._sheet(each.attrib))]
        if not self.sheets:
            raise ValidationError("The workbook has no sheet with cells. Nobody was added.")
        self._styles = _styles(archive)

    def rows(self, sheet: str, shared_text: Callable[[int], str]) -> SheetRows:
        found = next((each for each in self.sheets if each.name == sheet), None)
        if found is None:
            raise ValidationError(f"The workbook has no sheet “{sheet}”.")
        return SheetRows(self.archive, found.part, shared_text=shared_text, styles=self._styles, epoch=self._epoch)

    def shared_texts(self, *, up_to: int | None = None) -> SharedTexts:
        return read_shared_texts(self.archive, PART, up_to=up_to)

    def _sheet(self, attributes: Mapping[str, str]) -> Sheet | None:
        target = next((value for key, value in attributes.items() if local(key) == "id" and key != "id"), "")
        part = self._parts.get(target, "")
        if part not in self.archive.namelist():
            return None
        return Sheet(attributes.get("name", "")[:80], part, attributes.get("state", "visible") != "visible")


class WorkbookTable(Table):
    def __init__(self, workbook: Workbook, source: Source, *, progress: Callable[[], int]) -> None:
        self._workbook, self._source, self._progress = workbook, source, progress
        self._texts: SharedTexts | None = None
        self.headings = _preview(workbook, source).headings

    def records(self) -> Iterator[Record]:
        if self._texts is None:
            self._texts = self._workbook.shared_texts()
        width = len(self.headings)
        for number, fields in self._workbook.rows(self._source.sheet, self._texts.__getitem__).rows():
            if number > self._source.header_row:
                yield _record(number, fields, width)

    @property
    def bytes_read(self) -> int:
        return self._progress()


@dataclass(frozen=True)
class _Preview:
    header_row: int
    headings: list[str]
    records: list[Record]
    numeric: set[int]


def inspect_workbook(workbook: Workbook, source: Source, wanted: Mapping[str, str | int]) -> Inspection:
    shown = [sheet for sheet in workbook.sheets if not sheet.is_hidden] or workbook.sheets
    source = replace(source, sheet=str(wanted.get("sheet", shown[0].name)), header_row=-1)
    preview = _preview(workbook, replace(source, header_row=int(wanted.get("header_row", -1))))
    source = replace(source, header_row=preview.header_row)
    return Inspection(
        source=source,
        encodings=[],
        delimiters=[],
        members=[],
        sheets=[sheet.name for sheet in workbook.sheets],
        headings=preview.headings,
        sample=chosen_sample(preview.records),
        certain=("sheet" in wanted or len(workbook.sheets) == 1)
        and ("header_row" in wanted or preview.header_row == 1),
        notes=[
            *_notes_on_sheets(workbook, source),
            *notes_on(source, preview.headings, preview.records),
            *_notes_on_zeros(preview),
        ],
    )


def _preview(workbook: Workbook, source: Source) -> _Preview:
    """The first rows, with the shared texts that they need; header_row -1 is guessed."""
    sheet = workbook.rows(source.sheet, lambda index: f"{_LATER}{index}")
    rows = list(islice(sheet.rows(), max(LOOKED_AT, source.header_row + 1)))
    indexes = [int(text[1:]) for _, fields in rows for text in fields if text.startswith(_LATER)]
    texts = workbook.shared_texts(up_to=max(indexes)) if indexes else SharedTexts()
    rows = [(number, [texts[int(t[1:])] if t.startswith(_LATER) else t for t in fields]) for number, fields in rows]
    if not rows:
        raise ValidationError(f"The sheet “{source.sheet}” is empty. Nobody was added.")
    header_row = source.header_row if source.header_row >= 0 else _guess(rows)
    heading = next((row for row in rows if row[0] == header_row), (header_row, [""] * max(len(f) for _, f in rows)))
    if header_row and not any(heading[1]):
        raise ValidationError(f"Row {header_row:,}, which should name the columns, is empty.")
    LIMITS["columns"].check(len(heading[1]), row=heading[0], columns=sheet.widest)
    headings = distinct_headings(heading[1])
    records = [_record(number, fields, len(headings)) for number, fields in rows if number > header_row]
    return _Preview(header_row, headings, records, sheet.numeric)


def _guess(rows: list[Row]) -> int:
    width = max(len(fields) for _, fields in rows)
    return guess_header_row([Record(number, fields + [""] * (width - len(fields))) for number, fields in rows])


def _record(number: int, fields: list[str], width: int) -> Record:
    if len(fields) < width:
        fields = fields + [""] * (width - len(fields))
    while len(fields) > width and not fields[-1].strip():
        fields = fields[:-1]
    lengths = [len(text) for text in fields]
    if max(lengths, default=0) > LONGEST_CELL or sum(lengths) > LONGEST_ROW:
        return Record(number, [text[:LONGEST_CELL] for text in fields], "row_too_long")
    return Record(number, fields)


def _targets(archive: zipfile.ZipFile) -> dict[str, str]:
    """Which part of the archive each relation of the workbook means; charts and links to elsewhere are left out."""
    root = small_part(archive, posixpath.join("xl", "_rels", "workbook.xml.rels"))
    targets = {}
    for each in [] if root is None else root.iter():
        if each.get("Type", "").endswith("/worksheet") and each.get("TargetMode", "Internal") == "Internal":
            targets[each.get("Id", "")] = posixpath.normpath(posixpath.join("/xl", each.get("Target", "")))[1:]
    return targets


def _styles(archive: zipfile.ZipFile) -> list[str]:
    root = small_part(archive, "xl/styles.xml")
    if root is None:
        return []
    codes = {each.get("numFmtId"): each.get("formatCode", "") for each in root.iter() if local(each.tag) == "numFmt"}
    cells = next((each for each in root if local(each.tag) == "cellXfs"), ())
    return [_style(each.get("numFmtId", "0"), codes) for each in cells]


def _style(number: str, codes: Mapping[str | None, str]) -> str:
    code = codes.get(number) or BUILTIN_FORMATS.get(int(number) if number.isdecimal() else 0, "")
    if is_date_format(code) or (number.isdecimal() and int(number) in EAST_ASIAN_DATES):
        return "date"
    return code if len(code) > 1 and set(code) == {"0"} else ""


def _notes_on_sheets(workbook: Workbook, source: Source) -> list[str]:
    others = [sheet for sheet in workbook.sheets if sheet.name != source.sheet]
    notes = [f"The sheet “{source.sheet}” is read. The workbook has {len(others):,} more."] if others else []
    return notes + [f"The sheet “{sheet.name}” is hidden." for sheet in workbook.sheets if sheet.is_hidden]


def _notes_on_zeros(preview: _Preview) -> list[str]:
    notes = []
    for place in sorted(preview.numeric):
        lengths = {len(record.fields[place]) for record in preview.records if place < len(record.fields)} - {0}
        if place < len(preview.headings) and len(lengths) > 1 and max(lengths) >= 4:
            notes.append(
                f"“{preview.headings[place]}” holds numbers: a zero at the beginning (of a postcode, a phone number) "
                "would be lost already in the workbook. Compare some rows with the source."
            )
    return notes
