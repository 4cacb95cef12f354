"""What the reader costs and keeps to, besides what it reads: see the corpus and the round trips for that."""

import csv
import io
import tracemalloc
from contextlib import contextmanager
from dataclasses import replace

import pytest
from django.core.exceptions import ValidationError

from breachdesk.people.reading.limits import LIMITS, MB, SAMPLE
from breachdesk.people.reading.lines import BLOCK
from breachdesk.people.reading.source import Record
from breachdesk.people.reading.tables import Source, inspect, open_table
from breachdesk.vault.files import SealedReader, SealedWriter
from breachdesk.vault.sealing import SealBroken
from tests.people.reading.nasty import HEADINGS, PEOPLE, lines
from tests.people.reading.nasty_archives import ARCHIVES, zip_of
from tests.people.reading.nasty_workbooks import WORKBOOKS, parts, row, shared, sheet
from tests.vault.test_files import CIPHER, FILE

HEADING = b"customer_id,full_name,email,city\n"
ROW = "C-1,Zoë Müller,zoe@example.com,Köln\n".encode()
BOMBS = [nasty for nasty in [*ARCHIVES, *WORKBOOKS] if "200 times" in nasty.refusal or "16 MB" in nasty.refusal]


class Endless(io.RawIOBase):
    """A file of any size that is nowhere: the heading, then one row again and again. Counts what is read of it."""

    def __init__(self, size, line=ROW):
        self.size, self.place, self.given = size, 0, 0
        self.line = line * (MB // len(line) + 1)

    def read(self, size=-1, /):
        size = min(size if size >= 0 else MB, MB, max(self.size - self.place, 0))
        if self.place < len(HEADING):
            piece = HEADING[self.place : self.place + size]
        else:
            start = (self.place - len(HEADING)) % len(ROW)
            piece = self.line[start : start + size]
        self.place += len(piece)
        self.given += len(piece)
        return piece

    def seek(self, offset, whence=0, /):
        self.place = offset + {0: 0, 1: self.place, 2: self.size}[whence]
        return self.place

    def tell(self):
        return self.place


@contextmanager
def memory_below(megabytes):
    tracemalloc.start()
    try:
        yield
        assert tracemalloc.get_traced_memory()[1] < megabytes * MB
    finally:
        tracemalloc.stop()


def test_looking_at_a_file_of_500_mb_reads_a_megabyte():
    file = Endless(500_000_000)
    inspection = inspect(file)
    assert inspection.headings == HEADINGS
    assert file.given < 1.1 * SAMPLE


def test_looking_at_a_large_file_in_a_zip_reads_no_more_of_it():
    packed = zip_of(("list.csv", HEADING + b"".join(b"%d,Ana Ng,a@example.com,Ulm\n" % n for n in range(400_000))))
    file = io.BytesIO(packed)
    assert inspect(file).headings == HEADINGS
    assert file.tell() < len(packed) / 2


def test_memory_stays_the_same_however_long_the_file_is():
    with memory_below(4):
        assert sum(1 for _ in open_table(Endless(6 * MB), Source()).records()) > 150_000


def test_memory_stays_the_same_however_long_a_line_or_a_quoted_text_is():
    for line in [b"x" * 1_000, b'"' + b"x" * 1_000]:
        with memory_below(4):
            assert sum(1 for _ in open_table(Endless(10 * MB, line), Source()).records()) == 1


def test_marks_that_open_and_close_forever_are_refused_before_they_cost_much():
    file = Endless(10 * MB, b"x" * 60 + b'","\n')
    with memory_below(8), pytest.raises(ValidationError, match="cannot be told apart"):
        list(open_table(file, Source()).records())
    assert file.given < MB


@pytest.mark.parametrize("bomb", BOMBS, ids=lambda bomb: bomb.name)
def test_refusing_a_bomb_costs_little_memory(bomb):
    file = io.BytesIO(bomb.make())
    with memory_below(12), pytest.raises(ValidationError):
        list(open_table(file, inspect(file).source).records())


def test_there_are_bombs():
    assert len(BOMBS) >= 4


def test_it_says_how_far_it_has_come():
    content = HEADING + ROW * 20_000
    table = open_table(io.BytesIO(content), Source())
    read = [table.bytes_read for _ in table.records()]
    assert read == sorted(read)
    assert read[0] < len(content) / 4
    assert read[-1] == len(content)


def test_a_row_that_is_still_open_at_a_blocks_end_is_one_row():
    street = "\n".join(["Flat 2"] * 100)
    rows = [["C-1", "Zoë", "zoe@example.com", street]] * 300
    text = io.StringIO()
    csv.writer(text).writerows([HEADINGS, *rows])
    records = list(open_table(io.BytesIO(text.getvalue().encode()), Source()).records())
    assert records == [Record(number, fields) for number, fields in enumerate(rows, 2)]


@pytest.mark.parametrize("place", [2 * BLOCK, 3 * BLOCK])
@pytest.mark.parametrize("street", [b'"Ulm\nam Rhein"', b'"Ulm'])
def test_a_byte_that_means_nothing_is_found_though_its_row_goes_on_in_the_next_block(place, street):
    before = HEADING + b"C-1,Ana,ana@example.com,Ulm\n" * ((place - len(HEADING) - 40) // 28)
    before += b"x" * (place - len(before) - 35) + b",A,a@example.com,U\n"
    content = (
        before
        + b"C-2,Bo\xff,b@x.test,"
        + street
        + b"\n"
        + b"C-3,Cy\xff,c@x.test,Bonn\n"
        + b"C-4,D,d@x.test,Bonn\n" * 99
    )
    records = {record.fields[0][:3]: record.problem for record in open_table(io.BytesIO(content), Source()).records()}
    assert records["C-2"] in ("encoding", "unreadable")
    assert (records["C-3"], records["C-4"]) == ("encoding", "")


def test_a_text_of_more_line_breaks_than_any_address_has_is_a_mark_that_nobody_closed():
    cell = "\n".join(["x"] * 201)
    first, *others = open_table(io.BytesIO(lines(f'C-1,Ana,ana@example.com,"{cell}"')), Source()).records()
    assert (first.number, first.problem) == (2, "unreadable")
    assert len(others) == 200


def test_a_mark_that_nobody_closed_costs_one_row_wherever_it_stands():
    good = [f"C-{n},Person {n},p{n}@example.com,Leeds" for n in range(2_000)]
    for place in range(0, 2_000, 211):
        bad = [*good[:place], 'C-x,"Bo,bo@example.com,Ulm', *good[place:]]
        records = list(open_table(io.BytesIO(lines(*bad)), Source()).records())
        assert [record.number for record in records if record.problem] == [place + 2]
        assert [",".join(record.fields) for record in records if not record.problem] == good


@pytest.mark.parametrize(
    "wanted",
    [{"encoding": "rot13"}, {"delimiter": "x"}, {"header_row": -1}, {"header_row": 90}, {"header_row": 3}],
)
def test_a_choice_that_cannot_be_is_refused(wanted):
    with pytest.raises(ValidationError):
        inspect(io.BytesIO(lines(",".join(PEOPLE[0]), "", ",".join(PEOPLE[1]))), wanted)


def test_what_the_user_chose_is_kept_and_the_rest_guessed():
    content = "\n".join(";".join(row) for row in [["Kunden"], HEADINGS, *PEOPLE]).encode("cp1252")
    guessed = inspect(io.BytesIO(content))
    assert (guessed.source.header_row, guessed.certain) == (2, False)
    chosen = inspect(io.BytesIO(content), {"encoding": "cp1250", "header_row": 3})
    assert chosen.source == replace(guessed.source, encoding="cp1250", header_row=3)
    assert chosen.headings[0] == "C-1"
    assert [record.fields[0] for record in chosen.sample] == ["C-2", "C-3"]
    assert chosen.certain


def test_the_sample_shows_rows_whose_letters_tell_the_encoding():
    plain = [f"C-{n},Person {n},p{n}@example.com,Leeds" for n in range(500)]
    sample = inspect(io.BytesIO(lines(*plain[:400], "C-x,Zoë,zoe@example.com,Köln", *plain[400:]))).sample
    assert [record.number for record in sample] == [*range(2, 12), 402]


def test_a_source_comes_back_from_json():
    source = Source("zip", "list.csv", "People", "cp1252", ";", 4)
    assert Source.from_json(source.as_json()) == source


@pytest.mark.parametrize(("limit", "most"), [("shared texts", 20), ("shared text count", 3)])
def test_the_shared_texts_of_a_workbook_are_limited(monkeypatch, limit, most):
    cells = "".join(f'<c r="{column}2" t="s"><v>{n}</v></c>' for n, column in enumerate("ABCD"))
    content = parts(
        sheet(row(1, HEADINGS) + f'<row r="2">{cells}</row>'),
        shared(*(f"<si><t>{text}</t></si>" for text in PEOPLE[0])),
    )
    source = inspect(io.BytesIO(content)).source
    assert [record.fields for record in open_table(io.BytesIO(content), source).records()] == [PEOPLE[0]]
    monkeypatch.setitem(LIMITS, limit, replace(LIMITS[limit], most=most))
    with pytest.raises(ValidationError, match="CSV UTF-8"):
        inspect(io.BytesIO(content))


def test_a_list_of_more_rows_than_the_limit_is_refused(monkeypatch):
    monkeypatch.setitem(LIMITS, "rows", replace(LIMITS["rows"], most=10_000))
    with pytest.raises(ValidationError, match="10,000 rows"):
        list(open_table(Endless(MB), Source()).records())


def test_a_sealed_file_that_was_changed_is_not_read(tmp_path):
    path = tmp_path / "upload"
    with SealedWriter(path, CIPHER, FILE) as writer:
        writer.write(HEADING + ROW * 10_000)
    with SealedReader(path, CIPHER, FILE) as file:
        assert sum(1 for _ in open_table(file, inspect(file).source).records()) == 10_000
    stored = bytearray(path.read_bytes())
    stored[200_000] ^= 1
    path.write_bytes(stored)
    with SealedReader(path, CIPHER, FILE) as file, pytest.raises(SealBroken, match="chunk 4"):
        list(open_table(file, Source()).records())


def test_rows_that_grew_together_are_found_among_streets_of_two_lines():
    good = [f'C-{n},Person {n},p{n}@example.com,"Flat 2\nUlm"' for n in range(2_000)]
    pair = ['C-x,Bo,bo@example.com,"Ulm', 'C-y,Di,di@example.com,Bonn"']
    mixed = [line for n in range(0, 2_000, 50) for line in (*good[n : n + 50], *pair)]
    records = list(open_table(io.BytesIO(lines(*mixed)), Source()).records())
    assert [record.fields for record in records if record.problem] == [[pair[0]]] * 40
    assert [record.fields for record in records if record.fields[0] == "C-y"] == [pair[1].split(",")] * 40
    assert len(records) == 2_080


def test_a_mark_before_a_list_without_headings_is_no_part_of_its_first_cell():
    content = "\ufeffC-1,Ana Ng,ana@example.com\r\nC-2,Bo Ng,bo@example.com\r\n".encode()
    table = open_table(io.BytesIO(content), inspect(io.BytesIO(content)).source)
    assert [record.fields[0] for record in table.records()] == ["C-1", "C-2"]


@pytest.mark.parametrize("shift", range(12))
def test_a_line_end_cut_by_a_blocks_end_is_one(shift):
    content = b"a,b,c\r\n" + b"x" * (shift + 1) + b",2,3\r\n" + b"1,222,3\r\n" * 12_000
    numbers = [record.number for record in open_table(io.BytesIO(content), Source()).records()]
    assert numbers == list(range(2, 12_003))
