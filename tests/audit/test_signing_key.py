"""The key that signs the log: made once, closed to others, changed without a gap."""

import pytest
from django.core.management import CommandError, call_command

from breachdesk.audit.checkpoints import latest_checkpoint, public_keys
from breachdesk.audit.models import Checkpoint, Event
from breachdesk.audit.note import parse_note, verify_note
from breachdesk.audit.sequencer import sequence_everything
from breachdesk.audit.signer import Signer
from breachdesk.audit.signing_key import own_public_key, read_signing_key, write_new_key

pytestmark = pytest.mark.django_db


def refused_for():
    event = Event.objects.of_type("checkpoint.refused").newest_first().first()
    return event and event.content["data"]["why"]


def test_its_file_is_closed_and_its_public_half_is_in_the_log(signing):
    assert signing.key.stat().st_mode & 0o777 == 0o400
    [key] = public_keys()
    assert key == own_public_key(read_signing_key(signing.key))
    data = Event.objects.of_type("signing_key.made").get().content["data"]
    assert set(data) == {"public_key", "key_id"}


def test_making_it_again_changes_nothing(signing, capsys):
    before = signing.key.read_bytes()
    call_command("make_signing_key")
    assert (signing.key.read_bytes(), len(public_keys())) == (before, 1)
    assert public_keys()[0].fingerprint in capsys.readouterr().out


def test_a_run_cut_short_before_its_event_is_finished_by_the_next(signing, superuser_sql):
    superuser_sql("DELETE FROM audit_event")
    superuser_sql("DELETE FROM audit_pending")
    call_command("make_signing_key")
    assert public_keys() == [own_public_key(read_signing_key(signing.key))]


def test_it_is_never_replaced_in_silence(signing):
    signing.key.unlink()
    with pytest.raises(CommandError, match="Put the file back"):
        call_command("make_signing_key")
    call_command("make_signing_key", "--replace-lost")
    assert len(public_keys()) == 2
    note = verify_note(signing.sign().note, public_keys())
    assert note.is_signed_by(public_keys()[1])


def put_strange_key(path):
    path.unlink(missing_ok=True)
    write_new_key(path)


def test_a_file_with_another_key_is_refused(signing):
    put_strange_key(signing.key)
    with pytest.raises(CommandError, match="holds another key"):
        call_command("make_signing_key")
    assert len(public_keys()) == 1


@pytest.mark.parametrize(
    ("spoil", "why"),
    [
        (lambda key: key.unlink(), "key_missing"),
        (lambda key: key.chmod(0o404), "key_open"),
        (lambda key: key.chmod(0o420), "key_open"),
        (lambda key: (key.chmod(0o600), key.write_bytes(b"no key")), "key_unreadable"),
        (lambda key: (key.unlink(), key.mkdir(mode=0o700)), "key_unreadable"),
    ],
)
def test_without_a_usable_key_there_is_an_alarm_and_no_checkpoint(signing, spoil, why):
    sequence_everything()
    spoil(signing.key)
    for _ in range(2):
        assert signing.look() is None
    assert (refused_for(), latest_checkpoint()) == (why, None)
    assert Event.objects.of_type("checkpoint.refused").count() == 1


def test_a_key_the_log_does_not_name_signs_nothing(signing):
    sequence_everything()
    put_strange_key(signing.key)
    assert signing.look() is None
    assert (refused_for(), latest_checkpoint()) == ("key_unknown", None)


def test_the_first_note_waits_until_the_keys_event_is_linked(signing):
    assert signing.look() is None
    assert refused_for() is None


# Rotation


def test_one_note_bears_both_signatures_and_then_the_old_key_is_gone(signing, heartbeats):
    signing.sign()
    old = own_public_key(read_signing_key(signing.key))
    call_command("rotate_signing_key", verbosity=0)
    both = parse_note(signing.sign().note)
    assert [key for key in public_keys() if both.is_signed_by(key)] == public_keys()
    heartbeats(1)
    after = verify_note(signing.sign().note, public_keys())
    assert (after.is_signed_by(old), after.is_signed_by(public_keys()[1])) == (False, True)
    assert own_public_key(read_signing_key(signing.key)) == public_keys()[1]
    assert [path.name for path in signing.key.parent.glob("signing-key*")] == [signing.key.name]
    for checkpoint in Checkpoint.objects.all():
        verify_note(checkpoint.note, public_keys())


def test_until_its_event_is_linked_the_old_key_signs_alone(signing, heartbeats):
    signing.sign()
    heartbeats(1)
    sequence_everything()
    call_command("rotate_signing_key", verbosity=0)
    note = parse_note(signing.look().note)
    assert [note.is_signed_by(key) for key in public_keys()] == [True, False]


def test_a_rotation_cut_short_before_its_event_is_finished_by_the_next_run(signing):
    signing.sign()
    following = signing.key.with_name("signing-key.pem.next")
    write_new_key(following)
    signing.sign()
    call_command("rotate_signing_key", verbosity=0)
    assert public_keys()[1] == own_public_key(read_signing_key(following))


def test_a_signer_killed_before_the_old_key_was_removed_goes_on_with_the_new_one(signing, heartbeats):
    signing.sign()
    call_command("rotate_signing_key", verbosity=0)
    signing.sign()
    assert signing.key.with_name("signing-key.pem.next").exists()
    heartbeats(1)
    sequence_everything()
    note = parse_note(Signer(every=0).look().note)
    assert [note.is_signed_by(key) for key in public_keys()] == [False, True]


def test_a_second_rotation_waits_for_the_first(signing):
    signing.sign()
    call_command("rotate_signing_key", verbosity=0)
    with pytest.raises(CommandError, match="under way"):
        call_command("rotate_signing_key")


def test_without_a_key_there_is_nothing_to_change(signing):
    signing.key.unlink()
    with pytest.raises(CommandError, match="does not exist"):
        call_command("rotate_signing_key")
