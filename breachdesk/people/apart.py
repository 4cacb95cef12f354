"""Work in a process of its own: one core reads a file while another one, and the database, take what was read.

Python runs one thread at a time, so only a second process makes use of a second core. It is forked: it has all that is
in memory already, and shares that memory until either writes to it.
"""

import gc
import marshal
import os
import pickle
import signal
from collections.abc import Callable, Generator, Iterator
from contextlib import contextmanager, suppress
from multiprocessing import Pipe
from multiprocessing.connection import Connection
from threading import Thread
from typing import Any, NoReturn

_NEW_BEFORE_A_LOOK = 50_000  # objects; by default a tenth of the time goes into looking for garbage
_ITEM, _ERROR, _END = "item", "error", "end"


class WorkerDied(Exception):
    """The process ended without a word: the system killed it, for want of memory perhaps."""


def apart(work: Callable[[], Iterator[Any]]) -> Generator[Any, None, None]:
    """What `work()` yields, made in another process, in its order; what it raises is raised here.

    An item is made of tuples, lists, texts, bytes and numbers, for marshal is several times as quick as pickle. They
    pass through a pipe and lie nowhere else. At most one item waits in the pipe, so `work` is never far ahead. It must
    not touch the database: the connection is ours.
    """
    ours, theirs = Pipe()
    with _memory_left_alone():
        # Not multiprocessing.Process: a worker of Celery is a daemon, and may start none.
        child = os.fork()
        if child == 0:
            _be_the_child(work, theirs, ours)
        theirs.close()
        try:
            yield from _items(ours)
        finally:
            ours.close()
            os.kill(child, signal.SIGKILL)
            os.waitpid(child, 0)


def _be_the_child(work: Callable[[], Iterator[Any]], pipe: Connection, other_end: Connection) -> NoReturn:
    """Never comes back into what the other process was doing: no clean-up of its connections, files or locks."""
    try:
        _work(work, pipe, other_end)
    finally:
        os._exit(0)


@contextmanager
def _memory_left_alone() -> Iterator[None]:
    """Looking for garbage writes to every object, so each process would soon have its own copy of what both share."""
    gc.freeze()
    try:
        yield
    finally:
        gc.unfreeze()


def _items(pipe: Connection) -> Iterator[Any]:
    while True:
        try:
            kind, content = marshal.loads(pipe.recv_bytes())  # noqa: S302 our own process wrote it
        except (EOFError, ConnectionError):
            raise WorkerDied("The process that read the file ended without a word.") from None
        if kind == _END:
            return
        if kind == _ERROR:
            raise pickle.loads(content)  # noqa: S301 our own process wrote it
        yield content


def _work(work: Callable[[], Iterator[Any]], pipe: Connection, other_end: Connection) -> None:
    other_end.close()  # or it would keep itself waiting when the other process is gone
    gc.set_threshold(_NEW_BEFORE_A_LOOK)
    signal.signal(signal.SIGINT, signal.SIG_IGN)  # the other process ends us
    Thread(target=_end_with_the_other, args=(pipe,), daemon=True).start()
    with suppress(ConnectionError):
        try:
            for item in work():
                pipe.send_bytes(marshal.dumps((_ITEM, item)))
        except Exception as error:
            pipe.send_bytes(marshal.dumps((_ERROR, _packed(error))))
        else:
            pipe.send_bytes(marshal.dumps((_END, None)))


def _packed(error: Exception) -> bytes:
    """As it is, or by its kind alone when it cannot travel."""
    try:
        pickle.loads(packed := pickle.dumps(error))  # noqa: S301 a moment old
    except Exception:  # whatever its own class does about it
        return pickle.dumps(RuntimeError(type(error).__name__))
    return packed


def _end_with_the_other(pipe: Connection) -> None:
    """Nothing is ever sent to us: what ends the waiting is that the other process is gone, even by kill -9."""
    with suppress(EOFError, ConnectionError):
        pipe.recv_bytes()
    os._exit(1)
