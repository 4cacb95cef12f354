"""A process dies at each gap between two steps of a hand-over: what it leaves, and who still gets the message.

Each time a process of its own is forked warm, dies where it is told to, and the sweeper and another worker go on.
"""

import os
import signal
import time
from collections import Counter
from collections.abc import Callable
from contextlib import suppress
from typing import Any

import pytest
from django.db import connection, connections

from breachdesk.environment import read_environment
from notifications import actions, failpoints, invariants, journal, sending, sweeping
from notifications.failpoints import Failpoint
from notifications.models import Batch, Delivery, Edition
from notifications.routes import connect
from tests.factories import (
    make_approved_edition,
    make_edition_in_review,
    make_incident,
    make_organisation,
    make_people,
    make_user,
    unguarded,
)
from tests.notifications.sink import Sink
from tests.notifications.test_drain import drain, through
from tests.services import until

__all__ = ["through"]
PEOPLE = 12
# How many are called unknown in the end. Only who was on the wire can be: the journal knows of all others.
UNKNOWN = {"G2": 0, "G3": 0, "G4": 0, "G5": 0, "G5:3": 0, "G6": 0, "G7": 1, "G8": 0, "G9": 0, "G10": 1}
# What the process leaves, where that does not hang on how fast the database is: two are begun together.
LEFT = {
    "G2": {"claimed": 12},
    "G4": {"claimed": 10, "handing_over": 2},
    "G5": {"claimed": 10, "handing_over": 2},
}


def test_the_setting_is_read_and_refused_outside_a_demo() -> None:
    assert Failpoint.parse("G5:3:stop") == Failpoint("G5", 3, "stop")
    assert Failpoint.parse("G10") == Failpoint("G10", 1, "kill")
    assert Failpoint.parse("G4:raise") == Failpoint("G4", 1, "raise")
    assert failpoints.armed.gap == ""
    given = {**os.environ, "BREACHDESK_FAILPOINT": "G5:3:stop", "BREACHDESK_BASE_URL": "https://desk.example"}
    assert read_environment(given).failpoint == "G5:3:stop"
    with pytest.raises(ValueError, match="no demo"):
        read_environment({**given, "BREACHDESK_DEMO": "0"})
    with pytest.raises(ValueError, match="FAILPOINT"):
        read_environment({**given, "BREACHDESK_FAILPOINT": "G11"})


class Case:
    """The same twelve people, and a notice of its own for each gap."""

    def __init__(self) -> None:
        make_organisation()
        self.incident, self.author, self.approver = make_incident(), make_user("author"), make_user("approver")
        rows = [f"HR-{n},Ana,Person {n},person{n:04}@example.com,en" for n in range(PEOPLE)]
        make_people(self.incident, "\n".join(["customer_id,first_name,last_name,email,language", *rows]))

    def draft(self, title: str) -> Edition:
        return actions.create_notice(self.incident, title=title, by=self.author).editions.with_incident().get()

    def approved(self, title: str) -> Edition:
        return make_approved_edition(make_edition_in_review(self.draft(title)), by=self.approver)

    def started(self, title: str) -> Edition:
        return actions.start_edition(self.approved(title), by=self.approver)


def forked(work: Callable[[], Any], failpoint: str) -> int:
    """A process that does this with a failpoint; its id."""
    connections.close_all()
    process = os.fork()
    if not process:
        with suppress(BaseException):
            failpoints.armed = Failpoint.parse(failpoint)
            work()
        os._exit(0)
    return process


def died(work: Callable[[], Any], failpoint: str) -> None:
    _, status = os.waitpid(forked(work, failpoint), 0)
    assert os.WTERMSIG(status) == signal.SIGKILL, f"it did not come by {failpoint}"


def work_on(edition: Edition) -> Callable[[], Any]:
    return lambda: sending.drain_edition(edition.pk, connect=connect, seconds=20)


def states(edition: Edition) -> Counter[str]:
    return Counter(Delivery.objects.filter(edition=edition).values_list("state", flat=True))


def carry_on(edition: Edition) -> None:
    """The sweeper looks, once what the dead process had in the database has ended, and another worker goes on."""

    def is_done() -> bool:
        sweeping.sweep()
        drain(edition)
        return not Edition.objects.filter(pk=edition.pk, state="sending").exists()

    until(is_done)


@pytest.mark.django_db(transaction=True)
def test_whatever_gap_it_dies_in_everybody_gets_it_once(through: Callable[..., None]) -> None:
    case = Case()
    with Sink() as sink:
        for gap, unknown in UNKNOWN.items():
            # While a window is committed the half after it may be on the wire; one message at a time leaves it empty.
            through(sink, smtp_connections=1, send_window=1 if gap == "G9" else 4)
            edition = case.started(gap)
            sink.caught.clear()
            died(work_on(edition), gap)
            assert states(edition) == LEFT.get(gap, states(edition)), gap
            carry_on(edition)
            assert states(edition) == {"handed_over": PEOPLE - unknown, **({"unknown": unknown} if unknown else {})}, (
                gap
            )
            times = sink.times()
            assert set(times.values()) == {1}, gap
            assert PEOPLE - unknown <= len(times) <= (PEOPLE - 1 if gap == "G10" else PEOPLE), gap
        assert not list(journal.folder().iterdir())
    assert [str(finding) for finding in invariants.check(at_rest=True).findings] == []


@pytest.mark.django_db(transaction=True)
def test_a_plan_or_a_start_that_dies_is_done_whole_or_not_at_all(through: Callable[..., None]) -> None:
    case = Case()
    draft = case.draft("dies while it is planned")
    died(lambda: make_edition_in_review(draft), "G0")
    assert not Delivery.objects.exists()
    edition = make_approved_edition(make_edition_in_review(Edition.objects.with_incident().get()), by=case.approver)
    died(lambda: actions.start_edition(edition, by=case.approver), "G1")
    assert Edition.objects.get().state == Edition.State.SENDING
    assert sweeping.sweep().unattended == [edition.pk]
    with Sink() as sink:
        through(sink)
        carry_on(edition)
    assert set(sink.times().values()) == {1}
    assert states(edition) == {"handed_over": PEOPLE}


@pytest.mark.django_db(transaction=True)
@pytest.mark.parametrize("gap", ["G4", "G9"])
def test_a_commit_whose_answer_is_lost_leaves_nobody_in_doubt(through: Callable[..., None], gap: str) -> None:
    edition = Case().started(gap)
    with Sink() as sink:
        through(sink, smtp_connections=1, send_window=4)
        _, status = os.waitpid(forked(work_on(edition), f"{gap}:raise"), 0)
        assert status == 0
        carry_on(edition)
    assert set(sink.times().values()) == {1}
    assert states(edition) == {"handed_over": PEOPLE}


@pytest.mark.django_db(transaction=True)
def test_a_worker_frozen_beyond_its_lease_writes_no_dot_when_it_goes_on(through: Callable[..., None]) -> None:
    edition = Case().started("frozen")
    with Sink() as sink:
        through(sink, smtp_connections=1, send_window=4, smtp_timeout=1, lease_margin=2)
        frozen = forked(work_on(edition), "G10:stop")
        os.waitpid(frozen, os.WUNTRACED)
        time.sleep(2.1)  # it may write no dot any more
        with unguarded():
            Batch.objects.update(lease_until="2026-01-01T00:00Z")
        through(sink)  # who goes on waits longer for an answer: a busy machine gives none within a second
        carry_on(edition)
        assert states(edition) == {"handed_over": PEOPLE - 2, "unknown": 2}
        before = len(sink.caught)
        os.kill(frozen, signal.SIGCONT)
        os.waitpid(frozen, 0)
        assert len(sink.caught) == before == PEOPLE - 2
    assert states(edition) == {"handed_over": PEOPLE - 2, "unknown": 2}
    connection.close()
