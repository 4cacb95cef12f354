"""While no doorbell can be rung, the sweeper sends: PostgreSQL alone is needed for people to be told."""

import signal
import socket
import time
from collections.abc import Callable
from subprocess import Popen
from typing import Any
from uuid import uuid4

import pytest

from notifications import tasks
from notifications.models import Edition
from tests.notifications.sink import Fault, Sink
from tests.notifications.test_drain import being_sent, states
from tests.notifications.test_start_by_itself import armed, its_time_came
from tests.services import until


@pytest.mark.django_db(transaction=True)
def test_with_no_broker_at_all_everybody_is_told_once_and_the_sweeper_still_ends_when_asked(
    start_service: Callable[..., "Popen[str]"],
) -> None:
    edition = being_sent(30)
    with Sink() as sink:
        where: dict[str, Any] = {"REDIS_URL": "redis://127.0.0.1:1/0", "BREACHDESK_SMTP_PORT": str(sink.port)}
        sweeper = start_service("run_sweeper", **where)
        until(lambda: Edition.objects.get(pk=edition.pk).state == Edition.State.FINISHED)
        sweeper.send_signal(signal.SIGTERM)
        assert sweeper.wait(30) == 0
    assert states(edition) == {"handed_over": 30}
    assert set(sink.times().values()) == {1}


@pytest.mark.django_db(transaction=True)
def test_asked_to_stop_in_the_middle_it_puts_down_what_it_holds(start_service: Callable[..., "Popen[str]"]) -> None:
    edition = being_sent(60)
    with Sink(delay=0.1) as sink:
        where = {"BREACHDESK_SMTP_PORT": str(sink.port), "BREACHDESK_SMTP_CONNECTIONS": "1"}
        sweeper = start_service("run_sweeper", REDIS_URL="redis://127.0.0.1:1/0", **where)
        until(lambda: len(sink.caught) >= 5)
        sweeper.send_signal(signal.SIGTERM)
        assert sweeper.wait(30) == 0
    told = len(sink.caught)
    assert states(edition) == {"handed_over": told, "planned": 60 - told}


@pytest.mark.django_db(transaction=True)
def test_a_mail_server_that_hangs_keeps_it_from_nothing_else(start_service: Callable[..., "Popen[str]"]) -> None:
    """It waits for an answer, and meanwhile another notice begins at its time."""
    edition, other = being_sent(3), armed()
    with Sink([Fault("dot", "take_and_silence")]) as sink:
        where = {"BREACHDESK_SMTP_PORT": str(sink.port), "BREACHDESK_SMTP_TIMEOUT": "60"}
        sweeper = start_service("run_sweeper", REDIS_URL="redis://127.0.0.1:1/0", **where)
        until(lambda: len(sink.caught) >= 1)
        its_time_came(other, minutes=1)
        until(lambda: Edition.objects.get(pk=other.pk).state == Edition.State.SENDING, seconds=20)
        assert states(edition)["handing_over"] >= 1, "the answer is still waited for"
        sweeper.send_signal(signal.SIGTERM)
    assert sweeper.wait(30) == 0, "the mail server is gone, so the wait ended"
    assert sum(states(edition)[state] for state in ("unknown", "planned")) == 3


def test_a_broker_that_stands_still_stalls_nobody_who_rings(monkeypatch: pytest.MonkeyPatch) -> None:
    """As Redis that is frozen: it takes connections, and says nothing."""
    app = tasks.drain.app
    with socket.create_server(("127.0.0.1", 0)) as frozen:
        address = f"redis://127.0.0.1:{frozen.getsockname()[1]}/0"
        silent = app.connection_for_write(address, transport_options=app.conf.broker_transport_options)
        monkeypatch.setattr(type(app), "connection_for_write", lambda *_, **__: silent)
        monkeypatch.setattr(app.amqp, "_producer_pool", None)
        monkeypatch.setattr(app, "_pool", None)
        began = time.monotonic()
        assert not tasks.ring(uuid4())
        assert time.monotonic() - began < 8
