"""One process of a kind at a time, by a lock that the database lets go of when the process is gone."""

from collections.abc import Iterator
from contextlib import contextmanager

from django.db import connection


@contextmanager
def process_lock(number: int) -> Iterator[bool]:
    """Held for as long as this database session lives; False when another process has it."""
    with connection.cursor() as cursor:
        cursor.execute("SELECT pg_try_advisory_lock(%s)", [number])
        held = bool(cursor.fetchone()[0])
    try:
        yield held
    finally:
        if held and connection.connection is not None and not connection.connection.closed:
            with connection.cursor() as cursor:
                cursor.execute("SELECT pg_advisory_unlock(%s)", [number])


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
