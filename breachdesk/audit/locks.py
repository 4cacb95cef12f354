"""One process of a kind at a time, by a lock that the database lets go of when the process is gone."""

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

from django.db import OperationalError, connection


class Hold:
    """True until the lock is given back, or this thread's connection is no longer the session that took it."""

    def __init__(self, session: Any) -> None:
        self._session = session

    def __bool__(self) -> bool:
        return self._session is not None and connection.connection is self._session and not self._session.closed

    def end(self) -> None:
        self._session = None

    def demand(self) -> None:
        """Raises OperationalError when the session is gone: Django may have opened another one unseen, without it."""
        if not self:
            raise OperationalError("the session that held the lock was lost")


@contextmanager
def process_lock(number: int) -> Iterator[Hold]:
    """Tries once. What it gives is false when another process has the lock, and from when the session is lost."""
    with connection.cursor() as cursor:
        cursor.execute("SELECT pg_try_advisory_lock(%s)", [number])
        hold = Hold(connection.connection if cursor.fetchone()[0] else None)
    try:
        yield hold
    finally:
        if hold:
            with connection.cursor() as cursor:
                cursor.execute("SELECT pg_advisory_unlock(%s)", [number])
        hold.end()


def is_held_elsewhere(number: int) -> bool:
    """Whether another database session than this one has the lock."""
    with connection.cursor() as cursor:
        cursor.execute(
            """SELECT EXISTS (SELECT FROM pg_locks WHERE locktype = 'advisory' AND granted AND pid <> pg_backend_pid()
                   AND database = (SELECT oid FROM pg_database WHERE datname = current_database())
                   AND (classid::bigint << 32 | objid::bigint) = %s)""",
            [number],
        )
        return bool(cursor.fetchone()[0])
