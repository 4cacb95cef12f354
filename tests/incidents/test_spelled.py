"""Numbers and days in words, in English, French and German."""

from datetime import date

import pytest

from breachdesk.incidents.spelled import day_spelled_in, numbers_spelled_in


@pytest.mark.parametrize(
    ("number", "text"),
    [
        (24_937, "In all, twenty-four thousand, nine hundred and thirty-seven people are affected."),
        (24_937, "Vingt-quatre mille neuf cent trente-sept personnes sont concernées."),
        (24_937, "Es sind Vierundzwanzigtausendneunhundertsiebenunddreißig Menschen."),
        (430_000, "some four hundred and thirty thousand letters"),
        (430_000, "430 thousand people"),
        (80_000, "quatre-vingts mille clients"),
        (271, "deux cent soixante et onze personnes"),
        (500_000, "half a million customers"),
        (2_300_000, "rund 2,3 Millionen Kunden"),
        (100, "a hundred people"),
        (1_200, "tausendzweihundert Menschen"),
    ],
)
def test_a_number_is_found_in_words(number: int, text: str) -> None:
    assert [found for found, _ in numbers_spelled_in(text, {number, 777})] == [number]


def test_no_part_of_a_longer_number_is_one() -> None:
    text = (
        "four hundred and thirty thousand people, deux cent soixante et onze, zweihunderteinundsiebzig, cent pour cent"
    )
    assert {found for found, _ in numbers_spelled_in(text, {271, 430_000})} == {271, 430_000}
    assert not list(numbers_spelled_in(text, {400, 430, 30_000, 200, 260, 100, 160, 4, 30}))


@pytest.mark.parametrize(
    ("day", "text"),
    [
        (25, "It began on the twenty-fifth of September."),
        (25, "le vingt-cinq septembre"),
        (25, "am fünfundzwanzigsten September"),
        (1, "le premier septembre"),
        (3, "September the third"),
        (30, "on the thirtieth of September"),
    ],
)
def test_a_day_is_found_in_words_and_no_other(day: int, text: str) -> None:
    found = [one for one in range(1, 31) if day_spelled_in(text, date(2025, 9, one))]
    assert found == [day]
    assert not day_spelled_in(text, date(2025, 10, day))
