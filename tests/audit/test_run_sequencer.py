"""The command as a process of its own: stopped, killed, and cut off from its database."""

import signal
import time

import pytest

from breachdesk.audit.models import Entry, Event, Pending
from breachdesk.audit.sequencer import is_sequencer_running
from breachdesk.audit.verification import verify
from tests.services import cut_off_lock_holders, until

pytestmark = pytest.mark.django_db(transaction=True)


@pytest.fixture
def start(start_service):
    return lambda: start_service("run_sequencer")


def linked():
    return not Pending.objects.exists() and Entry.objects.exists()


def test_it_links_what_is_recorded_and_stops_on_sigterm(start, heartbeats):
    process = start()
    until(is_sequencer_running)
    heartbeats(5)
    until(linked)
    assert Event.objects.of_type("heartbeat").count() == 6  # its own first one
    process.send_signal(signal.SIGTERM)
    told, wrong = process.communicate(timeout=60)
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
    cut_off_lock_holders()
    until(lambda: not is_sequencer_running())
    until(is_sequencer_running)
    heartbeats(3)
    until(linked)
    process.send_signal(signal.SIGTERM)
    _, wrong = process.communicate(timeout=60)
    assert "The database does not answer" in wrong
    assert process.returncode == 0
