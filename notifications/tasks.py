"""Doorbells. A ring says "look at this edition"; it may be lost, doubled or late without harm."""

import logging
import mmap
import os
from datetime import timedelta
from uuid import UUID

from celery.signals import worker_shutting_down
from django.utils import timezone
from kombu.exceptions import OperationalError

from breachdesk.celery import app
from notifications import alarms, letter_making, sending, sweeping
from notifications.ends import End
from notifications.failpoints import reach
from notifications.letter_files import discard_forgotten
from notifications.models import LetterRun
from notifications.routes import connect

logger = logging.getLogger(__name__)

LETTERS_FOR = 40.0  # seconds until the next ring; a file that was begun is still finished
LONGEST_LETTERS = 900
FORGOTTEN_AFTER = timedelta(days=1)

# One byte that the worker's main process shares with its children: they put their rows down when it is asked to stop.
_stopping = mmap.mmap(-1, 1)


@worker_shutting_down.connect
def _say_stop(**_: object) -> None:
    _stopping[0] = 1


@app.task
def drain(edition_id: str) -> None:
    """Passes the ring on as soon as there is more to do than it can do at once.

    So each worker that is free joins, and one ring is always left for whoever is free next; it rings at its end only if
    it did not pass one on, or they would grow in number.
    """
    parent, edition, passed_on = os.getppid(), UUID(edition_id), list[UUID]()

    def call_others() -> None:
        ring(edition)
        passed_on.append(edition)

    end = sending.drain_edition(
        edition,
        connect=connect,
        should_stop=lambda: bool(_stopping[0]) or os.getppid() != parent,
        call_others=call_others,
    )
    if end in (End.TIME, End.STOPPED) and not passed_on:
        ring(edition)


@app.task
def sweep() -> None:
    with sweeping.sweeper_lock() as held:
        unattended = sweeping.sweep().unattended if held else []
        if held:
            alarms.pause_where_needed()
    for edition_id in unattended:
        ring(edition_id)


def ring(edition_id: UUID) -> bool:
    """False where no broker takes it. That never fails or stalls whoever rings: the sweeper rings again."""
    reach("G1")
    try:
        drain.delay(str(edition_id))
    except (OperationalError, OSError) as problem:
        logger.warning("The doorbell of edition %s could not be rung: %s", edition_id, problem)
        return False
    return True


@app.task(time_limit=LONGEST_LETTERS)
def make_letters(run_id: str) -> None:
    parent = os.getppid()
    more = letter_making.work_on_letters(
        UUID(run_id), seconds=LETTERS_FOR, should_stop=lambda: bool(_stopping[0]) or os.getppid() != parent
    )
    if more:
        ring_letters(UUID(run_id))


@app.task
def restart_letters() -> None:
    """Beat rings again for letters whose ring was lost or whose worker has died, and clears away what crashes left."""
    for run in LetterRun.objects.being_made():
        ring_letters(run.pk)
    discard_forgotten(timezone.now() - FORGOTTEN_AFTER)


def ring_letters(run_id: UUID) -> None:
    try:
        make_letters.delay(str(run_id))
    except (OperationalError, OSError) as problem:
        logger.warning("The making of letters %s could not be rung for: %s", run_id, problem)
