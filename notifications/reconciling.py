"""What a relay's log or a provider's list says of our messages: kept as evidence, and applied as far as it proves.

It settles unknowns and never sends, plans or forgives anything. Of a database restored from a backup it may find what
went out after the backup was made: rows that are planned there, or put off, and were sent. Those are stopped, so that
nobody gets it again; a person takes them as sent. Reading the same file again changes nothing.
"""

from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from hashlib import sha256
from itertools import islice
from typing import Any
from uuid import UUID

from django.db import connection, transaction
from django.utils import timezone

from breachdesk.audit.record import record
from notifications import delivery
from notifications.mail_events import apply_events
from notifications.models import Delivery, Edition, MailEvent
from notifications.relay_logs import Found

AT_ONCE = 1_000
ABSENT = "absent"  # a log that is whole for that time does not have it
PROVES = ["accepted", "delivered", "bounced", "complained", "delayed"]

# Nothing is under way that could know better: what is being handed over is left alone.
STOP_SENT = """
UPDATE notifications_delivery AS d SET state = 'blocked', next_at = NULL, settled_at = now()
WHERE d.state IN ('planned', 'claimed', 'retry_wait') AND EXISTS (
    SELECT FROM notifications_mailevent AS m WHERE m.delivery_id = d.id AND m.kind = ANY(%(proves)s)
      AND coalesce(m.generation, 0) >= d.generation)
RETURNING d.edition_id, d.token
"""


@dataclass
class Compared:
    """What one run found. `lost` are messages of ours about which this database knows nothing."""

    ours: int = 0
    kept: int = 0
    settled: int = 0
    stopped: int = 0
    unknown: int = 0
    lost: set[UUID] = field(default_factory=set)
    seen: set[UUID] = field(default_factory=set)
    not_found: list[UUID] = field(default_factory=list)
    absent: int = 0


@dataclass(frozen=True)
class Whole:
    """The time for which somebody stands for it that the log has everything."""

    begins: datetime
    ends: datetime


def take_evidence(found: Iterable[Found], source: str, compared: Compared) -> None:
    """Keeps what is about deliveries we know, some at a time."""
    rest = iter(found)
    while some := list(islice(rest, AT_ONCE)):
        _keep(some, source, compared)


@transaction.atomic
def _keep(some: list[Found], source: str, compared: Compared) -> None:
    known = set(Delivery.objects.filter(pk__in=[one.about.delivery for one in some]).values_list("pk", flat=True))
    ours = [one for one in some if one.about.delivery in known]
    # Only our own return path shows that a delivery we do not know was one.
    compared.lost |= {one.about.delivery for one in some if one.about.generation is not None} - known
    compared.ours += len(ours)
    compared.seen |= {one.about.delivery for one in ours}
    now = timezone.now()
    before = MailEvent.objects.filter(source=source, source_id__in=[one.key for one in ours]).count()
    MailEvent.objects.bulk_create([_event_of(one, source, now) for one in ours], ignore_conflicts=True)
    compared.kept += len({one.key for one in ours}) - before


def _event_of(found: Found, source: str, now: datetime) -> MailEvent:
    return MailEvent(
        source=source,
        source_id=found.key,
        delivery_id=found.about.delivery,
        generation=found.about.generation,
        kind=found.kind,
        enhanced=found.enhanced,
        at=found.at,
        received_at=now,
        raw_sha256=sha256(found.line).digest(),
    )


def apply_evidence(compared: Compared, source: str, *, lines: int, whole: Whole | None = None) -> None:
    """Stops what was sent, settles what is unknown, and says what the evidence does not speak of."""
    before = Delivery.objects.filter(state=Delivery.State.UNKNOWN).count()
    compared.stopped = stop_what_was_sent()
    while apply_events():
        pass
    unknown = Delivery.objects.filter(state=Delivery.State.UNKNOWN).order_by("handing_over_at", "pk")
    compared.unknown, compared.settled = unknown.count(), before - unknown.count()
    compared.not_found = [pk for pk in unknown.values_list("pk", flat=True) if pk not in compared.seen]
    if whole:
        compared.absent = _keep_absence(compared, source, whole)
        while apply_events():
            pass
    with transaction.atomic():
        record(
            "sending.reconciled",
            by=None,
            found=compared.ours,
            applied=compared.settled + compared.stopped,
            source=source,
            lines=lines,
            unknown_left=compared.unknown,
        )


@transaction.atomic
def stop_what_was_sent() -> int:
    """Rows that wait to be sent and of which some evidence says that they were. How many."""
    with connection.cursor() as cursor:
        cursor.execute(STOP_SENT, {"proves": PROVES})
        rows: list[tuple[UUID, UUID | None]] = cursor.fetchall()
    for edition in Edition.objects.select_related("notice").filter(pk__in={edition for edition, _ in rows}):
        _tell_stopped(edition, [token for of, token in rows if of == edition.pk])
    return len(rows)


def _tell_stopped(edition: Edition, tokens: list[UUID | None]) -> None:
    named: list[tuple[str, Any]] = [delivery.rows_of(token) for token in sorted({t for t in tokens if t})]
    record(
        "sending.reconciled",
        by=None,
        on=edition,
        batches=[delivery.plan_of(edition), *named],
        found=len(tokens),
        applied=len(tokens),
        why="sent_before_restore",
    )


def _keep_absence(compared: Compared, source: str, whole: Whole) -> int:
    """Of unknowns whose whole time is covered: from their intent until no worker could have sent them any more."""
    longest = timedelta(seconds=2 * delivery.terms().lease)
    covered = Delivery.objects.filter(
        state=Delivery.State.UNKNOWN, handing_over_at__gte=whole.begins, handing_over_at__lte=whole.ends - longest
    )
    stated = f"{whole.begins.isoformat()}/{whole.ends.isoformat()}"
    now = timezone.now()
    events = [
        MailEvent(
            source=source,
            source_id=f"{ABSENT}.{pk.hex}.{generation}.{stated}"[:200],
            delivery_id=pk,
            generation=generation,
            kind=ABSENT,
            at=whole.ends,
            received_at=now,
            raw_sha256=sha256(stated.encode()).digest(),
        )
        for pk, generation in covered.values_list("pk", "generation")
        if pk not in compared.seen
    ]
    MailEvent.objects.bulk_create(events, ignore_conflicts=True, batch_size=AT_ONCE)
    return len(events)


def ids_in_words(ids: list[UUID], most: int = 20) -> Iterator[str]:
    yield from map(str, ids[:most])
    if len(ids) > most:
        yield f"and {len(ids) - most:,} more"
