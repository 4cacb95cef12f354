"""Destroys what two people decided to destroy, for as long as it runs. Stops cleanly on SIGTERM."""

from typing import Any

from django.core.management.base import CommandParser
from django.utils import timezone

from breachdesk.audit.locks import process_lock
from breachdesk.incidents.erasing import carry_out
from breachdesk.incidents.models import Destruction
from breachdesk.pulse import note_run
from breachdesk.serving import TRY_AGAIN_AFTER, Service
from breachdesk.vault.key_copies import what_still_opens
from breachdesk.vault.sealing import destroy_dead_shares

ERASER_LOCK = 0x6264657261736572  # "bderaser"
LOOK_EVERY = 5.0


class Command(Service):
    help = (
        "Destroys the keys that one person asked to destroy and another confirmed, when their time has come. It alone "
        "may: give it the login breachdesk_eraser. One process does it; a second one waits to take over."
    )
    part = "eraser"

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("--once", action="store_true", help="do what is due now, then stop")

    def handle(self, *args: Any, **options: Any) -> None:
        self.once = options["once"]
        self.refused: dict[str, str] = {}
        super().handle(*args, **options)

    def serve(self) -> None:
        with process_lock(ERASER_LOCK) as hold:
            if not hold:
                self.stopping.wait(TRY_AGAIN_AFTER)
                return
            destroy_dead_shares()  # what a crash left of an earlier destruction
            while not self.stopping.is_set():
                note_run("eraser")
                hold.demand()
                self._look()
                if self.once:
                    self.stopping.set()
                self.stopping.wait(LOOK_EVERY)

    def _look(self) -> None:
        for request in list(Destruction.objects.due_at(timezone.now()).select_related("incident")):
            refusal = carry_out(request.pk, at=timezone.now(), by=None)
            if not refusal:
                self._say_what_is_left(request)
            elif self.refused.get(str(request.pk)) != refusal:
                self.refused[str(request.pk)] = refusal
                self.stderr.write(f"{request.incident.reference}: not destroyed. {refusal}")

    def _say_what_is_left(self, request: Destruction) -> None:
        reference, what = request.incident.reference, request.get_what_display().lower()
        self.stdout.write(f"{reference}: {what} can never be read again; its key is destroyed.")
        for line in what_still_opens(request.incident_id, request.what):
            self.stdout.write(f"{reference}: {line}")
