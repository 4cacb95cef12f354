"""What the signer signs, and what it refuses to sign. Time is not waited for: these signers sign at every look."""

import pytest
from django.conf import settings
from django.utils import timezone

from breachdesk.audit.checkpoints import checkpoint_covering, latest_checkpoint, public_keys
from breachdesk.audit.models import Checkpoint, Event
from breachdesk.audit.note import checkpoint_text, sign_note, verify_note
from breachdesk.audit.sequencer import sequence_everything
from breachdesk.audit.signer import Signer
from breachdesk.audit.signing_key import read_signing_key
from breachdesk.audit.status import trail_status
from breachdesk.audit.verification import verify

pytestmark = pytest.mark.django_db
ORIGIN = settings.BREACHDESK.log_origin


def test_it_signs_the_root_over_everything_linked(signing, heartbeats):
    heartbeats(4)
    checkpoint = signing.sign()
    note = verify_note(checkpoint.note, public_keys())
    assert (note.size, note.root) == (5, verify().root)
    assert (bytes(checkpoint.root), signing.last_note.read_text()) == (note.root, checkpoint.note)


def test_it_signs_again_only_when_the_tree_grew(signing, heartbeats):
    assert signing.sign().size == 1
    assert signing.look() is None
    heartbeats(2)
    assert signing.look() is None
    assert signing.sign().size == 3
    assert [checkpoint_covering(idx).size for idx in (0, 1, 2)] == [1, 3, 3]
    assert checkpoint_covering(3) is None
    assert latest_checkpoint().size == 3


# What it refuses


def cut_off(superuser_sql, size):
    """As a restore of an older backup leaves the tables: whole, but shorter."""
    superuser_sql(
        "DELETE FROM audit_event USING audit_entry WHERE audit_entry.event_id = audit_event.event_id AND idx >= %s",
        [size],
    )
    superuser_sql("DELETE FROM audit_entry WHERE idx >= %s", [size])
    superuser_sql("DELETE FROM audit_node WHERE (pos + 1) << level > %s", [size])
    superuser_sql("DELETE FROM audit_checkpoint WHERE size > %s", [size])


def refusals():
    return [event.content["data"] for event in Event.objects.of_type("checkpoint.refused").oldest_first()]


@pytest.fixture
def signed(signing, heartbeats):
    """Five entries, all signed; the note over the first three is kept as an older one."""
    heartbeats(2)
    signing.sign()
    heartbeats(2)
    signing.sign()
    return signing


def test_a_restored_older_backup_is_refused_once_and_stays_refused(signed, superuser_sql, heartbeats):
    cut_off(superuser_sql, 3)
    for _ in range(3):
        assert signed.look() is None
    assert refusals() == [{"why": "shorter", "size": 3, "last_size": 3}]
    heartbeats(5)
    sequence_everything()
    assert signed.look() is None
    assert [refusal["why"] for refusal in refusals()] == ["shorter", "not_extended"]
    assert latest_checkpoint().size == 3


def test_a_signer_started_anew_does_not_repeat_its_refusal(signed, superuser_sql):
    cut_off(superuser_sql, 3)
    for _ in range(2):
        assert Signer(every=0).look() is None
    assert len(refusals()) == 1


def test_the_alarm_ends_with_the_next_signature(signed, heartbeats):
    away = signed.key.rename(signed.key.with_name("away"))
    signed.look()
    status = trail_status(timezone.now())
    assert status.refusal.content["data"] == {"why": "key_missing", "size": 5, "last_size": 5}
    away.rename(signed.key)
    assert signed.sign().size == 6
    assert trail_status(timezone.now()).refusal is None


@pytest.mark.parametrize(
    "change",
    [
        "UPDATE audit_entry SET leaf = sha256(leaf) WHERE idx = 4",
        "UPDATE audit_node SET hash = sha256(hash) WHERE level = 2 AND pos = 0",
        "DELETE FROM audit_node WHERE level = 2 AND pos = 0",
    ],
)
def test_a_signed_part_that_was_rewritten_is_never_signed_over(signed, superuser_sql, heartbeats, change):
    heartbeats(1)
    sequence_everything()
    superuser_sql(change)
    assert Signer(every=0).look() is None
    assert refusals()[-1]["why"] == "not_extended"


@pytest.mark.parametrize(
    "change",
    [
        "UPDATE audit_entry SET leaf = sha256(leaf) WHERE idx = 6",
        "UPDATE audit_entry SET entry = replace(entry::text, '36', '37')::bytea WHERE idx = 6",
        "UPDATE audit_event SET body = body || ' ' WHERE id = (SELECT max(id) FROM audit_event)",
        "DELETE FROM audit_entry WHERE idx = 6",
        "DELETE FROM audit_event WHERE id = (SELECT max(id) - 1 FROM audit_event)",
    ],
)
def test_a_tail_that_was_tampered_with_before_it_was_signed(signed, superuser_sql, heartbeats, change):
    heartbeats(3)
    sequence_everything()
    superuser_sql(change)
    assert signed.look() is None
    assert refusals()[-1]["why"] == "entries_changed"
    assert latest_checkpoint().size == 5


def test_a_stored_tree_that_is_not_that_of_the_entries(signed, superuser_sql, heartbeats):
    heartbeats(3)
    sequence_everything()
    superuser_sql("UPDATE audit_node SET hash = sha256(hash) WHERE level = 1 AND pos = 3")
    superuser_sql("UPDATE audit_node SET hash = sha256(hash) WHERE level = 2 AND pos = 1")
    superuser_sql("UPDATE audit_node SET hash = sha256(hash) WHERE level = 3 AND pos = 0")
    assert signed.look() is None
    assert refusals()[-1]["why"] == "nodes_changed"


# Its own note, and the database's


def test_a_note_that_a_crash_kept_from_the_database_is_offered_again(signed, superuser_sql):
    note = signed.last_note.read_text()
    superuser_sql("DELETE FROM audit_checkpoint WHERE size = 5")
    assert signed.look() is None
    assert latest_checkpoint().note == note
    assert refusals() == []


def test_before_it_is_offered_again_the_log_must_still_be_the_same(signed, superuser_sql):
    superuser_sql("DELETE FROM audit_checkpoint WHERE size = 5")
    superuser_sql("UPDATE audit_node SET hash = sha256(hash) WHERE level = 2 AND pos = 0")
    assert signed.look() is None
    assert (refusals()[-1]["why"], latest_checkpoint().size) == ("not_extended", 3)


def test_an_older_copy_of_the_folder_binds_it_no_less(signed, heartbeats):
    older = Checkpoint.objects.get(size=3)
    signed.last_note.write_text(older.note)
    assert signed.look() is None
    assert signed.last_note.read_text() == latest_checkpoint().note
    heartbeats(1)
    assert signed.sign().size == 6


def test_an_older_note_of_another_history_is_not_given_up(signed):
    """T7: the database was rewritten whole and signed anew with the stolen key; the file remembers."""
    key = read_signing_key(signed.key)
    note = sign_note(checkpoint_text(ORIGIN, 3, bytes(32)), ORIGIN, [key])
    signed.last_note.write_text(note)
    assert signed.look() is None
    assert (refusals()[-1]["why"], signed.last_note.read_text()) == ("not_extended", note)


@pytest.mark.parametrize(
    ("change", "why"),
    [
        ("UPDATE audit_checkpoint SET note = replace(note, '5', '6') WHERE size = 5", "checkpoint_forged"),
        ("UPDATE audit_checkpoint SET note = '' WHERE size = 5", "checkpoint_forged"),
        ("UPDATE audit_checkpoint SET size = 7 WHERE size = 5", "checkpoint_differs"),
    ],
)
def test_a_changed_checkpoint_is_refused(signed, superuser_sql, change, why):
    superuser_sql(change)
    assert signed.look() is None
    assert refusals()[-1]["why"] == why


def test_two_notes_over_one_size_are_refused(signed, superuser_sql):
    """T8: both with a right signature, as from a stolen key."""
    key = read_signing_key(signed.key)
    other = sign_note(checkpoint_text(ORIGIN, 5, bytes(32)), ORIGIN, [key])
    superuser_sql("UPDATE audit_checkpoint SET note = %s, root = %s WHERE size = 5", [other, bytes(32)])
    assert signed.look() is None
    assert refusals()[-1]["why"] == "checkpoint_differs"


def test_without_its_last_note_it_does_not_trust_the_database(signed):
    signed.last_note.unlink()
    assert signed.look() is None
    assert refusals()[-1]["why"] == "note_missing"


@pytest.mark.parametrize("content", [b"", b"\xff", b"note\n"])
def test_a_last_note_that_is_no_note(signed, content):
    signed.last_note.write_bytes(content)
    assert signed.look() is None
    assert refusals()[-1]["why"] in ("note_unknown", "note_missing")


def test_a_folder_that_is_gone(signed):
    signed.folder.rename(signed.folder.with_name("elsewhere"))
    assert signed.look() is None
    assert refusals()[-1]["why"] == "note_missing"
    assert "does not exist" in str(signed.signer.refusal)
