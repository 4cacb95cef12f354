"""Days of birth in the ways that files write them, and why others are none."""

from datetime import date

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from breachdesk.people.reading.dates import read_any_birth, read_birth

TODAY = date(2026, 3, 9)


@pytest.mark.parametrize(
    "text",
    [
        "1984-05-31", "1984-5-31", "1984/05/31", "1984.05.31", "19840531", "1984年5月31日", "31 May 1984",
        "31-May-1984", "31. May 1984", "May 31, 1984", "MAY 31 1984", "1984-05-31 00:00:00", "1984-05-31T00:00:00.000Z",
        "1984-05-31T00:00:00+00:00", "19840531 00:00",
    ],
)  # fmt: skip
def test_what_needs_no_order(text) -> None:
    assert read_birth(text, "", TODAY) == ("1984-05-31", False)


@pytest.mark.parametrize(
    ("text", "order", "day"),
    [
        ("31/05/1984", "dmy", "1984-05-31"),
        ("31.5.1984", "dmy", "1984-05-31"),
        ("31-05-1984", "dmy", "1984-05-31"),
        ("31. 5. 1984", "dmy", "1984-05-31"),
        ("05/31/1984", "mdy", "1984-05-31"),
        ("03/04/1980", "dmy", "1980-04-03"),
        ("03/04/1980", "mdy", "1980-03-04"),
        ("04/04/1980", "", "1980-04-04"),
    ],
)
def test_what_is_read_in_the_order_of_its_column(text, order, day) -> None:
    assert read_birth(text, order, TODAY) == (day, False)


@pytest.mark.parametrize(
    ("text", "order", "reason"),
    [
        ("31/05/1984", "mdy", "birth_date"),
        ("05/31/1984", "dmy", "birth_date"),
        ("03/04/1980", "", "birth_order"),
        ("31/05/1984", "", "birth_order"),
        ("31/05/84", "dmy", "birth_year"),
        ("31-MAY-84", "", "birth_year"),
        ("1984-02-30", "", "birth_date"),
        ("1984-13-01", "", "birth_date"),
        ("1984-05", "", "birth_date"),
        ("1984", "", "birth_date"),
        ("30833", "", "birth_date"),
        ("31 Maj 1984", "", "birth_date"),
        ("1984-05-31 13:45:00", "", "birth_date"),
        ("1889-12-31", "", "birth_date"),
        ("2026-03-10", "", "birth_date"),
        ("0000-00-00", "", "birth_date"),
        ("1984-05/31", "", "birth_date"),
        ("unknown", "", "birth_date"),
    ],
)
def test_what_is_no_day(text, order, reason) -> None:
    assert read_birth(text, order, TODAY) == reason


days = st.dates(date(1890, 1, 1), TODAY)


@given(days)
def test_any_day_is_read_the_same_in_every_way_of_writing_it(day) -> None:
    expected = day.isoformat()
    age = TODAY.year - day.year - ((TODAY.month, TODAY.day) < (day.month, day.day))
    for text, order in [
        (f"{day:%Y-%m-%d}", ""), (f"{day:%Y%m%d}", ""), (f"{day:%d.%m.%Y}", "dmy"), (f"{day:%m/%d/%Y}", "mdy"),
        (f"{day.day} {day:%B %Y}", ""),
    ]:  # fmt: skip
        assert read_birth(text, order, TODAY) == (expected, age < 18)


like_dates = st.from_regex(r"\d{1,4}[-/.]\d{1,2}[-/.]\d{1,4}", fullmatch=True)


@given(st.text(max_size=14) | like_dates, st.sampled_from(["", "dmy", "mdy"]))
def test_no_text_breaks_it(text, order) -> None:
    answer = read_birth(text, order, TODAY)
    assert isinstance(answer, str) or date.fromisoformat(answer[0]) <= TODAY


@given(
    days.map(str) | st.from_regex(r"[0-9W]{4}-[0-9W]{2}-[0-9]{2}", fullmatch=True), days | st.just(date(2028, 2, 29))
)
@example("1984-02-30", TODAY)
@example("2010-02-28", date(2028, 2, 29))
@example("2010-03-01", date(2028, 2, 29))
@example("2026-03-10", TODAY)
@example("2008-03-09", TODAY)
@example("2008-03-10", TODAY)
@example("1889-12-31", TODAY)
@example("1984-W05-1", TODAY)
def test_the_quick_way_answers_as_the_other(text, today) -> None:
    assert read_birth(text, "", today) == read_any_birth.__wrapped__(text, "", today)
