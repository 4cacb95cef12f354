"""Whose turn it is among the addresses of one domain: so many a minute, and so many in the workers' hands at once.

The domain of an address is known only while it is open; what is kept of it is a blind index. Both limits are asked in
the transaction that takes people, under the lock of the edition's pace, so they hold over all workers.

- A minute: as for all together (pace.py), with a row for each domain.
- At once: the row names the deliveries that were given out, and those still claimed or being handed over count. Nothing
  is counted down: a killed worker's people stop counting when they are returned. Who is in hand may be on the wire, so
  never more than so many are.
- Who has no turn is put back with the time at which it comes, one after the other, so that nobody is opened again and
  again; by the domain's rate, or as fast as its last ones went. Ten minutes ahead at most, for a guess may be wrong.
"""

from collections import defaultdict
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from uuid import UUID

from django.db import connection

from breachdesk.prepared import run
from notifications import delivery
from notifications.delivery import Claimed
from notifications.models import Delivery, Pace
from notifications.schedule import Schedule

DomainOf = Callable[[Claimed], bytes]
State = Delivery.State
LOOKED_AT = 500  # rows that one claim looks at, to find some whose turn it is
AT_ONCE = 0.5  # seconds' messages that may be given out at the same moment, one at least
IN_TIME = 0.5  # seconds in which what was given out must leave; so both together are one second's messages
PART_OF_A_BLOCK = 2  # a worker comes back for a quarter of a second's messages, not for each
LEAST_GAP, FIRST_GAP, MOST_GAP = timedelta(milliseconds=2), timedelta(milliseconds=10), timedelta(seconds=1)
FARTHEST_GUESS = timedelta(minutes=10)
LONGEST_NIGHT = 49 * 3600.0  # as the database's guard has it

LOCK = """
INSERT INTO notifications_pace (id, edition_id, domain, free_at, taken, wave, wave_ends_with, in_hand)
SELECT gen_random_uuid(), %(edition)s, new.domain, clock_timestamp(), 0, 0, 0, '{}'
FROM unnest(%(domains)s::bytea[]) AS new (domain) ORDER BY new.domain ON CONFLICT DO NOTHING
"""
KEEP = """
UPDATE notifications_pace AS p SET free_at = k.free_at, queued_until = k.queued_until, in_hand = k.in_hand::uuid[]
FROM unnest(%(ids)s::uuid[], %(free)s::timestamptz[], %(queued)s::timestamptz[], %(hands)s::text[])
    AS k (id, free_at, queued_until, in_hand) WHERE p.id = k.id
"""
PUT_BACK = """
UPDATE notifications_delivery AS d SET state = 'planned', token = NULL, next_at = b.at
FROM unnest(%(ids)s::uuid[], %(times)s::timestamptz[]) AS b (id, at)
WHERE d.id = b.id AND d.token = %(token)s AND d.state = 'claimed'
"""


@dataclass(frozen=True)
class Limits:
    """What holds for one edition, and how a row's domain is found out."""

    edition_id: UUID
    people: int
    schedule: Schedule
    zone: str
    domain_of: DomainOf
    epoch: int | None = None
    wait_for: Callable[[Claimed], float] | None = None  # seconds, for a host that keeps us waiting (hosts.py)

    @property
    def is_paced(self) -> bool:
        return bool(self.schedule.per_minute or self.schedule.per_domain)

    @property
    def canary(self) -> int:
        return self.schedule.canary_of(self.people)


def locked(edition_id: UUID) -> tuple[Pace, datetime]:
    """The edition's row, and the database's time once we have it."""
    _there_are(edition_id, [b""])
    pace = Pace.objects.select_for_update().get(edition=edition_id, domain=b"")
    return pace, delivery.now_of_database()


def _there_are(edition_id: UUID, domains: Sequence[bytes]) -> None:
    with connection.cursor() as cursor:
        cursor.execute(LOCK, {"edition": edition_id, "domains": list(domains)})


def rate_allows(per_minute: int | None, free_at: datetime, now: datetime) -> tuple[int, float]:
    """How many may go now; if not even a part of a block, none, and in how many seconds that part may."""
    if per_minute is None:
        return LOOKED_AT, 0
    gap, block = _gap_and_block(per_minute)
    part = max(1, int(block) // PART_OF_A_BLOCK)
    ahead = max(0.0, (free_at - now).total_seconds())
    most = int(block - ahead / gap + 1e-6)
    return (most, 0) if most >= part else (0, max(0.001, ahead - (block - part) * gap))


def _gap_and_block(per_minute: int) -> tuple[float, float]:
    """Seconds from one message to the next, and how many messages may be given out at the same moment."""
    return 60 / per_minute, max(1.0, per_minute / 60 * AT_ONCE)


def longest_wait(per_minute: int | None) -> float:
    """Seconds from now to `free_at` when everything was just given out; it is never further ahead than that."""
    if per_minute is None:
        return 0.0
    gap, block = _gap_and_block(per_minute)
    return gap * block


def longest_turn(schedule: Schedule, people: int) -> float:
    """Seconds beyond which nobody's turn is put off: until people on hold are looked at, a night, a domain's queue."""
    night = LONGEST_NIGHT if schedule.quiet else 0.0
    queue = 60 / schedule.per_domain * people if schedule.per_domain else 0.0
    return max(delivery.LOOK_AT_HOLD_AGAIN, night, 2 * queue)  # twice: who missed a turn queues up once more


def granted(limits: Limits, token: UUID, rows: Sequence[Claimed]) -> list[Claimed]:
    """Those whose domain may get one more now; the others go back, each with the time of its turn."""
    by_domain: dict[bytes, list[Claimed]] = defaultdict(list)
    for row in rows:
        by_domain[limits.domain_of(row)].append(row)
    given = by_domain.pop(b"", [])
    if not by_domain:
        return given
    _there_are(limits.edition_id, sorted(by_domain))
    paces = list(Pace.objects.filter(edition=limits.edition_id, domain__in=list(by_domain)))
    out, now = _still_out(paces, rows), delivery.now_of_database()
    later: list[tuple[UUID, datetime]] = []
    for pace in paces:
        pace.in_hand, before = [one for one in pace.in_hand if one in out], len(pace.in_hand)
        waiting = by_domain[bytes(pace.domain)]
        most = _most(limits.schedule, pace, now)
        gap = _gap(limits.schedule, pace, before, now)
        given += waiting[:most]
        pace.in_hand += [row.id for row in waiting[:most]] if limits.schedule.at_once else []
        later += _turns(limits.schedule, pace, waiting[most:], gap, now)
        if waiting[:most]:
            pace.free_at = max(pace.free_at, now) + _spent(limits.schedule, len(waiting[:most]))
    _keep(paces)
    if later:
        ids, times = zip(*later, strict=True)
        run(PUT_BACK, {"token": token, "ids": list(ids), "times": list(times)})
    return given


def _still_out(paces: Sequence[Pace], rows: Sequence[Claimed]) -> set[UUID]:
    """Whoever was given out before and is not answered for; not those that this claim has just taken again."""
    named = {one for pace in paces for one in pace.in_hand} - {row.id for row in rows}
    out = Delivery.objects.filter(pk__in=named, state__in=[State.CLAIMED, State.HANDING_OVER])
    return set(out.values_list("pk", flat=True)) if named else set()


def _most(schedule: Schedule, pace: Pace, now: datetime) -> int:
    most, _ = rate_allows(schedule.per_domain, pace.free_at, now)
    return min(most, max(0, schedule.at_once - len(pace.in_hand))) if schedule.at_once else most


def _spent(schedule: Schedule, number: int) -> timedelta:
    return timedelta(minutes=1) / schedule.per_domain * number if schedule.per_domain else timedelta()


def _gap(schedule: Schedule, pace: Pace, before: int, now: datetime) -> timedelta:
    """From one turn to the next. Without a rate: as the last ones went, which were given out at `free_at`."""
    if schedule.per_domain:
        return timedelta(minutes=1) / schedule.per_domain
    gone = before - len(pace.in_hand)
    seen = (now - pace.free_at) / gone if gone > 0 else FIRST_GAP
    return min(max(seen, LEAST_GAP), MOST_GAP)


def _turns(
    schedule: Schedule, pace: Pace, waiting: Sequence[Claimed], gap: timedelta, now: datetime
) -> list[tuple[UUID, datetime]]:
    farthest = None if schedule.per_domain else now + FARTHEST_GUESS
    turn, found = max(pace.queued_until or now, pace.free_at, now), []
    for row in waiting:
        turn = min(turn + gap, farthest) if farthest else turn + gap
        found.append((row.id, turn))
    pace.queued_until = turn if waiting else pace.queued_until
    return found


def _keep(paces: Sequence[Pace]) -> None:
    """One statement for all, however many domains a claim meets."""
    with connection.cursor() as cursor:
        cursor.execute(
            KEEP,
            {
                "ids": [pace.pk for pace in paces],
                "free": [pace.free_at for pace in paces],
                "queued": [pace.queued_until for pace in paces],
                "hands": ["{" + ",".join(map(str, pace.in_hand)) + "}" for pace in paces],
            },
        )
