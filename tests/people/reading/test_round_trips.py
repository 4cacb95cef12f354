"""Any set of people comes back the same: by any dialect, in any encoding that can carry it, in any container."""

import codecs
import csv
import gzip
import io

from hypothesis import given, settings
from hypothesis import strategies as st
from openpyxl import Workbook
from openpyxl.cell.cell import ILLEGAL_CHARACTERS_RE

from breachdesk.people.reading.encodings import ENCODINGS
from breachdesk.people.reading.tables import Source, inspect, open_table
from breachdesk.vault.files import CHUNK_BYTES, SealedReader, SealedWriter
from tests.people.reading.nasty_archives import zip_of
from tests.people.reading.nasty_workbooks import parts, row, saved, sheet
from tests.vault.test_files import CIPHER, FILE

HEADINGS = ["reference", "full name", "email", "street"]
# Whatever a name or a street may hold: no controls, no surrogates, no direction marks, no spaces at the ends.
LETTERS = st.characters(categories=["L", "M", "N", "P", "S", "Zs"], exclude_characters="\ufeff")
TEXTS = st.text(LETTERS, min_size=1, max_size=20).map(str.strip).filter(bool)
LINES = st.lists(TEXTS, min_size=1, max_size=3).map("\n".join)
PEOPLE = st.lists(st.tuples(TEXTS, TEXTS, TEXTS, LINES).map(list), min_size=1, max_size=12)
# Python's writer leaves a line break of another kind than its own unquoted: so with CR alone everything is quoted.
ENDS = st.sampled_from(
    [("\n", csv.QUOTE_MINIMAL), ("\r\n", csv.QUOTE_MINIMAL), ("\r\n", csv.QUOTE_ALL), ("\r", csv.QUOTE_ALL)]
)
DIALECTS = st.builds(
    lambda delimiter, end: {"delimiter": delimiter, "lineterminator": end[0], "quoting": end[1]},
    st.sampled_from(",;\t|"),
    ENDS,
)
MARKS = {"utf-8": codecs.BOM_UTF8, "utf-16-le": codecs.BOM_UTF16_LE, "utf-16-be": codecs.BOM_UTF16_BE}


def written(people, dialect):
    text = io.StringIO()
    csv.writer(text, **dialect).writerows([HEADINGS, *people])
    return text.getvalue()


def carries(encoding, text):
    try:
        return text.encode(encoding).decode(encoding) == text
    except UnicodeError:
        return False


def read(content, source):
    table = open_table(io.BytesIO(content), source)
    records = list(table.records())
    assert table.headings == HEADINGS
    assert [record.number for record in records] == list(range(2, len(records) + 2))
    assert [record.problem for record in records] == [""] * len(records)
    return [record.fields for record in records]


def grows_together(people, dialect):
    """A further line of a street that is itself a whole row: such a row is rejected, and its test stands elsewhere."""
    return any(line.count(dialect["delimiter"]) == 3 for person in people for line in person[3].split("\n")[1:])


@settings(max_examples=80, deadline=None)
@given(people=PEOPLE, dialect=DIALECTS, data=st.data())
def test_texts_come_back_in_every_dialect_encoding_and_container(people, dialect, data):
    text = written(people, dialect)
    encoding = data.draw(st.sampled_from([name for name in ENCODINGS if carries(name, text)]))
    content = text.encode(encoding)
    if data.draw(st.booleans()):
        content = MARKS.get(encoding, b"") + content
    container, packed = data.draw(
        st.sampled_from([("plain", content), ("gzip", gzip.compress(content)), ("zip", zip_of(("list.csv", content)))])
    )
    source = Source(container, "list.csv" * (container == "zip"), "", encoding, dialect["delimiter"])
    if not grows_together(people, dialect):
        assert read(packed, source) == people


@settings(max_examples=60, deadline=None)
@given(people=PEOPLE, dialect=DIALECTS)
def test_what_is_certain_about_utf_8_is_right(people, dialect):
    content = written(people, dialect).encode()
    inspection = inspect(io.BytesIO(content))
    assert inspection.source.encoding == "utf-8" or not inspection.certain
    if inspection.certain:
        assert inspection.source.delimiter == dialect["delimiter"]


@settings(max_examples=40, deadline=None)
@given(people=PEOPLE)
def test_workbooks_come_back(people):
    book = Workbook()
    for values in [HEADINGS, *people]:
        book.worksheets[0].append([text if _holds(text) else "" for text in values])
        for cell in book.worksheets[0][book.worksheets[0].max_row]:
            cell.data_type = "s"  # openpyxl would take “=1” for a formula
    expected = [[text if _holds(text) else "" for text in values] for values in people]
    whole = [values for values in expected if any(values)]
    records = open_table(io.BytesIO(saved(book)), Source("xlsx", sheet="Sheet")).records()
    assert [record.fields for record in records] == whole


def _holds(text):
    return not ILLEGAL_CHARACTERS_RE.search(text)


@settings(max_examples=60, deadline=None)
@given(people=PEOPLE)
def test_workbooks_written_by_hand_come_back(people):
    rows = "".join(row(number, values) for number, values in enumerate([HEADINGS, *people], 1))
    assert read(parts(sheet(rows)), Source("xlsx", sheet="People")) == people


@settings(max_examples=20, deadline=None)
@given(people=PEOPLE, dialect=DIALECTS)
def test_it_does_not_matter_where_a_block_or_a_chunk_ends(tmp_path_factory, people, dialect):
    if grows_together(people, dialect):
        return
    copies = 2 * CHUNK_BYTES // len(written(people, dialect)) + 2
    path = tmp_path_factory.mktemp("files") / "upload"
    with SealedWriter(path, CIPHER, FILE) as writer:
        writer.write(written(people * copies, dialect).encode())
    with SealedReader(path, CIPHER, FILE) as file:
        table = open_table(file, Source(delimiter=dialect["delimiter"]))
        assert [record.fields for record in table.records()] == people * copies
