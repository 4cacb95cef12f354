"""Says how long the log is, what waits, and how old the last signed and anchored state is."""

from collections.abc import Iterator
from datetime import datetime
from typing import Any

from django.core.management.base import BaseCommand
from django.utils import timezone

from breachdesk.audit.models import Event
from breachdesk.audit.status import TrailStatus, trail_status
from breachdesk.audit.timeline import sentence_of


class Command(BaseCommand):
    help = "Shows the audit log's size, lag, last checkpoint, last refusal and last anchor."
    requires_system_checks: list[str] = []

    def handle(self, *args: Any, **options: Any) -> None:
        now = timezone.now()
        for line in _lines(trail_status(now), now):
            self.stdout.write(line)


def _lines(status: TrailStatus, now: datetime) -> Iterator[str]:
    yield f"Entries in the log: {status.size:,}"
    yield f"Events waiting to be linked: {status.waiting:,}"
    yield f"The oldest of them waits for: {status.lag.total_seconds():.1f} s"
    yield f"Sequencer: {'running' if status.is_running else 'NOT RUNNING; start it with manage.py run_sequencer'}"
    yield f"Signer: {'running' if status.is_signing else 'NOT RUNNING; start it with manage.py run_signer'}"
    yield f"Last signed checkpoint: {_state(status.checkpoint_size, status.checkpoint_at, now)}"
    yield f"Last outside anchor: {_state(status.anchored_size, status.anchored_at, now)}"
    if status.is_late:
        yield "WARNING: events wait for more than a minute. Work goes on, but its proof is pending."
    if status.is_unsigned_for_long:
        yield "WARNING: the log has grown, but nothing was signed for more than five minutes."
    if status.refusal:
        yield f"ALARM: {_alarm(status.refusal, now)}"


def _alarm(refusal: Event, now: datetime) -> str:
    data = refusal.content["data"]
    minutes = f"{(now - refusal.at).total_seconds() / 60:.0f} minutes ago"
    sizes = f"at {data['size']:,} entries; the last signed state has {data['last_size']:,}"
    return f"the signer {sentence_of(refusal.type, data)}, {minutes}, {sizes}. Its own output says what to do."


def _state(size: int | None, at: datetime | None, now: datetime) -> str:
    if size is None or at is None:
        return "none yet"
    return f"size {size:,}, {(now - at).total_seconds() / 60:.0f} minutes ago"
