"""Deliveries that a person decided about: planned again, taken as sent, given up. The database asks for the decision.

`rows_root` of a decision is the root (RFC 6962) over the ids of its deliveries, 16 bytes each, in their order.
"""

from collections.abc import Iterable, Sequence
from typing import Any
from uuid import UUID

from django.db import connection

from breachdesk.audit.tree import leaf_of, root_of
from notifications import delivery
from notifications.models import DeliveryDecision, Edition

# What was handed over at its first try stands in columns of the delivery alone (batches.py). Before they are written
# anew it becomes a row of its own, so that the line in its sealed batch stays what it was.
KEEP_FIRST_TRY = """
INSERT INTO notifications_attempt (id, delivery_id, batch_id, n, phase, outcome, code, enhanced, reason, reply_sha256,
    recipient, remote_id, opened_at, closed_at)
SELECT gen_random_uuid(), d.id, d.token, d.tries, 'dot', 'handed_over', d.code, '', '', d.reply_sha256, d.recipient, '',
    d.handing_over_at, d.settled_at
FROM notifications_delivery AS d
WHERE d.id = ANY(%(rows)s) AND d.state = 'bounced' AND d.code BETWEEN 200 AND 299
ON CONFLICT (delivery_id, n, outcome) DO NOTHING
"""
MOVES = {
    DeliveryDecision.Kind.RESEND: ("unknown", "planned"),
    DeliveryDecision.Kind.ASSUME_SENT: ("unknown blocked", "assumed_sent"),
    DeliveryDecision.Kind.SECOND_ADDRESS: ("refused bounced", "planned"),
    DeliveryDecision.Kind.TRY_AGAIN: ("blocked", "planned"),
    DeliveryDecision.Kind.GIVE_UP: ("blocked", "cancelled"),
}
MOVE = """
WITH moved AS (
    UPDATE notifications_delivery AS d SET state = %(after)s, decision_id = %(decision)s,
        token = CASE WHEN %(after)s = 'assumed_sent' THEN d.token END,
        next_at = CASE WHEN %(after)s = 'planned' THEN now() END,
        rung = d.rung + (%(kind)s = 'second_address')::int,
        generation = d.generation + (%(after)s = 'planned')::int
    FROM old WHERE d.id = old.id RETURNING d.id, old.token
)
SELECT id, token FROM moved
"""
FOUND = """
WITH old AS (
    SELECT d.id, d.token FROM notifications_delivery AS d
    WHERE d.id = ANY(%(rows)s) AND d.edition_id = %(edition)s AND d.state = ANY(%(before)s) ORDER BY d.id FOR UPDATE
)
"""
ASK = """
UPDATE notifications_delivery SET decision_id = %(decision)s
WHERE id = ANY(%(rows)s) AND edition_id = %(edition)s AND state = 'unknown' RETURNING id, token
"""


def root_of_deliveries(rows: Iterable[UUID]) -> bytes:
    return root_of(leaf_of(row.bytes) for row in sorted(rows))


def put_before_a_second_person(decision: DeliveryDecision, rows: Sequence[UUID]) -> set[UUID]:
    """The unknowns that the decision asks about are its own. The batches that the event must name."""
    found = _run(ASK, decision, rows, {})
    return {token for _, token in found}


def move(decision: DeliveryDecision, rows: Sequence[UUID]) -> tuple[list[UUID], set[UUID]]:
    """Carries a confirmed decision out. The deliveries that moved, and the batches that the event must name.

    Those whose outcome was heard meanwhile stay as they are. Waits for workers that are committing; call it with the
    edition locked.
    """
    before, after = MOVES[DeliveryDecision.Kind(decision.kind)]
    if decision.kind == DeliveryDecision.Kind.SECOND_ADDRESS:
        with connection.cursor() as cursor:
            cursor.execute(KEEP_FIRST_TRY, {"rows": list(rows)})
    values: dict[str, Any] = {"before": before.split(), "after": after, "kind": str(decision.kind)}
    found = _run(FOUND + MOVE.replace("WITH moved", ", moved", 1), decision, rows, values)
    return [row for row, _ in found], {token for _, token in found if token}


def named_by(edition: Edition, batches: Iterable[UUID]) -> list[tuple[str, UUID]]:
    """What an event must name: the rows without a token by their edition, the others by their settled batch."""
    named = sorted(batches)
    return [delivery.plan_of(edition), *map(delivery.rows_of, named), *((delivery.ATTEMPTS, one) for one in named)]


def _run(statement: str, decision: DeliveryDecision, rows: Sequence[UUID], values: dict[str, Any]) -> list[Any]:
    with connection.cursor() as cursor:
        parameters: dict[str, Any] = {"decision": decision.pk, "edition": decision.edition_id, "rows": list(rows)}
        cursor.execute(statement, parameters | values)
        return list(cursor.fetchall())
