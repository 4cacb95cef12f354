"""verify_audit against what was signed: T6 to T9 of the design, keys from elsewhere, notes that somebody kept."""

import json

import pytest
from django.conf import settings
from django.core.management import CommandError, call_command

from breachdesk.audit.canonical import base64url, canonical, parse
from breachdesk.audit.checkpoints import public_keys
from breachdesk.audit.models import Checkpoint, Entry
from breachdesk.audit.note import checkpoint_text, parse_note, sign_note
from breachdesk.audit.signing_key import own_public_key, read_signing_key
from breachdesk.audit.tree import Frontier, leaf_of
from breachdesk.audit.verification import verify
from tests.audit.test_signer import cut_off
from tests.audit.test_signing_key import put_strange_key

pytestmark = pytest.mark.django_db
ORIGIN = settings.BREACHDESK.log_origin


@pytest.fixture
def signed(signing, heartbeats):
    """Six entries; checkpoints over one, three and six."""
    signing.sign()
    for count in (2, 3):
        heartbeats(count)
        signing.sign()
    return signing


def finding():
    found = verify().finding
    return found and (found.idx, found.rule)


def rewrite_from(superuser_sql, idx):
    """T6: everything from `idx` on with fresh hashes, entries, leaves and nodes: a whole other history."""
    frontier = Frontier()
    for entry in Entry.objects.order_by("idx"):
        content = parse(bytes(entry.entry))
        if entry.idx >= idx:
            content["seq_at"] = "2099-01-01T00:00:00.000000Z"
        stored = canonical(content)
        leaf = leaf_of(stored)
        superuser_sql("UPDATE audit_entry SET entry = %s, leaf = %s WHERE idx = %s", [stored, leaf, entry.idx])
        for level, pos, digest in frontier.add(leaf):
            superuser_sql("UPDATE audit_node SET hash = %s WHERE level = %s AND pos = %s", [digest, level, pos])
    return frontier


def test_signed_states_are_checked_and_named(signed):
    report = verify()
    assert report.verdict == "VALID"
    assert "3 checkpoints were checked; the newest covers 6 entries." in report.notes
    assert public_keys()[0].fingerprint in report.notes


@pytest.mark.parametrize(("idx", "first_doubt"), [(0, 0), (2, 1), (4, 3)])
def test_a_history_rewritten_with_fresh_hashes_contradicts_its_checkpoints(signed, superuser_sql, idx, first_doubt):
    rewrite_from(superuser_sql, idx)
    assert finding() == (first_doubt, 2)


def test_rewritten_with_the_key_stolen_a_kept_note_still_catches_it(signed, superuser_sql, tmp_path):
    """T7: all checkpoints signed anew. The signer's own last note, or any that somebody kept, says otherwise."""
    kept = tmp_path / "kept.note"
    kept.write_text(Checkpoint.objects.get(size=3).note)
    sign_anew(superuser_sql, signed, rewrite_from(superuser_sql, 2))
    assert finding() == (0, 2)
    signed.last_note.unlink()
    assert verify().verdict == "VALID"
    with pytest.raises(SystemExit) as stopped:
        call_command("verify_audit", "--note", str(kept))
    assert stopped.value.code == 1


def sign_anew(superuser_sql, signed, frontier):
    key = read_signing_key(signed.key)
    superuser_sql("DELETE FROM audit_checkpoint")
    root = frontier.root()
    note = sign_note(checkpoint_text(ORIGIN, frontier.size, root), ORIGIN, [key])
    superuser_sql("INSERT INTO audit_checkpoint VALUES (%s, %s, %s, now())", [frontier.size, root, note])


def test_a_log_cut_off_after_a_checkpoint(signed, superuser_sql):
    cut_off(superuser_sql, 5)
    superuser_sql("INSERT INTO audit_checkpoint VALUES (6, %s, %s, now())", last_checkpoint(signed))
    assert finding() == (5, 2)


def last_checkpoint(signed):
    note = signed.last_note.read_text()
    return [parse_note(note).root, note]


def test_cut_off_with_its_checkpoints_the_signers_note_still_knows(signed, superuser_sql):
    """T9."""
    cut_off(superuser_sql, 3)
    assert finding() == (3, 2)
    signed.last_note.unlink()
    assert verify().verdict == "VALID"


@pytest.mark.parametrize(
    "change",
    [
        "root = sha256(root)",
        "note = note || 'x'",
        "note = replace(note, '—', '-')",
        "note = split_part(note, E'\\n\\n', 1)",
        "note = note || split_part(note, E'\\n\\n', 2)",
        "size = 5",
    ],
)
def test_a_checkpoint_that_was_tampered_with(signed, superuser_sql, change):
    superuser_sql(f"UPDATE audit_checkpoint SET {change} WHERE size = 6")
    assert finding() == (None, 1)


def test_a_checkpoint_by_a_strange_key(signed, superuser_sql):
    put_strange_key(signed.key)
    root = bytes(Checkpoint.objects.get(size=6).root)
    note = sign_note(checkpoint_text(ORIGIN, 6, root), ORIGIN, [read_signing_key(signed.key)])
    superuser_sql("UPDATE audit_checkpoint SET note = %s WHERE size = 6", [note])
    assert finding() == (None, 1)


def test_a_key_that_was_changed_signs_nothing_that_comes_after(signed, superuser_sql, heartbeats):
    old = read_signing_key(signed.key)
    call_command("rotate_signing_key", verbosity=0)
    signed.sign()
    heartbeats(1)
    later = signed.sign()
    assert verify().verdict == "VALID"
    note = sign_note(checkpoint_text(ORIGIN, later.size, bytes(later.root)), ORIGIN, [old])
    superuser_sql("UPDATE audit_checkpoint SET note = %s WHERE size = %s", [note, later.size])
    signed.last_note.unlink()
    assert finding() == (None, 1)
    assert "newest then" in verify().finding.sentence


# Options


def trust_file(folder, trusted, changes=()):
    path = folder / "trust.json"
    listed = [{"name": key.name, "algorithm": "ed25519", "public": base64url(key.raw)} for key in trusted]
    path.write_bytes(canonical({"v": 1, "origin": ORIGIN, "keys": listed, "tsa": []} | dict(changes)))
    return path


def test_keys_from_elsewhere_replace_the_logs_own(signed, tmp_path, capsys):
    call_command("verify_audit", "--trust", str(trust_file(tmp_path, public_keys())))
    assert "Compare their fingerprints" not in capsys.readouterr().out
    put_strange_key(signed.key)
    strange = own_public_key(read_signing_key(signed.key))
    with pytest.raises(SystemExit) as stopped:
        call_command("verify_audit", "--json", "--trust", str(trust_file(tmp_path, [strange])))
    assert stopped.value.code == 1
    assert json.loads(capsys.readouterr().out)["finding"]["rule"] == 1


@pytest.mark.parametrize("changes", [{"v": 2}, {"keys": []}, {"keys": [{}]}, {"keys": 1}, {"origin": "a.example/x"}])
def test_a_trust_file_that_is_none(signed, tmp_path, changes):
    with pytest.raises(CommandError) as stopped:
        call_command("verify_audit", "--trust", str(trust_file(tmp_path, public_keys(), changes)))
    assert stopped.value.returncode == 2


@pytest.mark.parametrize("content", [None, b"\xff"])
def test_a_file_that_cannot_be_read(signed, tmp_path, content):
    path = tmp_path / "file"
    if content:
        path.write_bytes(content)
    for option in ("--trust", "--note"):
        with pytest.raises(CommandError) as stopped:
            call_command("verify_audit", option, str(path))
        assert stopped.value.returncode == 2


def test_a_kept_note_of_this_log_agrees(signed, tmp_path):
    for checkpoint in Checkpoint.objects.all():
        path = tmp_path / f"{checkpoint.size}.note"
        path.write_text(checkpoint.note)
        call_command("verify_audit", "--note", str(path), verbosity=0)


def test_a_kept_file_that_is_no_note(signed, tmp_path):
    path = tmp_path / "kept.note"
    path.write_text("no note")
    with pytest.raises(SystemExit) as stopped:
        call_command("verify_audit", "--note", str(path))
    assert stopped.value.code == 1
