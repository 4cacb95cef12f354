"""Is the stored trail what was recorded? Everything is recomputed from the stored bytes; no column is believed.

The rules have the numbers they have in a bundle that an outsider checks:

    1  notes: every checkpoint, the signer's last note and every kept note is one of ours, strictly written and signed
    2  older states: the log still has their root at their size, and was not cut off after one
    3  entries: canonical, at their position, leaf and nodes of the tree as computed
    4  bodies: hash as in the entry, canonical, of a registered event, under the incident of the entry
    5  each incident's own chain: numbered from 1 without a gap, each entry naming the leaf before it
    6  times: never going back, no event dated more than 5 seconds after its linking, but for reported clock faults
    7  sealed values: each matches its commitment, none missing but those whose erasure is in the trail, none added
"""

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from enum import StrEnum
from hashlib import sha256
from typing import Any, NamedTuple

from django.conf import settings
from django.db import connection, transaction

from breachdesk.audit.canonical import time_of
from breachdesk.audit.entries import stored_nodes_between
from breachdesk.audit.events import EVENTS
from breachdesk.audit.models import Event, Node, Pending
from breachdesk.audit.note import PublicKey
from breachdesk.audit.openings import Openings
from breachdesk.audit.sequencer import AHEAD, ANOMALY
from breachdesk.audit.signed_states import Kept, Signed, SignedStates, signers_last_note
from breachdesk.audit.walk import Stored, Walk, Wrong, page_from, parsed

BODY_KEYS = {"v", "id", "type", "at", "actor", "incident", "object", "data", "priv", "request"}


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


def verify(trusted: Sequence[PublicKey] | None = None, kept: Sequence[Kept] = ()) -> Report:
    """One moment's view of the whole trail. Changes nothing; memory grows with the incidents, not with the entries.

    `trusted` are the keys to believe, from a trust file; without them the log's own are taken. `kept` are notes that
    somebody kept outside the database; the signer's last one is among them where its folder can be read.
    """
    # Read before the snapshot: a note the signer makes meanwhile would speak of entries that are not in it.
    kept = [*signers_last_note(), *kept]
    with one_snapshot():
        return _Verification().run(trusted, kept)


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
        self.walk = Walk(settings.BREACHDESK.log_origin)
        self.seq_at = ""
        self.agreed = 0  # the size of the last signed state whose root was right
        self.excused = _reported_clock_faults()
        self.openings = Openings()

    def run(self, trusted: Sequence[PublicKey] | None, kept: Sequence[Kept]) -> Report:
        try:
            states = SignedStates(trusted, kept)
        except Wrong as wrong:
            return Report(finding=Finding(None, wrong.rule, str(wrong)))
        finding = self._walk_along(states) or self._cut_off(states)
        if finding is None:
            finding = _unlinked_event() or _superfluous_node(self.walk.size)
        report = Report(self.walk.size, self.walk.frontier.root(), finding)
        report.missing = [*_what_is_missing(report.size), *self.openings.unreadable]
        report.notes = [*_what_to_know(states, is_own=trusted is None), *self.openings.notes()]
        return report

    def _walk_along(self, states: SignedStates) -> Finding | None:
        while page := page_from(self.walk.size):
            if finding := self._check_page(page, states):
                return finding
        return None

    def _check_page(self, page: list[Stored], states: SignedStates) -> Finding | None:
        self.openings.load(page)
        nodes: dict[tuple[int, int], tuple[int, bytes]] = {}
        finding = None
        try:
            signed = _by_size(states.between(self.walk.size, self.walk.size + len(page)))
        except Wrong as wrong:
            return Finding(None, wrong.rule, str(wrong))
        for stored in page:
            idx = self.walk.size
            try:
                for level, pos, digest in self._check(stored):
                    nodes[level, pos] = idx, digest
            except Wrong as wrong:
                finding = Finding(idx, wrong.rule, str(wrong))
                break
            if idx + 1 in signed and (finding := self._other_root(signed[idx + 1])):
                break
        return _wrong_node(nodes) or finding

    def _check(self, stored: Stored) -> list[tuple[int, int, bytes]]:
        seq_at, nodes = self.walk.take(stored)
        body = _checked_body(stored)
        self._check_times(stored, seq_at)
        self.openings.check(stored, body["priv"])
        return nodes

    def _check_times(self, stored: Stored, seq_at: str) -> None:
        """The trail writes times so that their order is that of their letters."""
        n = stored.idx
        if seq_at < self.seq_at:
            raise Wrong(6, f"Entry {n} says it was linked before the entry in front of it.")
        if stored.at > seq_at and not self._is_excused(stored):
            ahead = time_of(stored.at) - time_of(seq_at)
            if ahead > AHEAD:
                raise Wrong(6, f"The event of entry {n} is dated {ahead} after it was linked.")
        self.seq_at = seq_at

    def _is_excused(self, stored: Stored) -> bool:
        """The report of a clock that is ahead is dated by that clock."""
        return stored.type == ANOMALY or any(first <= stored.idx <= last for first, last in self.excused)

    def _other_root(self, states: list[Signed]) -> Finding | None:
        root = self.walk.frontier.root()
        for signed in states:
            if signed.root != root:
                sentence = (
                    f"{signed.source} names another root over {signed.size:,} entries than these have: something from "
                    f"position {self.agreed:,} on was changed after it was signed."
                )
                return Finding(self.agreed, 2, sentence)
        self.agreed = self.walk.size
        return None

    def _cut_off(self, states: SignedStates) -> Finding | None:
        size = self.walk.size
        try:
            beyond = next(states.after(size), None)
        except Wrong as wrong:
            return Finding(None, wrong.rule, str(wrong))
        if beyond is None:
            return None
        sentence = (
            f"{beyond.source} speaks of {beyond.size:,} entries, but the log ends after {size:,}: it was cut off."
        )
        return Finding(size, 2, sentence)


def _by_size(states: Iterator[Signed]) -> dict[int, list[Signed]]:
    found: dict[int, list[Signed]] = {}
    for signed in states:
        found.setdefault(signed.size, []).append(signed)
    return found


def _checked_body(stored: Stored) -> dict[str, Any]:
    assert stored.body is not None  # the walk has seen to that
    n, body = stored.idx, parsed(4, stored.body)
    kind = EVENTS.get(str(body.get("type")))
    if kind is None or body.get("v") != 1 or body.keys() != BODY_KEYS:
        raise Wrong(4, f"The event of entry {n} is of a kind or version that is not known.")
    if not (isinstance(body["data"], dict) and isinstance(body["priv"], dict)):
        raise Wrong(4, f"The event of entry {n} is not shaped as an event.")
    if not kind.required <= body["data"].keys() <= kind.allowed or not body["priv"].keys() <= kind.private_fields:
        raise Wrong(4, f"The event of entry {n} carries keys that {body['type']} does not have.")
    columns = (stored.event_id, stored.type, stored.event_incident, stored.at)
    if (body["id"], body["type"], body["incident"], body["at"]) != columns:
        raise Wrong(4, f"The columns beside the event of entry {n} contradict its body.")
    if stored.body_sha256 != sha256(stored.body).digest():
        raise Wrong(4, f"The hash beside the event of entry {n} is not that of its body.")
    if stored.names != _named(n, body):
        raise Wrong(4, f"The names beside the event of entry {n} are not those of its body.")
    return body


def _named(n: int, body: dict[str, Any]) -> list[str]:
    """The rows and batches an event names; the guards ask for them."""
    about, data = body["object"], body["data"]
    try:
        rows = [f"{about['kind']}/{about['id']}/{about['version']}"] if about else []
        return [*rows, *data.get("also", []), *data.get("batches", [])]
    except (KeyError, TypeError):
        raise Wrong(4, f"The event of entry {n} is not shaped as an event.") from None


def _wrong_node(computed: dict[tuple[int, int], tuple[int, bytes]]) -> Finding | None:
    if not computed:
        return None
    ranges: dict[int, tuple[int, int]] = {}
    for level, pos in computed:  # they come in the order of their positions
        ranges[level] = ranges.get(level, (pos, pos))[0], pos
    found = stored_nodes_between((level, first, last) for level, (first, last) in ranges.items())
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


def _what_to_know(states: SignedStates, *, is_own: bool) -> Iterator[str]:
    if not states.count:
        yield "No checkpoint is signed yet, so this database alone cannot show that nothing was cut off at the end."
        return
    yield f"{states.count:,} checkpoints were checked; the newest covers {states.last_size:,} entries."
    if is_own:
        yield "The keys are those the log itself names. Compare their fingerprints with a copy obtained elsewhere:"
        yield from (key.fingerprint for key in states.keys)


def _reported_clock_faults() -> list[tuple[int, int]]:
    faults = [event.content["data"] for event in Event.objects.of_type(ANOMALY)]
    return [(data["first"], data["last"]) for data in faults if data["kind"] == "ahead"]
