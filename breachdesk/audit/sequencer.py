"""The one place that turns events into the log.

Writers only insert events, inside their own transactions, and wait for nobody. Here the events that are not linked yet
are read in the order of their row ids, given the next positions, and written as entries, leaves and nodes in one
transaction: a crash at any point leaves whole batches only. An advisory lock keeps a second sequencer out; if it ever
failed, the unique keys on idx and (incident, inc_n) would make the second one fail, not fork the log.

There is no NOTIFY when an event is recorded: it takes a lock of the whole server at every commit. The command looks
every fifth of a second instead.
"""

import time
from collections.abc import Iterable, Sequence
from contextlib import AbstractContextManager
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from hashlib import sha256
from typing import Any, NamedTuple
from uuid import UUID

from django.conf import settings
from django.db import connection, transaction

from breachdesk.audit.canonical import parse, time_of, time_text
from breachdesk.audit.entries import entry_bytes, stored_frontier
from breachdesk.audit.locks import Hold, is_held_elsewhere, process_lock
from breachdesk.audit.models import Entry, Event, Pending
from breachdesk.audit.record import record
from breachdesk.audit.tree import Frontier, Node, leaf_of

BATCH = 1000
LOCK = 0x62646C6F67  # "bdlog"
STEP_BACK = timedelta(seconds=2)
AHEAD = timedelta(seconds=5)
ANOMALY = "clock.anomaly"


class Waiting(NamedTuple):
    """An event that is not linked yet."""

    row: int
    event_id: UUID
    type: str
    incident: UUID | None
    body: bytes
    at: datetime


class Linked(NamedTuple):
    """An entry as it goes into its table."""

    idx: int
    event_id: UUID
    entry: bytes
    leaf: bytes
    incident: UUID | None
    inc_n: int | None


@dataclass
class Head:
    """Where the log stands: everything the next entry depends on."""

    frontier: Frontier
    seq_at: datetime
    incidents: dict[UUID, tuple[int, bytes]] = field(default_factory=dict)

    def link(self, waiting: Waiting, log: str) -> tuple[Linked, list[Node]]:
        n, event = self.frontier.size, waiting
        inc_n, inc_prev = self._next_in(event.incident)
        entry = entry_bytes(
            log=log,
            n=n,
            seq_at=self.seq_at,
            incident=event.incident,
            inc_n=inc_n,
            inc_prev=inc_prev,
            body=sha256(event.body).digest(),
        )
        leaf = leaf_of(entry)
        if event.incident is not None and inc_n is not None:
            self.incidents[event.incident] = inc_n, leaf
        return Linked(n, event.event_id, entry, leaf, event.incident, inc_n), self.frontier.add(leaf)

    def _next_in(self, incident: UUID | None) -> tuple[int | None, bytes | None]:
        if incident is None:
            return None, None
        last_n, last_leaf = self.incidents.get(incident, (0, None))
        return last_n + 1, last_leaf


def sequence_pending(limit: int = BATCH) -> int:
    """Links up to `limit` waiting events and says how many. 0 as well when another sequencer is at work."""
    with transaction.atomic(), connection.cursor() as cursor:
        cursor.execute("SELECT pg_try_advisory_xact_lock(%s)", [LOCK])
        if not cursor.fetchone()[0]:
            return 0
        waiting = _read_waiting(cursor, limit)
        if not waiting:
            return 0
        head, now = _read_head(waiting), _database_clock(cursor)
        before, head.seq_at = head.seq_at, max(now, head.seq_at)
        linked, nodes = _link_all(head, waiting)
        _write(cursor, linked, nodes)
        cursor.execute("DELETE FROM audit_pending WHERE event_row = ANY (%s)", [[event.row for event in waiting]])
        _report_clocks(waiting, linked, before=before, now=now)
        return len(waiting)


def sequence_everything(seconds: float = 30) -> bool:
    """Links what waits, or waits for the sequencer that is at work to do it. False if time ran out before."""
    deadline = time.monotonic() + seconds
    while Pending.objects.exists():
        if sequence_pending() == 0:
            time.sleep(0.05)
        if time.monotonic() > deadline:
            return False
    return True


def sequencer_lock() -> AbstractContextManager[Hold]:
    return process_lock(LOCK)


def is_sequencer_running() -> bool:
    """Whether another database session than this one has the lock."""
    return is_held_elsewhere(LOCK)


def _read_waiting(cursor: Any, limit: int) -> list[Waiting]:
    cursor.execute(
        """SELECT event.id, event.event_id, event.type, event.incident, event.body, event.at
           FROM audit_pending JOIN audit_event AS event ON event.id = audit_pending.event_row
           ORDER BY audit_pending.event_row LIMIT %s""",
        [limit],
    )
    return [Waiting(*row) for row in cursor.fetchall()]


def _read_head(waiting: Iterable[Waiting]) -> Head:
    last = Entry.objects.order_by("-idx").first()
    if last is None:
        return Head(Frontier(), datetime.min.replace(tzinfo=UTC))
    seq_at = time_of(parse(bytes(last.entry))["seq_at"])
    return Head(stored_frontier(last.idx + 1), seq_at, _last_of_incidents({event.incident for event in waiting}))


def _last_of_incidents(incidents: set[UUID | None]) -> dict[UUID, tuple[int, bytes]]:
    with connection.cursor() as cursor:
        cursor.execute(
            """SELECT wanted.incident, last.inc_n, last.leaf FROM unnest(%s::uuid[]) AS wanted (incident),
               LATERAL (SELECT inc_n, leaf FROM audit_entry WHERE audit_entry.incident = wanted.incident
                        ORDER BY inc_n DESC LIMIT 1) AS last""",
            [[incident for incident in incidents if incident is not None]],
        )
        return {incident: (inc_n, bytes(leaf)) for incident, inc_n, leaf in cursor.fetchall()}


def _database_clock(cursor: Any) -> datetime:
    cursor.execute("SELECT clock_timestamp()")
    now: datetime = cursor.fetchone()[0]
    return now


def _link_all(head: Head, waiting: Iterable[Waiting]) -> tuple[list[Linked], list[Node]]:
    log: str = settings.BREACHDESK.log_origin
    linked, nodes = [], []
    for event in waiting:
        entry, completed = head.link(event, log)
        linked.append(entry)
        nodes += completed
    return linked, nodes


def _write(cursor: Any, linked: Iterable[Linked], nodes: Iterable[Node]) -> None:
    _copy(cursor, "COPY audit_entry (idx, event_id, entry, leaf, incident, inc_n) FROM STDIN", linked)
    _copy(cursor, "COPY audit_node (level, pos, hash) FROM STDIN", nodes)


def _copy(cursor: Any, statement: str, rows: Iterable[tuple[Any, ...]]) -> None:
    """Django does not translate the errors of a COPY by itself, and the command waits for Django's."""
    with connection.wrap_database_errors, cursor.copy(statement) as copy:
        for row in rows:
            copy.write_row(row)


def _report_clocks(waiting: Sequence[Waiting], linked: Sequence[Linked], *, before: datetime, now: datetime) -> None:
    """Reports of a wrong clock are not reported on themselves, or each would call for the next."""
    reported = [(event, entry) for event, entry in zip(waiting, linked, strict=True) if event.type != ANOMALY]
    if not reported:
        return
    if before - now > STEP_BACK and not _is_known_step(before):
        _report("stepped_back", before - now, reported, seq_at=before)
    ahead = [(event, entry) for event, entry in reported if event.at - max(now, before) > AHEAD]
    if ahead:
        _report("ahead", max(event.at for event, _ in ahead) - max(now, before), ahead, seq_at=max(now, before))


def _report(kind: str, by: timedelta, concerned: Sequence[tuple[Waiting, Linked]], *, seq_at: datetime) -> None:
    first, last = concerned[0][1].idx, concerned[-1][1].idx
    record(ANOMALY, by=None, kind=kind, seconds=round(by.total_seconds()), first=first, last=last, seq_at=seq_at)


def _is_known_step(seq_at: datetime) -> bool:
    """While the clock catches up, every entry has the same seq_at: one report is enough."""
    last = Event.objects.of_type(ANOMALY).newest_first().first()
    return last is not None and last.content["data"].get("seq_at") == time_text(seq_at)
