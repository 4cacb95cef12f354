"""The signer as a process of its own: what it signs by itself, killed, doubled, and cut off from its database."""

import signal

import pytest
from django.db import transaction

from breachdesk.audit.checkpoints import latest_checkpoint, public_keys
from breachdesk.audit.locks import is_held_elsewhere
from breachdesk.audit.models import Checkpoint, Event
from breachdesk.audit.note import verify_note
from breachdesk.audit.record import record
from breachdesk.audit.sequencer import sequence_everything
from breachdesk.audit.signer import LOCK
from tests.services import cut_off_lock_holders, until

pytestmark = pytest.mark.django_db(transaction=True)


@pytest.fixture
def start(signing, start_service):
    own = {"BREACHDESK_SIGNING_KEY_FILE": str(signing.key), "BREACHDESK_SIGNER_DIR": str(signing.folder)}
    return lambda: start_service("run_signer", **own)


def is_running():
    return is_held_elsewhere(LOCK)


def is_signed(size):
    checkpoint = latest_checkpoint()
    return checkpoint is not None and checkpoint.size >= size


def approve():
    with transaction.atomic():
        record("edition.approved", by=None, language="en", recipients=3)
    sequence_everything()


def test_an_approval_is_signed_at_once_and_it_stops_on_sigterm(start):
    sequence_everything()
    process = start()
    until(lambda: is_signed(1))
    approve()
    until(lambda: is_signed(2))  # far within the minute that everything else waits
    process.send_signal(signal.SIGTERM)
    told, wrong = process.communicate(timeout=60)
    assert (process.returncode, wrong) == (0, "")
    assert told.endswith("The signer stopped.\n")
    for checkpoint in Checkpoint.objects.all():
        verify_note(checkpoint.note, public_keys())


def test_a_second_one_waits_and_takes_over(start):
    sequence_everything()
    first = start()
    until(is_running)
    start()
    until(lambda: is_signed(1))
    first.kill()
    first.wait()
    until(is_running)
    approve()
    until(lambda: is_signed(2))


def test_it_survives_losing_its_database_session(start):
    process = start()
    until(is_running)
    cut_off_lock_holders()
    until(lambda: not is_running())
    until(is_running)
    approve()
    until(lambda: is_signed(2))
    process.send_signal(signal.SIGTERM)
    _, wrong = process.communicate(timeout=60)
    assert "The database does not answer" in wrong
    assert process.returncode == 0


def test_without_its_key_it_says_so_once_and_signs_when_the_key_is_back(start, signing):
    sequence_everything()
    away = signing.key.rename(signing.key.with_name("away"))
    process = start()
    until(lambda: Event.objects.of_type("checkpoint.refused").exists())
    assert latest_checkpoint() is None
    sequence_everything()
    away.rename(signing.key)
    until(lambda: is_signed(2))
    process.send_signal(signal.SIGTERM)
    _, wrong = process.communicate(timeout=60)
    assert wrong.count("NOT SIGNED") == 1
    assert wrong.endswith("The log is signed again.\n")
