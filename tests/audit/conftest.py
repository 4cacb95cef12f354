from uuid import uuid4

import pytest
from django.db import transaction

from breachdesk.audit.record import record
from breachdesk.vault.sealing import create_key
from tests.audit.tsa import LocalTsa


@pytest.fixture
def case(db):
    """An incident's id with a data key; the trail does not know what an incident is."""
    return create_key(uuid4()).scope


@pytest.fixture
def heartbeats(db):
    def make(count):
        with transaction.atomic():
            return [record("heartbeat", by=None, log_size=n) for n in range(count)]

    return make


@pytest.fixture
def local_tsa(tmp_path):
    """A time-stamping authority that runs beside the test."""
    with LocalTsa(tmp_path / "tsa") as tsa:
        yield tsa
