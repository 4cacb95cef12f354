"""After a restore that was meant: the signer goes on, and the log says why."""

import pytest
from django.core.management import CommandError, call_command

from breachdesk.audit.checkpoints import latest_checkpoint
from breachdesk.audit.models import Event
from breachdesk.audit.sequencer import sequence_everything
from tests.audit.test_signer import cut_off, refusals

pytestmark = pytest.mark.django_db


def resume(reason="backup_restored"):
    call_command("resume_signing", "--reason", reason)


@pytest.fixture
def restored(signing, heartbeats, superuser_sql):
    """Five entries were signed; the database is back at the three of an older checkpoint."""
    heartbeats(2)
    signing.sign()
    heartbeats(2)
    signing.given_up = signing.sign().note
    cut_off(superuser_sql, 3)
    assert signing.look() is None
    return signing


def test_it_goes_on_from_what_the_restored_database_has_signed(restored, heartbeats):
    resume()
    heartbeats(4)
    assert restored.sign().size == 9
    event = Event.objects.of_type("signing.resumed").get().content["data"]
    assert (event["why"], event["size"], event["last_size"]) == ("backup_restored", 3, 5)
    assert [path.read_text() for path in restored.folder.glob("given-up-5*")] == [restored.given_up]


def test_after_it_the_earlier_signed_part_binds_as_before(restored, superuser_sql):
    resume()
    superuser_sql("UPDATE audit_entry SET leaf = sha256(leaf) WHERE idx = 2")
    sequence_everything()
    assert restored.look() is None
    assert refusals()[-1]["why"] == "not_extended"


def test_without_need_nothing_is_given_up(signing):
    signing.sign()
    with pytest.raises(CommandError, match="nothing to give up"):
        resume()
    assert not Event.objects.of_type("signing.resumed").exists()


def test_a_lost_folder(signing, heartbeats):
    signing.sign()
    signing.last_note.unlink()
    signing.folder.rmdir()
    assert signing.look() is None
    resume("note_lost")
    heartbeats(1)
    assert signing.sign().size == 4


def test_a_checkpoint_that_is_not_true_of_its_own_log_is_no_ground(restored, superuser_sql):
    superuser_sql("UPDATE audit_entry SET leaf = sha256(leaf) WHERE idx = 2")
    with pytest.raises(CommandError, match="verify_audit"):
        resume()


def test_a_forged_checkpoint_is_no_ground(restored, superuser_sql):
    superuser_sql("UPDATE audit_checkpoint SET note = replace(note, '3', '2')")
    with pytest.raises(CommandError, match="not one we signed"):
        resume()


def test_a_reason_is_asked_for(restored):
    with pytest.raises(CommandError):
        call_command("resume_signing")
    assert latest_checkpoint().size == 3
