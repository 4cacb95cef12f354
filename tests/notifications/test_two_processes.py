"""Two workers, each a process of its own, at one sink: what reaches it after a pause, and how fast under limits."""

import os
import signal
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager

import pytest
from django.db import connection

from notifications.actions import pause_edition, resume_edition
from notifications.ends import End
from notifications.invariants.paced import EVER, Arrival, most_beyond
from notifications.models import Delivery, Edition
from notifications.schedule import Schedule
from tests.factories import make_user
from tests.notifications.limited import addresses, being_sent, drain, sink, states
from tests.notifications.test_failpoints import forked, work_on
from tests.services import until

pytestmark = pytest.mark.django_db(transaction=True)
CONNECTIONS, WINDOW = 2, 4


@contextmanager
def two_at(edition: Edition) -> Iterator[Callable[[], None]]:
    """What is yielded waits until both have ended by themselves."""
    processes = [forked(work_on(edition), "") for _ in range(2)]

    def ended() -> None:
        while processes:
            os.waitpid(processes.pop(), 0)
        connection.close()

    try:
        yield ended
    finally:
        for process in processes:
            os.kill(process, 9)
        ended()


def test_after_the_answer_to_a_pause_no_more_arrive_than_it_said_were_on_their_way() -> None:
    edition = being_sent(Schedule(), people=addresses(160))
    with sink(smtp_connections=CONNECTIONS, send_window=WINDOW) as caught:
        caught.delay = 0.1
        with two_at(edition) as ended:
            until(lambda: len(caught.caught) >= 12)
            in_air = pause_edition(Edition.objects.get(), by=make_user("dpo"))
            on_the_wire = len(caught.caught)
            ended()
        assert in_air <= 2 * CONNECTIONS * WINDOW, "a window for each connection of each worker"
        assert len(caught.caught) - on_the_wire <= in_air
        assert len(caught.caught) < 160
        assert states(edition) == {"handed_over": len(caught.caught), "planned": 160 - len(caught.caught)}
        assert drain(edition) is End.CLOSED
        caught.delay = 0
        resume_edition(Edition.objects.get(), by=make_user("approver"))
        assert drain(edition) is End.NOTHING_DUE
    assert set(caught.times().values()) == {1}
    assert states(edition) == {"handed_over": 160}


def test_workers_that_were_held_up_add_nothing_to_what_another_sends() -> None:
    """Three of four freeze with their hands full. What they have lost its turn; only what the mail server was told of
    already may follow when they go on."""
    edition = being_sent(Schedule(per_minute=6000), people=addresses(360))
    with sink(smtp_connections=CONNECTIONS, send_window=WINDOW, smtp_timeout=60) as caught:
        caught.delay = 0.3
        processes = [forked(work_on(edition), "") for _ in range(4)]
        try:
            until(lambda: len(caught.caught) >= 16)
            for process in processes[:3]:
                os.kill(process, signal.SIGSTOP)
            caught.delay = 0
            time.sleep(1.5)
        finally:
            for process in processes:
                os.kill(process, signal.SIGCONT)
            for process in processes:
                os.waitpid(process, 0)
        connection.close()
        drain(edition)  # what the last of them put down
    assert set(caught.times().values()) == {1}
    assert states(edition) == {"handed_over": 360}
    assert not Delivery.objects.exclude(tries=1).exists(), "a lost turn is no try"
    arrived = [Arrival(one.at) for one in sorted(caught.caught, key=lambda one: one.at)]
    assert most_beyond(arrived, [(EVER, 6000)])[0] <= 3 * CONNECTIONS


def test_two_workers_keep_one_limit_on_the_wire() -> None:
    edition = being_sent(
        Schedule(per_minute=1500, per_domain=900), people=[*addresses(50), *addresses(30, "two.example")]
    )
    with sink(smtp_connections=CONNECTIONS, send_window=WINDOW) as caught, two_at(edition) as ended:
        ended()
    assert set(caught.times().values()) == {1}
    assert states(edition) == {"handed_over": 80}
    arrived = [Arrival(one.at) for one in caught.caught]
    assert most_beyond(arrived, [(EVER, 1500)])[0] <= 0
    first = [Arrival(one.at) for one in caught.caught if one.to.endswith("@example.com")]
    assert most_beyond(first, [(EVER, 900)])[0] <= 0
    assert most_beyond(first, [(EVER, 60)])[0] > 0, "and it is used"
