"""What stands above a share of a list is found in constant memory, with the error that is stated and no more."""

from collections import Counter

from hypothesis import given
from hypothesis import strategies as st

from breachdesk.people.frequent import Frequent


def counted(texts: list[str], counters: int, batch: int) -> Frequent:
    frequent = Frequent(counters)
    for at in range(0, len(texts), batch):
        piece = texts[at : at + batch]
        frequent.add(piece, list(range(at + 2, at + 2 + len(piece))))
    return frequent


@given(
    texts=st.lists(st.sampled_from("abcdefghijklmnop"), max_size=200),
    counters=st.integers(1, 12),
    batch=st.integers(1, 50),
)
def test_it_counts_never_too_few_and_at_most_the_stated_error_too_many(
    texts: list[str], counters: int, batch: int
) -> None:
    true = sorted(Counter(texts).values(), reverse=True)
    error = len(texts) / (counters + 1)
    found = counted(texts, counters, batch).above(error)
    assert len(found) >= sum(number > error for number in true)
    assert all(often.times <= true[0] + error for often in found)
    assert not found or found[0].times >= true[0]


@given(texts=st.lists(st.sampled_from("abcdefghijklmnop"), max_size=300), batch=st.integers(1, 50))
def test_it_never_keeps_more_texts_than_it_has_counters(texts: list[str], batch: int) -> None:
    frequent = counted(texts, 5, batch)
    assert len(frequent._counts) <= 5
    assert frequent._first.keys() == frequent._counts.keys()


def test_it_finds_what_repeats_among_a_hundred_thousand_others() -> None:
    texts = [f"somebody {number}" if number % 200 else "test test" for number in range(100_000)]
    often = counted(texts, 4_000, 4_096).above(400)[0]
    assert (often.times - 500) <= 100_000 / 4_001
    assert often.times >= 500
    assert texts[often.first_row - 2] == "test test"


def test_the_row_is_one_where_the_text_stands() -> None:
    assert counted(["a", "b", "b", "c", "b"], 10, 2).above(1)[0] == (3, 3)


def test_an_empty_text_is_none() -> None:
    assert counted(["", "", ""], 10, 10).above(0) == []
