"""The last sign of life of each part that runs by itself, so that a part nobody started is missed."""

from datetime import datetime, timedelta
from time import monotonic

from django.core.cache import cache
from django.utils import timezone

EVERY = 10.0  # seconds between two notes of one process
_noted: dict[str, float] = {}


def note_run(part: str) -> None:
    """Call it as often as the loop turns; it writes at most every ten seconds."""
    if monotonic() - _noted.get(part, -EVERY) < EVERY:
        return
    _noted[part] = monotonic()
    cache.set(f"pulse-{part}", timezone.now(), timeout=int(timedelta(days=30).total_seconds()))


def last_run(part: str) -> datetime | None:
    """None when it never ran, or not for a month."""
    at = cache.get(f"pulse-{part}")
    return at if isinstance(at, datetime) else None
