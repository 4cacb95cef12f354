"""Days and numbers as people write them in texts."""

from datetime import date

import pytest

from breachdesk.incidents.mentions import days_in, numbers_in

DAY = date(2025, 9, 25)


@pytest.mark.parametrize(
    "words",
    [
        "25 September 2025",
        "25 September",
        "September 25, 2025",
        "25th of September 2025",
        "25 septembre 2025",
        "25. September 2025",
        "2025-09-25",
        "25.09.2025",
        "25/9/2025",
    ],
)
def test_a_day_is_found_where_it_stands(words: str) -> None:
    text = f"It was on {words}, in the evening."
    [day] = days_in(text)
    assert (day.words, text[day.start : day.end]) == (words, words)
    assert day.is_on(DAY)
    assert not day.is_on(DAY.replace(day=24))


@pytest.mark.parametrize(
    ("words", "month", "day"), [("1er août 2025", 8, 1), ("5. März 2026", 3, 5), ("le 3 décembre", 12, 3)]
)
def test_months_have_their_names_in_french_and_german(words: str, month: int, day: int) -> None:
    assert [(found.month, found.day) for found in days_in(words)] == [(month, day)]


def test_another_year_is_another_day() -> None:
    [day] = days_in("25 September 2024")
    assert not day.is_on(DAY)


@pytest.mark.parametrize("words", ["24937", "24,937", "24.937", "24 937", "24\u202f937", "24\u2019937"])
def test_a_number_is_one_however_it_is_parted(words: str) -> None:
    assert [number.value for number in numbers_in(f"About {words} people, in 12 files.")] == [24_937]
