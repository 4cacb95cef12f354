"""Locks of one incident's files, held to the end of the transaction; no row is locked, so no right to it is needed.

What is decided about the files of one incident is decided one after the other, and one of them is read at a time: two
could bring the same person, and then neither could be stored.
"""

from uuid import UUID

from django.db import connection


def take_turn(incident_id: UUID) -> None:
    """Waits for whoever decides about a file of the incident, or begins to read one."""
    _run("SELECT pg_advisory_xact_lock(hashtextextended(%s, 0))", f"files of {incident_id}")


def may_read_alone(incident_id: UUID) -> bool:
    """False while another transaction brings people to the incident."""
    return _run("SELECT pg_try_advisory_xact_lock(hashtextextended(%s, 0))", f"people of {incident_id}")


def _run(sql: str, name: str) -> bool:
    with connection.cursor() as cursor:
        cursor.execute(sql, [name])
        return bool(cursor.fetchone()[0])
