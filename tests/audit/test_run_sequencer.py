"""The command as a process of its own: stopped, killed, and cut off from its database."""

import os
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest
from django.conf import settings
from django.db import connection

from breachdesk.audit.models import Entry, Event, Pending
from breachdesk.audit.sequencer import is_sequencer_running
from breachdesk.audit.verification import verify

pytestmark = pytest.mark.django_db(transaction=True)
ROOT = Path(__file__).parents[2]


def until(condition, seconds=20):
    deadline = time.monotonic() + seconds
    while not condition():
        assert time.monotonic() < deadline, "it did not happen in time"
        time.sleep(0.05)


def database_url():
    database = settings.DATABASES["default"]
    server = f"host={database['HOST']}&port={database['PORT'] or 5432}"
    return f"postgresql://{database['USER']}:{database['PASSWORD']}@/{database['NAME']}?{server}"


@pytest.fixture
def start():
    running = []

    def start():
        environment = {**os.environ, "DATABASE_URL": database_url(), "DJANGO_SETTINGS_MODULE": "tests.settings"}
        command = [sys.executable, "manage.py", "run_sequencer"]
        pipes = {"stdout": subprocess.PIPE, "stderr": subprocess.PIPE, "text": True}
        running.append(subprocess.Popen(command, cwd=ROOT, env=environment, **pipes))
        return running[-1]

    yield start
    for process in running:
        process.kill()
        process.wait()


def linked():
    return not Pending.objects.exists() and Entry.objects.exists()


def test_it_links_what_is_recorded_and_stops_on_sigterm(start, heartbeats):
    process = start()
    until(is_sequencer_running)
    heartbeats(5)
    until(linked)
    assert Event.objects.of_type("heartbeat").count() == 6  # its own first one
    process.send_signal(signal.SIGTERM)
    told, wrong = process.communicate(timeout=10)
    assert (process.returncode, wrong) == (0, "")
    assert told.endswith("The sequencer stopped.\n")
    assert verify().verdict == "VALID"


def test_killed_it_leaves_whole_batches_and_the_next_one_goes_on(start, heartbeats):
    heartbeats(3000)
    process = start()
    until(Entry.objects.exists)
    process.kill()
    process.wait()
    assert verify().finding is None
    start()
    until(linked)
    assert verify().verdict == "VALID"


def test_a_second_one_waits_and_takes_over(start, heartbeats):
    first = start()
    until(is_sequencer_running)
    start()
    time.sleep(1)
    first.kill()
    first.wait()
    until(is_sequencer_running)
    heartbeats(3)
    until(linked)
    assert verify().verdict == "VALID"


def test_it_survives_losing_its_database_session(start, heartbeats):
    process = start()
    until(is_sequencer_running)
    with connection.cursor() as cursor:
        cursor.execute(
            "SELECT pg_terminate_backend(pid) FROM pg_locks WHERE locktype = 'advisory' AND granted"
            " AND database = (SELECT oid FROM pg_database WHERE datname = current_database())"
        )
    until(lambda: not is_sequencer_running())
    until(is_sequencer_running)
    heartbeats(3)
    until(linked)
    process.send_signal(signal.SIGTERM)
    _, wrong = process.communicate(timeout=10)
    assert "The database does not answer" in wrong
    assert process.returncode == 0
