"""How the trail is doing: for the command, the status page and the desk."""

from dataclasses import dataclass
from datetime import datetime, timedelta

from breachdesk.audit.entries import log_size
from breachdesk.audit.models import Anchor, Checkpoint, Event, Pending
from breachdesk.audit.sequencer import is_sequencer_running

LONGEST_LAG = timedelta(seconds=60)


@dataclass(frozen=True)
class TrailStatus:
    size: int
    waiting: int
    lag: timedelta
    is_running: bool
    checkpoint_size: int | None
    checkpoint_at: datetime | None
    anchored_size: int | None
    anchored_at: datetime | None

    @property
    def is_late(self) -> bool:
        return self.lag > LONGEST_LAG


def trail_status(now: datetime) -> TrailStatus:
    oldest = Pending.objects.order_by("event_row").first()
    event = oldest and Event.objects.filter(pk=oldest.event_row).first()
    checkpoint = Checkpoint.objects.order_by("-size").first()
    anchor = Anchor.objects.filter(ok=True).order_by("-id").first()
    return TrailStatus(
        size=log_size(),
        waiting=Pending.objects.count(),
        lag=max(now - event.at, timedelta(0)) if event else timedelta(0),
        is_running=is_sequencer_running(),
        checkpoint_size=checkpoint.size if checkpoint else None,
        checkpoint_at=checkpoint.made_at if checkpoint else None,
        anchored_size=anchor.size if anchor else None,
        anchored_at=anchor.at if anchor else None,
    )
