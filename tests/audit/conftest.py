from uuid import uuid4

import pytest
from django.db import connection, transaction

from breachdesk.audit.record import record
from breachdesk.vault.sealing import create_key


@pytest.fixture
def case(db):
    """An incident's id with a data key; the trail does not know what an incident is."""
    return create_key(uuid4()).scope


@pytest.fixture
def superuser_sql(db):
    """What somebody can do who owns the database: the triggers do not fire for him."""

    def run(query, params=()):
        with transaction.atomic(), connection.cursor() as cursor:
            cursor.execute("SET LOCAL session_replication_role = replica")
            cursor.execute(query, params)
            changed = cursor.rowcount
            cursor.execute("SET LOCAL session_replication_role = origin")
        assert changed, "nothing was tampered with"

    return run


@pytest.fixture
def heartbeats(db):
    def make(count):
        with transaction.atomic():
            return [record("heartbeat", by=None, log_size=n) for n in range(count)]

    return make
