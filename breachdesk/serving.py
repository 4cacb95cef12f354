"""A command that serves for as long as it is not asked to stop, and outlives its database."""

import signal
import threading
from typing import Any

from django.core.management.base import BaseCommand
from django.db import InterfaceError, OperationalError, connection

TRY_AGAIN_AFTER = 1.0


class Service(BaseCommand):
    """`serve` is called again and again; it waits on `stopping`, so that SIGTERM and SIGINT end it at a good place."""

    requires_system_checks: list[str] = []
    part: str

    def __init__(self, *args: Any, **options: Any) -> None:
        super().__init__(*args, **options)
        self.stopping = threading.Event()

    def handle(self, *args: Any, **options: Any) -> None:
        for number in (signal.SIGTERM, signal.SIGINT):
            signal.signal(number, lambda *_: self.stopping.set())
        while not self.stopping.is_set():
            try:
                self.serve()
            except (OperationalError, InterfaceError) as error:
                reason, *_ = str(error).strip().splitlines() or [type(error).__name__]
                self.stderr.write(f"The database does not answer ({reason}). Trying again every second.")
                connection.close()
                self.stopping.wait(TRY_AGAIN_AFTER)
        self.stdout.write(f"The {self.part} stopped.")

    def serve(self) -> None:
        raise NotImplementedError
