"""The panel answers while somebody types: a text four times as long takes about four times the time."""

from dataclasses import replace
from time import process_time

import pytest

from notifications.lint.law import Law
from notifications.wording import Vocabulary, parse
from tests.notifications.noticing import AUSTRALIA, KNOWN, Case, findings

ASKING = Law("us_xx", "A law", "Section 1", ("toll_free_number_of_entity", "prescribed_headings"), is_owed=True)
CASE = Case(laws=(ASKING, AUSTRALIA), known=replace(KNOWN, authority_told=False))
LENGTH = 20_000
# Language, what stands first, what is repeated, what stands last.
HOSTILE = [
    ("en", "", "a", ""), ("en", "Xx", " ", "x"), ("en", "", "9.", ""), ("en", "", "a. ", ""), ("en", "", "1000 ", ""),
    ("en", "", "1 may ", ""), ("en", "", "has told ", ""), ("en", "", "passport taken ", ""), ("en", "", "[", ""),
    ("en", "[", "a-", "](https://a.example)"), ("de", "", "können ", ""), ("fr", "", "l’autorité ", ""),
    ("en", "((", " ", "x"), ("en", "", "((a??\n\n", ""),
]  # fmt: skip


@pytest.mark.parametrize("hostile", HOSTILE, ids=lambda hostile: repr("".join(hostile)[:9]))
def test_its_time_grows_with_the_text_and_not_with_its_square(hostile: tuple[str, str, str, str]) -> None:
    """Of the time of this process alone; one of four tries will do, for others work on the same machine."""
    assert any(_grows_evenly(*hostile) for _ in range(4))


def _grows_evenly(language: str, first: str, words: str, last: str) -> bool:
    short, long = (_seconds(language, first + _filled(words, n) + last) for n in (LENGTH // 4, LENGTH))
    return long < 6 * short + 0.05


def _filled(words: str, length: int) -> str:
    return words * (length // len(words))


def _seconds(language: str, text: str) -> float:
    began = process_time()
    findings(language, "A breach", text, CASE)
    return process_time() - began


def test_a_number_of_a_thousand_digits_is_no_count() -> None:
    assert [one.key for one in findings("en", "A breach", "9" * 5_000) if one.key.startswith("true.")] == []


def test_conditions_stand_in_one_another_up_to_a_limit() -> None:
    assert sentences_of("((name??" * 20 + "a" + "))" * 20) == []
    assert sentences_of("((name??" * 21 + "a" + "))" * 21) == ["Conditions stand in one another 20 deep at most."]


def sentences_of(body: str) -> list[str]:
    return [one.sentence for one in parse(body, Vocabulary(kinds={"name": "your name"})).problems]
