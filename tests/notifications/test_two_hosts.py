"""A worker on a second host, with settings and a state folder of its own, shares a notice with the first."""

import shutil
from pathlib import Path

import pytest
from pytest_django import Settings

from notifications import sweeping
from notifications.models import Batch, Edition
from tests.notifications.sink import Sink
from tests.notifications.test_drain import being_sent, states
from tests.notifications.test_sweep import start_worker
from tests.services import until

pytestmark = pytest.mark.django_db(transaction=True)
FIRST = {"BREACHDESK_SMTP_CONNECTIONS": "2", "BREACHDESK_SEND_WINDOW": "8"}
SECOND = {"BREACHDESK_SMTP_CONNECTIONS": "5", "BREACHDESK_SEND_WINDOW": "3"}


def on_the_second_host(settings: Settings, state: Path) -> dict[str, str]:
    """Of the state folder it has the keys, without which it could open nobody, and nothing else."""
    shutil.copytree(Path(settings.BREACHDESK.state_dir) / "keys", state / "keys")
    return {**SECOND, "BREACHDESK_STATE_DIR": str(state)}


def test_both_have_a_share_and_nobody_gets_it_twice(settings: Settings, tmp_path: Path) -> None:
    """More people than one batch, so that there is something to share."""
    edition = being_sent(1_400)
    with Sink(delay=0.01) as sink:
        workers = [start_worker(edition, sink, **where) for where in (FIRST, on_the_second_host(settings, tmp_path))]
        assert [worker.wait(60) for worker in workers] == [0, 0]
    assert states(edition) == {"handed_over": 1_400}
    assert set(sink.times().values()) == {1}
    assert len(set(Batch.objects.exclude(rows=0).values_list("journal", flat=True))) == 2, "each noted its own"
    assert Edition.objects.get().state == Edition.State.FINISHED


def test_what_died_with_its_journal_on_another_host_is_in_doubt_and_no_more_than_its_windows(
    settings: Settings, tmp_path: Path
) -> None:
    edition = being_sent(200)
    settings.BREACHDESK = settings.BREACHDESK.model_copy(update={"smtp_timeout": 5, "lease_margin": 2})
    with Sink(delay=0.02) as sink:
        lost = start_worker(edition, sink, **on_the_second_host(settings, tmp_path))
        until(lambda: len(sink.caught) >= 40)
        lost.kill()
        lost.wait(60)
        until(lambda: sweeping.sweep().unknown >= 0 and not Batch.objects.filter(settled_at=None).exists())
        assert 0 < states(edition)["unknown"] <= 5 * 3, "one window for each of its connections"
        assert start_worker(edition, sink, **FIRST).wait(60) == 0
    found = states(edition)
    assert found["handed_over"] + found["unknown"] == 200
    assert set(sink.times().values()) == {1}
