"""Sweeps for as long as it runs: returns what stopped workers held, rings for what is due. It needs no Celery, and no
broker either: while that is away it sends by itself, from one process and slowly."""

from uuid import UUID

from breachdesk.pulse import note_run
from breachdesk.serving import TRY_AGAIN_AFTER, Service
from notifications import actions, alarms, returned_mail, sending, sweeping, tasks
from notifications.mail_events import apply_events
from notifications.one_by_one import kept_apart
from notifications.routes import connect

LOOK_AGAIN_AFTER_WORK = 2.0
SENDS_FOR = 10.0  # seconds in all, where no doorbell can be rung; then it looks at everything else again


class Command(Service):
    help = (
        "Returns what stopped workers left behind and rings for what is due; while no broker takes a ring, it sends by "
        "itself. One process does it; others wait."
    )
    part = "sweeper"

    def serve(self) -> None:
        self.stopping.wait(self._pass())

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
            with kept_apart("Alarms"):
                alarms.pause_where_needed()
        for edition_id in swept.unattended:
            if not tasks.ring(edition_id):
                self._send(edition_id, SENDS_FOR / len(swept.unattended))
        if swept.returned or swept.unknown:
            self.stdout.write(f"Returned {swept.returned:,} deliveries; {swept.unknown:,} are unknown.")
        return LOOK_AGAIN_AFTER_WORK if started or swept.found_work or returned or applied else swept.next_in

    def _send(self, edition_id: UUID, seconds: float) -> None:
        """No worker hears of it, so it is sent from here, as any worker would."""
        sending.drain_edition(edition_id, connect=connect, seconds=seconds, should_stop=self.stopping.is_set)
