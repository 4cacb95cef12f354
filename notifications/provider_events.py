"""What the mail provider tells us later: stored at once, applied by the sweeper, by rank, never backwards.

An event can never create a delivery, send one again or move one back. Opens and clicks are neither asked for nor kept.
An event about a delivery we do not know stays in quarantine: stored, without effect.
"""

import json
from collections import Counter
from hashlib import sha256
from typing import Any
from uuid import UUID

from anymail.signals import AnymailTrackingEvent
from django.conf import settings
from django.core.exceptions import SuspiciousOperation
from django.db import connection, transaction
from django.utils import timezone

from breachdesk.audit.record import record
from notifications import delivery
from notifications.models import Attempt, Delivery, MailEvent

KINDS = {
    "delivered": "delivered",
    "bounced": "bounced",
    "rejected": "bounced",
    "failed": "bounced",
    "complained": "complained",
}
TABLE = "notifications_mailevent"
AT_ONCE = 5_000

# handed_over < delivered < bounced < complained. What is still being handed over waits until it is settled.
APPLY = """
WITH waiting AS (
    SELECT m.id, m.kind, m.delivery_id, m.source, n.incident_id, d.state FROM notifications_mailevent AS m
    JOIN notifications_delivery AS d ON d.id = m.delivery_id JOIN notifications_notice AS n ON n.id = d.notice_id
    WHERE m.applied_at IS NULL AND d.state NOT IN ('planned', 'claimed', 'handing_over', 'retry_wait')
    ORDER BY m.received_at LIMIT %(limit)s FOR UPDATE OF m SKIP LOCKED
), best AS (
    SELECT DISTINCT ON (delivery_id) delivery_id, kind FROM waiting
    ORDER BY delivery_id, array_position(ARRAY['delivered', 'bounced', 'complained'], kind) DESC
), moved AS (
    UPDATE notifications_delivery AS d SET state = b.kind FROM best AS b
    WHERE d.id = b.delivery_id AND (
        (d.state = 'handed_over') OR (d.state = 'unknown' AND b.kind IN ('delivered', 'bounced'))
        OR (d.state = 'delivered' AND b.kind IN ('bounced', 'complained'))
        OR (d.state = 'bounced' AND b.kind = 'complained'))
    RETURNING d.id, d.token
)
UPDATE notifications_mailevent AS m SET applied_at = now() FROM waiting AS w WHERE m.id = w.id
RETURNING w.incident_id, w.source, w.kind, (SELECT moved.token FROM moved WHERE moved.id = w.delivery_id)
"""


def store_event(event: AnymailTrackingEvent, *, source: str) -> bool:
    """Keep one event. A repeated one changes nothing. False when it is none that we keep."""
    if not settings.ANYMAIL.get("WEBHOOK_SECRET"):
        raise SuspiciousOperation("Provider events are not taken while ANYMAIL has no WEBHOOK_SECRET.")
    kind = KINDS.get(event.event_type)
    if kind is None:
        return False
    raw = json.dumps(event.esp_event, sort_keys=True, default=str).encode()
    digest = sha256(raw).digest()
    MailEvent.objects.bulk_create(
        [
            MailEvent(
                source=source[:40],
                source_id=str(event.event_id or digest.hex())[:200],
                delivery_id=_delivery_of(event),
                kind=kind,
                at=event.timestamp,
                received_at=timezone.now(),
                raw_sha256=digest,
            )
        ],
        ignore_conflicts=True,
    )
    return True


def _delivery_of(event: AnymailTrackingEvent) -> UUID | None:
    """By the delivery's id that we gave along, else by the provider's own id of the message."""
    metadata: dict[str, Any] = event.metadata or {}
    try:
        named = UUID(str(metadata.get("delivery", "")))
    except ValueError:
        attempt = Attempt.objects.filter(remote_id=event.message_id).first() if event.message_id else None
        return attempt.delivery_id if attempt else None
    return named if Delivery.objects.filter(pk=named).exists() else None


@transaction.atomic
def apply_events() -> int:
    """Apply what waits, many at once, with one audit event per incident and provider. Returns how many there were."""
    with connection.cursor() as cursor:
        cursor.execute(APPLY, {"limit": AT_ONCE})
        rows = cursor.fetchall()
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
            batches=[(TABLE, source), *map(delivery.rows_of, sorted({row[3] for row in ours if row[3]}))],
        )
    return len(rows)
