import pytest
from django.db import IntegrityError, ProgrammingError, connection, transaction

from breachdesk.audit.models import Event
from breachdesk.audit.record import record
from breachdesk.audit.sequencer import sequence_pending

TABLES = ["audit_event", "audit_private", "audit_entry", "audit_node", "audit_checkpoint", "audit_anchor"]


def execute(query):
    with transaction.atomic(), connection.cursor() as cursor:
        cursor.execute(query)


@pytest.fixture
def trail(case):
    for _ in range(3):
        record("incident.closed", by=None, incident=case, private={"reason": "done"})
    sequence_pending()
    execute("SET CONSTRAINTS ALL IMMEDIATE")  # or TRUNCATE would fail for another reason


@pytest.mark.parametrize("table", TABLES)
@pytest.mark.parametrize(
    "change",
    ["DELETE FROM {}", "DELETE FROM {} WHERE false", "UPDATE {} SET {column} = {column}", "TRUNCATE {} CASCADE"],
)
def test_the_database_refuses(trail, table, change):
    column = {"audit_event": "body", "audit_entry": "entry", "audit_private": "salt", "audit_node": "hash"}.get(
        table, "size"
    )
    with pytest.raises(ProgrammingError, match="append-only"):
        execute(change.format(table, column=column))


def test_an_upsert_is_a_change_too(trail):
    with pytest.raises(ProgrammingError, match="append-only"):
        execute("INSERT INTO audit_node SELECT * FROM audit_node ON CONFLICT (level, pos) DO UPDATE SET hash = '\\x00'")


def test_models_are_refused_like_sql(trail):
    with pytest.raises(ProgrammingError, match="append-only"), transaction.atomic():
        Event.objects.update(type="user.joined")


def test_hashes_have_32_bytes(trail):
    with pytest.raises(IntegrityError, match="audit_node_hash_size"):
        execute("INSERT INTO audit_node (level, pos, hash) VALUES (9, 9, '\\x00')")
