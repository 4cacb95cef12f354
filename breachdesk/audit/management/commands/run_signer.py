"""Signs the log for as long as it runs, and is the only process that can. Stops cleanly on SIGTERM."""

import signal
import threading
from typing import Any

from django.core.management.base import BaseCommand
from django.db import InterfaceError, OperationalError, connection

from breachdesk.audit.locks import process_lock
from breachdesk.audit.signer import LOCK, Signer
from breachdesk.pulse import note_run

LOOK_EVERY = 0.5
TRY_AGAIN_AFTER = 1.0


class Command(BaseCommand):
    help = "Signs the audit log with checkpoints. One process does it; a second one waits to take over."
    requires_system_checks: list[str] = []

    def handle(self, *args: Any, **options: Any) -> None:
        self.stopping = threading.Event()
        self.said = ""
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
        self.stdout.write("The signer stopped.")

    def _serve(self) -> None:
        with process_lock(LOCK) as held:
            if not held:
                self.stopping.wait(TRY_AGAIN_AFTER)
                return
            self.stdout.write("Signing the log.")
            signer = Signer()
            while not self.stopping.is_set():
                note_run("signer")
                signer.look()
                self._say(signer)
                self.stopping.wait(LOOK_EVERY)

    def _say(self, signer: Signer) -> None:
        """Each change once: why the log is not signed, and that it is again."""
        sentence = str(signer.refusal or "")
        if sentence == self.said:
            return
        self.said = sentence
        self.stderr.write(f"NOT SIGNED. {sentence}" if sentence else "The log is signed again.")
