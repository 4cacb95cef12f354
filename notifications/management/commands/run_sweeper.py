"""Sweeps for as long as it runs: returns what stopped workers held, rings for what is due. It needs no Celery, and no
broker either: while that is away it sends by itself, from one process and slowly."""

import logging
from collections.abc import Sequence
from threading import Thread
from typing import Any
from uuid import UUID

from breachdesk.pulse import note_run
from breachdesk.serving import TRY_AGAIN_AFTER, Service
from notifications import actions, alarms, returned_mail, sending, sweeping, tasks
from notifications.ledger import DATABASE_ERRORS
from notifications.mail_events import apply_events
from notifications.one_by_one import kept_apart
from notifications.routes import connect

logger = logging.getLogger(__name__)
LOOK_AGAIN_AFTER_WORK = 2.0
SENDS_FOR = 10.0  # seconds in all, where no doorbell can be rung; then it rings again


class Command(Service):
    help = (
        "Returns what stopped workers left behind and rings for what is due; while no broker takes a ring, it sends by "
        "itself. One process does it; others wait."
    )
    part = "sweeper"

    def __init__(self, *args: Any, **options: Any) -> None:
        super().__init__(*args, **options)
        self.sender: Thread | None = None

    def serve(self) -> None:
        self.stopping.wait(self._pass())
        if self.stopping.is_set() and self.sender:
            self.sender.join()

    def _pass(self) -> float:
        """Seconds until the next look."""
        with sweeping.sweeper_lock() as hold:
            if not hold:
                return TRY_AGAIN_AFTER
            note_run("sweeper")
            hold.demand()
            started = actions.start_due_editions()
            swept = sweeping.sweep()
            returned = applied = 0
            with kept_apart("Returned mail"):
                returned = returned_mail.take_new()
            with kept_apart("What was heard later"):
                applied = apply_events()
            alarms.pause_where_needed()
        if unheard := [edition_id for edition_id in swept.unattended if not tasks.ring(edition_id)]:
            self._send_beside(unheard)
        if swept.returned or swept.unknown:
            self.stdout.write(f"Returned {swept.returned:,} deliveries; {swept.unknown:,} are unknown.")
        return LOOK_AGAIN_AFTER_WORK if started or swept.found_work or returned or applied else swept.next_in

    def _send_beside(self, editions: Sequence[UUID]) -> None:
        """No worker hears of them, so they are sent from here; a mail server that hangs holds up nothing else."""
        if self.sender is None or not self.sender.is_alive():
            self.sender = Thread(target=self._send, args=[editions], name="sender")
            self.sender.start()

    def _send(self, editions: Sequence[UUID]) -> None:
        """As any worker would."""
        for edition_id in editions:
            try:
                sending.drain_edition(
                    edition_id, connect=connect, seconds=SENDS_FOR / len(editions), should_stop=self.stopping.is_set
                )
            except DATABASE_ERRORS as problem:
                logger.warning("Edition %s is sent from here later. %s", edition_id, str(problem).strip())
