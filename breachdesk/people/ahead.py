"""Rows in batches, each read while the database takes the one before."""

from collections.abc import Iterator
from concurrent.futures import Future, ThreadPoolExecutor
from itertools import islice
from typing import Generic, TypeVar

Row = TypeVar("Row")


class Ahead(Generic[Row]):
    """Reads on a thread of its own, which must not touch the database; what it raises comes out of the iteration.

    Python runs one thread at a time, so reading on helps only while the other one waits: read_on() says when. A batch
    that nobody asked to be read on is read when it is needed.
    """

    def __init__(self, rows: Iterator[Row], size: int) -> None:
        self._rows, self._size = rows, size
        self._reader = ThreadPoolExecutor(1, "reading")
        self._coming: Future[list[Row]] | None = None

    def __iter__(self) -> Iterator[list[Row]]:
        with self._reader:
            while batch := self._take():
                yield batch

    def read_on(self) -> None:
        """Before a wait for the database. At most one batch is read on."""
        self._ask()

    def _ask(self) -> "Future[list[Row]]":
        if self._coming is None:
            self._coming = self._reader.submit(lambda: list(islice(self._rows, self._size)))
        return self._coming

    def _take(self) -> list[Row]:
        asked, self._coming = self._ask(), None
        return asked.result()
