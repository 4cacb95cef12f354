"""What came later about a message: kept once, applied by the sweeper, by rank, never backwards.

An event can never create a delivery, send one again or move one back. It counts for the sending it is about: what comes
late about an earlier one is kept and changes nothing. Without a generation it is about the first.
"""

from collections import Counter
from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime, timedelta
from enum import StrEnum
from uuid import UUID

from django.db import connection, transaction
from django.db.models import Count
from django.utils import timezone

from breachdesk.audit.record import record
from notifications import delivery
from notifications.models import Delivery, MailEvent
from notifications.verp import Sending

TABLE = "notifications_mailevent"
AT_ONCE = 5_000
CLOCKS_APART = timedelta(days=1)  # what is told to be later than that is no moment


class Kind(StrEnum):
    ACCEPTED = "accepted"
    DELIVERED = "delivered"
    BOUNCED = "bounced"
    COMPLAINED = "complained"
    DELAYED = "delayed"
    AUTO_REPLIED = "auto_replied"


@dataclass(frozen=True, slots=True)
class Report:
    """One event as its source tells it. `raw_sha256` is of what came, which is not kept."""

    source: str
    source_id: str
    kind: Kind
    about: Sending | None
    enhanced: str
    at: datetime | None
    raw_sha256: bytes


# handed_over < delivered < bounced < complained; what a colleague took as sent ranks with the first, and goes by its
# edition where it has no token. What is being handed over waits until it is settled; an event about another sending,
# or about a message that is not out, is only ticked off. Whoever complains has got it: so an unknown becomes delivered
# first.
APPLY = """
WITH waiting AS (
    SELECT m.id, m.kind, m.delivery_id, m.source, n.incident_id, d.state, d.generation,
        coalesce(m.generation, 0) = d.generation AND d.state NOT IN ('planned', 'claimed', 'retry_wait') AS counts
    FROM notifications_mailevent AS m
    JOIN notifications_delivery AS d ON d.id = m.delivery_id JOIN notifications_notice AS n ON n.id = d.notice_id
    WHERE m.applied_at IS NULL AND (d.state <> 'handing_over' OR coalesce(m.generation, 0) <> d.generation)
    ORDER BY m.received_at LIMIT %(limit)s FOR UPDATE OF m SKIP LOCKED
), best AS (
    SELECT DISTINCT ON (delivery_id) delivery_id, kind, generation FROM waiting
    WHERE counts AND kind IN ('accepted', 'delivered', 'bounced', 'complained')
    ORDER BY delivery_id, array_position(ARRAY['accepted', 'delivered', 'bounced', 'complained'], kind::text) DESC
), moved AS (
    UPDATE notifications_delivery AS d SET state = CASE
        WHEN b.kind = 'accepted' THEN 'handed_over'
        WHEN b.kind = 'complained' AND d.state = 'unknown' THEN 'delivered' ELSE b.kind END
    FROM best AS b
    WHERE d.id = b.delivery_id AND d.generation = b.generation AND (
        d.state = 'unknown'
        OR (d.state IN ('handed_over', 'assumed_sent') AND b.kind IN ('delivered', 'bounced', 'complained'))
        OR (d.state = 'delivered' AND b.kind IN ('bounced', 'complained'))
        OR (d.state = 'bounced' AND b.kind = 'complained'))
    RETURNING d.id, coalesce(d.token, d.edition_id) AS token
)
UPDATE notifications_mailevent AS m SET applied_at = now() FROM waiting AS w
WHERE m.id = w.id RETURNING w.incident_id, w.source, w.kind,
    (SELECT moved.token FROM moved WHERE moved.id = w.delivery_id), w.delivery_id, w.state = 'unknown'
"""
COMPLAINED = "UPDATE notifications_delivery SET state = 'complained' WHERE id = ANY(%s) AND state = 'delivered'"


def keep(report: Report) -> None:
    """Kept once, however often it comes. About a delivery that we do not know it stays without effect."""
    about, now = report.about, timezone.now()
    known = about is not None and Delivery.objects.filter(pk=about.delivery).exists()
    MailEvent.objects.bulk_create(
        [
            MailEvent(
                source=report.source[:40],
                source_id=report.source_id[:200],
                delivery_id=about.delivery if about and known else None,
                generation=about.generation if about and known else None,
                kind=report.kind,
                enhanced=report.enhanced[:12],
                at=report.at if report.at and report.at < now + CLOCKS_APART else None,
                received_at=now,
                raw_sha256=report.raw_sha256,
            )
        ],
        ignore_conflicts=True,
    )


@transaction.atomic
def apply_events() -> int:
    """Apply what waits, many at once, with one audit event per incident and source. Returns how many there were."""
    with connection.cursor() as cursor:
        cursor.execute(APPLY, {"limit": AT_ONCE})
        rows = cursor.fetchall()
        cursor.execute(COMPLAINED, [[row[4] for row in rows if row[2] == Kind.COMPLAINED and row[3] and row[5]]])
    moved = {row[3] for row in rows if row[3]}
    for incident, source in sorted({(row[0], row[1]) for row in rows}):
        ours = [row for row in rows if (row[0], row[1]) == (incident, source)]
        kinds = Counter(row[2] for row in ours)
        record(
            "mail_event.received",
            by=None,
            incident=incident,
            count=len(ours),
            source=source,
            kinds=[f"{kind}={number}" for kind, number in sorted(kinds.items())],
            applied=sum(1 for row in ours if row[3]),
            batches=[(TABLE, source), *map(delivery.rows_of, sorted(moved & {row[3] for row in ours}))],
        )
    return len(rows)


def quarantined() -> int:
    """Events about deliveries that we do not know."""
    return MailEvent.objects.filter(applied_at=None, delivery=None).count()


def counts_of_case(incident_id: UUID) -> list[tuple[str, str, str, str, int, int]]:
    """Of each edition, source, kind and status code: how many were applied, and how many there are."""
    of_case = MailEvent.objects.filter(delivery__notice__incident=incident_id)
    groups = of_case.values_list("delivery__edition", "source", "kind", "enhanced").order_by(
        "delivery__edition", "source", "kind", "enhanced"
    )
    counted = groups.annotate(applied=Count("applied_at"), events=Count("pk"))
    return [(str(edition), *rest) for edition, *rest in counted]


def came_later(deliveries: Iterable[Delivery]) -> list[MailEvent]:
    """What came about each of them, in the order in which it came."""
    return list(MailEvent.objects.filter(delivery__in=list(deliveries)).order_by("received_at", "pk"))
