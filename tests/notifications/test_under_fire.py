"""Five small schedules of what `make faults` plays for long: workers killed and frozen beyond their lease, connections
to the database cut, two people pressing opposite buttons, a mail server that takes messages and does not say so.

Workers and sweeper are processes of their own, forked warm. tests/faults/sending.py does it with every real process.
"""

import os
import random
import signal
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from typing import Any

import pytest
from django.core.exceptions import ValidationError
from django.db import Error, connection

from breachdesk.accounts.models import User
from notifications import actions, invariants, sending, sweeping
from notifications.invariants.accepted import Accepted, digest_of
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
from tests.notifications.sink import Fault, Sink
from tests.notifications.test_drain import through
from tests.notifications.test_failpoints import forked
from tests.services import until

__all__ = ["through"]
PEOPLE, SEEDS, CONNECTIONS, WINDOW = 500, range(1, 6), 4, 8
SECONDS = 1.2
TIMEOUT, MARGIN = 1, 2
LEASE = TIMEOUT + MARGIN


class Fire:
    """Two workers and a sweeper; whoever dies is replaced at once."""

    def __init__(self, edition: Edition, seed: int) -> None:
        self.edition, self.chance = edition, random.Random(seed)
        self.work: dict[str, Callable[[], Any]] = {
            "worker": self._drain,
            "worker 2": self._drain,
            "sweeper": self._sweep,
        }
        self.processes = {name: self._start(name) for name in self.work}
        self.doubts = 0

    def _start(self, name: str) -> int:
        return forked(lambda: self._for_ever(self.work[name]), "")

    def _for_ever(self, work: Callable[[], Any]) -> None:
        while True:
            with suppress(Error):
                work()
            connection.close()
            time.sleep(0.4)

    def _drain(self) -> None:
        sending.drain_edition(self.edition.pk, connect=connect, seconds=20)

    def _sweep(self) -> None:
        with sweeping.sweeper_lock() as held:
            if held:
                sweeping.sweep()

    def kill(self, name: str) -> None:
        os.kill(self.processes[name], signal.SIGKILL)
        os.waitpid(self.processes[name], 0)
        self.processes[name] = self._start(name)
        self.doubts += CONNECTIONS if name != "sweeper" else 0

    def freeze(self, name: str) -> None:
        os.kill(self.processes[name], signal.SIGSTOP)
        self.doubts += CONNECTIONS * WINDOW

    def thaw(self) -> None:
        for process in self.processes.values():
            os.kill(process, signal.SIGCONT)

    def cut_off(self) -> None:
        with connection.cursor() as cursor:
            cursor.execute(
                "SELECT pg_terminate_backend(pid) FROM pg_stat_activity"
                " WHERE datname = current_database() AND pid <> pg_backend_pid()"
            )
        self.doubts += 2 * CONNECTIONS

    def press(self, people: list[User]) -> None:
        """Each may be refused, for the other was quicker."""
        with suppress(ValidationError):
            actions.pause_edition(Edition.objects.get(pk=self.edition.pk), by=people[1])
        with suppress(ValidationError):
            actions.resume_edition(Edition.objects.get(pk=self.edition.pk), by=people[0])

    def end(self) -> None:
        for process in self.processes.values():
            os.kill(process, signal.SIGKILL)
            os.waitpid(process, 0)


@contextmanager
def fire_on(edition: Edition, seed: int) -> Iterator[Fire]:
    fire = Fire(edition, seed)
    try:
        yield fire
    finally:
        fire.end()


def happen(fire: Fire, people: list[User]) -> None:
    """One worker is frozen until its lease is over; kills and cuts meet the other, and the sweeper."""
    frozen, other = fire.chance.sample(["worker", "worker 2"], 2)
    acts: list[Callable[[], None]] = [
        lambda: fire.freeze(frozen),
        lambda: fire.kill(other),
        lambda: fire.kill(fire.chance.choice([other, "sweeper"])),
        fire.cut_off,
        lambda: fire.press(people),
    ]
    fire.chance.shuffle(acts)
    for act in acts:
        time.sleep(fire.chance.uniform(0.1, 2 * SECONDS / len(acts)))
        act()
    time.sleep(LEASE)
    fire.thaw()


def is_at_rest(edition: Edition, by: User) -> bool:
    """Whoever waits for a later try is due at once, and what stands still goes on."""
    if Edition.objects.get(pk=edition.pk).state == Edition.State.PAUSED:
        actions.resume_edition(edition, by=by)
    with unguarded():
        Delivery.objects.filter(edition=edition, state="retry_wait").update(next_at="2026-01-01T00:00Z")
    is_open = Batch.objects.filter(edition=edition, settled_at=None).exists()
    return not is_open and Edition.objects.get(pk=edition.pk).state == Edition.State.FINISHED


@pytest.mark.django_db(transaction=True)
def test_nobody_gets_it_twice_and_nobody_is_lost(through: Callable[..., None]) -> None:
    make_organisation()
    incident, author, people = make_incident(), make_user("author"), [make_user("approver"), make_user("dpo")]
    rows = [f"HR-{n},Ana,Person {n},person{n:04}@example.com,en" for n in range(PEOPLE)]
    make_people(incident, "\n".join(["customer_id,first_name,last_name,email,language", *rows]))
    for seed in SEEDS:
        draft = actions.create_notice(incident, title=f"Schedule {seed}", by=author).editions.with_incident().get()
        edition = make_approved_edition(make_edition_in_review(draft), by=make_user("approver"))
        faults = [Fault("dot", "take_and_drop", times=3), Fault("rcpt", "450 4.2.1 later", "person01", times=5)]
        with Sink(faults, delay=SECONDS * 2 * CONNECTIONS / PEOPLE) as sink:
            terms = {"smtp_timeout": TIMEOUT, "lease_margin": MARGIN}
            through(sink, smtp_connections=CONNECTIONS, send_window=WINDOW, **terms)
            actions.start_edition(edition, by=people[0])
            with fire_on(edition, seed) as fire:
                happen(fire, people)
                until(lambda edition=edition: is_at_rest(edition, people[0]), seconds=150)
        accepted = [Accepted(time.time(), one.sender, one.to, digest_of(one.message)) for one in sink.caught]
        found = invariants.check(edition=edition.pk, accepted=accepted, most_unknown=fire.doubts + 3, at_rest=True)
        assert [str(finding) for finding in found.findings] == [], f"seed {seed}"
        assert set(sink.times().values()) == {1}, f"seed {seed}"
