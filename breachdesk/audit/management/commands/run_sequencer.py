"""Links events into the log for as long as it runs. Stops cleanly on SIGTERM, after the batch in hand."""

import signal
import threading
import time
from typing import Any

from django.core.management.base import BaseCommand
from django.db import InterfaceError, OperationalError, connection, transaction

from breachdesk.audit.entries import log_size
from breachdesk.audit.record import record
from breachdesk.audit.sequencer import BATCH, sequence_pending, sequencer_lock
from breachdesk.pulse import note_run

LOOK_EVERY = 0.2
TRY_AGAIN_AFTER = 1.0
HEARTBEAT_EVERY = 15 * 60


class Command(BaseCommand):
    help = "Links recorded events into the audit log. One process does it; a second one waits to take over."
    requires_system_checks: list[str] = []

    def handle(self, *args: Any, **options: Any) -> None:
        self.stopping = threading.Event()
        self.next_heartbeat = time.monotonic()
        for number in (signal.SIGTERM, signal.SIGINT):
            signal.signal(number, lambda *_: self.stopping.set())
        while not self.stopping.is_set():
            try:
                self._serve()
            except (OperationalError, InterfaceError) as error:
                reason, *_ = str(error).splitlines() or [type(error).__name__]
                self.stderr.write(f"The database does not answer ({reason}). Trying again every second.")
                connection.close()
                self.stopping.wait(TRY_AGAIN_AFTER)
        self.stdout.write("The sequencer stopped.")

    def _serve(self) -> None:
        with sequencer_lock() as held:
            if not held:
                self.stopping.wait(TRY_AGAIN_AFTER)
                return
            self.stdout.write(f"Linking events from position {log_size():,}.")
            while not self.stopping.is_set():
                note_run("sequencer")
                self._beat()
                if sequence_pending() < BATCH:
                    self.stopping.wait(LOOK_EVERY)

    def _beat(self) -> None:
        """Silence in the log is bracketed too: an idle installation says every 15 minutes that it was running."""
        if time.monotonic() < self.next_heartbeat:
            return
        with transaction.atomic():
            record("heartbeat", by=None, log_size=log_size())
        self.next_heartbeat = time.monotonic() + HEARTBEAT_EVERY
