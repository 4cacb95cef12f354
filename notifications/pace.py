"""How many may be taken now, of an edition with limits: asked and answered in the transaction that takes them.

One row for each edition is locked by every claim, so any number of workers share one pace; it lives in the database, by
the database's clock, so that neither a restart nor an empty Redis makes a burst. An edition without limits has no row.

- Rate: the generic cell rate algorithm (ITU-T I.371). `free_at` is the theoretical time of arrival; T = 60 s / rate;
  at most B = half a second's messages, 1 at least, may go at once, and each must leave within another half second or
  loses its turn (claiming.py). So over any 60 s at most the rate and one second's messages leave, 1 at least.
- Waves: one opens with the first person taken in it, and the next no sooner than its hours later. What a wave did not
  use is not added to the next, so that a night or a pause does not flood the hotline.
- Canary: nobody after the first so many, until `canary_at` says that they were through and it paused by itself.
- Domains: known only once an address is open, and only as a blind index (turns.py).

`taken` counts people under a token: it may say too many for a moment (a message that never left us), never too few;
before it holds anybody back they are counted.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import NamedTuple
from uuid import UUID, uuid4

from django.db import connection, transaction

from breachdesk.audit.record import record
from breachdesk.prepared import run
from notifications import delivery, turns
from notifications.delivery import LEFT_OUT, LOOK_AT_HOLD_AGAIN, MAY_BE_SENT, NEW_BATCH, Claimed, terms
from notifications.models import Batch, Edition, Pace
from notifications.schedule import Schedule, in_force
from notifications.turns import LOOKED_AT, Limits, longest_wait, rate_allows
from notifications.zones import quiet_places

SAME_BATCH = """
    SELECT b.id FROM notifications_batch AS b JOIN notifications_edition AS e ON e.id = b.edition_id
    WHERE b.id = %(token)s AND b.settled_at IS NULL AND b.lease_until > now() AND e.epoch = b.epoch AND {may_be_sent}
      AND e.epoch = coalesce(%(epoch)s::int, e.epoch) AND %(lease)s > 0
""".replace("{may_be_sent}", MAY_BE_SENT)

# As CLAIM, of an edition with limits: where it is night, a turn is put off until the morning; the others are taken as
# far as the limit goes, and what is beyond it stays as it is.
CLAIM_SOME = """
WITH batch AS ({batch}), due AS (
    SELECT d.id, d.person_id, d.next_at, d.token IS NOT NULL AS was_tried FROM notifications_delivery AS d
    WHERE d.edition_id = %(edition)s AND d.next_at <= now() {which} AND EXISTS (SELECT FROM batch)
    ORDER BY d.next_at LIMIT {looked_at} FOR UPDATE SKIP LOCKED
), looked AS (
    SELECT due.id, due.was_tried, {left_out} AS is_held, night.ends, row_number() OVER (
        PARTITION BY {left_out} OR night.ends IS NOT NULL ORDER BY due.next_at) AS n
    FROM due JOIN people_person AS p ON p.id = due.person_id
    LEFT JOIN unnest(%(countries)s::text[], %(states)s::text[], %(ends)s::timestamptz[]) AS night (country, state, ends)
        ON night.country = p.country AND night.state = p.state
)
UPDATE notifications_delivery AS d SET
    state = CASE WHEN l.is_held OR l.ends IS NOT NULL THEN d.state ELSE 'claimed' END,
    token = CASE WHEN l.is_held OR l.ends IS NOT NULL THEN d.token ELSE %(token)s END,
    next_at = CASE WHEN l.is_held THEN now() + make_interval(secs => %(look_again)s) ELSE l.ends END
FROM looked AS l, people_person AS p
WHERE d.id = l.id AND p.id = d.person_id AND (l.is_held OR l.ends IS NOT NULL OR l.n <= %(most)s)
RETURNING (SELECT count(*) FROM due), l.is_held OR l.ends IS NOT NULL, d.id, d.person_id, p.sealed, p.row_checksum,
    p.kinds, d.tries, d.generation, d.rung,
    notifications_frozen_row(p) IS NOT DISTINCT FROM coalesce(d.amended, d.frozen), l.was_tried
"""
CLAIMS = {
    (is_new, only_tried): CLAIM_SOME.format(
        batch=NEW_BATCH if is_new else SAME_BATCH,
        which="AND d.token IS NOT NULL" if only_tried else "",
        left_out=LEFT_OUT,
        looked_at=LOOKED_AT,
    )
    for is_new in (True, False)
    for only_tried in (True, False)
}

COUNT = """
SELECT count(*) FROM notifications_batch AS b JOIN notifications_delivery AS d ON d.token = b.id
WHERE b.edition_id = %(edition)s AND d.edition_id = %(edition)s
"""
STILL_OUT = f"{COUNT} AND d.state IN ('claimed', 'handing_over')"
TRIED_IS_DUE = """
SELECT EXISTS (SELECT FROM notifications_delivery AS d
    WHERE d.edition_id = %(edition)s AND d.next_at <= now() AND d.token IS NOT NULL)
"""
NEXT_TURN = """
SELECT greatest(0.01, extract(epoch FROM next_at - clock_timestamp())) FROM notifications_delivery
WHERE edition_id = %(edition)s AND next_at IS NOT NULL ORDER BY next_at LIMIT 1
"""
# Whoever waits for a turn further ahead than `longest` is looked at now. Who is to be tried again by an answer that was
# heard in the future waits as long as was meant, from now; and not once more when this is asked again.
BRING_FORWARD = """
UPDATE notifications_delivery
SET next_at = now() + CASE WHEN state = 'planned' THEN make_interval() ELSE next_at - settled_at END
WHERE edition_id = %(edition)s AND next_at > now() AND (
    (state = 'planned' AND token IS NULL AND next_at > now() + make_interval(secs => %(longest)s))
    OR (state = 'retry_wait' AND settled_at <= next_at AND next_at - settled_at < settled_at - now() - interval '1 s'))
"""


class Looked(NamedTuple):
    """What a claim under limits took, and whether it may have left rows that it did not look at."""

    token: UUID
    rows: list[Claimed]
    is_more: bool


@dataclass(frozen=True)
class Taken:
    """What a claim gave; and in how many seconds more may be had, None if nothing more is due."""

    token: UUID
    rows: list[Claimed]
    again_in: float | None


@dataclass(frozen=True)
class Gate:
    """How many messages may go, how many of them to people who were not tried yet; and when that changes."""

    most: int
    new: int
    again_in: float


def take(
    limits: Limits | None,
    edition_id: UUID,
    most: int,
    token: UUID | None,
    journal: UUID | None = None,
    epoch: int | None = None,
) -> Taken:
    """The next rows for a worker, into the batch it has if it has one; none once the edition is in another epoch."""
    if limits is None:
        fresh, rows = delivery.claim(edition_id, most, journal, epoch)
        return Taken(fresh, rows, 0 if len(rows) == most else None)
    with transaction.atomic():
        return _take(limits, most, token, journal)


def _take(limits: Limits, most: int, token: UUID | None, journal: UUID | None) -> Taken:
    pace, now = turns.locked(limits.edition_id)
    if not Edition.objects.sending_in(limits.epoch).filter(pk=limits.edition_id).exists():
        return Taken(token or uuid4(), [], None)
    gate = _gate(limits, pace, now)
    wanted = min(most, gate.most)
    if wanted < 1 or (gate.new < 1 and not _tried_is_due(limits.edition_id)):
        return Taken(token or uuid4(), [], gate.again_in)
    quiet = limits.schedule.quiet
    asleep = quiet_places(quiet, limits.zone, now.replace(second=0, microsecond=0)) if quiet else {}
    only_tried = gate.new < 1
    look = claim_some(
        limits.edition_id,
        wanted if only_tried else min(wanted, gate.new),
        token,
        asleep,
        only_tried=only_tried,
        journal=journal,
        epoch=limits.epoch,
    )
    by_domain = limits.schedule.per_domain or limits.schedule.at_once
    rows = _without_waiting_hosts(limits, look)
    rows = turns.granted(limits, look.token, rows) if by_domain else rows
    _let_go(pace, limits.schedule, rows, now)
    if not rows and token is None:
        Batch.objects.filter(pk=look.token).delete()
    if look.rows or look.is_more:
        return Taken(look.token, rows, 0)
    if only_tried:
        return Taken(look.token, rows, gate.again_in)
    return Taken(look.token, rows, _next_turn(limits.edition_id) if by_domain else None)


def _without_waiting_hosts(limits: Limits, look: Looked) -> list[Claimed]:
    """Whoever is put off before the turns are given out takes nobody else's."""
    waits = {row.id: wait for row in look.rows if limits.wait_for and (wait := limits.wait_for(row))}
    if waits:
        delivery.put_off(look.token, waits)
    return [row for row in look.rows if row.id not in waits]


def claim_some(
    edition_id: UUID,
    most: int,
    token: UUID | None,
    asleep: Mapping[tuple[str, str], datetime],
    *,
    only_tried: bool,
    journal: UUID | None = None,
    epoch: int | None = None,
) -> Looked:
    """As claim(), into the batch `token` if there is one; nobody of a place that is asleep, whose turn comes later.

    Must run in a transaction that holds the edition's pace.
    """
    statement, batch = CLAIMS[token is None, only_tried], token or uuid4()
    parameters = {"edition": edition_id, "token": batch, "lease": terms().lease, "look_again": LOOK_AT_HOLD_AGAIN}
    parameters |= {"epoch": epoch} | ({"journal": journal} if token is None else {})
    places = {
        "countries": [country for country, _ in asleep],
        "states": [state for _, state in asleep],
        "ends": list(asleep.values()),
    }
    found = list(run(statement, {"most": most, **parameters, **places}))
    rows = [Claimed(*row) for _, is_put_off, *row in found if not is_put_off]
    return Looked(batch, rows, bool(found) and found[0][0] == LOOKED_AT)


def _gate(limits: Limits, pace: Pace, now: datetime) -> Gate:
    """What the row allows at this moment. Before it says that nobody new may go, they are counted."""
    most, wait = rate_allows(limits.schedule.per_minute, pace.free_at, now)
    new, opens = _new_allowed(limits, pace, now)
    if new < 1:
        pace.taken = counted(pace.edition_id)
        new, opens = _new_allowed(limits, pace, now)
    return Gate(most, new, wait if most < 1 else opens)


def _new_allowed(limits: Limits, pace: Pace, now: datetime) -> tuple[int, float]:
    """How many people who were not tried yet; if none, in how many seconds (a day where only a person can tell)."""
    if limits.canary and pace.canary_at is None and pace.taken >= limits.canary:
        return 0, 86_400
    allowed = limits.canary - pace.taken if limits.canary and pace.canary_at is None else LOOKED_AT
    if limits.schedule.wave_size is None:
        return allowed, 0
    opens = next_wave_at(limits.schedule, pace)
    if opens is None or opens <= now:
        return min(allowed, limits.schedule.wave_size), 0
    room = pace.wave_ends_with - pace.taken
    return min(allowed, room), (opens - now).total_seconds() if room < 1 else 0


def next_wave_at(schedule: Schedule, pace: Pace) -> datetime | None:
    """When the wave after this one may open; None before the first."""
    return pace.wave_at + timedelta(hours=schedule.wave_hours or 0) if pace.wave_at else None


def _let_go(pace: Pace, schedule: Schedule, rows: Sequence[Claimed], now: datetime) -> None:
    new = sum(not row.was_tried for row in rows)
    if schedule.wave_size and new:
        opens = next_wave_at(schedule, pace)
        if opens is None or opens <= now:
            pace.wave, pace.wave_at, pace.wave_ends_with = pace.wave + 1, now, pace.taken + schedule.wave_size
    pace.taken += new
    pace.free_at = max(pace.free_at, now)
    if schedule.per_minute:
        pace.free_at += timedelta(seconds=60 / schedule.per_minute * len(rows))
    pace.save(update_fields=["free_at", "taken", "wave", "wave_at", "wave_ends_with"])


def counted(edition_id: UUID) -> int:
    """People under a token: told, on their way, tried, or stopped on the way."""
    return int(_value(COUNT, edition_id))


def is_out(edition_id: UUID) -> bool:
    """Whether anybody was taken and not answered for yet."""
    return bool(_value(STILL_OUT, edition_id))


def _tried_is_due(edition_id: UUID) -> bool:
    return bool(_value(TRIED_IS_DUE, edition_id))


def _next_turn(edition_id: UUID) -> float | None:
    """In how many seconds the next person is due: those put back wait for a turn that comes soon."""
    with connection.cursor() as cursor:
        cursor.execute(NEXT_TURN, {"edition": edition_id})
        found = cursor.fetchone()
    return float(found[0]) if found else None


def _value(statement: str, edition_id: UUID) -> int:
    with connection.cursor() as cursor:
        cursor.execute(statement, {"edition": edition_id})
        return int(cursor.fetchone()[0])


def goes_on_in(edition: Edition) -> float:
    """In how many seconds ringing for this edition sends something, as far as its limits go; 0 for now."""
    schedule = in_force(edition.schedule, edition.rate)
    if not schedule.is_limited or not Pace.objects.filter(edition=edition, domain=b"").exists():
        return 0
    limits = Limits(edition.pk, edition.recipients_count or 0, schedule, "UTC", lambda row: b"")
    with transaction.atomic():
        gate = _gate(limits, *turns.locked(edition.pk))
    return 0 if gate.most > 0 and (gate.new > 0 or _tried_is_due(edition.pk)) else gate.again_in


def hold(edition_id: UUID) -> None:
    """Nobody is taken until this transaction ends. Before the lock on the edition, which a claim asks for after it."""
    Pace.objects.select_for_update().filter(edition=edition_id, domain=b"").first()


def start_anew(edition_id: UUID, schedule: Schedule) -> None:
    """By other numbers or another clock than before: nobody waits any longer than these ask for, and nothing goes in a
    burst. Needs hold()."""
    paces, now = Pace.objects.filter(edition=edition_id), delivery.now_of_database()
    for rows, rate in (
        (paces.filter(domain=b""), schedule.per_minute),
        (paces.exclude(domain=b""), schedule.per_domain),
    ):
        soon = now + timedelta(seconds=longest_wait(rate))
        rows.filter(free_at__gt=soon).update(free_at=soon)
    paces.filter(wave_at__gt=now).update(wave_at=now)
    paces.update(queued_until=None)


@transaction.atomic
def bring_forward(edition_id: UUID, *, why: str, longest: float = 0.0) -> int:
    """Whoever was put back for a turn under other numbers, or by a clock that went back, is looked at now.

    Whose night it is, or whose turn it is not, is put back again by then.
    """
    with connection.cursor() as cursor:
        cursor.execute(BRING_FORWARD, {"edition": edition_id, "longest": longest})
        count = int(cursor.rowcount)
    if count:
        edition = Edition.objects.select_related("notice").get(pk=edition_id)
        record(
            "delivery.brought_forward",
            by=None,
            on=edition,
            batches=[delivery.plan_of(edition)],
            count=count,
            why=why,
            language=edition.language,
        )
    return count


def give_back(token: UUID) -> int:
    """As delivery.give_back; whoever was never begun may be taken again."""
    with transaction.atomic():
        return _may_be_taken_again(token, delivery.give_back(token))


def take_back(token: UUID, rows: Sequence[UUID]) -> int:
    """As delivery.take_back; whoever was begun and never sent to may be taken again."""
    with transaction.atomic():
        return _may_be_taken_again(token, delivery.take_back(token, rows))


def _may_be_taken_again(token: UUID, returned: int) -> int:
    if returned:
        edition = Batch.objects.filter(pk=token).values("edition")[:1]
        pace = Pace.objects.select_for_update().filter(edition=edition, domain=b"").first()
        if pace:
            pace.taken = max(0, pace.taken - returned)
            pace.save(update_fields=["taken"])
    return returned
