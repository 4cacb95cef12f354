"""Is the stored trail what was recorded? Everything is recomputed from the stored bytes; no column is believed.

The rules have the numbers they have in a bundle that an outsider checks:

    3  entries: canonical, at their position, leaf and nodes of the tree as computed
    4  bodies: hash as in the entry, canonical, of a registered event, under the incident of the entry
    5  each incident's own chain: numbered from 1 without a gap, each entry naming the leaf before it
    6  times: never going back, no event dated more than 5 seconds after its linking, but for reported clock faults
    7  sealed values: each matches its commitment, none missing but those whose erasure is in the trail, none added
"""

import json
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import datetime
from enum import StrEnum
from hashlib import sha256
from typing import Any, NamedTuple
from uuid import UUID

from django.conf import settings
from django.db import connection, transaction

from breachdesk.audit.canonical import NotCanonicalError, base64url, parse, time_of, time_text
from breachdesk.audit.entries import entry_bytes, stored_nodes
from breachdesk.audit.events import EVENTS
from breachdesk.audit.models import Checkpoint, Event, Node, Pending, PrivateValue
from breachdesk.audit.record import PRIVATE_TABLE, commitment
from breachdesk.audit.sequencer import AHEAD, ANOMALY
from breachdesk.audit.tree import Frontier, leaf_of
from breachdesk.vault import ORGANISATION
from breachdesk.vault.master_key import MasterKeyMissing
from breachdesk.vault.sealing import Cipher, KeyDestroyed, KeyMissing, SealBroken, cipher_for

PAGE = 2000
BODY_KEYS = {"v", "id", "type", "at", "actor", "incident", "object", "data", "priv", "request"}
RULE_OF_KEY = {"v": 3, "log": 3, "n": 3, "body": 4, "incident": 4, "inc_n": 5, "inc_prev": 5}


class Verdict(StrEnum):
    VALID = "VALID"
    INVALID = "INVALID"
    INCOMPLETE = "INCOMPLETE"


class Finding(NamedTuple):
    """What is wrong first: at which position (None: not at any), against which rule."""

    idx: int | None
    rule: int
    sentence: str


@dataclass
class Report:
    size: int = 0
    root: bytes = b""
    finding: Finding | None = None
    missing: list[str] = field(default_factory=list)
    notes: list[str] = field(default_factory=list)

    @property
    def verdict(self) -> Verdict:
        if self.finding:
            return Verdict.INVALID
        return Verdict.INCOMPLETE if self.missing else Verdict.VALID


class Stored(NamedTuple):
    """An entry and its event, as they are in the tables."""

    idx: int
    event_id: UUID
    entry: bytes
    leaf: bytes
    incident: UUID | None
    inc_n: int | None
    body: bytes | None
    body_sha256: bytes
    type: str
    at: datetime
    event_incident: UUID | None


class Wrong(Exception):
    def __init__(self, rule: int, sentence: str) -> None:
        super().__init__(sentence)
        self.rule = rule


def verify() -> Report:
    """One moment's view of the whole trail. Changes nothing; memory grows with the incidents, not with the entries."""
    with one_snapshot():
        return _Verification().run()


@contextmanager
def one_snapshot() -> Iterator[None]:
    """Inside a transaction that is open already, its own view has to do."""
    if connection.in_atomic_block:
        yield
        return
    with transaction.atomic(), connection.cursor() as cursor:
        cursor.execute("SET TRANSACTION ISOLATION LEVEL REPEATABLE READ, READ ONLY")
        yield


class _Verification:
    def __init__(self) -> None:
        self.log: str = settings.BREACHDESK.log_origin
        self.frontier = Frontier()
        self.incidents: dict[UUID, tuple[int, bytes]] = {}
        self.seq_at: datetime | None = None
        self.excused = _reported_clock_faults()
        self.openings = _Openings()

    def run(self) -> Report:
        finding = None
        while finding is None and (page := _page_from(self.frontier.size)):
            finding = self._check_page(page)
        if finding is None:
            finding = _unlinked_event() or _superfluous_node(self.frontier.size)
        report = Report(self.frontier.size, self.frontier.root(), finding)
        report.missing = [*_what_is_missing(report.size), *self.openings.unreadable]
        report.notes = [*_what_to_know(), *self.openings.notes()]
        return report

    def _check_page(self, page: list[Stored]) -> Finding | None:
        self.openings.load([stored.event_id for stored in page])
        nodes: dict[tuple[int, int], tuple[int, bytes]] = {}
        finding = None
        for stored in page:
            idx = self.frontier.size
            try:
                self._check(stored)
            except Wrong as wrong:
                finding = Finding(idx, wrong.rule, str(wrong))
                break
            nodes |= {(level, pos): (idx, digest) for level, pos, digest in self.frontier.add(stored.leaf)}
        return _wrong_node(nodes) or finding

    def _check(self, stored: Stored) -> None:
        n = self.frontier.size
        if stored.idx != n:
            raise Wrong(3, f"Entry {n} is missing; the next one is {stored.idx}.")
        if stored.body is None:
            raise Wrong(4, f"The event of entry {n} is gone.")
        seq_at = _seq_at(stored)
        self._check_entry(stored, stored.body, seq_at)
        body = _checked_body(stored, stored.body)
        self._check_times(stored, seq_at)
        self.openings.check(stored, body["priv"])

    def _check_entry(self, stored: Stored, body: bytes, seq_at: datetime) -> None:
        """The entry is made again from what the log demands here; the stored bytes must be the same."""
        n, incident = self.frontier.size, stored.event_incident
        last_n, last_leaf = self.incidents.get(incident, (0, None)) if incident else (0, None)
        expected = entry_bytes(
            log=self.log,
            n=n,
            seq_at=seq_at,
            incident=incident,
            inc_n=last_n + 1 if incident else None,
            inc_prev=last_leaf,
            body=sha256(body).digest(),
        )
        if stored.entry != expected:
            raise _difference(n, _parsed(3, stored.entry), parse(expected))
        if stored.leaf != leaf_of(stored.entry):
            raise Wrong(3, f"The leaf of entry {n} does not belong to its bytes.")
        if (stored.incident, stored.inc_n) != (incident, last_n + 1 if incident else None):
            raise Wrong(3, f"The columns beside entry {n} contradict its bytes.")
        if incident:
            self.incidents[incident] = last_n + 1, stored.leaf

    def _check_times(self, stored: Stored, seq_at: datetime) -> None:
        n = stored.idx
        if self.seq_at is not None and seq_at < self.seq_at:
            raise Wrong(6, f"Entry {n} says it was linked before the entry in front of it.")
        if stored.at > seq_at + AHEAD and not self._is_excused(stored):
            raise Wrong(6, f"The event of entry {n} is dated {stored.at - seq_at} after it was linked.")
        self.seq_at = seq_at

    def _is_excused(self, stored: Stored) -> bool:
        """The report of a clock that is ahead is dated by that clock."""
        return stored.type == ANOMALY or any(first <= stored.idx <= last for first, last in self.excused)


class _Openings:
    """The sealed values of one page of events at a time, and the ciphers to open them with."""

    def __init__(self) -> None:
        self.unreadable: list[str] = []
        self._values: dict[UUID, dict[str, tuple[bytes, bytes]]] = {}
        self._ciphers: dict[UUID, Cipher | None] = {}
        self._closed = 0
        self._erased, self._destroyed = _reported_erasures()

    def load(self, event_ids: list[UUID]) -> None:
        self._values = {}
        values = PrivateValue.objects.filter(event__event_id__in=event_ids)
        for event_id, name, salt, sealed in values.values_list("event__event_id", "field", "salt", "value_enc"):
            self._values.setdefault(event_id, {})[name] = bytes(salt), bytes(sealed)

    def check(self, stored: Stored, commitments: dict[str, str]) -> None:
        values = self._values.get(stored.event_id, {})
        if missing := {name for name in commitments.keys() - values.keys() if not self._is_excused(stored, name)}:
            raise Wrong(7, f"The sealed {min(missing)} of entry {stored.idx} is gone, and no erasure says why.")
        if added := values.keys() - commitments.keys():
            raise Wrong(7, f"Entry {stored.idx} has a sealed {min(added)} that its event does not know.")
        for name, (salt, sealed) in values.items():
            value = self._opened(stored, name, sealed)
            if value is not None and base64url(commitment(name, salt, value)) != commitments[name]:
                raise Wrong(7, f"The sealed {name} of entry {stored.idx} is not what was committed to.")

    def _is_excused(self, stored: Stored, name: str) -> bool:
        return f"{stored.event_id}/{name}" in self._erased or stored.incident in self._destroyed

    def notes(self) -> Iterator[str]:
        if self._erased:
            yield f"{len(self._erased):,} sealed values were erased, as the trail says."
        if self._closed:
            yield f"{self._closed:,} sealed values cannot be opened any more: their key was destroyed."

    def _opened(self, stored: Stored, name: str, sealed: bytes) -> bytes | None:
        cipher = self._cipher(stored.incident or ORGANISATION)
        if cipher is None:
            self._closed += 1
            return None
        try:
            return cipher.unseal(sealed, table=PRIVATE_TABLE, column=name, row=stored.event_id)
        except SealBroken as error:
            raise Wrong(7, str(error)) from None

    def _cipher(self, scope: UUID) -> Cipher | None:
        if scope not in self._ciphers:
            self._ciphers[scope] = self._find_cipher(scope)
        return self._ciphers[scope]

    def _find_cipher(self, scope: UUID) -> Cipher | None:
        try:
            return cipher_for(scope)
        except KeyDestroyed:
            return None
        except (KeyMissing, MasterKeyMissing) as error:
            self.unreadable.append(f"The sealed values of {scope} were not checked. {error}")
            return None


def _checked_body(stored: Stored, stored_body: bytes) -> dict[str, Any]:
    n, body = stored.idx, _parsed(4, stored_body)
    kind = EVENTS.get(str(body.get("type")))
    if kind is None or body.get("v") != 1 or set(body) != BODY_KEYS:
        raise Wrong(4, f"The event of entry {n} is of a kind or version that is not known.")
    if not kind.required <= set(body["data"]) <= kind.allowed or not set(body["priv"]) <= kind.private_fields:
        raise Wrong(4, f"The event of entry {n} carries keys that {body['type']} does not have.")
    columns = (str(stored.event_id), stored.type, _text(stored.event_incident), time_text(stored.at))
    if (body["id"], body["type"], body["incident"], body["at"]) != columns:
        raise Wrong(4, f"The columns beside the event of entry {n} contradict its body.")
    if stored.body_sha256 != sha256(stored_body).digest():
        raise Wrong(4, f"The hash beside the event of entry {n} is not that of its body.")
    return body


def _difference(n: int, entry: dict[str, Any], expected: dict[str, Any]) -> Wrong:
    for key, rule in RULE_OF_KEY.items():
        if entry.get(key) != expected[key]:
            return Wrong(rule, f"Entry {n} says {key} is {entry.get(key)}; it must be {expected[key]}.")
    return Wrong(3, f"Entry {n} has other keys than an entry has.")


def _parsed(rule: int, stored: bytes) -> dict[str, Any]:
    try:
        return parse(stored)
    except NotCanonicalError as error:
        raise Wrong(rule, str(error)) from None


def _seq_at(stored: Stored) -> datetime:
    """Whether the bytes around it are canonical shows when the entry is made again."""
    try:
        return time_of(json.loads(stored.entry)["seq_at"])
    except (ValueError, TypeError, KeyError, RecursionError):
        raise Wrong(3, f"Entry {stored.idx} does not say when it was linked.") from None


def _text(incident: UUID | None) -> str | None:
    return str(incident) if incident else None


def _page_from(idx: int) -> list[Stored]:
    with connection.cursor() as cursor:
        cursor.execute(
            """SELECT entry.idx, entry.event_id, entry.entry, entry.leaf, entry.incident, entry.inc_n,
                      event.body, event.body_sha256, event.type, event.at, event.incident
               FROM audit_entry AS entry LEFT JOIN audit_event AS event USING (event_id)
               WHERE entry.idx >= %s ORDER BY entry.idx LIMIT %s""",
            [idx, PAGE],
        )
        return [Stored(*row) for row in cursor.fetchall()]


def _wrong_node(computed: dict[tuple[int, int], tuple[int, bytes]]) -> Finding | None:
    found = stored_nodes(computed)
    for (level, pos), (idx, digest) in computed.items():
        if found.get((level, pos)) != digest:
            return Finding(idx, 3, f"Node {pos} of level {level}, complete at entry {idx}, is missing or changed.")
    return None


def _unlinked_event() -> Finding | None:
    with connection.cursor() as cursor:
        cursor.execute(
            """SELECT id, type FROM audit_event AS event
               WHERE NOT EXISTS (SELECT FROM audit_entry WHERE audit_entry.event_id = event.event_id)
                 AND NOT EXISTS (SELECT FROM audit_pending WHERE event_row = event.id) ORDER BY id LIMIT 1"""
        )
        row = cursor.fetchone()
    return row and Finding(None, 3, f"Event row {row[0]} ({row[1]}) is neither in the log nor waiting for it.")


def _superfluous_node(size: int) -> Finding | None:
    """What is left when entries were cut off at the end by somebody who forgot the tree above them."""
    expected = sum(size >> level for level in range(1, size.bit_length()))
    stored = Node.objects.count()
    if stored == expected:
        return None
    return Finding(None, 3, f"The tree has {stored:,} stored nodes; {size:,} entries have {expected:,}.")


def _what_is_missing(size: int) -> Iterator[str]:
    if size == 0:
        yield "The log is empty: there is nothing to verify."
    if waiting := Pending.objects.count():
        yield f"Events that wait for the sequencer and are not in the log yet: {waiting:,}."


def _what_to_know() -> Iterator[str]:
    if not Checkpoint.objects.exists():
        yield "No checkpoint is signed yet, so this database alone cannot show that nothing was cut off at the end."


def _reported_clock_faults() -> list[tuple[int, int]]:
    faults = [event.content["data"] for event in Event.objects.of_type(ANOMALY)]
    return [(data["first"], data["last"]) for data in faults if data["kind"] == "ahead"]


def _reported_erasures() -> tuple[set[str], set[UUID | None]]:
    """The values that were erased, as "<event>/<field>", and the incidents whose key was destroyed."""
    erased = {name for event in Event.objects.of_type("privacy.erased") for name in event.content["data"]["erased"]}
    return erased, {event.incident for event in Event.objects.of_type("key.destroyed")}
