"""How the trail is doing: for the command, the status page and the desk."""

from dataclasses import dataclass
from datetime import datetime, timedelta

from django.db import connection

from breachdesk.audit.checkpoints import latest_checkpoint
from breachdesk.audit.entries import log_size
from breachdesk.audit.models import Anchor, Checkpoint, Event, Pending
from breachdesk.audit.sequencer import is_sequencer_running
from breachdesk.audit.signer import REFUSED, is_signer_running

LONGEST_LAG = timedelta(seconds=60)
LONGEST_UNSIGNED = timedelta(minutes=5)


@dataclass(frozen=True)
class TrailStatus:
    """`refusal` is the signer's last word if it was not followed by a signature: an alarm."""

    size: int
    waiting: int
    lag: timedelta
    is_running: bool
    is_signing: bool
    checkpoint_size: int | None
    checkpoint_at: datetime | None
    unsigned_for: timedelta
    refusal: Event | None
    anchored_size: int | None
    anchored_at: datetime | None

    @property
    def is_late(self) -> bool:
        return self.lag > LONGEST_LAG

    @property
    def is_unsigned_for_long(self) -> bool:
        return self.unsigned_for > LONGEST_UNSIGNED


def trail_status(now: datetime) -> TrailStatus:
    oldest = Pending.objects.order_by("event_row").first()
    event = oldest and Event.objects.filter(pk=oldest.event_row).first()
    checkpoint = latest_checkpoint()
    anchor = Anchor.objects.outside().filter(ok=True).newest_first().first()
    return TrailStatus(
        size=log_size(),
        waiting=Pending.objects.count(),
        lag=max(now - event.at, timedelta(0)) if event else timedelta(0),
        is_running=is_sequencer_running(),
        is_signing=is_signer_running(),
        checkpoint_size=checkpoint.size if checkpoint else None,
        checkpoint_at=checkpoint.made_at if checkpoint else None,
        unsigned_for=_unsigned_for(checkpoint, now),
        refusal=_refusal(checkpoint),
        anchored_size=anchor.size if anchor else None,
        anchored_at=anchor.at if anchor else None,
    )


def _unsigned_for(checkpoint: Checkpoint | None, now: datetime) -> timedelta:
    """For how long the first linked event that no checkpoint covers has been recorded."""
    with connection.cursor() as cursor:
        cursor.execute(
            "SELECT at FROM audit_event JOIN audit_entry USING (event_id) WHERE idx = %s",
            [checkpoint.size if checkpoint else 0],
        )
        row = cursor.fetchone()
    return max(now - row[0], timedelta(0)) if row else timedelta(0)


def _refusal(checkpoint: Checkpoint | None) -> Event | None:
    refusal = Event.objects.of_type(REFUSED).newest_first().first()
    if refusal is None or (checkpoint and checkpoint.made_at > refusal.at):
        return None
    return refusal
