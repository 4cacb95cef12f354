"""Work in another process: the same items in the same order, the same errors, and no process that stays behind."""

import os
import signal
import time
from collections.abc import Iterator
from contextlib import closing
from multiprocessing import active_children
from pathlib import Path

import pytest
from django.core.exceptions import ValidationError

from breachdesk.people.apart import WorkerDied, apart
from tests.services import until


def test_what_is_yielded_there_comes_out_here() -> None:
    items = [(1, [("Ana", b"\x00\xff", None, True)], []), (2, [], [(3, "address")])]
    assert list(apart(lambda: iter(items))) == items
    assert not active_children()


def test_it_is_another_process() -> None:
    assert list(apart(_own_id)) != [os.getpid()]


def _own_id() -> Iterator[int]:
    yield os.getpid()


def test_an_error_is_the_same_here_after_the_items_before_it() -> None:
    def work() -> Iterator[int]:
        yield 1
        raise ValidationError("The zip ends too early.")

    items = apart(work)
    assert next(items) == 1
    with pytest.raises(ValidationError, match="ends too early"):
        next(items)


class Stubborn(Exception):
    def __init__(self, one: str, two: str) -> None:
        super().__init__(one + two)


def test_an_error_that_cannot_travel_is_told_by_its_kind_and_nothing_that_it_holds() -> None:
    def work() -> Iterator[int]:
        raise Stubborn("Ana ", "Ng")
        yield

    with pytest.raises(RuntimeError, match=r"^Stubborn$"):
        next(apart(work))


def test_a_process_that_is_killed_is_noticed() -> None:
    def work() -> Iterator[int]:
        yield os.getpid()
        os.kill(os.getpid(), signal.SIGKILL)

    with pytest.raises(WorkerDied):
        list(apart(work))


def test_whoever_stops_listening_ends_it() -> None:
    with closing(apart(_for_ever)) as items:
        there = next(items)
    assert not _is_alive(there)


def test_it_dies_with_the_process_that_began_it_even_while_it_sends_nothing() -> None:
    reading, writing = os.pipe()
    if not (parent := os.fork()):
        os.write(writing, str(next(apart(_for_ever))).encode())
        os.kill(os.getpid(), signal.SIGKILL)
    os.waitpid(parent, 0)
    there = int(os.read(reading, 20))
    os.close(reading), os.close(writing)
    until(lambda: not _is_alive(there))


def _for_ever() -> Iterator[int]:
    yield os.getpid()
    time.sleep(3600)


def _is_alive(process: int) -> bool:
    """Someone else's dead child may stay in the table of processes until init looks."""
    try:
        return Path(f"/proc/{process}/stat").read_text().rpartition(")")[2].split()[0] != "Z"
    except FileNotFoundError:
        return False
