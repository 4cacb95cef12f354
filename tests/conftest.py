import pytest
from django.db import connection, transaction

from tests.audit.tsa import LocalTsa
from tests.services import Services
from tests.signing import Signing


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
def signing(db, settings, tmp_path):
    """A signer with a key of its own; see tests/signing.py."""
    return Signing(settings, tmp_path)


@pytest.fixture
def local_tsa(tmp_path):
    """A time-stamping authority that runs beside the test."""
    with LocalTsa(tmp_path / "tsa") as tsa:
        yield tsa


@pytest.fixture
def start_service(db):
    """Starts a command that serves; see tests/services.py."""
    services = Services()
    yield services.start
    services.end()
