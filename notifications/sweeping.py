"""What ends: batches, leases of workers that stopped, and editions with nothing left to do.

The sweeper does not use Celery and knows nothing of workers but their leases. It runs beside any number of them.
"""

from collections import Counter
from collections.abc import Iterable
from contextlib import AbstractContextManager
from dataclasses import dataclass, field
from typing import Any
from uuid import UUID

from django.db import connection, transaction
from django.db.models import Count
from django.utils import timezone

from breachdesk.audit.locks import Hold, process_lock
from breachdesk.audit.record import record
from breachdesk.pulse import note_run
from notifications import clock, delivery, pace, recovering
from notifications.batches import close_batch
from notifications.models import Batch, Delivery, Edition, Pace
from notifications.one_by_one import apart_from_others
from notifications.schedule import Schedule

MARK_UNKNOWN = """
WITH lost AS (
    UPDATE notifications_delivery SET state = 'unknown', settled_at = now()
    WHERE token = %(token)s AND state = 'handing_over' RETURNING id, tries, recipient, handing_over_at
)
INSERT INTO notifications_attempt
    (id, delivery_id, batch_id, n, phase, outcome, enhanced, reason, recipient, remote_id, opened_at, closed_at)
SELECT gen_random_uuid(), id, %(token)s, tries, 'lost', 'unknown', '', 'The worker that handed it over stopped.',
    recipient, '', handing_over_at, now() FROM lost
"""

EXPIRED = """
SELECT id, lease_until + make_interval(secs => %(margin)s) < now() FROM notifications_batch
WHERE settled_at IS NULL AND lease_until < now() ORDER BY lease_until LIMIT 200
"""

LEFT_OUT = delivery.LEFT_OUT.replace("%(edition)s", "e.id")
# The first row that waits for nothing but us, by the index of what is due; people are looked up row by row, so that
# the question costs the same with one row left and with half a million.
FINISH = """
UPDATE notifications_edition AS e SET state = 'finished', finished_at = now(), version = e.version + 1
WHERE e.id = %(edition)s AND e.state = 'sending'
  AND NOT EXISTS (SELECT FROM notifications_batch AS b WHERE b.edition_id = e.id AND b.settled_at IS NULL)
  AND NOT EXISTS (SELECT FROM notifications_amendment AS a
                  WHERE a.edition_id = e.id AND a.approved_at IS NULL AND a.voided_at IS NULL)
  AND (SELECT d.id FROM notifications_delivery AS d
       WHERE d.edition_id = e.id AND d.next_at IS NOT NULL
         AND NOT (SELECT {left_out} FROM people_person AS p WHERE p.id = d.person_id)
       ORDER BY d.next_at LIMIT 1) IS NULL
""".replace("{left_out}", LEFT_OUT)

# Who is left out at this moment: a hold may have ended since the question above.
SUPPRESS = """
UPDATE notifications_delivery AS d SET state = 'suppressed', token = NULL, next_at = NULL FROM people_person AS p
WHERE d.edition_id = %(edition)s AND d.next_at IS NOT NULL AND p.id = d.person_id AND {left_out}
""".replace("{left_out}", delivery.LEFT_OUT)

# Due, and nobody keeps a lease on any of it: where a worker is alive, another ring would only queue up behind it.
UNATTENDED = """
SELECT e.id FROM notifications_edition AS e WHERE e.state = 'sending'
  AND NOT EXISTS (SELECT FROM notifications_batch AS b WHERE b.edition_id = e.id AND b.settled_at IS NULL
                  AND b.lease_until > now() + make_interval(secs => %(renewed)s))
  AND (SELECT d.id FROM notifications_delivery AS d
       WHERE d.edition_id = e.id AND d.next_at <= now()
         AND NOT (SELECT {left_out} FROM people_person AS p WHERE p.id = d.person_id)
       ORDER BY d.next_at LIMIT 1) IS NOT NULL
""".replace("{left_out}", LEFT_OUT)
SWEEPER_LOCK = 0x5EE9
LOOK_EVERY = 15.0  # seconds


@dataclass
class Swept:
    """What one pass of the sweeper found."""

    returned: int = 0
    unknown: int = 0
    finished: list[UUID] = field(default_factory=list)
    unattended: list[UUID] = field(default_factory=list)
    next_in: float = LOOK_EVERY  # seconds until it is somebody's turn who waits for a limit, if that is sooner

    @property
    def found_work(self) -> bool:
        return bool(self.returned or self.unknown or self.finished or self.unattended)


def sweeper_lock() -> AbstractContextManager[Hold]:
    """True for the one process that sweeps now."""
    return process_lock(SWEEPER_LOCK)


def sweep() -> Swept:
    """Return what expired leases held, call unknown what nobody answered for, finish what is done, name who waits."""
    recovered = recovering.recover()
    swept = Swept(recovered.returned, recovered.unknown)
    clock.mend()
    for token, is_long_gone in _expired():
        with apart_from_others(f"Batch {token}"):
            _sweep_batch(token, is_long_gone, swept)
    for edition_id in Edition.objects.sending().values_list("pk", flat=True):
        with apart_from_others(f"Edition {edition_id}"):
            pause_after_canary(edition_id)
            if finish_if_done(edition_id):
                swept.finished.append(edition_id)
    for edition in Edition.objects.cancelled_with_waiting():
        with apart_from_others(f"Edition {edition.pk}"):
            cancel_what_came_back(edition)
    with connection.cursor() as cursor:
        cursor.execute(UNATTENDED, {"renewed": delivery.terms().lease - delivery.terms().margin / 2})
        due = [row[0] for row in cursor.fetchall()]
    waiting = Edition.objects.sending().filter(pk__in=due)
    for edition in waiting:
        with apart_from_others(f"Edition {edition.pk}"):
            seconds = pace.goes_on_in(edition)
            swept.unattended += [edition.pk] if seconds == 0 else []
            swept.next_in = min(swept.next_in, seconds or swept.next_in)
    note_run("sweeper")
    return swept


def _expired() -> list[tuple[UUID, bool]]:
    with connection.cursor() as cursor:
        cursor.execute(EXPIRED, {"margin": delivery.terms().margin})
        return list(cursor.fetchall())


def _sweep_batch(token: UUID, is_long_gone: bool, swept: Swept) -> None:
    if not Batch.objects.select_for_update(skip_locked=True).filter(pk=token, settled_at=None).exists():
        return
    swept.returned += pace.give_back(token)
    if is_long_gone:
        swept.unknown += mark_unknown(token)
        close_batch(token)


def mark_unknown(token: UUID) -> int:
    """Hand-overs whose answer nobody committed. They are never sent again by us."""
    with connection.cursor() as cursor:
        cursor.execute(MARK_UNKNOWN, {"token": token})
        return int(cursor.rowcount)


@transaction.atomic
def finish_if_done(edition_id: UUID) -> bool:
    """An edition is finished when nothing is left that we would do by ourselves; people on hold are then left out."""
    # Whoever decides about its people holds this lock: what is asked after it sees what they decided.
    if not Edition.objects.sending().select_for_update(no_key=True).filter(pk=edition_id).exists():
        return False
    with connection.cursor() as cursor:
        cursor.execute(FINISH, {"edition": edition_id})
        if not cursor.rowcount:
            return False
        cursor.execute(SUPPRESS, {"edition": edition_id})
    if _is_anybody_left(edition_id):
        transaction.set_rollback(True)
        return False
    edition = Edition.objects.select_related("notice").get(pk=edition_id)
    rows = Delivery.objects.filter(edition=edition_id).values_list("state").annotate(n=Count("pk")).order_by()
    counts = Counter(dict(rows))
    record(
        "edition.finished",
        by=None,
        on=edition,
        batches=[delivery.plan_of(edition)],
        language=edition.language,
        recipients=sum(counts.values()),
        **_counted(counts, ("handed_over", "refused", "unknown", "blocked", "suppressed", "cancelled")),
    )
    return True


def _is_anybody_left(edition_id: UUID) -> bool:
    """Whose hold ended while the edition was to finish: still waiting, or taken by a worker already."""
    waiting = Delivery.objects.filter(edition=edition_id, next_at__isnull=False)
    return waiting.exists() or Batch.objects.filter(edition=edition_id, settled_at=None).exists()


@transaction.atomic
def cancel_what_came_back(edition: Edition) -> int:
    """Who was in the air when an edition was cancelled, and was not told after all, will not be."""
    count = delivery.cancel_deliveries(edition)
    if count:
        record(
            "delivery.cancelled",
            by=None,
            on=edition,
            batches=[delivery.plan_of(edition)],
            count=count,
            language=edition.language,
        )
    return count


def _counted(counts: Counter[str], names: Iterable[str]) -> dict[str, Any]:
    return {name: counts[name] for name in names}


@transaction.atomic
def pause_by_itself(edition_id: UUID, *, why: str, **said: Any) -> bool:
    """Stop an edition without being asked, because going on would send something nobody approved, or do harm."""
    delivery.hold_back_hand_overs(edition_id)
    edition = Edition.objects.select_for_update().filter(pk=edition_id, state=Edition.State.SENDING).first()
    if edition is None:
        return False
    edition.state, edition.stopped_at, edition.version = Edition.State.PAUSED, timezone.now(), edition.version + 1
    edition.stopped_by = None
    edition.save(update_fields=["state", "stopped_by", "stopped_at", "version"])
    record(
        "edition.paused",
        by=None,
        on=edition,
        language=edition.language,
        in_air=delivery.in_the_air(edition),
        epoch=edition.epoch,
        why=why,
        **said,
    )
    return True


@transaction.atomic
def pause_after_canary(edition_id: UUID) -> bool:
    """Once everybody of the first few was answered for, it stands still until a person has looked and goes on."""
    edition = Edition.objects.sending().filter(pk=edition_id).first()
    first = Schedule.from_json(edition.schedule).canary_of(edition.recipients_count or 0) if edition else 0
    if not first:
        return False
    ours = Pace.objects.filter(edition=edition_id, domain=b"", canary_at=None)
    if not ours.filter(taken__gte=first).exists() or pace.is_out(edition_id):
        return False
    delivery.hold_back_hand_overs(edition_id)  # before the lock on the pace, which is the last that anybody takes
    pace_now = ours.select_for_update().first()
    if pace_now is None or pace.is_out(edition_id) or pace.counted(edition_id) < first:
        return False
    if not pause_by_itself(edition_id, why="canary"):
        return False
    pace_now.canary_at = timezone.now()
    pace_now.save(update_fields=["canary_at"])
    return True
