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

from django.db import transaction

from breachdesk.audit.canonical import base64url, time_text
from breachdesk.audit.models import Entry, Event
from breachdesk.audit.record import commitment, record
from breachdesk.audit.tree import leaf_of, root_of
from breachdesk.prepared import run
from breachdesk.vault.sealing import IndexCipher
from notifications.delivery import in_one_round_trip
from notifications.models import Batch

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

LOCK = """
SELECT b.edition_id, n.incident_id FROM notifications_batch AS b
JOIN notifications_edition AS e ON e.id = b.edition_id JOIN notifications_notice AS n ON n.id = e.notice_id
WHERE b.id = %(token)s AND b.settled_at IS NULL FOR UPDATE OF b
"""
OPEN = """
SELECT EXISTS (SELECT FROM notifications_delivery WHERE token = %(token)s AND state IN ('claimed', 'handing_over'))
"""
SEAL = """
UPDATE notifications_batch SET rows = %(rows)s, rows_root = %(root)s, settled_at = clock_timestamp()
WHERE id = %(token)s
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
    return _in_order(run(ROWS_OF_BATCH, {"token": token}, binary=True))


def _in_order(found: Iterable[tuple[Any, ...]]) -> list[Row]:
    return sorted(map(Row._make, found), key=lambda row: (row.delivery.int, row.number, row.outcome))


@transaction.atomic
def close_batch(token: UUID) -> bool:
    """Seal a batch with the root over its rows and one event. False while a hand-over of it is still open."""
    with in_one_round_trip():
        locked, still_open, found = (run(text, {"token": token}, binary=True) for text in (LOCK, OPEN, ROWS_OF_BATCH))
    case = locked.fetchone()
    if case is None or still_open.fetchone() == (True,):
        return False
    rows = _in_order(found)
    if not rows:
        Batch.objects.filter(pk=token).delete()  # everything was given back: there is nothing to tell
        return True
    root, (edition, incident) = root_of_rows(rows), case
    run(SEAL, {"token": token, "rows": len(rows), "root": root})
    counts = Counter(row.outcome for row in rows)
    told: dict[str, Any] = {outcome: counts[outcome] for outcome in OUTCOMES}
    record(
        SETTLED,
        by=None,
        on=Batch(pk=token),
        incident=incident,
        edition=edition,
        batch=token,
        rows=len(rows),
        rows_root=root,
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
