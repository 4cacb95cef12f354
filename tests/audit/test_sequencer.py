import json
import threading
from datetime import timedelta
from hashlib import sha256
from uuid import uuid4

import psycopg
import pytest
from django.conf import settings
from django.db import IntegrityError, connection, transaction
from django.utils import timezone
from hypothesis import HealthCheck, given
from hypothesis import settings as hypothesis_settings
from hypothesis import strategies as st

from breachdesk.audit.canonical import base64url, canonical, parse, time_of, time_text
from breachdesk.audit.entries import entry_bytes, stored_frontier, stored_node
from breachdesk.audit.models import Entry, Event, Node, Pending
from breachdesk.audit.record import record
from breachdesk.audit.sequencer import LOCK, is_sequencer_running, sequence_everything, sequence_pending, sequencer_lock
from breachdesk.audit.tree import (
    consistency_proof,
    inclusion_proof,
    leaf_of,
    root_of,
    verifies_consistency,
    verifies_inclusion,
)
from breachdesk.audit.verification import verify
from tests.factories import make_scope

pytestmark = pytest.mark.django_db


def entries():
    return [json.loads(bytes(entry)) for entry in Entry.objects.order_by("idx").values_list("entry", flat=True)]


def leaves():
    return [bytes(leaf) for leaf in Entry.objects.order_by("idx").values_list("leaf", flat=True)]


def test_an_entry_has_exactly_the_bytes_of_the_format(case):
    event = record("incident.closed", by=None, incident=case)
    sequence_pending()
    stored = Entry.objects.get()
    assert parse(stored.entry) == {
        "v": 1,
        "log": settings.BREACHDESK.log_origin,
        "n": 0,
        "seq_at": parse(stored.entry)["seq_at"],
        "incident": str(case),
        "inc_n": 1,
        "inc_prev": None,
        "body": base64url(sha256(event.body).digest()),
    }
    assert (stored.event_id, stored.leaf, stored.inc_n) == (event.event_id, leaf_of(stored.entry), 1)


def test_events_get_contiguous_positions_in_the_order_of_their_rows(heartbeats):
    events = heartbeats(7)
    assert [sequence_pending(limit=3) for _ in range(4)] == [3, 3, 1, 0]
    assert [entry["n"] for entry in entries()] == list(range(7))
    assert list(Entry.objects.order_by("idx").values_list("event_id", flat=True)) == [e.event_id for e in events]
    assert not Pending.objects.exists()


def test_each_incident_has_a_chain_of_its_own():
    first, second = make_scope(), make_scope()
    for incident in (first, second, None, first, first):
        record("incident.closed", by=None, incident=incident)
        sequence_pending()
    assert [entry["inc_n"] for entry in entries()] == [1, 1, None, 2, 3]
    links = [None, None, None, base64url(leaves()[0]), base64url(leaves()[3])]
    assert [entry["inc_prev"] for entry in entries()] == links


def test_a_chain_inside_one_batch_is_the_same(case):
    for _ in range(3):
        record("incident.closed", by=None, incident=case)
    sequence_pending()
    assert [entry["inc_prev"] for entry in entries()] == [None, base64url(leaves()[0]), base64url(leaves()[1])]


@hypothesis_settings(max_examples=15, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(st.lists(st.integers(1, 40), min_size=1, max_size=6))
def test_however_it_is_batched_the_stored_tree_proves_every_leaf(db, heartbeats, batches):
    with transaction.atomic():
        for count in batches:
            heartbeats(count)
            sequence_pending()
        known = leaves()
        size, root = len(known), root_of(known)
        assert stored_frontier(size).root() == root
        for index in {0, size // 2, size - 1}:
            assert verifies_inclusion(known[index], index, size, inclusion_proof(index, size, stored_node), root)
        old = batches[0]
        proof = consistency_proof(old, size, stored_node)
        assert verifies_consistency(old, root_of(known[:old]), size, root, proof)
        transaction.set_rollback(True)


def test_only_complete_subtrees_are_stored(heartbeats):
    heartbeats(11)
    sequence_pending()
    assert sorted(Node.objects.values_list("level", "pos")) == [
        *((1, pos) for pos in range(5)),
        *((2, pos) for pos in range(2)),
        (3, 0),
    ]


def test_times_of_linking_never_go_back(heartbeats, monkeypatch):
    heartbeats(1)
    tomorrow = timezone.now() + timedelta(days=1)
    set_database_clock(monkeypatch, tomorrow)
    sequence_pending()
    monkeypatch.undo()
    heartbeats(1)
    sequence_pending()
    assert [time_of(entry["seq_at"]) for entry in entries()] == [tomorrow, tomorrow]


def test_a_clock_that_steps_back_is_reported_once(heartbeats, monkeypatch):
    for clock in (timedelta(hours=1), timedelta(0), timedelta(0)):
        set_database_clock(monkeypatch, timezone.now() + clock)
        heartbeats(1)
        while sequence_pending():
            pass
    (anomaly,) = Event.objects.of_type("clock.anomaly")
    assert anomaly.content["data"]["kind"] == "stepped_back"
    assert 3590 <= anomaly.content["data"]["seconds"] <= 3600
    assert verify().finding is None


def test_an_event_from_the_future_is_reported_and_excused(heartbeats, monkeypatch):
    heartbeats(3)
    now = timezone.now()
    set_database_clock(monkeypatch, now - timedelta(minutes=10))
    while sequence_pending():
        pass
    (anomaly,) = Event.objects.of_type("clock.anomaly")
    data = anomaly.content["data"]
    assert (data["kind"], data["first"], data["last"]) == ("ahead", 0, 2)
    assert verify().finding is None


def set_database_clock(monkeypatch, moment):
    monkeypatch.setattr("breachdesk.audit.sequencer._database_clock", lambda cursor: moment)


def test_a_failure_in_the_middle_leaves_nothing_of_the_batch(heartbeats, superuser_sql):
    heartbeats(4)
    superuser_sql("INSERT INTO audit_node (level, pos, hash) VALUES (1, 1, %s)", [bytes(32)])
    with pytest.raises(IntegrityError):
        sequence_pending()
    assert not Entry.objects.exists()
    assert Pending.objects.count() == 4


def test_while_another_session_has_the_lock_nothing_happens(heartbeats):
    heartbeats(2)
    with second_session() as other:
        other.execute("SELECT pg_advisory_lock(%s)", [LOCK])
        assert is_sequencer_running()
        assert sequence_pending() == 0
        assert sequence_everything(seconds=0.1) is False
        with sequencer_lock() as held:
            assert not held
        other.execute("SELECT pg_advisory_unlock_all()")
    assert not is_sequencer_running()
    assert sequence_everything(seconds=5) is True


def second_session():
    parameters = connection.get_connection_params()
    names = ("dbname", "user", "password", "host", "port")
    return psycopg.connect(**{name: parameters[name] for name in names if parameters.get(name)}, autocommit=True)


def test_without_the_lock_the_keys_stop_a_fork(heartbeats):
    heartbeats(1)
    sequence_pending()
    with pytest.raises(IntegrityError), transaction.atomic():
        Entry.objects.create(idx=0, event_id=uuid4(), entry=b"forged", leaf=bytes(32))


@pytest.mark.django_db(transaction=True)
def test_writers_and_two_sequencers_at_once_make_one_log():
    incidents = [make_scope() for _ in range(3)]
    writing = threading.Event()
    writing.set()
    threads = [threading.Thread(target=write, args=(incidents, 25)) for _ in range(4)]
    links = [threading.Thread(target=link, args=(writing,)) for _ in range(2)]
    for thread in threads + links:
        thread.start()
    for thread in threads:
        thread.join()
    writing.clear()
    for thread in links:
        thread.join()
    assert sequence_everything()
    report = verify()
    assert (report.verdict, report.size) == ("VALID", 100)


def write(incidents, count):
    try:
        for number in range(count):
            with transaction.atomic():
                record("incident.closed", by=None, incident=incidents[number % 3], private={"reason": "x"})
    finally:
        connection.close()


def link(writing):
    try:
        while writing.is_set():
            sequence_pending(limit=7)
    finally:
        connection.close()


@given(st.integers(0, 2**53 - 1), st.none() | st.uuids(), st.binary(min_size=32, max_size=32))
def test_entry_bytes_are_canonical(n, incident, body):
    moment = time_of("2026-11-21T09:30:00.000001Z")
    stored = entry_bytes(log="x.example/log", n=n, seq_at=moment, incident=incident, inc_n=n, inc_prev=body, body=body)
    assert canonical(parse(stored)) == stored
    assert parse(stored)["seq_at"] == time_text(moment)
