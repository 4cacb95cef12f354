"""Sweeps for as long as it runs: returns what stopped workers held, rings for what is due. It needs no Celery."""

import signal
import threading
from typing import Any

from django.core.management.base import BaseCommand
from django.db import InterfaceError, OperationalError, connection

from breachdesk.pulse import note_run
from notifications import sweeping, tasks
from notifications.provider_events import apply_events

LOOK_EVERY = 15.0
LOOK_AGAIN_AFTER_WORK = 2.0
TRY_AGAIN_AFTER = 1.0


class Command(BaseCommand):
    help = "Returns what stopped workers left behind and rings for what is due. One process does it; others wait."
    requires_system_checks: list[str] = []

    def handle(self, *args: Any, **options: Any) -> None:
        self.stopping = threading.Event()
        for number in (signal.SIGTERM, signal.SIGINT):
            signal.signal(number, lambda *_: self.stopping.set())
        while not self.stopping.is_set():
            self.stopping.wait(self._pass())
        self.stdout.write("The sweeper stopped.")

    def _pass(self) -> float:
        """Seconds until the next look."""
        try:
            with sweeping.sweeper_lock() as held:
                if not held:
                    return TRY_AGAIN_AFTER
                note_run("sweeper")
                swept = sweeping.sweep()
                applied = apply_events()
        except (OperationalError, InterfaceError) as error:
            self.stderr.write(f"The database does not answer ({str(error).strip()}). Trying again every second.")
            connection.close()
            return TRY_AGAIN_AFTER
        for edition_id in swept.unattended:
            tasks.ring(edition_id)
        if swept.returned or swept.unknown:
            self.stdout.write(f"Returned {swept.returned:,} deliveries; {swept.unknown:,} are unknown.")
        return LOOK_AGAIN_AFTER_WORK if swept.found_work or applied else LOOK_EVERY
