"""Every change of a delivery's state, one SQL statement each. The database refuses all others: what may follow on
what stands in MOVES of migration 0003, to which 0018, 0019_where_we_sent_from and 0022 add.

A batch is what one worker holds: its id is the token of its rows, its lease is theirs. `claim` takes rows,
`begin_hand_over` commits the intent before anything goes on the wire, `settle` commits what came of it, `give_back`
returns what was never begun. Nothing here ever sends an unknown again.

What an approver bound is asked for at each hand-over. Pause and cancel hold a lock that every hand-over shares, so
that none can commit after them. Times are those of the database's clock.
"""

from collections.abc import Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import datetime
from itertools import islice
from typing import Any, NamedTuple
from uuid import UUID, uuid4

import psycopg
from django.conf import settings
from django.db import connection, transaction

from breachdesk.audit.record import record
from breachdesk.prepared import Bytes, Uuids, run
from notifications import verification_codes
from notifications.answers import columns_of
from notifications.failpoints import reach
from notifications.models import Batch, Delivery, Edition
from notifications.recipients import recipients_of
from notifications.transport import Outcome

TABLE, ATTEMPTS = "notifications_delivery", "notifications_attempt"
LOOK_AT_HOLD_AGAIN = 15 * 60
MOST_TRIES = 20  # about three days, and after each decision to go on; then the worker blocks the row

# OFFSET 0: each person by their key. A join would read and hash all people again for each part of the list.
PLAN = """
INSERT INTO notifications_delivery (id, notice_id, edition_id, person_id, state, next_at, tries, generation,
    verification, frozen)
SELECT new.id, %(notice)s, %(edition)s, new.person, 'planned', now(), 0, 0, new.verification,
    p.frozen
FROM unnest(%(ids)s::uuid[], %(people)s::uuid[], %(verifications)s::bytea[]) AS new (id, person, verification)
CROSS JOIN LATERAL (
    SELECT notifications_frozen_row(p) AS frozen FROM people_person AS p WHERE p.id = new.person OFFSET 0) AS p
ON CONFLICT (notice_id, person_id) DO NOTHING
"""
PLANNED_AT_ONCE = 50_000

# One statement: the ORM would first fetch every row to look for what hangs on it.
FORGET = """
DELETE FROM notifications_delivery WHERE edition_id = %s AND state = 'planned' AND tries = 0 AND generation = 0
"""

# Of an edition `e`: as many approvals stand as it needs, or one of two and two who answer for that.
MAY_BE_SENT = """
e.state = 'sending' AND coalesce(e.approvers_needed, 1) <= (SELECT count(*) FROM notifications_approval AS a
    WHERE a.edition_id = e.id AND a.digest = e.digest AND a.voided_at IS NULL
) + CASE WHEN e.approvers_needed = 2 AND 2 <= (SELECT count(*) FROM notifications_breakglass AS g
    WHERE g.edition_id = e.id AND g.digest = e.digest AND g.voided_at IS NULL)
    AND EXISTS (SELECT FROM notifications_approval AS a
        WHERE a.edition_id = e.id AND a.digest = e.digest AND a.voided_at IS NULL) THEN 1 ELSE 0 END
"""
# Of a person `p` and an edition %(edition)s: on hold, or not of those any more whom the notice is for. That is who is
# affected, unless the audience is who is no longer (audience.py).
IS_FOR_OTHERS = """
p.withdrawn <> (SELECT n.audience ? 'affected' FROM notifications_edition AS x
    JOIN notifications_notice AS n ON n.id = x.notice_id WHERE x.id = %(edition)s)
"""
LEFT_OUT = f"(p.held OR {IS_FOR_OTHERS})"
NEW_BATCH = """
    INSERT INTO notifications_batch (id, edition_id, epoch, route, journal, opened_at, lease_until, rows)
    SELECT %(token)s::uuid, e.id, e.epoch, e.route, %(journal)s::uuid, now(),
        now() + make_interval(secs => %(lease)s), 0
    FROM notifications_edition AS e
    WHERE e.id = %(edition)s AND e.epoch = coalesce(%(epoch)s::int, e.epoch) AND {may_be_sent} RETURNING id
""".replace("{may_be_sent}", MAY_BE_SENT)

# The plan must read the index of what is due in its order and stop: so people are joined only to the rows it found.
# Whoever is on hold is looked at again later.
CLAIM = """
WITH batch AS ({new_batch}), due AS (
    SELECT d.id FROM notifications_delivery AS d
    WHERE d.edition_id = %(edition)s AND d.next_at <= now() AND EXISTS (SELECT FROM batch)
    ORDER BY d.next_at LIMIT %(limit)s FOR UPDATE SKIP LOCKED
)
UPDATE notifications_delivery AS d SET
    state = CASE WHEN {left_out} THEN d.state ELSE 'claimed' END,
    token = CASE WHEN {left_out} THEN d.token ELSE %(token)s END,
    next_at = CASE WHEN {left_out} THEN now() + make_interval(secs => %(look_again)s) END
FROM due, people_person AS p WHERE d.id = due.id AND p.id = d.person_id
RETURNING {left_out}, d.id, d.person_id, p.sealed, p.row_checksum, p.kinds, d.tries, d.generation, d.rung,
    notifications_frozen_row(p) IS NOT DISTINCT FROM coalesce(d.amended, d.frozen)
""".replace("{new_batch}", NEW_BATCH).replace("{left_out}", LEFT_OUT)

# Here and in SETTLE the token is compared so that its index cannot be used: it would read the whole batch each time.
BEGIN = """
WITH allowed AS (
    SELECT b.id FROM notifications_batch AS b JOIN notifications_edition AS e ON e.id = b.edition_id
    WHERE b.id = %(token)s AND b.settled_at IS NULL AND b.lease_until > now() + make_interval(secs => %(least)s)
      AND e.epoch = b.epoch AND {may_be_sent}
)
UPDATE notifications_delivery AS d
SET state = 'handing_over', tries = d.tries + 1, handing_over_at = now(), recipient = i.recipient
FROM unnest(%(ids)s::uuid[], %(recipients)s::bytea[]) AS i (id, recipient)
WHERE d.id = i.id AND d.token IS NOT DISTINCT FROM %(token)s AND d.state = 'claimed' AND EXISTS (SELECT FROM allowed)
RETURNING d.id
""".replace("{may_be_sent}", MAY_BE_SENT)

# A late answer is believed when its token still matches: an unknown becomes handed over, and nothing else.
SETTLE = """
WITH answer AS (
    SELECT * FROM unnest(%(ids)s::uuid[], %(outcomes)s::text[], %(phases)s::text[], %(codes)s::int[],
        %(enhanced)s::text[], %(replies)s::bytea[], %(remote)s::text[], %(waits)s::int[], %(counted)s::int[],
        %(domains)s::bytea[])
    AS a (id, outcome, phase, code, enhanced, reply, remote, wait, counted, domain)
), settled AS (
    UPDATE notifications_delivery AS d
    SET state = a.outcome, code = a.code, reply_sha256 = a.reply, settled_at = now(),
        next_at = now() + make_interval(secs => a.wait), tries = d.tries - 1 + a.counted,
        token = CASE WHEN a.counted = 1 THEN d.token END
    FROM answer AS a WHERE d.id = a.id AND d.token IS NOT DISTINCT FROM %(token)s
      AND (d.state = 'handing_over' OR (d.state = 'unknown' AND a.outcome = 'handed_over'))
    RETURNING d.id, d.tries, d.handing_over_at, d.recipient, a.outcome, a.phase, a.code, a.enhanced, a.reply, a.remote,
        a.counted, a.domain
), told AS (
    INSERT INTO notifications_attempt (id, delivery_id, batch_id, n, phase, outcome, code, enhanced, reason,
        reply_sha256, recipient, remote_id, opened_at, closed_at, domain)
    SELECT gen_random_uuid(), s.id, %(token)s::uuid, s.tries, s.phase, s.outcome, s.code, s.enhanced, '', s.reply,
        s.recipient, s.remote, s.handing_over_at, now(), s.domain
    FROM settled AS s WHERE s.counted = 1 AND (s.outcome <> 'handed_over' OR s.tries > 1 OR s.remote <> ''
        OR EXISTS (SELECT FROM notifications_attempt AS u WHERE u.delivery_id = s.id AND u.outcome = 'unknown'))
)
SELECT count(*) FROM settled WHERE EXISTS (
    SELECT FROM notifications_batch AS b WHERE b.id = %(token)s AND b.settled_at IS NOT NULL)
"""

BLOCK = """
WITH blocked AS (
    UPDATE notifications_delivery AS d SET state = 'blocked', settled_at = now()
    FROM unnest(%(ids)s::uuid[], %(reasons)s::text[]) AS b (id, reason)
    WHERE d.id = b.id AND d.token = %(token)s AND d.state = 'claimed'
    RETURNING d.id, d.tries, b.reason
)
INSERT INTO notifications_attempt (id, delivery_id, batch_id, n, phase, outcome, enhanced, reason, remote_id, closed_at)
SELECT gen_random_uuid(), id, %(token)s::uuid, tries + 1, 'render', 'blocked', '', reason, '', now() FROM blocked
"""

PUT_OFF = """
UPDATE notifications_delivery AS d SET state = 'planned', token = NULL, next_at = now() + make_interval(secs => w.wait)
FROM unnest(%(ids)s::uuid[], %(waits)s::float8[]) AS w (id, wait)
WHERE d.id = w.id AND d.token IS NOT DISTINCT FROM %(token)s AND d.state = 'claimed'
"""

GIVE_BACK = """
UPDATE notifications_delivery SET state = 'planned', token = NULL, next_at = now()
WHERE token = %(token)s AND state = 'claimed'
"""

# Only where it is proven that no dot was written (recovering.py). The try does not count.
TAKE_BACK = """
UPDATE notifications_delivery SET state = 'planned', token = NULL, next_at = now(), tries = tries - 1
WHERE token = %(token)s AND id = ANY(%(rows)s) AND state = 'handing_over'
"""

RENEW = """
UPDATE notifications_batch SET lease_until = now() + make_interval(secs => %(lease)s)
WHERE id = ANY(%(tokens)s) AND settled_at IS NULL AND lease_until > now() RETURNING id
"""


class Claimed(NamedTuple):
    """One row in a worker's hand, with what its message needs."""

    id: UUID
    person: UUID
    sealed: bytes
    checksum: bytes
    kinds: Sequence[str]
    tries: int
    generation: int
    rung: int
    is_as_frozen: bool
    was_tried: bool = False


@dataclass(frozen=True)
class Terms:
    """Seconds for which a worker may hold rows. No dot is written later than the lease less the wait for its answer."""

    dot_timeout: float
    margin: float

    @property
    def lease(self) -> float:
        return self.dot_timeout + self.margin


def terms() -> Terms:
    return Terms(settings.BREACHDESK.smtp_timeout, settings.BREACHDESK.lease_margin)


def plan_of(edition: Edition) -> tuple[str, UUID]:
    """How an event names the rows of an edition that no batch holds."""
    return TABLE, edition.pk


def rows_of(batch: UUID) -> tuple[str, UUID]:
    """How an event names the rows of a settled batch."""
    return TABLE, batch


def plan_deliveries(edition: Edition) -> int:
    """One row for each person this edition is for and who has none yet; running it again adds nothing."""
    found = recipients_of(edition).order_by("pk").values_list("pk", flat=True).iterator(chunk_size=PLANNED_AT_ONCE)
    people, planned = iter(found), 0
    with connection.cursor() as cursor:
        while some := list(islice(people, PLANNED_AT_ONCE)):
            # In the order of the rows, or each claim would write to every page of the index.
            ids = sorted(uuid4() for _ in some)
            parameters: dict[str, Any] = {
                "notice": edition.notice_id,
                "edition": edition.pk,
                "ids": ids,
                "people": some,
            }
            cursor.execute(PLAN, parameters | {"verifications": verification_codes.indexes_of(ids)})
            planned += int(cursor.rowcount)
        # What is asked next in this transaction must know that the rows are there.
        cursor.execute("ANALYZE notifications_delivery (edition_id, state)")
    reach("G0")
    return planned


def forget_plan(edition: Edition) -> int:
    """The list is free again: rows that were never tried go. The database refuses to delete any other."""
    with connection.cursor() as cursor:
        cursor.execute(FORGET, [edition.pk])
        return int(cursor.rowcount)


def claim(
    edition_id: UUID, limit: int, journal: UUID | None = None, epoch: int | None = None
) -> tuple[UUID, list[Claimed]]:
    """Lease up to `limit` due rows of an edition that is being sent. No rows: nothing due, or not to be sent now.

    `journal` is where this worker notes what it does on the wire (journal.py). `epoch` is the one in which it read by
    which way and how fast the edition goes: in another nothing is taken.
    """
    token = uuid4()
    with transaction.atomic():
        parameters = {
            "edition": edition_id,
            "journal": journal,
            "epoch": epoch,
            "lease": terms().lease,
            "look_again": LOOK_AT_HOLD_AGAIN,
        }
        # A plan made once must know the limit, or it is made for a tenth of all rows.
        statement = CLAIM.replace("%(limit)s", str(int(limit)))
        found = run(statement, {"token": token, **parameters}, binary=True)
        rows = [Claimed(*row) for is_held, *row in found if not is_held]
        if not rows:
            Batch.objects.filter(pk=token).delete()
    return token, rows


def begin_hand_over(token: UUID, recipients: Mapping[UUID, bytes]) -> set[UUID]:
    """Commit the intent for these rows, or for none: only those returned may go on the wire.

    Each brings the commitment to its address, so that whom a lost hand-over was for is known.

    Refused when the edition is not being sent, was started anew, lost its approval, or the lease is nearly over. Must
    run in a transaction whose first statement was share_hand_overs().
    """
    return begun(ask_to_begin(token, recipients))


def ask_to_begin(token: UUID, recipients: Mapping[UUID, bytes]) -> psycopg.Cursor[Any]:
    """begin_hand_over() with its answer unread, so that it goes in one round trip with others; it is for begun()."""
    least = terms().dot_timeout + terms().margin / 4
    rows = {"ids": Uuids(recipients), "recipients": Bytes(recipients.values())}
    return run(BEGIN, {"token": token, "least": least, **rows}, binary=True)


def begun(asked: psycopg.Cursor[Any]) -> set[UUID]:
    return {row[0] for row in asked.fetchall()}


def settle(token: UUID, answers: Iterable[tuple[UUID, int, Outcome]]) -> psycopg.Cursor[Any]:
    """Commit what came of hand-overs: (delivery, tries before this one, outcome). Repeating it changes nothing.

    What it returns is for tell_late(), which must follow in the same transaction.
    """
    return run(SETTLE, {"token": token, **columns_of(answers)})


def tell_late(token: UUID, settled: psycopg.Cursor[Any]) -> int:
    """How many answers came after their batch was sealed: they are believed, and stand in an event of their own."""
    [(late,)] = settled.fetchall()
    if late:
        batch = Batch.objects.select_related("edition__notice").get(pk=token)
        record(
            "delivery.answered_late",
            by=None,
            on=batch,
            incident=batch.edition.incident_id,
            count=late,
            edition=batch.edition_id,
            batch=token,
            batches=[rows_of(token), (ATTEMPTS, token)],
        )
    return int(late)


def block(token: UUID, reasons: Mapping[UUID, str]) -> None:
    """Rows whose message could not be made wait for a person."""
    run(BLOCK, {"token": token, "ids": list(reasons), "reasons": list(reasons.values())})


def put_off(token: UUID, waits: Mapping[UUID, float]) -> None:
    """Rows that were claimed and not begun; anybody may take each again once its seconds are over."""
    run(PUT_OFF, {"token": token, "ids": list(waits), "waits": list(waits.values())})


def give_back(token: UUID) -> int:
    """What is claimed and was never begun is planned again, for anybody."""
    with connection.cursor() as cursor:
        cursor.execute(GIVE_BACK, {"token": token})
        return int(cursor.rowcount)


def take_back(token: UUID, rows: Sequence[UUID]) -> int:
    """What was begun and never left is planned again, for anybody."""
    with connection.cursor() as cursor:
        cursor.execute(TAKE_BACK, {"token": token, "rows": list(rows)})
        return int(cursor.rowcount)


def renew(tokens: Sequence[UUID]) -> set[UUID]:
    """The batches whose lease runs on. One that ran out is not taken back: the sweeper may be returning its rows."""
    with connection.cursor() as cursor:
        cursor.execute(RENEW, {"tokens": list(tokens), "lease": terms().lease})
        return {row[0] for row in cursor.fetchall()}


def cancel_deliveries(edition: Edition) -> int:
    """Whoever was not told will not be; needs hold_back_hand_overs() first. Returns how many that are."""
    waiting = Delivery.objects.filter(edition=edition, state__in=["planned", "retry_wait", "claimed"])
    return waiting.update(state=Delivery.State.CANCELLED, token=None, next_at=None)


@contextmanager
def in_one_round_trip() -> Iterator[None]:
    """Statements inside are sent together; the first one that is read, or the end, waits for all."""
    connection.ensure_connection()
    with connection.wrap_database_errors, connection.connection.pipeline():
        yield


def now_of_database() -> datetime:
    with connection.cursor() as cursor:
        cursor.execute("SELECT clock_timestamp()")
        moment: datetime = cursor.fetchone()[0]
    return moment


def edition_key(edition_id: UUID) -> int:
    return int.from_bytes(edition_id.bytes[:8], "big", signed=True)


def share_hand_overs(edition_id: UUID) -> None:
    """Before begin_hand_over, as a statement of its own: what follows then sees every pause that was committed."""
    run("SELECT pg_advisory_xact_lock_shared(%(key)s)", {"key": edition_key(edition_id)})


def hold_back_hand_overs(edition_id: UUID) -> None:
    """Waits for hand-overs that are committing now and lets no other begin until this transaction ends."""
    with connection.cursor() as cursor:
        cursor.execute("SELECT pg_advisory_xact_lock(%s)", [edition_key(edition_id)])


def in_the_air(edition: Edition) -> int:
    return Delivery.objects.filter(edition=edition, state=Delivery.State.HANDING_OVER).count()
