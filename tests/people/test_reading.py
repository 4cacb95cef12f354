import io
from collections import Counter
from collections.abc import Iterable
from datetime import date
from pathlib import Path

import pytest
from django.core.exceptions import ValidationError
from hypothesis import given, settings
from hypothesis import strategies as st

from breachdesk.embedded.invented_people import write_people
from breachdesk.people.reading import REASONS, BadRow, CleanRow, PeopleFile

TODAY = date(2026, 3, 9)
HEADING = "customer_id,first_name,last_name,email,street,country,language,date_of_birth,data_exposed"


def read(*lines: str, heading: str = HEADING) -> list[CleanRow | BadRow]:
    return read_bytes("\n".join([heading, *lines]).encode())


def read_bytes(content: bytes) -> list[CleanRow | BadRow]:
    return list(PeopleFile(io.BytesIO(content), today=TODAY).rows())


def clean(*lines: str, heading: str = HEADING) -> CleanRow:
    (row,) = read(*lines, heading=heading)
    assert isinstance(row, CleanRow), row
    return row


def refusal(content: bytes) -> str:
    with pytest.raises(ValidationError) as caught:
        read_bytes(content)
    return caught.value.messages[0]


def test_it_reads_a_row() -> None:
    row = clean('C-1,Zoë,Müller,Zoe@Example.com,"Flat 2,\n1 Quay Street",Ireland,English,1984-05-31,name;email')
    assert (row.number, row.country, row.language, row.kinds) == (2, "IE", "en", ["name", "email"])
    assert row.personal == {
        "reference": "C-1",
        "given_name": "Zoë",
        "family_name": "Müller",
        "email": "Zoe@example.com",
        "street": "Flat 2,\n1 Quay Street",
        "born_on": "1984-05-31",
    }
    assert (row.email, row.reference, row.is_minor) == ("zoe@example.com", "c-1", False)


@pytest.mark.parametrize(
    ("line", "reason", "column"),
    [
        ("C,A,B,a@example.com,,GB,en,,", None, ""),
        ("C,A,B,a at example.com,,GB,en,,", "address", "Email"),
        ("C,,,a@example.com,,GB,en,,", "name", ""),
        ("C,A,B,,,GB,en,,", "contact", ""),
        ("C,A,B,,1 Quay Street,GB,en,,", None, ""),
        ("C,A,B,a@example.com,,Atlantis,en,,", "country", "Country"),
        ("C,A,B,a@example.com,,,,,", None, ""),
        ("C,A,B,a@example.com,,GB,klingon,,", "language", "Language"),
        ("C,A,B,a@example.com,,GB,en,31/05/1984,", "birth_date", "Date of birth"),
        ("C,A,B,a@example.com,,GB,en,1984-02-30,", "birth_date", "Date of birth"),
        ("C,A,B,a@example.com,,GB,en,2026-03-10,", "birth_date", "Date of birth"),
        ("C,A,B,a@example.com,,GB,en,,shoe size", "kinds", "Exposed data"),
        ("C,A,B,a@example.com,,GB,en,", "columns", ""),
        ("C,A,B,a@example.com,,GB,en,,,", "columns", ""),
        ("C,A\x00,B,a@example.com,,GB,en,,", "characters", "First name"),
        ("C,A,\u202eB,a@example.com,,GB,en,,", "characters", "Last name"),
        ('C,A,"B\nB",a@example.com,,GB,en,,', "characters", "Last name"),
        ("C,می\u200cخواهم,B,a@example.com,,GB,en,,", None, ""),
        ("C," + "A" * 201 + ",B,a@example.com,,GB,en,,", "too_long", "First name"),
        (",,,,,,,,", "empty", ""),
        ('C,A,B,a@example.com,"1 Quay Street' + "x" * 140_000, "unreadable", ""),
    ],
)
def test_it_gives_each_bad_row_its_reason(line: str, reason: str | None, column: str) -> None:
    (row,) = read(line)
    if reason is None:
        assert isinstance(row, CleanRow)
    else:
        assert isinstance(row, BadRow)
        assert (row.number, row.reason, row.column) == (2, reason, column)
        assert reason in REASONS


def test_a_bad_row_does_not_stop_the_file() -> None:
    rows = read("C,A,B,nobody,,GB,en,,", "C,A,B,a@example.com,,GB,en,,", "", "C,A,C,c@example.com,,GB,en,,")
    assert [(row.number, type(row)) for row in rows] == [(2, BadRow), (3, CleanRow), (4, CleanRow)]


def test_spaces_and_capitals_do_not_make_another_person() -> None:
    first = clean("1,Ana,de Vries,ana@example.com,,,,,")
    assert first.identity == clean("2, ANA , de  VRIES,ANA@Example.COM ,,,,,").identity
    assert first.identity != clean("1,Bea,de Vries,ana@example.com,,,,,").identity


def test_without_email_the_street_tells_who_it_is() -> None:
    first = clean("1,Ana,Ng,,1 Quay Street,,,,")
    assert first.identity == clean("2,ana,NG,,1 QUAY STREET,,,,").identity
    assert first.identity != clean("1,Ana,Ng,,2 Quay Street,,,,").identity


@pytest.mark.parametrize(("born", "is_minor"), [("2008-03-09", False), ("2008-03-10", True), ("", False)])
def test_the_day_of_birth_tells_who_is_under_18(born: str, is_minor: bool) -> None:
    assert clean(f"1,Ana,Ng,ana@example.com,,,,{born},").is_minor is is_minor


@pytest.mark.parametrize("sign", [",", ";", "\t"])
@pytest.mark.parametrize("start", ["", "\ufeff"])
@pytest.mark.parametrize("end", ["\n", "\r\n", "\r"])
def test_it_reads_each_delimiter_line_end_and_mark(sign: str, start: str, end: str) -> None:
    lines = [
        sign.join(["Kundennummer", "Vorname", "Nachname", "E-Mail"]),
        sign.join(["1", "Ana", "Ng", "a@example.com"]),
    ]
    (row,) = read_bytes((start + end.join(lines)).encode())
    assert isinstance(row, CleanRow)
    assert row.personal["family_name"] == "Ng"


@pytest.mark.parametrize(
    ("content", "part"),
    [
        (b"", "empty line"),
        (b"PK\x03\x04....", "an Excel workbook"),
        ("name,email\nA,a@example.com".encode("utf-16"), "UTF-16"),
        ("name,email\nÅsa,a@example.com".encode("cp1252"), "not UTF-8"),
        (b"first_name,last_name\nA,B", "No column for an email address"),
        (b"email\na@example.com", "No column for a name"),
        (b"A,B,a@example.com\nC,D,c@example.com", "must name the columns"),
        (b"name,email,E-Mail\nA,a@example.com,b@example.com", "Two columns could both be “Email”"),
        (b"name,email\n" + b"x" * 1_000_001, "longer than 1,000,000"),
    ],
)
def test_it_refuses_what_it_cannot_read(content: bytes, part: str) -> None:
    assert part in refusal(content)


def test_it_says_what_is_not_stored() -> None:
    file = PeopleFile(io.BytesIO(b"name,email,tier,SRC_SYS\n"), today=TODAY)
    assert file.columns.shown == [["name", "Full name"], ["email", "Email"], ["tier", ""], ["SRC_SYS", ""]]


def test_the_invented_file_holds_what_it_promises(tmp_path: Path) -> None:
    expected = write_people(tmp_path / "people.csv", 3_000)
    with (tmp_path / "people.csv").open("rb", buffering=0) as file:
        rows = list(PeopleFile(file, today=TODAY).rows())
    people = {row.identity: row for row in rows if isinstance(row, CleanRow)}
    assert (len(rows), len(people)) == (expected.rows, expected.people)
    assert Counter(row.reason for row in rows if isinstance(row, BadRow)) == expected.reasons
    assert sum(not row.email for row in people.values()) == expected.without_email
    assert Counter(row.country for row in people.values()) == expected.countries
    assert len(rows) == expected.people + expected.repeated + expected.rejected


plain = st.text(st.characters(categories=["L", "N", "P", "S"]), min_size=1, max_size=20)


@settings(max_examples=60, deadline=None)
@given(st.lists(st.tuples(plain, plain, plain), max_size=20))
def test_what_is_written_comes_back(people: list[tuple[str, str, str]]) -> None:
    rows = read(*(_line(str(n), *person) for n, person in enumerate(people)), heading="id,name,street,city,email")
    back = [
        (r.personal["full_name"], r.personal["street"], r.personal["city"]) for r in rows if isinstance(r, CleanRow)
    ]
    assert back == people


def _line(*fields: str) -> str:
    return ",".join('"{}"'.format(text.replace('"', '""')) for text in _with_address(fields))


def _with_address(fields: Iterable[str]) -> list[str]:
    return [*fields, "a@example.com"]
