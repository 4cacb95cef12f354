"""without_values(): where and how something failed, for the log; never with which values.

An exception's message quotes what it could not handle: the cell that is no date, the address that a relay refused, the
row that failed a constraint. In a reading of 430,000 people that is somebody's name. So a log gets the places in the
code and the kinds of the exceptions, and a message only where it cannot hold a value.
"""

import logging
from collections.abc import Iterator
from traceback import extract_tb
from types import TracebackType
from typing import Any

import psycopg
from django.db import Error as DatabaseError
from django.db import InterfaceError, OperationalError

OURS = ("breachdesk.", "notifications.", "regulators.")
# Their messages are made of names in the code, or speak of the server.
SPEAK_OF_NO_VALUE = (AttributeError, NameError, ImportError, OperationalError, InterfaceError)


class Formatter(logging.Formatter):
    def formatException(self, ei: Any) -> str:  # noqa: N802 (the library's name)
        return without_values(ei[1])


def without_values(error: BaseException | None) -> str:
    """The chain of exceptions, the one that began it first."""
    return "\n".join(_lines(error)) if error else ""


def _lines(error: BaseException) -> Iterator[str]:
    before = error.__cause__ or (None if error.__suppress_context__ else error.__context__)
    if before:
        yield from _lines(before)
        yield "Then:"
    yield from _frames(error.__traceback__)
    yield " ".join(filter(None, [f"{type(error).__module__}.{type(error).__qualname__}", *_said(error)]))


def _frames(trace: TracebackType | None) -> Iterator[str]:
    for frame in extract_tb(trace):
        yield f'  File "{frame.filename}", line {frame.lineno}, in {frame.name}'


def _said(error: BaseException) -> Iterator[str]:
    """The first line alone: what PostgreSQL adds below it are rows."""
    if isinstance(error, SPEAK_OF_NO_VALUE) or type(error).__module__.startswith(OURS):
        yield f": {str(error).splitlines()[0] if str(error) else ''}"
    elif isinstance(error, OSError):
        yield f": {error.strerror}" if error.strerror else ""
    elif isinstance(error, DatabaseError | psycopg.Error):
        known = getattr(error, "diag", None) or getattr(error.__cause__, "diag", None)
        yield from (getattr(known, name, None) or "" for name in ("sqlstate", "table_name", "constraint_name"))
