"""When the database's clock went back: nobody waits until it is that time again.

The times in the rows are those of that clock (delivery.py). What stands further in the future than anything of its
kind can was written before the clock went back, and the sweeper mends it whenever it looks:

- A lease beyond the longest that is given ends one whole lease from now. No living worker loses by it: each counts its
  time by a clock of its own that only goes forward, and began to count before. The people of a dead one are free at
  once if its journal is here (recovering.py), and else one lease later.
- A pace that lets nobody go for longer than its last block takes begins anew, with nothing to give away: so nothing
  goes in a burst. Every turn that it had given out is looked at again.
- Elsewhere a turn further ahead than the longest is looked at again. Who is to be tried again waits as long as was
  meant.

So beyond what the sweeper takes to look, which is a minute of a long list, nobody waits longer than a quarter of an
hour for a turn, where there are no limits; than a lease and its margin; than twice the time until the next try.
"""

import logging
import time
from datetime import timedelta
from uuid import UUID

from django.db import connection
from django.db.models import Q

from notifications import delivery, pace
from notifications.models import Edition, Pace
from notifications.one_by_one import apart_from_others
from notifications.progress import is_long
from notifications.schedule import Schedule, in_force
from notifications.turns import longest_turn, longest_wait

logger = logging.getLogger(__name__)
TOLERANCE = timedelta(seconds=1)
WHY = "clock_went_back"
# Who waits is read row by row: 0.4 s of 430,000 with a turn each. Of a long list that takes a hundredth of the time.
TIMES_AS_LONG = 99
SHORTEN_LEASES = """
UPDATE notifications_batch SET lease_until = now() + make_interval(secs => %(lease)s) WHERE id IN (
    SELECT id FROM notifications_batch
    WHERE settled_at IS NULL AND lease_until > now() + make_interval(secs => %(longest)s) FOR UPDATE SKIP LOCKED)
"""
_next_look: dict[UUID, float] = {}


def mend() -> int:
    """How many leases and turns were written by a clock that has gone back since. Running it again changes nothing."""
    mended = _shorten_leases()
    for edition in Edition.objects.sending():
        with apart_from_others(f"The times of edition {edition.pk}"):
            mended += _mend_turns(edition)
    if mended:
        logger.warning("The database's clock went back: %s leases and turns were too far in the future.", f"{mended:,}")
    return mended


def _mend_turns(edition: Edition) -> int:
    schedule = in_force(edition.schedule, edition.rate)
    if _is_ahead(edition.pk, schedule):
        _start_anew(edition.pk)
        return 1 + pace.bring_forward(edition.pk, why=WHY)
    began = time.monotonic()
    if is_long(edition) and began < _next_look.get(edition.pk, 0.0):
        return 0
    longest = longest_turn(schedule, edition.recipients_count or 0)
    mended = pace.bring_forward(edition.pk, why=WHY, longest=longest)
    now = time.monotonic()
    _next_look[edition.pk] = now + TIMES_AS_LONG * (now - began)
    return mended


def _shorten_leases() -> int:
    terms = delivery.terms()
    with connection.cursor() as cursor:
        cursor.execute(SHORTEN_LEASES, {"lease": terms.lease, "longest": terms.lease + terms.margin})
        return int(cursor.rowcount)


def _is_ahead(edition_id: UUID, schedule: Schedule) -> bool:
    paces, limit = Pace.objects.filter(edition=edition_id), delivery.now_of_database() + TOLERANCE
    ours, theirs = (
        limit + timedelta(seconds=longest_wait(rate)) for rate in (schedule.per_minute, schedule.per_domain)
    )
    too_far = Q(domain=b"", free_at__gt=ours) | ~Q(domain=b"") & Q(free_at__gt=theirs) | Q(wave_at__gt=limit)
    return schedule.is_limited and paces.filter(too_far).exists()


def _start_anew(edition_id: UUID) -> None:
    pace.hold(edition_id)
    edition = Edition.objects.get(pk=edition_id)
    pace.start_anew(edition_id, in_force(edition.schedule, edition.rate))
