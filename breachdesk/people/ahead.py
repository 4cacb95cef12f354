"""Rows in batches, each read while the one before is worked on."""

from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from itertools import islice
from typing import TypeVar

Row = TypeVar("Row")


def ahead(rows: Iterator[Row], size: int) -> Iterator[list[Row]]:
    """Reads one batch ahead on a thread of its own, which must not touch the database; what it raises is raised here.

    While the worker waits for the database, which is half of its time, the next rows are read and checked.
    """

    def read() -> list[Row]:
        return list(islice(rows, size))

    with ThreadPoolExecutor(1, "reading") as reader:
        coming = reader.submit(read)
        while batch := coming.result():
            coming = reader.submit(read)
            yield batch
