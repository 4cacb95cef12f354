"""A real worker is stopped: asked by the signal that a deployment sends, or killed where its environment says."""

import os
import re
import signal
import subprocess
import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager

import pytest
import yaml

from breachdesk.environment import Environment
from notifications import sweeping, tasks
from notifications.ends import End
from tests.notifications.sink import Sink
from tests.notifications.test_drain import being_sent, drain, states, through
from tests.notifications.test_sweep import start_worker
from tests.services import ROOT, database_url, until

__all__ = ["through"]
QUIETLY = ("--loglevel", "INFO")
COMPOSE = yaml.safe_load((ROOT / "docker-compose.yml").read_text())


@contextmanager
def celery_worker(sink: Sink, **more: str) -> Iterator["subprocess.Popen[bytes]"]:
    """As docker-compose.yml starts it, with one sending process."""
    command = [sys.executable, "-m", *COMPOSE["services"]["worker"]["command"], "--concurrency", "1"]
    environment = os.environ | {
        "DJANGO_SETTINGS_MODULE": "tests.settings",
        "DATABASE_URL": database_url(),
        "BREACHDESK_SMTP_PORT": str(sink.port),
        "BREACHDESK_SMTP_CONNECTIONS": "2",
        **more,
    }
    worker = subprocess.Popen(command, cwd=ROOT, env=environment, start_new_session=True)
    try:
        yield worker
    finally:
        if worker.poll() is None:
            os.killpg(worker.pid, signal.SIGKILL)
        worker.wait()


@pytest.mark.django_db(transaction=True)
def test_a_worker_that_is_asked_to_stop_by_its_signal_leaves_nobody_in_doubt() -> None:
    """Its main process alone gets it, as by KillMode=mixed; its child puts down what it holds."""
    edition = being_sent(100)
    with Sink(delay=0.1) as sink:
        tasks.ring(edition.pk)
        with celery_worker(sink) as worker:
            until(lambda: len(sink.caught) >= 10)
            worker.send_signal(signal.SIGTERM)
            assert worker.wait(60) == 0
        told = len(sink.caught)
        assert told < 100
        assert states(edition) == {"handed_over": told, "planned": 100 - told}
        assert sweeping.sweep().unattended == [edition.pk]
    assert set(sink.times().values()) == {1}
    with tasks.drain.app.connection_for_write() as broker:
        broker.default_channel.queue_purge("celery")


def test_both_ways_of_deployment_give_it_the_time_and_signal_its_main_process_alone() -> None:
    unit = dict(re.findall(r"^(\w+)=(.+)$", (ROOT / "docs/operating.md").read_text(), re.M))
    worker = COMPOSE["services"]["worker"]
    assert (unit["KillMode"], unit["Restart"]) == ("mixed", "always")
    grace = int(worker["stop_grace_period"].removesuffix("s"))
    assert int(unit["TimeoutStopSec"]) == grace > Environment.model_fields["smtp_timeout"].default
    assert worker["init"], "its first process passes the signal on to the main one"
    assert unit["ExecStart"].split()[1:] == [word for word in worker["command"][1:] if word not in QUIETLY]


@pytest.mark.django_db(transaction=True)
def test_a_process_dies_at_the_gap_that_its_environment_names(through: Callable[..., None]) -> None:
    """At the third message that is on the wire: the journal settles the two before it, and it alone is in doubt."""
    edition = being_sent(20)
    with Sink() as sink:
        dying = start_worker(edition, sink, BREACHDESK_FAILPOINT="G7:3", BREACHDESK_SMTP_CONNECTIONS="1")
        assert dying.wait(60) == -signal.SIGKILL
        assert sweeping.sweep().unknown == 1
        through(sink)
        until(lambda: drain(edition) in (End.NOTHING_DUE, End.CLOSED) and not states(edition)["planned"])
    assert states(edition) == {"handed_over": 19, "unknown": 1}
    assert set(sink.times().values()) == {1}
