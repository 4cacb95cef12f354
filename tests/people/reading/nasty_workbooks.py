"""Workbooks that go wrong: most are written part by part, for no spreadsheet program would."""

import gzip
import io
import re
from datetime import date, datetime, time
from xml.sax.saxutils import escape

from openpyxl import Workbook
from openpyxl.styles.numbers import FORMAT_TEXT
from openpyxl.utils.datetime import MAC_EPOCH

from tests.people.reading.nasty import HEADINGS, PEOPLE, Nasty, numbered
from tests.people.reading.nasty_archives import zip_of

MAIN = "http://schemas.openxmlformats.org/spreadsheetml/2006/main"
RELATIONS = "http://schemas.openxmlformats.org/officeDocument/2006/relationships"
COLUMNS = "ABCDEFGHIJKLMNOPQRSTUVWXYZ"


def saved(book: Workbook) -> bytes:
    file = io.BytesIO()
    book.save(file)
    return file.getvalue()


def sheet_of(rows: list[list[object]]) -> bytes:
    book = Workbook()
    for row in rows:
        book.worksheets[0].append(row)
    return saved(book)


def cell(place: str, value: str) -> str:
    return f'<c r="{place}" t="inlineStr"><is><t xml:space="preserve">{escape(value)}</t></is></c>'


def row(number: int, values: list[str]) -> str:
    return f'<row r="{number}">{"".join(cell(f"{COLUMNS[n]}{number}", value) for n, value in enumerate(values))}</row>'


LIST = "".join(row(number, values) for number, values in enumerate([HEADINGS, *PEOPLE], 1))


def sheet(rows: str = LIST, before: str = "", start: str = "") -> bytes:
    return f'{start}<worksheet xmlns="{MAIN}">{before}<sheetData>{rows}</sheetData></worksheet>'.encode()


def parts(content: bytes, *more: tuple[str, bytes], sheets: str = "", target: str = "worksheets/sheet1.xml") -> bytes:
    sheets = sheets or '<sheet name="People" sheetId="1" r:id="rId1"/>'
    book = f'<workbook xmlns="{MAIN}" xmlns:r="{RELATIONS}"><sheets>{sheets}</sheets></workbook>'
    relation = f'<Relationship Id="rId1" Type="{RELATIONS}/worksheet" Target="{target}"/>'
    return zip_of(
        ("[Content_Types].xml", b"<Types/>"),
        ("xl/workbook.xml", book.encode()),
        ("xl/_rels/workbook.xml.rels", f"<Relationships>{relation}</Relationships>".encode()),
        ("xl/worksheets/sheet1.xml", content),
        *more,
    )


def shared(*texts: str) -> tuple[str, bytes]:
    return "xl/sharedStrings.xml", f'<sst xmlns="{MAIN}">{"".join(texts)}</sst>'.encode()


def _typed() -> bytes:
    book = Workbook()
    page = book.worksheets[0]
    page.append(["customer_id", "full_name", "email", "born", "seen", "at", "vip", "postcode", "card"])
    page.append(
        [
            1234567,
            "Ana Ng",
            "ana@example.com",
            date(1984, 5, 31),
            datetime.fromisoformat("2026-03-09T14:05:00"),
            time(9, 30),
            True,
            1067,
        ]
    )
    page["I2"] = 12345678901234567
    page["H2"].number_format = "00000"
    page.append([1234568.0, "Bo Ng", "bo@example.com", date(1901, 1, 1), None, None, False, 0.1 + 0.2])
    page["I3"] = "0012345678901234567"
    page["I3"].number_format = FORMAT_TEXT
    return saved(book)


def _of_1904() -> bytes:
    book = Workbook()
    book.epoch = MAC_EPOCH
    book.worksheets[0].append(["full_name", "email", "born"])
    book.worksheets[0].append(["Ana Ng", "ana@example.com", date(1984, 5, 31)])
    return saved(book)


def _several() -> bytes:
    book = Workbook()
    book.worksheets[0].title = "Old"
    book.worksheets[0].append(["nothing"])
    book.worksheets[0].sheet_state = "hidden"
    for title in ["People", "Notes"]:
        for values in [HEADINGS, *PEOPLE]:
            (book[title] if title in book else book.create_sheet(title)).append(values)
    return saved(book)


def _empty_sheet() -> bytes:
    return saved(Workbook())


def _formula(result: str) -> str:
    return row(2, PEOPLE[0][:3]).replace("</row>", f'<c r="D2"{result}</row>')


def _with_formula(result: str) -> bytes:
    return parts(sheet(row(1, HEADINGS) + _formula(result)))


ENTITY = '<?xml version="1.0"?><!DOCTYPE x [<!ENTITY a SYSTEM "file:///etc/hostname">]>'
LAUGHS = '<!DOCTYPE x [<!ENTITY a "ha"><!ENTITY b "&a;&a;&a;&a;&a;&a;&a;&a;">]>'
FORMULA_ROWS = numbered([[*PEOPLE[0][:3], "42"]])
PREFIXED = re.sub("<(/?)", r"<\1x:", sheet().decode()).replace("xmlns=", "xmlns:x=")
RICH = "<si><r><t>Zoë </t></r><r><t>Müller</t></r><rPh sb='0' eb='1'><t>yomi</t></rPh></si>"
NO_PLACES = re.sub(' r="[^"]*"', "", LIST)


def _noise() -> str:
    """Ten megabytes that do not pack well."""
    return "".join(f"{n * n * 7919 % 1_000_003:06d}" for n in range(300_000)) * 6


WORKBOOKS = [
    Nasty("a workbook", lambda: sheet_of([HEADINGS, *PEOPLE]), certain=True),
    Nasty("a workbook of inline texts", lambda: parts(sheet()), certain=True),
    Nasty("a workbook with prefixes everywhere", lambda: parts(PREFIXED.encode())),
    Nasty("a workbook without places", lambda: parts(sheet(NO_PLACES))),
    Nasty("a workbook whose sheet lies elsewhere", lambda: parts(sheet(), target="/xl/worksheets/sheet1.xml")),
    Nasty("a lying dimension", lambda: parts(sheet(before='<dimension ref="A1:B2"/>'))),
    Nasty("a dimension of all cells", lambda: parts(sheet(before='<dimension ref="A1:XFD1048576"/>'))),
    Nasty(
        "numbers, dates, marks",
        _typed,
        headings=["customer_id", "full_name", "email", "born", "seen", "at", "vip", "postcode", "card"],
        rows=numbered(
            [
                [
                    "1234567",
                    "Ana Ng",
                    "ana@example.com",
                    "1984-05-31",
                    "2026-03-09 14:05:00",
                    "09:30:00",
                    "TRUE",
                    "01067",
                    "1.23456789012346E+16",
                ],
                ["1234568", "Bo Ng", "bo@example.com", "1901-01-01", "", "", "FALSE", "0.3", "0012345678901234567"],
            ]
        ),
        notes="“card” holds numbers such as 4.47E+11",
    ),
    Nasty(
        "dates counted from 1904",
        _of_1904,
        headings=["full_name", "email", "born"],
        rows=numbered([["Ana Ng", "ana@example.com", "1984-05-31"]]),
    ),
    Nasty("a formula with its result", lambda: _with_formula("><f>6*7</f><v>42</v></c>"), rows=FORMULA_ROWS),
    Nasty(
        "a formula whose result is an empty text",
        lambda: _with_formula(' t="str"><f>""</f><v></v></c>'),
        rows=numbered([[*PEOPLE[0][:3], ""]]),
    ),
    Nasty(
        "a formula without its result",
        lambda: _with_formula("><f>6*7</f></c>"),
        refusal="Cell D2 holds a formula",
        when="inspected",
    ),
    Nasty(
        "a formula with an empty result",
        lambda: _with_formula("><f>6*7</f><v></v></c>"),
        refusal="Cell D2 holds a formula",
    ),
    Nasty(
        "an error as a result",
        lambda: _with_formula(' t="e"><f>1/0</f><v>#DIV/0!</v></c>'),
        rows=numbered([[*PEOPLE[0][:3], "#DIV/0!"]]),
        reasons={2: "no_result"},
    ),
    Nasty("several sheets, one hidden", _several, certain=False, notes="The sheet “Old” is hidden."),
    Nasty("several sheets, one chosen", _several, wanted={"sheet": "Notes"}, certain=True),
    Nasty("a sheet that is not there", _several, wanted={"sheet": "People 2"}, refusal="no sheet “People 2”"),
    Nasty("an empty sheet", _empty_sheet, refusal="is empty"),
    Nasty(
        "rich text and reading aids",
        lambda: parts(
            sheet(
                row(1, HEADINGS) + row(2, PEOPLE[0]).replace(cell("B2", PEOPLE[0][1]), '<c r="B2" t="s"><v>0</v></c>')
            ),
            shared(RICH),
        ),
        rows=numbered(PEOPLE[:1]),
    ),
    Nasty(
        "a text that is not there",
        lambda: parts(sheet(row(1, HEADINGS) + '<row r="2"><c r="A2" t="s"><v>7</v></c></row>'), shared(RICH)),
        refusal="points to a text",
    ),
    Nasty(
        "characters that XML cannot hold",
        lambda: parts(sheet(row(1, HEADINGS) + row(2, ["C-1", "Ana_x000D_ Ng", *PEOPLE[0][2:]]))),
        rows=numbered([["C-1", "Ana\r Ng", *PEOPLE[0][2:]]]),
        reasons={2: "characters"},
    ),
    Nasty(
        "a title above the heading, and blank rows",
        lambda: sheet_of([["Customers"], [], HEADINGS, *PEOPLE[:1], [], *PEOPLE[1:]]),
        rows=[(4, PEOPLE[0]), (6, PEOPLE[1]), (7, PEOPLE[2])],
        certain=False,
        notes="Row 3 names the columns",
    ),
    Nasty(
        "cells out of their order",
        lambda: parts(
            sheet(
                row(1, HEADINGS)
                + '<row r="2">'
                + "".join(cell(f"{COLUMNS[n]}2", PEOPLE[0][n]) for n in (2, 0, 3, 1))
                + "</row>"
            )
        ),
        rows=numbered(PEOPLE[:1]),
    ),
    Nasty(
        "16,384 columns",
        lambda: parts(sheet(row(1, HEADINGS)[:-6] + cell("XFD1", "end") + "</row>")),
        refusal="16,384 columns",
    ),
    Nasty(
        "a cell in column 16,384",
        lambda: parts(sheet(row(1, HEADINGS) + row(2, PEOPLE[0])[:-6] + cell("XFD2", "end") + "</row>")),
        rows=numbered([[*PEOPLE[0], *[""] * 496, "end"]]),
        reasons={2: "columns"},
    ),
    Nasty(
        "a cell outside every sheet",
        lambda: parts(sheet(row(1, HEADINGS) + row(2, PEOPLE[0]).replace("D2", "ZZZZ2"))),
        refusal="outside every sheet",
    ),
    Nasty(
        "a row outside every sheet",
        lambda: parts(sheet(row(1, HEADINGS) + row(2_000_000, PEOPLE[0]))),
        refusal="number above",
    ),
    Nasty(
        "a cell of 10 MB in a workbook",
        lambda: parts(sheet(row(1, HEADINGS) + row(2, ["C-1", _noise()]) + row(3, PEOPLE[1]))),
        rows=[(2, ["C-1", _noise()[:32_767], "", ""]), (3, PEOPLE[1])],
        problems={2: "row_too_long"},
    ),
    Nasty(
        "external entities",
        lambda: parts(sheet(LIST.replace("Köln", "&a;"), start=ENTITY)),
        refusal="declares entities",
    ),
    Nasty(
        "a billion laughs", lambda: parts(sheet(LIST.replace("Köln", "&b;"), start=LAUGHS)), refusal="declares entities"
    ),
    Nasty(
        "entities in the shared texts",
        lambda: parts(
            sheet(row(1, HEADINGS) + '<row r="2"><c r="A2" t="s"><v>0</v></c></row>'),
            ("xl/sharedStrings.xml", LAUGHS.encode() + b"<sst><si><t>&b;</t></si></sst>"),
        ),
        refusal="declares entities",
    ),
    Nasty(
        "entities in the styles",
        lambda: parts(sheet(), ("xl/styles.xml", LAUGHS.encode() + b"<styleSheet/>")),
        refusal="declares entities",
    ),
    Nasty(
        "styles that are cut",
        lambda: parts(sheet(), ("xl/styles.xml", b"<styleSheet><cellXfs>")),
        refusal="not well-formed",
    ),
    Nasty("a sheet that is cut", lambda: parts(sheet()[:-30]), refusal="not well-formed"),
    Nasty(
        "styles of 20 MB",
        lambda: parts(sheet(), ("xl/styles.xml", b"<a>" + b" " * 20_000_000 + b"</a>")),
        refusal="larger than 16 MB",
    ),
    Nasty(
        "a bomb in the shared texts",
        lambda: parts(
            sheet(row(1, HEADINGS) + '<row r="2"><c r="A2" t="s"><v>0</v></c></row>'),
            shared("<si><t>" + "x" * 60_000_000 + "</t></si>"),
        ),
        refusal="more than 200 times its size",
    ),
    Nasty("a tag without an end", lambda: parts(sheet(f'<row r="1" x="{_noise()}">')), refusal="has no end"),
    Nasty("a workbook in a zip", lambda: zip_of(("list.xlsx", sheet_of([HEADINGS, *PEOPLE]))), certain=True),
    Nasty("a workbook in a gzip", lambda: gzip.compress(sheet_of([HEADINGS, *PEOPLE])), certain=True),
    Nasty(
        "a reference of too many digits for a spreadsheet",
        lambda: sheet_of([HEADINGS, [12345678901234567, *PEOPLE[0][1:]], PEOPLE[1]]),
        rows=numbered([["1.23456789012346E+16", *PEOPLE[0][1:]], PEOPLE[1]]),
        reasons={2: "digits"},
        notes="has cut digits off",
    ),
    Nasty(
        "a workbook in a zip in a zip",
        lambda: zip_of(("a.zip", zip_of(("list.xlsx", sheet_of([HEADINGS]))))),
        refusal="itself an archive",
    ),
]
