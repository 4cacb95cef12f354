"""Links events into the log for as long as it runs. Stops cleanly on SIGTERM, after the batch in hand."""

import time

from django.db import transaction

from breachdesk.audit.entries import log_size
from breachdesk.audit.record import record
from breachdesk.audit.sequencer import BATCH, sequence_pending, sequencer_lock
from breachdesk.pulse import note_run
from breachdesk.serving import TRY_AGAIN_AFTER, Service

LOOK_EVERY = 0.2
HEARTBEAT_EVERY = 15 * 60


class Command(Service):
    help = "Links recorded events into the audit log. One process does it; a second one waits to take over."
    part = "sequencer"
    next_heartbeat = 0.0  # by the monotonic clock: at once

    def serve(self) -> None:
        with sequencer_lock() as hold:
            if not hold:
                self.stopping.wait(TRY_AGAIN_AFTER)
                return
            self.stdout.write(f"Linking events from position {log_size():,}.")
            while not self.stopping.is_set():
                note_run("sequencer")
                hold.demand()
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
