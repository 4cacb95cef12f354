import json
from base64 import urlsafe_b64decode
from datetime import UTC, datetime
from hashlib import sha256
from uuid import UUID

import pytest
from django.db import connection, transaction

from breachdesk.audit.canonical import NotCanonicalError, canonical
from breachdesk.audit.events import EVENTS, UnknownEventError
from breachdesk.audit.models import Event, Pending, PrivateValue
from breachdesk.audit.record import NoTransactionError, record
from breachdesk.vault import ORGANISATION
from breachdesk.vault.models import DataKey
from breachdesk.vault.sealing import unseal
from tests.factories import destroy_key, make_scope, make_user

pytestmark = pytest.mark.django_db
CANARY = "Zebediah Quillfeather"


def test_the_body_has_exactly_the_keys_of_the_format(case):
    user = make_user()
    event = record("edition.approved", by=user, incident=case, language="en", recipients=430_000)
    assert event.content == {
        "v": 1,
        "id": str(event.event_id),
        "type": "edition.approved",
        "at": event.at.strftime("%Y-%m-%dT%H:%M:%S.%fZ"),
        "actor": {"id": str(user.pk), "kind": "user", "session": None},
        "incident": str(case),
        "object": None,
        "data": {"language": "en", "recipients": 430_000},
        "priv": {},
        "request": None,
    }


def test_the_columns_repeat_the_stored_bytes():
    stored = Event.objects.get(pk=record("heartbeat", by=None, log_size=7).pk)
    assert stored.body == canonical(stored.content)
    assert stored.body_sha256 == sha256(stored.body).digest()
    assert (stored.content["type"], stored.content["id"]) == (stored.type, str(stored.event_id))
    assert stored.xact > 0


def test_the_product_itself_acts_without_a_user():
    assert record("heartbeat", by=None, log_size=1).content["actor"] == {"id": None, "kind": "system", "session": None}


def test_an_object_is_named_with_its_version_and_digest():
    user = make_user()
    event = record("user.joined", by=user, on=user, sha256=bytes(32))
    assert event.content["object"] == {"kind": "accounts.user", "id": str(user.pk), "version": 1, "sha256": "A" * 43}


def test_an_object_brings_its_incident(case):
    event = record("key.created", by=None, on=DataKey.objects.get(scope=case))
    assert (event.incident, event.content["object"]["version"]) == (case, 1)


def test_ids_times_and_digests_are_written_as_text(case):
    at = datetime(2026, 11, 21, 9, 30, tzinfo=UTC)
    event = record("moment.stated", by=None, incident=case, kind="aware", at=at, zone="Europe/London")
    assert event.content["data"]["at"] == "2026-11-21T09:30:00.000000Z"
    event = record("edition.submitted", by=None, language="en", recipients=1, digest=b"\xff" * 32)
    assert event.content["data"]["digest"] == "_" * 42 + "8"


def test_event_and_sealed_values_come_by_one_statement(case):
    event = record("incident.closed", by=None, incident=case, private={"reason": "Over."})
    with connection.cursor() as cursor:
        cursor.execute("SELECT cmin FROM audit_event WHERE event_id = %s", [event.event_id])
        (command,) = cursor.fetchone()
        cursor.execute("SELECT cmin FROM audit_private WHERE event_id = %s", [event.event_id])
        assert cursor.fetchone() == (command,)


def test_every_event_waits_to_be_linked():
    event = record("heartbeat", by=None, log_size=1)
    assert list(Pending.objects.values_list("event_row", flat=True)) == [event.pk]


@pytest.mark.django_db(transaction=True)
def test_outside_a_transaction_it_refuses():
    with pytest.raises(NoTransactionError, match="inside the transaction"):
        record("heartbeat", by=None, log_size=1)
    assert not Event.objects.exists()


@pytest.mark.django_db(transaction=True)
def test_it_goes_when_the_change_is_undone():
    with pytest.raises(ZeroDivisionError), transaction.atomic():
        record("heartbeat", by=None, log_size=1 // 0 if record("heartbeat", by=None, log_size=1) else 0)
    assert not Event.objects.exists()
    assert not Pending.objects.exists()


@pytest.mark.parametrize(
    ("event", "given", "sentence"),
    [
        ("incident.exploded", {}, "no event 'incident.exploded'"),
        ("heartbeat", {"log_size": 1, "mood": 1}, "does not carry data named mood"),
        ("heartbeat", {"log_size": 1, "private": {"mood": "x"}}, "does not carry private values named mood"),
        ("edition.approved", {"language": "en"}, "needs recipients"),
    ],
)
def test_what_is_not_registered_is_refused_at_once(event, given, sentence):
    with pytest.raises(UnknownEventError, match=sentence):
        record(event, by=None, **given)
    assert not Event.objects.exists()


@pytest.mark.parametrize(
    "typed", [CANARY, "anna@customer.example", "They rang at 9", "Müller", "a" * 201, "line\nline"]
)
def test_typed_text_does_not_pass_as_data(typed):
    with pytest.raises(UnknownEventError, match="typed text"):
        record("incident.opened", by=None, reference=typed)
    with pytest.raises(UnknownEventError, match="typed text"):
        record("incident.facts_changed", by=None, fields=["title", typed])


@pytest.mark.parametrize("number", [0.5, 2**53, -(2**53), float("nan")])
def test_only_integers_below_2_to_the_53_are_numbers(number):
    with pytest.raises(NotCanonicalError):
        record("heartbeat", by=None, log_size=number)


def test_private_text_is_sealed_and_only_its_commitment_is_in_the_trail(case):
    event = record("incident.opened", by=None, incident=case, reference="BD-2026-0001", private={"title": CANARY})
    value = PrivateValue.objects.get(event=event, field="title")
    opened = unseal(case, value.value_enc, table="audit_private", column="title", row=event.event_id)
    assert opened == CANARY.encode()
    expected = sha256(b"\x02" + value.salt + b"\x00\x05title" + CANARY.encode()).digest()
    assert urlsafe_b64decode(event.content["priv"]["title"] + "=") == expected
    assert all(CANARY.split()[0].encode() not in bytes(column) for column in (event.body, value.value_enc))


def test_equal_private_values_have_different_commitments(case):
    first, second = (record("incident.closed", by=None, incident=case, private={"reason": "same"}) for _ in range(2))
    assert first.content["priv"] != second.content["priv"]


def test_private_text_is_committed_to_in_one_unicode_form(case):
    event = record("incident.closed", by=None, incident=case, private={"reason": "Mu\u0308ller"})
    value = PrivateValue.objects.get(event=event)
    sealed = unseal(case, value.value_enc, table="audit_private", column="reason", row=event.event_id)
    assert sealed == "M\u00fcller".encode()


def test_outside_incidents_it_is_sealed_for_the_organisation():
    event = record("user.removed", by=None, private={"reason": CANARY})
    value = PrivateValue.objects.get(event=event)
    assert unseal(ORGANISATION, value.value_enc, table="audit_private", column="reason", row=event.event_id)


def test_after_a_key_is_destroyed_it_is_sealed_for_the_organisation(case):
    destroy_key(case)
    event = record("incident.closed", by=None, incident=case, private={"reason": CANARY})
    value = PrivateValue.objects.get(event=event)
    assert unseal(ORGANISATION, value.value_enc, table="audit_private", column="reason", row=event.event_id)


def test_canaries_in_every_private_field_stay_out_of_the_trails_bytes():
    for name, kind in EVENTS.items():
        incident = make_scope(UUID(int=1))
        private = {field: f"{CANARY} {field}" for field in kind.private_fields}
        record(name, by=None, incident=incident, private=private, **dict.fromkeys(kind.required))
    bodies = b"".join(bytes(body) for body in Event.objects.values_list("body", flat=True))
    sealed = b"".join(bytes(value) for value in PrivateValue.objects.values_list("value_enc", flat=True))
    assert Event.objects.count() == len(EVENTS)
    assert not [word for word in CANARY.split() if word.encode() in bodies + sealed]


def test_the_stored_bytes_are_json_that_anybody_can_read(case):
    event = record("people.revealed", by=None, incident=case, count=1, people=[str(case)], private={"reason": "asked"})
    assert json.loads(bytes(event.body))["data"]["people"] == [str(case)]
