"""What a settled batch says for ever: one canonical line for each row, and the root over them in one event.

A line is RFC 8785 JSON of {"at", "code", "delivery", "outcome", "recipient", "reply", "try"}, in the order of delivery,
try and outcome; the root is that of RFC 6962 over the lines. A line is made of columns that nothing changes any more
once the batch is settled: of the delivery if the message was handed over at once, else of the attempt that was
answered, or that was tried again by somebody's decision. What is heard later moves a delivery's state, never these.

`recipient` is the trail's commitment, SHA-256(0x02 || salt || length of the name || "recipient" || address), to the
very address of the envelope. It is stored with the intent, before anything goes on the wire, so that a line outlives
the incident's key; its salt is derived from that key, one for each delivery and try, and dies with it.
"""

from collections import Counter
from collections.abc import Iterable, Iterator
from datetime import datetime
from typing import Any, NamedTuple
from uuid import UUID

from django.db import connection, transaction
from django.utils import timezone

from breachdesk.audit.canonical import base64url, time_text
from breachdesk.audit.models import Entry, Event
from breachdesk.audit.record import commitment, record
from breachdesk.audit.tree import leaf_of, root_of
from breachdesk.vault.sealing import IndexCipher
from notifications.models import Batch, Delivery

RECIPIENT = "recipient"
SETTLED = "delivery.batch_settled"
OUTCOMES = ("handed_over", "refused", "retry_wait", "unknown", "blocked")

ROWS_OF_BATCH = """
SELECT d.settled_at, d.code, d.id, 'handed_over', d.recipient, d.reply_sha256, d.tries
FROM notifications_delivery AS d
WHERE d.token = %(token)s AND d.code BETWEEN 200 AND 299
  AND NOT EXISTS (SELECT FROM notifications_attempt AS a
                  WHERE a.delivery_id = d.id AND a.batch_id = d.token AND a.outcome = 'unknown')
UNION ALL
SELECT a.closed_at, a.code, a.delivery_id, a.outcome, a.recipient, a.reply_sha256, a.n
FROM notifications_attempt AS a JOIN notifications_delivery AS d ON d.id = a.delivery_id
WHERE a.batch_id = %(token)s AND (a.outcome <> 'handed_over' OR d.token IS DISTINCT FROM a.batch_id
      AND NOT EXISTS (SELECT FROM notifications_attempt AS u WHERE u.delivery_id = a.delivery_id
                      AND u.batch_id = a.batch_id AND u.outcome = 'unknown'))
"""


class Row(NamedTuple):
    """One answer, or the lack of it. A message that could not be made was handed over to nobody."""

    at: datetime | None
    code: int | None
    delivery: UUID
    outcome: str
    recipient: bytes | None
    reply: bytes | None
    number: int

    @property
    def line(self) -> str:
        """As canonical() would write it, ten times as fast: nothing in it needs an escape."""
        at = f'"{time_text(self.at)}"' if self.at else "null"
        code = "null" if self.code is None else self.code
        return (
            f'{{"at":{at},"code":{code},"delivery":"{self.delivery}","outcome":"{self.outcome}",'
            f'"recipient":{_digest(self.recipient)},"reply":{_digest(self.reply)},"try":{self.number}}}'
        )


def _digest(value: bytes | None) -> str:
    return "null" if value is None else f'"{base64url(value)}"'


def rows_of_batch(token: UUID) -> list[Row]:
    """In the order of their lines."""
    with connection.cursor() as cursor:
        cursor.execute(ROWS_OF_BATCH, {"token": token})
        rows = [Row(*row) for row in cursor.fetchall()]
    return sorted(rows, key=lambda row: (row.delivery, row.number, row.outcome))


@transaction.atomic
def close_batch(token: UUID) -> bool:
    """Seal a batch with the root over its rows and one event. False while a hand-over of it is still open."""
    batch = (
        Batch.objects.select_for_update().select_related("edition__notice").filter(pk=token, settled_at=None).first()
    )
    if batch is None or Delivery.objects.filter(token=token, state__in=["claimed", "handing_over"]).exists():
        return False
    rows = rows_of_batch(token)
    if not rows:
        batch.delete()  # everything was given back: there is nothing to tell
        return True
    batch.rows, batch.rows_root, batch.settled_at = len(rows), root_of_rows(rows), timezone.now()
    batch.save(update_fields=["rows", "rows_root", "settled_at"])
    counts = Counter(row.outcome for row in rows)
    told: dict[str, Any] = {outcome: counts[outcome] for outcome in OUTCOMES}
    record(
        SETTLED,
        by=None,
        on=batch,
        incident=batch.edition.incident_id,
        edition=batch.edition_id,
        batch=token,
        rows=batch.rows,
        rows_root=batch.rows_root,
        **told,
    )
    return True


def root_of_rows(rows: Iterable[Row]) -> bytes:
    return root_of(leaf_of(row.line.encode()) for row in rows)


def recipient_salt(cipher: IndexCipher, delivery: UUID, number: int) -> bytes:
    return cipher.derived_salt(delivery.bytes + number.to_bytes(2, "big"), purpose=RECIPIENT)


def recipient_commitment(cipher: IndexCipher, delivery: UUID, number: int, address: bytes) -> bytes:
    """To the address of try `number`, as it stands in the envelope."""
    return commitment(RECIPIENT, recipient_salt(cipher, delivery, number), address)


def delivery_lines(incident_id: UUID) -> Iterator[tuple[UUID, int, str]]:
    """(batch, number of the row in it, line) of every settled batch whose event is linked, in the log's order."""
    for batch in _settled_batches(incident_id):
        for number, row in enumerate(rows_of_batch(batch)):
            yield batch, number, row.line


def _settled_batches(incident_id: UUID) -> list[UUID]:
    events = Event.objects.of_incident(incident_id).of_type(SETTLED)
    batches = {event.event_id: UUID(event.content["object"]["id"]) for event in events.iterator()}
    linked = Entry.objects.filter(incident=incident_id).order_by("idx").values_list("event_id", flat=True)
    return [batches[event_id] for event_id in linked.iterator() if event_id in batches]
