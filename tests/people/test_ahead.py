"""Rows are read one batch ahead: in order, none twice, and no further."""

from collections.abc import Iterator
from threading import Event, current_thread

import pytest
from hypothesis import given
from hypothesis import strategies as st

from breachdesk.people.ahead import ahead


@given(rows=st.lists(st.integers(), max_size=50), size=st.integers(1, 20))
def test_the_rows_are_the_same_in_the_same_order(rows: list[int], size: int) -> None:
    batches = list(ahead(iter(rows), size))
    assert [row for batch in batches for row in batch] == rows
    assert all(len(batch) == size for batch in batches[:-1])


def test_the_next_batch_is_read_meanwhile_and_no_further() -> None:
    read: list[int] = []
    has_read_on = Event()

    def rows() -> Iterator[int]:
        for number in range(100):
            read.append(number)
            if number == 19:
                has_read_on.set()
            yield number

    batches = ahead(rows(), 10)
    assert next(batches) == list(range(10))
    assert has_read_on.wait(60)
    batches.close()  # type: ignore[attr-defined]
    assert read == list(range(20))


def test_a_file_that_cannot_be_read_on_is_told_after_the_rows_before_it() -> None:
    def rows() -> Iterator[int]:
        yield from range(10)
        raise ValueError("row 12")

    batches = ahead(rows(), 5)
    assert next(batches) == [0, 1, 2, 3, 4]
    assert next(batches) == [5, 6, 7, 8, 9]
    with pytest.raises(ValueError, match="row 12"):
        next(batches)


def test_it_reads_on_a_thread_of_its_own() -> None:
    names = [name for batch in ahead(iter(current_thread().name for _ in range(5)), 2) for name in batch]
    assert all(name.startswith("reading") for name in names)
