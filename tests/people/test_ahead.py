"""Rows are read one batch ahead when asked: in order, none twice, and no further."""

from collections.abc import Iterator
from threading import Event, current_thread

import pytest
from hypothesis import given
from hypothesis import strategies as st

from breachdesk.people.ahead import Ahead


@given(rows=st.lists(st.integers(), max_size=50), size=st.integers(1, 20), asks=st.integers(0, 3))
def test_the_rows_are_the_same_in_the_same_order(rows: list[int], size: int, asks: int) -> None:
    batches, taken = Ahead(iter(rows), size), []
    for batch in batches:
        taken.append(batch)
        for _ in range(asks):
            batches.read_on()
    assert [row for batch in taken for row in batch] == rows
    assert all(len(batch) == size for batch in taken[:-1])


def test_the_next_batch_is_read_when_asked_and_no_further() -> None:
    read: list[int] = []
    has_read_on = Event()

    def rows() -> Iterator[int]:
        for number in range(100):
            read.append(number)
            if number == 19:
                has_read_on.set()
            yield number

    batches = Ahead(rows(), 10)
    taking = iter(batches)
    assert next(taking) == list(range(10))
    assert read == list(range(10))
    batches.read_on()
    assert has_read_on.wait(60)
    batches.read_on()
    taking.close()  # type: ignore[attr-defined]
    assert read == list(range(20))


def test_a_file_that_cannot_be_read_on_is_told_after_the_rows_before_it() -> None:
    def rows() -> Iterator[int]:
        yield from range(10)
        raise ValueError("row 12")

    batches = iter(Ahead(rows(), 5))
    assert next(batches) == [0, 1, 2, 3, 4]
    assert next(batches) == [5, 6, 7, 8, 9]
    with pytest.raises(ValueError, match="row 12"):
        next(batches)


def test_it_reads_on_a_thread_of_its_own() -> None:
    names = [name for batch in Ahead((current_thread().name for _ in range(5)), 2) for name in batch]
    assert all(name.startswith("reading") for name in names)
