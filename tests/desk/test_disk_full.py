"""When the database cannot write: the whole business transaction fails, and somebody is told in a sentence."""

import pytest
from django.db import connection
from django.urls import reverse

from breachdesk.audit.models import Event, Pending, PrivateValue
from breachdesk.incidents.models import Incident
from tests.factories import make_incident, make_user

pytestmark = pytest.mark.django_db(transaction=True)

BREAKS = """
CREATE FUNCTION disk_is_full() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN RAISE EXCEPTION 'could not extend file: No space left on device' USING ERRCODE = 'disk_full'; END $$;
CREATE TRIGGER disk_is_full BEFORE INSERT ON {table} FOR EACH ROW EXECUTE FUNCTION disk_is_full();
"""
MENDS = "DROP TRIGGER IF EXISTS disk_is_full ON {table}; DROP FUNCTION IF EXISTS disk_is_full();"


@pytest.fixture(params=["audit_event", "audit_private", "audit_pending"])
def full_disk(request):
    """What PostgreSQL answers when there is no room for one more row of this table."""

    def fill():
        with connection.cursor() as cursor:
            cursor.execute(BREAKS.format(table=request.param))

    yield fill
    with connection.cursor() as cursor:
        cursor.execute(MENDS.format(table=request.param))


def counted():
    return [model.objects.count() for model in (Event, PrivateValue, Pending)]


def test_the_whole_change_fails_with_its_event_and_a_sentence(client, full_disk):
    incident = make_incident(what_happened="As it was.")
    client.force_login(make_user("dpo"))
    before = counted()
    full_disk()
    answer = client.post(reverse("incident-close", args=[incident.reference]), {"reason": "Over.", "version": 1})
    assert answer.status_code == 503
    assert "The disk of the database is full" in answer.content.decode()
    assert Incident.objects.get(pk=incident.pk).status == Incident.Status.OPEN
    assert counted() == before
