"""Columns that were moved or sorted by themselves are found, with their first row; lists as they are stay quiet."""

from random import Random

import pytest
from hypothesis import given
from hypothesis import strategies as st

from breachdesk.people.shifts import BLOCKS, FEWEST, LEARNED, Agreement, Stretch, name_fits, postcode_fits

NAMES = (0.1, 0.8)
ENOUGH = 30  # strangers in a row, in a list where every other name fits


def watched(answers: list[bool]) -> Stretch | None:
    agreement = Agreement(*NAMES)
    agreement.add_all(list(answers), list(range(2, len(answers) + 2)))
    return agreement.finish()


def by_chance(share: float, rows: int, seed: int) -> list[bool]:
    chance = Random(seed)
    return [chance.random() < share for _ in range(rows)]


@pytest.mark.parametrize(
    ("name", "email", "fits"),
    [
        ("amelia okafor", "amelia.okafor@example.com", True),
        ("amelia okafor", "okafor77@example.com", True),
        ("amelia okafor", "a.o@example.com", False),
        ("amelia okafor", "noah.doyle@amelia.example", False),
        ("li ng", "li.ng@example.com", None),
        ("王 芳", "wang.fang@example.com", None),
        ("фатима", "fatima@example.com", None),
        ("amelia okafor", "info@example.com", None),
        ("amelia okafor", "4711@example.com", None),
        ("amelia okafor", "", None),
        ("sinéad o'neill", "oneill@example.com", True),
        ("sinéad o’neill", "s.neill@example.com", True),
        ("jürgen müller", "mueller@example.com", True),
        ("jürgen müller", "muller.j@example.com", True),
        ("søren ærø", "soren@example.com", True),
        ("łucja żak", "lucja@example.com", True),
        ("mary smith-jones", "mjones@example.com", True),
        ("jürgen müller", "noah@example.com", False),
    ],
)
def test_a_piece_of_the_name_stands_in_the_address(name: str, email: str, fits: bool | None) -> None:
    assert name_fits(name, email) is fits


@pytest.mark.parametrize(
    ("postcode", "country", "fits"),
    [
        ("LS1 4AP", "GB", True),
        ("ls14ap", "GB", True),
        ("75001", "GB", False),
        ("1067", "DE", False),  # a spreadsheet took the leading zero
        ("D-50667", "DE", True),
        ("90210-1234", "US", True),
        ("", "GB", None),
        ("12345", "AE", None),
    ],
)
def test_a_postcode_has_the_shape_of_its_country(postcode: str, country: str, fits: bool | None) -> None:
    assert postcode_fits(postcode, country) is fits


@given(
    before=st.integers(0, 1500),
    moved=st.integers(ENOUGH, LEARNED - LEARNED // BLOCKS - 1),
    after=st.integers(200, 900),
)
def test_a_moved_part_is_found_wherever_it_stands(before: int, moved: int, after: int) -> None:
    stretch = watched([True] * before + [False] * moved + [True] * after)
    assert stretch == Stretch(moved, 0.0, before + 2, 1)


@given(before=st.integers(100, 3000), moved=st.integers(ENOUGH, 3000))
def test_so_is_everything_after_a_row(before: int, moved: int) -> None:
    assert watched([True] * before + [False] * moved) == Stretch(moved, 0.0, before + 2, 1)


@given(moved=st.integers(LEARNED, 4000), after=st.integers(2 * LEARNED, 4000))
def test_a_broken_beginning_is_found_once_the_rest_fits(moved: int, after: int) -> None:
    stretch = watched([False] * moved + [True] * after)
    assert stretch is not None
    assert stretch.first_row == 2
    assert moved - LEARNED <= stretch.answers <= moved + LEARNED


@pytest.mark.parametrize("seed", range(20))
@pytest.mark.parametrize("usual", [0.4, 0.7, 0.95])
def test_strangers_addresses_are_found_in_ordinary_lists(usual: float, seed: int) -> None:
    answers = by_chance(usual, 5_000, seed) + by_chance(0.03, 200, seed + 1) + by_chance(usual, 5_000, seed + 2)
    stretch = watched(answers)
    assert stretch is not None
    assert abs(stretch.first_row - 5_002) <= 25
    assert abs(stretch.answers - 200) <= 40
    assert stretch.share < 0.15


@pytest.mark.parametrize("seed", range(10))
@pytest.mark.parametrize("usual", [0.02, 0.1, 0.3, 0.5, 0.7, 0.9, 1.0])
def test_an_ordinary_list_stays_quiet(usual: float, seed: int) -> None:
    assert watched(by_chance(usual, 20_000, seed)) is None


@pytest.mark.parametrize("seed", range(10))
def test_so_does_one_whose_parts_differ(seed: int) -> None:
    assert watched(by_chance(0.7, 5_000, seed) + by_chance(0.5, 5_000, seed)) is None


def test_too_few_rows_say_nothing() -> None:
    assert watched([True] * (FEWEST // 2) + [False] * (FEWEST // 2 - 1)) is None
    assert watched([True] * 500 + [False] * 25 + [True] * 500) is None


def test_several_pieces_are_counted_together() -> None:
    answers = ([True] * 600 + [False] * 50) * 3 + [True] * 100
    assert watched(answers) == Stretch(150, 0.0, 602, 3)


def test_all_memory_is_the_beginning() -> None:
    agreement = Agreement(*NAMES)
    agreement.add_all(by_chance(0.7, 50_000, 1), list(range(50_000)))
    sizes = [len(value) for value in vars(agreement).values() if hasattr(value, "__len__")]
    assert sum(sizes) <= LEARNED
