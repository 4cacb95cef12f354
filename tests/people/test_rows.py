"""Each field is read as it stands, each fault has its reason, and a clean row holds what its own record says."""

import csv
from collections import Counter
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from breachdesk.embedded.invented_people import HEADINGS, write_people
from breachdesk.people.reading.context import RowContext
from breachdesk.people.reading.fields import FIELDS, label_of
from breachdesk.people.reading.guessing import guess_plan
from breachdesk.people.reading.reasons import ALLOWABLE, REASONS
from breachdesk.people.reading.rows import BadRow, CleanRow, read_rows
from breachdesk.people.reading.source import Record
from tests.people.rows import EXAMPLES_PASS, TODAY, Lines, clean, inspection_of, plan_for, read, read_person, reason

PERSON = plan_for("full_name", "email")


def test_it_reads_every_field() -> None:
    row = clean(
        reference="C-1", salutation="Dr", email="Zoe@Example.com", email_2="zoe@Example.org", phone="01632 960123",
        street="Flat 2,\n1 Quay Street", street_2="Dock", city="Cork", postcode="T12", post_country="Irlande",
        state="Munster", country="United Kingdom", language="English", born_on="1984-05-31", minor="no",
        guardian_name="Bo Ng", guardian_email="bo@Example.com", guardian_phone="+353 1 5550 100", vulnerable="yes",
        deceased="X", kinds="name; E-Mail", kind__health="ja", kind__orders="n", extra__tier="Gold",
    )  # fmt: skip
    assert row.personal == {
        "full_name": "Ana Ng", "email": "Zoe@example.com", "reference": "C-1", "salutation": "Dr",
        "email_2": "zoe@example.org", "phone": "01632 960123", "street": "Flat 2,\n1 Quay Street", "street_2": "Dock",
        "city": "Cork", "postcode": "T12", "post_country": "IE", "state": "Munster", "born_on": "1984-05-31",
        "guardian_name": "Bo Ng", "guardian_email": "bo@example.com", "guardian_phone": "+353 1 5550 100",
        "extra:tier": "Gold",
    }  # fmt: skip
    assert (row.number, row.email, row.reference, row.name) == (2, "zoe@example.com", "c-1", "ana ng")
    assert (row.country, row.state, row.language, row.kinds) == ("GB", "", "en", ["name", "email", "health"])
    assert (row.is_minor, row.vulnerable, row.deceased, row.has_post) == (False, True, True, True)


def test_it_reads_given_and_family_name() -> None:
    (row,) = read(["Zoë", "Müller", "a@example.com"], plan=plan_for("given_name", "family_name", "email"))
    assert isinstance(row, CleanRow)
    assert row.personal == {"given_name": "Zoë", "family_name": "Müller", "email": "a@example.com"}
    assert row.name == "zoë müller"


def test_a_column_that_is_not_stored_leaves_nothing_behind() -> None:
    (row,) = read(["Ana", "secret", "a@example.com"], plan=plan_for("full_name", "", "email"))
    assert "secret" not in repr(row._replace(original=()))


@pytest.mark.parametrize(
    ("fields", "expected"),
    [
        ({"email": "a at example.com"}, ("address", "Email")),
        ({"email": "ana@home.local"}, ("reserved_domain", "Email")),
        ({"email": "ana ng@home.local"}, ("address", "Email")),
        ({"email": "info@firm.com"}, ("role_address", "Email")),
        ({"email": "No-Reply+x@firm.com"}, ("role_address", "Email")),
        ({"email_2": "nobody"}, ("address", "Second email")),
        ({"guardian_email": "nobody"}, ("address", "Guardian’s email")),
        ({"full_name": ""}, ("name", "")),
        ({"email": ""}, ("contact", "")),
        ({"email": "", "email_2": "ana@example.net"}, ("contact", "")),
        ({"phone": "12"}, ("phone", "Phone")),
        ({"phone": "call me at 12345678"}, ("phone", "Phone")),
        ({"country": "GB", "phone": "012"}, ("phone", "Phone")),
        ({"post_country": "US", "phone": "123456"}, ("phone", "Phone")),
        ({"guardian_phone": "+49"}, ("phone", "Guardian’s phone")),
        ({"country": "Atlantis"}, ("country", "Country of residence")),
        ({"post_country": "XX"}, ("country", "Country of the postal address")),
        ({"country": "US", "state": "Ontario"}, ("state", "State")),
        ({"language": "klingon"}, ("language", "Language")),
        ({"born_on": "1984-02-30"}, ("birth_date", "Date of birth")),
        ({"born_on": "2026-03-10"}, ("birth_date", "Date of birth")),
        ({"born_on": "1889-12-31"}, ("birth_date", "Date of birth")),
        ({"born_on": "unknown"}, ("birth_date", "Date of birth")),
        ({"born_on": "31.05.84"}, ("birth_year", "Date of birth")),
        ({"born_on": "03/04/1980"}, ("birth_order", "Date of birth")),
        ({"minor": "perhaps"}, ("yes_no", "Under 18")),
        ({"vulnerable": "2"}, ("yes_no", "Vulnerable")),
        ({"deceased": "1999-01-01"}, ("yes_no", "Deceased")),
        ({"kind__health": "maybe"}, ("yes_no", "Exposed: health")),
        ({"kinds": "name; shoe size"}, ("kinds", "Exposed data")),
        ({"full_name": "A\x00na"}, ("characters", "Full name")),
        ({"full_name": "\u202eAna"}, ("characters", "Full name")),
        ({"full_name": "Ana\nNg"}, ("characters", "Full name")),
        ({"full_name": "A\u00adna"}, ("characters", "Full name")),
        ({"city": "Y\ud800"}, ("characters", "Town")),
        ({"extra__tier": "a\x1bb"}, ("characters", "((tier))")),
        ({"street": "1 Quay\x0bStreet"}, ("characters", "Street")),
        ({"full_name": "JÃ¼rgen MÃ¼ller"}, ("encoding", "Full name")),
        ({"full_name": "Oâ€™Brien"}, ("encoding", "Full name")),
        ({"city": "Î‘Î¸Î®Î½Î±"}, ("encoding", "Town")),
        ({"city": "æ\x9d±äº¬"}, ("encoding", "Town")),
        ({"full_name": "M\ufffdller"}, ("encoding", "Full name")),
        ({"full_name": "M&uuml;ller"}, ("entities", "Full name")),
        ({"street": "1 Hill &#38; Dale"}, ("entities", "Street")),
        ({"full_name": "A" * 401}, ("too_long", "Full name")),
        ({"postcode": "1" * 21}, ("too_long", "Postcode")),
        ({"salutation": "Dr " * 21}, ("too_long", "Salutation")),
        ({"extra__tier": "x" * 501}, ("too_long", "((tier))")),
    ],
)  # fmt: skip
def test_each_fault_has_its_reason_and_its_column(fields, expected) -> None:
    assert reason(**fields) == expected
    assert expected[0] in REASONS


@pytest.mark.parametrize(
    "fields",
    [
        {"email": "", "street": "1 Quay Street"},
        {"email": "", "guardian_email": "bo@example.com"},
        {"email": "ana@bücher.example"},
        {"email": "information.desk@firm.com"},
        {"full_name": "می\u200cخواهم"},
        {"full_name": "Smith & Daughters; Ltd"},
        {"full_name": "Jean-François D’Été « Né »"},
        {"full_name": "ÅSA ÄÖÜ"},
        {"street": "Flat 2,\r\n1 Quay Street"},
        {"phone": "020 7946 0958"},
        {"phone": "123456"},
        {"country": "GB", "phone": "(01632) 960-123"},
        {"country": "FR", "phone": "+44 1632 960123 ext 12"},
        {"country": "", "language": "", "born_on": "", "minor": "", "kinds": "", "phone": ""},
        {"country": "GB", "state": "Ontario"},
        {"full_name": "  Ana Ng\u00a0"},
        {"postcode": "1" * 20},
        {"full_name": "A" * 400},
    ],
)
def test_what_is_unusual_but_right_passes(fields) -> None:
    assert isinstance(read_person(**fields), CleanRow)


def test_every_reason_has_words_and_every_row_reason_is_tested() -> None:
    assert all(each.label and each.advice.endswith((".", ":")) for each in REASONS.values())
    assert ALLOWABLE.keys() <= REASONS.keys()


@pytest.mark.parametrize(
    ("fields", "expected"),
    [
        (["Ana"], ("columns", "")),
        (["Ana", "a@example.com", "more"], ("columns", "")),
        ([], ("columns", "")),
        (["", " "], ("empty", "")),
    ],
)
def test_a_row_of_another_shape(fields, expected) -> None:
    (row,) = read(fields, plan=PERSON)
    assert isinstance(row, BadRow)
    assert (row.reason, row.column, row.original) == (*expected, fields)


@pytest.mark.parametrize("problem", ["unreadable", "row_too_long", "encoding"])
def test_what_the_table_could_not_read_keeps_its_reason(problem) -> None:
    table = Lines()
    table.records = lambda: iter([Record(7, ["x" * 30_000], problem)])
    (row,) = read_rows(table, PERSON, today=TODAY)
    assert (row.number, row.reason, len(row.original[0])) == (7, problem, 20_000)
    assert problem in REASONS


def test_a_bad_row_keeps_all_its_fields_and_does_not_stop_the_file() -> None:
    rows = read(["Ana", "nobody", "x "], ["Bea", "b@example.com", "y"], plan=plan_for("full_name", "email", ""))
    assert [type(row) for row in rows] == [BadRow, CleanRow]
    assert rows[0].original == ["Ana", "nobody", "x "]


# Whose addresses these are


def test_addresses_that_exist_for_examples_are_refused_outside_the_demo() -> None:
    assert reason(RowContext()) == ("reserved_domain", "Email")
    assert reason(RowContext(), email="ana@mail.example.org") == ("reserved_domain", "Email")
    assert reason(RowContext(), email="ana@firm.TEST") == ("reserved_domain", "Email")
    assert reason(RowContext(), email="ana@firm.com", email_2="a@x.example") == ("reserved_domain", "Second email")
    assert isinstance(read_person(RowContext(), email="ana@myexample.com"), CleanRow)


STAFF = RowContext(frozenset({"priya@gmail.com"}), frozenset({"halden-rowe.com"}))


def test_our_own_staff_are_refused_unless_the_plan_takes_them() -> None:
    assert reason(STAFF, email="Priya@gmail.com") == ("own_staff", "Email")
    assert reason(STAFF, email="anybody@Halden-Rowe.com") == ("own_staff", "Email")
    assert isinstance(read_person(STAFF, email="other@gmail.com"), CleanRow)
    allowing = plan_for("email", allow=("own_staff",))
    assert isinstance(read_person(STAFF, allowing, email="Priya@gmail.com"), CleanRow)
    assert isinstance(read_person(STAFF, allowing, email="anybody@Halden-Rowe.com"), CleanRow)
    assert reason(STAFF, allowing, email="office@halden-rowe.com") == ("role_address", "Email")


def test_shared_addresses_pass_when_the_plan_takes_them() -> None:
    allowing = plan_for("email", allow=("role_address",))
    assert clean(EXAMPLES_PASS, allowing, email="info@example.com").email == "info@example.com"


# Who it is


def test_spaces_and_capitals_do_not_make_another_person() -> None:
    first = clean(full_name="Ana de Vries")
    assert first.identity == clean(full_name=" ANA  de VRIES", email="ANA@Example.NET ").identity
    assert first.identity != clean(full_name="Bea de Vries").identity
    assert first.identity != clean(full_name="Ana de Vries", email="bea@example.net").identity


def test_without_email_the_street_tells_who_it_is() -> None:
    first = clean(email="", street="1 Quay Street", postcode="AB1")
    assert first.identity == clean(email="", street="1  QUAY STREET", postcode="ab1").identity
    assert first.identity != clean(email="", street="2 Quay Street", postcode="AB1").identity
    assert first.identity != clean(email="", street="1 Quay Street", postcode="AB2").identity
    assert first.identity != clean(email="", street="1 Quay Street", postcode="AB1", born_on="1984-05-31").identity


@pytest.mark.parametrize(
    ("fields", "is_minor"),
    [
        ({"born_on": "2008-03-09"}, False),
        ({"born_on": "2008-03-10"}, True),
        ({"born_on": ""}, False),
        ({"minor": "yes"}, True),
        ({"minor": "yes", "born_on": "1984-05-31"}, True),
        ({"minor": "no", "born_on": "2015-05-31"}, True),
        ({"minor": "no"}, False),
    ],
)
def test_who_is_under_18(fields, is_minor) -> None:
    assert clean(**fields).is_minor is is_minor


@pytest.mark.parametrize(
    ("country", "state", "counted"),
    [
        ("US", "ca", "CA"),
        ("US", "New York", "NY"),
        ("US", "US-TX", "TX"),
        ("CA", "CA", ""),
        ("", "CA", ""),
        ("US", "", ""),
    ],
)
def test_a_state_counts_for_residents_of_the_united_states(country, state, counted) -> None:
    row = clean(country=country, state=state)
    assert row.state == counted
    assert row.personal.get("state", "") == state


def test_residence_and_postal_country_are_two_things() -> None:
    row = clean(post_country="France", street="3 rue des Lilas")
    assert (row.country, row.personal["post_country"]) == ("", "FR")


def test_a_date_is_read_in_the_order_of_its_column() -> None:
    assert clean(EXAMPLES_PASS, plan_for(date_order="dmy"), born_on="03/04/1980").personal["born_on"] == "1980-04-03"
    assert clean(EXAMPLES_PASS, plan_for(date_order="mdy"), born_on="03/04/1980").personal["born_on"] == "1980-03-04"
    assert reason(EXAMPLES_PASS, plan_for(date_order="mdy"), born_on="13/04/1980")[0] == "birth_date"


def test_kinds_from_a_list_and_from_columns_are_one_list() -> None:
    assert clean(kinds="name|email", kind__email="yes", kind__health="1", kind__orders="0").kinds == [
        "name", "email", "health",
    ]  # fmt: skip


@pytest.mark.parametrize("name", FIELDS)
def test_every_field_can_be_read_and_has_a_label(name) -> None:
    value = {"country": "GB", "post_country": "GB", "language": "en", "born_on": "1984-05-31", "kinds": "name"}
    marks = dict.fromkeys(("minor", "vulnerable", "deceased"), "yes")
    emails = dict.fromkeys(("email", "email_2", "guardian_email"), "a@example.com")
    phones = dict.fromkeys(("phone", "guardian_phone"), "+44 1632 960123")
    text = (value | marks | emails | phones).get(name, "Some text")
    assert isinstance(read_person(**{name: text}), CleanRow)
    assert label_of(name)


# A file as a whole


def test_the_invented_file_holds_what_it_promises(tmp_path: Path) -> None:
    expected = write_people(tmp_path / "people.csv", 3_000)
    with (tmp_path / "people.csv").open(newline="") as file:
        headings, *records = csv.reader(file)
    assert headings == HEADINGS
    rows = read(*records, plan=guess_plan(inspection_of(",".join(headings))))
    people = {row.identity: row for row in rows if isinstance(row, CleanRow)}
    assert (len(rows), len(people)) == (expected.rows, expected.people)
    assert Counter(row.reason for row in rows if isinstance(row, BadRow)) == expected.reasons
    assert sum(not row.email for row in people.values()) == expected.without_email
    assert Counter(row.country for row in people.values()) == expected.countries
    assert len(rows) == expected.people + expected.repeated + expected.rejected


plain = st.text(st.characters(categories=["L", "N", "P"], max_codepoint=0x17F), min_size=1, max_size=12)
people = st.lists(
    st.tuples(
        plain,
        st.sampled_from(["", "a@example.com", "B@example.org", "nobody", "info@example.com"]),
        st.sampled_from(["", "1 Quay Street", "2 Mill\nLane"]),
        st.sampled_from(["", "GB", "Atlantis", "us"]),
        st.sampled_from(["", "+44 1632 960123", "0171 5550100", "x"]),
        st.sampled_from(["", "1984-05-31", "2015-01-01", "1.2.84"]),
        st.sampled_from(["", "name", "email;phone", "what"]),
        plain,
    ),
    max_size=12,
)
ALL = plan_for("full_name", "email", "street", "country", "phone", "born_on", "kinds", "extra:tier")


@settings(max_examples=100, deadline=None)
@given(people)
def test_a_row_comes_out_the_same_whatever_stands_around_it(rows) -> None:
    together = read(*map(list, rows), plan=ALL)
    alone = [read(list(row), plan=ALL)[0]._replace(number=number) for number, row in enumerate(rows, 2)]
    assert together == alone


@settings(max_examples=100, deadline=None)
@given(people)
def test_what_a_clean_row_holds_stands_in_its_own_record(rows) -> None:
    for row, fields in zip(read(*map(list, rows), plan=ALL), rows, strict=True):
        if isinstance(row, CleanRow):
            texts = {text.strip().casefold() for text in fields}
            assert {text.casefold() for text in row.personal.values()} <= texts
            assert row.kinds == [word for word in fields[6].split(";") if word]
