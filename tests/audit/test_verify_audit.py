"""Each tampering is made as by the owner of the database; the verdict names the first bad position and the rule."""

import json
from datetime import timedelta
from hashlib import sha256
from uuid import UUID

import pytest
from django.core.management import call_command
from django.db import connection

from breachdesk.audit.canonical import base64url, canonical, parse, time_of, time_text
from breachdesk.audit.models import Entry, Event, PrivateValue
from breachdesk.audit.record import record
from breachdesk.audit.sequencer import sequence_pending
from breachdesk.audit.tree import leaf_of
from breachdesk.audit.verification import verify
from tests.factories import destroy_key, make_scope

STRANGER = "0b1d5f3e-7c2a-4e59-9a46-2f8d11c3a7e0"

pytestmark = pytest.mark.django_db


@pytest.fixture
def log(case):
    """Eight entries: the case's at 1, 3, 5, 7 with a sealed reason, heartbeats between."""
    for n in range(4):
        record("heartbeat", by=None, log_size=n)
        record("incident.closed", by=None, incident=case, private={"reason": f"reason {n}"})
    sequence_pending()
    with connection.cursor() as cursor:
        cursor.execute("SET CONSTRAINTS ALL IMMEDIATE")  # so that the tampering is not what they fail on
    return case


def finding():
    report = verify()
    assert (report.verdict == "INVALID") == (report.finding is not None)
    return report.finding and (report.finding.idx, report.finding.rule)


def test_an_untouched_log_is_valid(log):
    report = verify()
    assert (report.verdict, report.size, report.missing) == ("VALID", 8, [])
    assert any("No checkpoint is signed yet" in note for note in report.notes)


def test_an_empty_log_is_never_valid(db):
    assert verify().verdict == "INCOMPLETE"


def test_waiting_events_make_it_incomplete(log):
    record("heartbeat", by=None, log_size=9)
    report = verify()
    assert (report.verdict, report.size) == ("INCOMPLETE", 8)
    assert "wait for the sequencer" in report.missing[0]


@pytest.mark.parametrize(
    ("column", "rule"),
    [("event.body", 4), ("event.body_sha256", 4), ("entry.entry", 3), ("entry.leaf", 3)],
)
def test_any_flipped_bit_of_an_event_or_entry_is_found(log, superuser_sql, column, rule):
    table, name = column.split(".")
    key = "id" if table == "event" else "idx"
    first = Event.objects.oldest_first().first().pk if table == "event" else 0
    for bit in (0, 7, 100, 250):
        flip = f"UPDATE audit_{table} SET {name} = set_bit({name}, %s, 1 - get_bit({name}, %s)) WHERE {key} = %s"
        superuser_sql(flip, [bit, bit, first + 4])
        assert finding()[0] == 4
        assert rule == 3 or finding()[1] == rule
        superuser_sql(flip, [bit, bit, first + 4])
    assert finding() is None


@pytest.mark.parametrize(
    ("change", "expected"),
    [
        ("type = 'user.joined'", (2, 4)),
        ("at = at + interval '1 second'", (2, 4)),
        ("incident = gen_random_uuid()", (2, 4)),
        ("event_id = gen_random_uuid()", (2, 4)),
    ],
)
def test_columns_beside_an_event_that_contradict_it(log, superuser_sql, change, expected):
    superuser_sql(f"UPDATE audit_event SET {change} WHERE event_id = %s", [event_at(2).event_id])
    assert finding() == expected


def test_names_beside_an_event_that_contradict_it(log, superuser_sql):
    with connection.cursor() as cursor:
        cursor.execute("ALTER TABLE audit_event ALTER COLUMN names DROP EXPRESSION")
    superuser_sql("UPDATE audit_event SET names = '{incidents.incident/x/1}' WHERE id = %s", [event_at(2).pk])
    assert finding() == (2, 4)


@pytest.mark.parametrize(
    "change", ["incident = gen_random_uuid(), inc_n = 1", "incident = NULL, inc_n = NULL", "inc_n = 9"]
)
def test_columns_beside_an_entry_that_contradict_it(log, superuser_sql, change):
    superuser_sql(f"UPDATE audit_entry SET {change} WHERE idx = 3")
    assert finding() == (3, 3)


@pytest.mark.parametrize("idx", [0, 4])
def test_a_removed_entry_is_missed(log, superuser_sql, idx):
    superuser_sql("DELETE FROM audit_entry WHERE idx = %s", [idx])
    assert finding() == (idx, 3)


def test_a_cut_off_end_is_missed_by_the_tree_above_it(log, superuser_sql):
    superuser_sql("DELETE FROM audit_event WHERE event_id = %s", [event_at(7).event_id])
    superuser_sql("DELETE FROM audit_entry WHERE idx = 7")
    assert finding() == (None, 3)


def test_an_entry_cut_off_without_its_event(log, superuser_sql):
    superuser_sql("DELETE FROM audit_entry WHERE idx = 7")
    superuser_sql("DELETE FROM audit_node WHERE pos = (8 >> level) - 1 AND (8 >> level) << level = 8")
    assert finding() == (None, 3)


def test_a_removed_event_is_missed(log, superuser_sql):
    superuser_sql("DELETE FROM audit_event WHERE event_id = %s", [event_at(3).event_id])
    assert finding() == (3, 4)


def test_two_exchanged_neighbours(log, superuser_sql):
    for old, new in ((2, 100), (4, 2), (100, 4)):
        superuser_sql("UPDATE audit_entry SET idx = %s WHERE idx = %s", [new, old])
    assert finding() == (2, 3)


@pytest.mark.parametrize("change", ["DELETE FROM audit_node", "UPDATE audit_node SET hash = sha256(hash)"])
def test_a_changed_node_is_found_where_it_was_completed(log, superuser_sql, change):
    superuser_sql(f"{change} WHERE level = 1 AND pos = 2")
    assert finding() == (5, 3)


def test_a_forged_event_in_the_past(log, superuser_sql):
    superuser_sql(
        "INSERT INTO audit_event (event_id, type, incident, body, body_sha256, at) "
        "SELECT gen_random_uuid(), type, incident, body, body_sha256, at FROM audit_event LIMIT 1"
    )
    assert finding() == (None, 3)


def test_an_event_hidden_from_the_sequencer(log):
    record("incident.closed", by=None, incident=log)
    with connection.cursor() as cursor:
        cursor.execute("DELETE FROM audit_pending")
    assert finding() == (None, 3)


@pytest.mark.parametrize(
    ("key", "value", "rule"),
    [
        ("n", 6, 3),
        ("v", 2, 3),
        ("log", "other.example/log", 3),
        ("incident", STRANGER, 4),
        ("inc_n", 4, 5),
        ("inc_prev", None, 5),
        ("inc_prev", "A" * 43, 5),
        ("body", "A" * 43, 4),
        ("seq_at", "2020-01-01T00:00:00.000000Z", 6),
        ("seq_at", "yesterday", 3),
        ("extra", 1, 3),
    ],
)
def test_a_rewritten_entry_with_fresh_hashes(log, superuser_sql, key, value, rule):
    rewrite_entry(superuser_sql, 5, canonical(parse(entry_at(5)) | {key: value}))
    assert finding() == (5, rule)


def test_a_time_of_linking_that_goes_back_a_little(log, superuser_sql):
    entry = parse(entry_at(5))
    earlier = time_text(time_of(entry["seq_at"]) - timedelta(milliseconds=1))
    rewrite_entry(superuser_sql, 5, canonical(entry | {"seq_at": earlier}))
    assert finding() == (5, 6)


def test_an_entry_that_is_equal_but_not_canonical(log, superuser_sql):
    rewrite_entry(superuser_sql, 5, entry_at(5).replace(b'"n":5', b'"n": 5'))
    assert finding() == (5, 3)


@pytest.mark.parametrize(
    "change",
    [
        {"v": 2},
        {"type": "incident.exploded"},
        {"data": {"mood": 1}},
        {"data": []},
        {"data": None},
        {"priv": None},
        {"priv": []},
        {"object": 1},
        {"object": {}},
        {"extra": 1},
        {"id": STRANGER},
    ],
)
def test_a_rewritten_event_and_entry_with_fresh_hashes(log, superuser_sql, change):
    rewrite_event(superuser_sql, 2, canonical(event_at(2).content | change))
    assert finding() == (2, 4)


def test_an_event_with_two_keys_of_one_name(log, superuser_sql):
    body = bytes(event_at(2).body)
    rewrite_event(superuser_sql, 2, body.replace(b'{"actor"', b'{"v":1,"actor"'))
    assert finding() == (2, 4)


def test_an_event_that_moved_to_another_incident(log, superuser_sql):
    other = make_scope()
    body = canonical(event_at(3).content | {"incident": str(other)})
    superuser_sql("UPDATE audit_event SET incident = %s WHERE event_id = %s", [other, event_at(3).event_id])
    rewrite_event(superuser_sql, 3, body)
    assert finding() == (3, 4)


def test_an_event_dated_after_its_linking(log, superuser_sql):
    event = event_at(2)
    late = event.content | {"at": "2099-01-01T00:00:00.000000Z"}
    superuser_sql("UPDATE audit_event SET at = '2099-01-01Z' WHERE event_id = %s", [event.event_id])
    rewrite_event(superuser_sql, 2, canonical(late))
    assert finding() == (2, 6)


def test_another_value_under_the_commitment(log, superuser_sql):
    first, second = (PrivateValue.objects.get(event_id=event_at(n).event_id) for n in (1, 3))
    superuser_sql("UPDATE audit_private SET salt = %s WHERE event_id = %s", [bytes(32), first.event_id])
    assert finding() == (1, 7)
    superuser_sql("UPDATE audit_private SET salt = %s WHERE event_id = %s", [first.salt, first.event_id])
    superuser_sql("UPDATE audit_private SET value_enc = %s WHERE event_id = %s", [first.value_enc, second.event_id])
    assert finding() == (3, 7)


def test_a_sealed_value_that_is_gone_or_added(log, superuser_sql):
    superuser_sql("UPDATE audit_private SET field = 'title' WHERE event_id = %s", [event_at(5).event_id])
    assert finding() == (5, 7)
    superuser_sql("DELETE FROM audit_private WHERE event_id = %s", [event_at(3).event_id])
    assert finding() == (3, 7)
    superuser_sql(
        "INSERT INTO audit_private (event_id, field, salt, value_enc) VALUES (%s, 'x', %s, '')",
        [event_at(0).event_id, bytes(32)],
    )
    assert finding() == (0, 7)


def test_one_erasure_excuses_that_value_alone(log, superuser_sql):
    first, second = (event_at(n).event_id for n in (1, 3))
    record("privacy.erased", by=None, count=1, erased=[f"{first}/reason"], ground="request")
    superuser_sql("DELETE FROM audit_private WHERE event_id = %s", [first])
    assert finding() is None
    superuser_sql("DELETE FROM audit_private WHERE event_id = %s", [second])
    assert finding() == (3, 7)


def test_a_destroyed_key_excuses_the_values_of_its_case(log, superuser_sql):
    superuser_sql("DELETE FROM audit_private WHERE event_id = %s", [event_at(3).event_id])
    record("key.destroyed", by=None, incident=UUID(STRANGER))
    assert finding() == (3, 7)
    record("key.destroyed", by=None, incident=log)
    assert finding() is None


def test_the_first_of_two_faults_is_named(log, superuser_sql):
    superuser_sql("UPDATE audit_node SET hash = sha256(hash) WHERE level = 1 AND pos = 0")
    superuser_sql("DELETE FROM audit_entry WHERE idx = 5")
    assert finding() == (1, 3)


def test_after_the_key_is_destroyed_the_log_stays_valid(log):
    destroy_key(log)
    report = verify()
    assert report.verdict == "VALID"
    assert "4 sealed values cannot be opened any more" in report.notes[-1]


def test_without_the_master_key_it_is_incomplete(log, settings, tmp_path):
    settings.BREACHDESK = settings.BREACHDESK.model_copy(update={"master_key_file": tmp_path / "gone"})
    report = verify()
    assert (report.verdict, len(report.missing)) == ("INCOMPLETE", 1)
    assert "does not exist" in report.missing[0]


def test_another_name_of_the_log_is_found(log, settings):
    settings.BREACHDESK = settings.BREACHDESK.model_copy(update={"log_origin": "other.example/log"})
    assert finding() == (0, 3)


def test_it_changes_nothing(log):
    rows = Entry.objects.order_by("idx").values_list(), Event.objects.oldest_first().values_list()
    before = [list(some.all()) for some in rows]
    verify()
    assert before == [list(some.all()) for some in rows]


@pytest.mark.parametrize(("damage", "code"), [(None, None), ("DELETE FROM audit_entry WHERE idx = 5", 1)])
def test_the_command_says_it_with_its_exit_code(log, superuser_sql, capsys, damage, code):
    if damage:
        superuser_sql(damage)
        with pytest.raises(SystemExit) as stopped:
            call_command("verify_audit", "--json")
        assert stopped.value.code == code
    else:
        call_command("verify_audit", "--json")
    told = json.loads(capsys.readouterr().out)
    assert (told["verdict"], told["size"]) == (("INVALID", 5) if damage else ("VALID", 8))
    assert told["finding"] == (damage and {"idx": 5, "rule": 3, "sentence": "Entry 5 is missing; the next one is 6."})


def test_the_command_in_words(db, capsys):
    with pytest.raises(SystemExit) as stopped:
        call_command("verify_audit")
    assert stopped.value.code == 2
    assert "INCOMPLETE: 0 entries checked" in capsys.readouterr().out


@pytest.mark.django_db(transaction=True)
def test_outside_a_transaction_it_takes_its_own(heartbeats):
    heartbeats(3)
    sequence_pending()
    assert verify().verdict == "VALID"


def event_at(idx):
    return Event.objects.get(event_id=Entry.objects.get(idx=idx).event_id)


def entry_at(idx):
    return bytes(Entry.objects.get(idx=idx).entry)


def rewrite_entry(superuser_sql, idx, entry):
    superuser_sql("UPDATE audit_entry SET entry = %s, leaf = %s WHERE idx = %s", [entry, leaf_of(entry), idx])


def rewrite_event(superuser_sql, idx, body):
    event = event_at(idx)
    digest = sha256(body).digest()
    superuser_sql("UPDATE audit_event SET body = %s, body_sha256 = %s WHERE id = %s", [body, digest, event.pk])
    rewrite_entry(superuser_sql, idx, canonical(parse(entry_at(idx)) | {"body": base64url(digest)}))
