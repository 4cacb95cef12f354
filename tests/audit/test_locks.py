"""A lock that is lost is known to be lost, even when the loss itself was swallowed and Django connected again."""

from contextlib import suppress

import pytest
from django.db import DatabaseError, OperationalError, connection, transaction

from breachdesk.audit.locks import process_lock

pytestmark = pytest.mark.django_db(transaction=True)
LOCK = 0x74657374


def test_it_is_held_by_one_session_at_a_time(other_connection):
    with process_lock(LOCK) as hold:
        assert hold
        hold.demand()
        assert not _takes(other_connection)
    assert not hold
    assert _takes(other_connection)
    with process_lock(LOCK) as second:
        assert not second


def test_a_swallowed_loss_of_the_session_is_a_loss_of_the_lock(other_connection):
    with process_lock(LOCK) as hold:
        _cut_off_this_session(other_connection)
        with suppress(DatabaseError), transaction.atomic(), connection.cursor() as cursor:  # as Django's cache does
            cursor.execute("SELECT 1")
        connection.ensure_connection()
        assert not hold
        with pytest.raises(OperationalError, match="held the lock was lost"):
            hold.demand()
        assert _takes(other_connection)


@pytest.fixture
def other_connection():
    other = connection.copy()
    yield other
    other.close()


def _takes(other):
    with other.cursor() as cursor:
        cursor.execute("SELECT pg_try_advisory_lock(%s)", [LOCK])
        return cursor.fetchone()[0]


def _cut_off_this_session(other):
    with connection.cursor() as cursor:
        cursor.execute("SELECT pg_backend_pid()")
        (pid,) = cursor.fetchone()
    with other.cursor() as cursor:
        cursor.execute("SELECT pg_terminate_backend(%s, 5000)", [pid])
