import pytest
from django.db import transaction

from breachdesk.audit.record import record
from tests.factories import make_scope


@pytest.fixture
def case(db):
    """An incident's id with a data key, over an empty trail; the trail does not know what an incident is."""
    return make_scope()


@pytest.fixture
def heartbeats(db):
    def make(count):
        with transaction.atomic():
            return [record("heartbeat", by=None, log_size=n) for n in range(count)]

    return make
