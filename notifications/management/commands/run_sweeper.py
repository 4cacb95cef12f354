"""Sweeps for as long as it runs: returns what stopped workers held, rings for what is due. It needs no Celery."""

from breachdesk.pulse import note_run
from breachdesk.serving import TRY_AGAIN_AFTER, Service
from notifications import actions, alarms, returned_mail, sweeping, tasks
from notifications.mail_events import apply_events
from notifications.one_by_one import kept_apart

LOOK_AGAIN_AFTER_WORK = 2.0


class Command(Service):
    help = "Returns what stopped workers left behind and rings for what is due. One process does it; others wait."
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
            tasks.ring(edition_id)
        if swept.returned or swept.unknown:
            self.stdout.write(f"Returned {swept.returned:,} deliveries; {swept.unknown:,} are unknown.")
        return LOOK_AGAIN_AFTER_WORK if started or swept.found_work or returned or applied else swept.next_in
