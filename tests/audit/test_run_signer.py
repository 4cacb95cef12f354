"""The signer as a process of its own: what it signs by itself, killed, doubled, and cut off from its database."""

import os
import signal
import subprocess
import sys
from pathlib import Path

import pytest
from django.db import connection, transaction

from breachdesk.audit.checkpoints import latest_checkpoint, public_keys
from breachdesk.audit.locks import is_held_elsewhere
from breachdesk.audit.models import Checkpoint, Event
from breachdesk.audit.note import verify_note
from breachdesk.audit.record import record
from breachdesk.audit.sequencer import sequence_everything
from breachdesk.audit.signer import LOCK
from tests.audit.test_run_sequencer import database_url, until

pytestmark = pytest.mark.django_db(transaction=True)
ROOT = Path(__file__).parents[2]


@pytest.fixture
def start(signing):
    running = []

    def start():
        environment = os.environ | {
            "DATABASE_URL": database_url(),
            "DJANGO_SETTINGS_MODULE": "tests.settings",
            "BREACHDESK_SIGNING_KEY_FILE": str(signing.key),
            "BREACHDESK_SIGNER_DIR": str(signing.folder),
        }
        command = [sys.executable, "manage.py", "run_signer"]
        pipes = {"stdout": subprocess.PIPE, "stderr": subprocess.PIPE, "text": True}
        running.append(subprocess.Popen(command, cwd=ROOT, env=environment, **pipes))
        return running[-1]

    yield start
    for process in running:
        process.kill()
        process.wait()


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
    told, wrong = process.communicate(timeout=10)
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
    with connection.cursor() as cursor:
        cursor.execute(
            "SELECT pg_terminate_backend(pid) FROM pg_locks WHERE locktype = 'advisory' AND granted"
            " AND database = (SELECT oid FROM pg_database WHERE datname = current_database())"
        )
    until(lambda: not is_running())
    until(is_running)
    approve()
    until(lambda: is_signed(2))
    process.send_signal(signal.SIGTERM)
    _, wrong = process.communicate(timeout=10)
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
    _, wrong = process.communicate(timeout=10)
    assert wrong.count("NOT SIGNED") == 1
    assert wrong.endswith("The log is signed again.\n")
