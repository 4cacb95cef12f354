"""Along the log, entry by entry: each is made again from what the log demands at its place, and must be the same.

The signer walks over what came since its last note, verify_audit over everything. No column is believed: the bytes of
the entry must be those that the position, the event's own bytes and the incident's entry before call for.
"""

from base64 import urlsafe_b64encode
from collections.abc import Iterable
from dataclasses import dataclass, field
from hashlib import sha256
from typing import Any, NamedTuple

from django.db import connection

from breachdesk.audit.canonical import NotCanonicalError, parse, time_of
from breachdesk.audit.entries import entry_of_texts
from breachdesk.audit.tree import Frontier, Node, leaf_of

PAGE = 2000
RULE_OF_KEY = {"v": 3, "log": 3, "n": 3, "body": 4, "incident": 4, "inc_n": 5, "inc_prev": 5}
# Where an entry says when it was linked: ..."seq_at":"2026-11-21T09:30:00.000000Z","v":1}
SEQ_AT = slice(-35, -8)


class Stored(NamedTuple):
    """An entry and its event, as they are in the tables. Times and ids are text as the trail writes them."""

    idx: int
    event_id: str
    entry: bytes
    leaf: bytes
    incident: str | None
    inc_n: int | None
    body: bytes | None
    body_sha256: bytes
    type: str
    at: str
    event_incident: str | None
    names: list[str] | None


class Wrong(Exception):
    def __init__(self, rule: int, sentence: str) -> None:
        super().__init__(sentence)
        self.rule = rule


@dataclass
class Walk:
    """Where it stands: everything the next entry depends on."""

    log: str
    frontier: Frontier = field(default_factory=Frontier)
    incidents: dict[str, tuple[int, str]] = field(default_factory=dict)
    seq_at: str = ""

    @property
    def size(self) -> int:
        return self.frontier.size

    def take(self, stored: Stored) -> tuple[str, list[Node]]:
        """When it was linked, and the nodes it completes. Raises Wrong, and stays where it is, if it is not right."""
        n, incident = self.frontier.size, stored.event_incident
        if stored.idx != n:
            raise Wrong(3, f"Entry {n} is missing; the next one is {stored.idx}.")
        if stored.body is None:
            raise Wrong(4, f"The event of entry {n} is gone.")
        last_n, last_leaf = self.incidents.get(incident, (0, None)) if incident else (0, None)
        inc_n = last_n + 1 if incident else None
        seq_at = self._seq_at(stored)
        expected = entry_of_texts(
            log=self.log,
            n=n,
            seq_at=seq_at,
            incident=incident,
            inc_n=inc_n,
            inc_prev=last_leaf,
            body=_base64url(sha256(stored.body).digest()),
        )
        if stored.entry != expected:
            raise _difference(n, parsed(3, stored.entry), parse(expected))
        if stored.leaf != leaf_of(stored.entry):
            raise Wrong(3, f"The leaf of entry {n} does not belong to its bytes.")
        if stored.incident != incident or stored.inc_n != inc_n:
            raise Wrong(3, f"The columns beside entry {n} contradict its bytes.")
        if incident and inc_n:
            self.incidents[incident] = inc_n, _base64url(stored.leaf)
        return seq_at, self.frontier.add(stored.leaf)

    def _seq_at(self, stored: Stored) -> str:
        """Whether the bytes around it are canonical shows when the entry is made again."""
        try:
            text = stored.entry[SEQ_AT].decode("ascii")
            if text != self.seq_at:  # a batch has one
                time_of(text)
        except ValueError:
            raise Wrong(3, f"Entry {stored.idx} does not say when it was linked.") from None
        self.seq_at = text
        return text


def parsed(rule: int, stored: bytes) -> dict[str, Any]:
    try:
        return parse(stored)
    except NotCanonicalError as error:
        raise Wrong(rule, str(error)) from None


def _difference(n: int, entry: dict[str, Any], expected: dict[str, Any]) -> Wrong:
    for key, rule in RULE_OF_KEY.items():
        if entry.get(key) != expected[key]:
            return Wrong(rule, f"Entry {n} says {key} is {entry.get(key)}; it must be {expected[key]}.")
    return Wrong(3, f"Entry {n} has other keys than an entry has.")


def _base64url(digest: bytes) -> str:
    """Of 32 bytes."""
    return urlsafe_b64encode(digest)[:43].decode("ascii")


def page_from(idx: int, limit: int = PAGE) -> list[Stored]:
    with connection.cursor() as cursor:
        cursor.execute(
            """SELECT entry.idx, entry.event_id::text, entry.entry, entry.leaf, entry.incident::text, entry.inc_n,
                      event.body, event.body_sha256, event.type,
                      to_char(event.at AT TIME ZONE 'UTC', 'YYYY-MM-DD"T"HH24:MI:SS.US"Z"'), event.incident::text,
                      event.names
               FROM audit_entry AS entry LEFT JOIN audit_event AS event USING (event_id)
               WHERE entry.idx >= %s ORDER BY entry.idx LIMIT %s""",
            [idx, limit],
        )
        return [Stored(*row) for row in cursor.fetchall()]


def heads_before(idx: int, incidents: Iterable[str]) -> dict[str, tuple[int, str]]:
    """Number and leaf of each incident's last entry in front of position `idx`, as stored."""
    with connection.cursor() as cursor:
        cursor.execute(
            """SELECT wanted.incident::text, last.inc_n, last.leaf FROM unnest(%s::uuid[]) AS wanted (incident),
               LATERAL (SELECT inc_n, leaf FROM audit_entry AS entry
                        WHERE entry.incident = wanted.incident AND entry.idx < %s
                        ORDER BY inc_n DESC LIMIT 1) AS last""",
            [list(incidents), idx],
        )
        return {incident: (inc_n, _base64url(leaf)) for incident, inc_n, leaf in cursor.fetchall()}
