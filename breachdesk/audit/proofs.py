"""That one event is in the log: its entry, its body, and the way from its leaf to a signed checkpoint.

As a JSON object, and as the text of https://c2sp.org/tlog-proof (v1), which tools of others read. That text has no
place for the entry itself; it goes, with the body, into the line for extra data, whose content the proof proves.
"""

from base64 import b64encode
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Any

from breachdesk.audit.canonical import base64url, canonical
from breachdesk.audit.checkpoints import latest_checkpoint
from breachdesk.audit.entries import LogDamagedError, stored_nodes
from breachdesk.audit.models import Checkpoint, Entry, Event
from breachdesk.audit.tree import Frontier, NodeReader, consistency_proof, inclusion_proof, root_at

Place = tuple[int, int]


class NotProvable(Exception):
    """There is no such entry, or no signed checkpoint covers it. The message says which, and what to do."""


@dataclass(frozen=True)
class EventProof:
    idx: int
    entry: bytes
    body: bytes
    path: list[bytes]
    note: str

    def as_object(self) -> dict[str, Any]:
        return {
            "v": 1,
            "n": self.idx,
            "entry": self.entry.decode(),
            "body": self.body.decode(),
            "proof": [base64url(step) for step in self.path],
            "checkpoint": self.note,
        }

    def as_json(self) -> bytes:
        return canonical(self.as_object())

    def as_tlog_proof(self) -> str:
        """https://c2sp.org/tlog-proof, version 1: header, extra, index, hashes from the leaf upwards, checkpoint."""
        extra = canonical({"entry": self.entry.decode(), "body": self.body.decode()})
        lines = ["c2sp.org/tlog-proof@v1", f"extra {b64encode(extra).decode()}", f"index {self.idx}"]
        lines += [b64encode(step).decode() for step in self.path]
        return "\n".join([*lines, "", self.note])


def event_proof(idx: int, checkpoint: Checkpoint | None = None) -> EventProof:
    """Against the newest checkpoint unless another is given; a dozen reads, however long the log is."""
    checkpoint = checkpoint or latest_checkpoint()
    if checkpoint is None or idx >= checkpoint.size:
        raise NotProvable(
            f"No signed checkpoint covers entry {idx:,} yet. It is made within a minute while the signer runs: "
            "see manage.py audit_status."
        )
    entry = Entry.objects.filter(idx=idx).first()
    event = Event.objects.filter(event_id=entry.event_id).first() if entry else None
    if entry is None or event is None:
        raise NotProvable(f"There is no entry {idx:,} in the log. Run manage.py verify_audit.")
    [path] = inclusion_proofs([idx], checkpoint.size)
    return EventProof(idx, bytes(entry.entry), bytes(event.body), path, checkpoint.note)


def inclusion_proofs(indexes: Sequence[int], size: int) -> list[list[bytes]]:
    """For each leaf its way to the root of `size` leaves, with one query for all of them."""
    wanted = _Places()
    for index in indexes:
        inclusion_proof(index, size, wanted)
    node = _reader_of(wanted.places)
    return [inclusion_proof(index, size, node) for index in indexes]


def stored_consistency_proof(old: int, new: int) -> list[bytes]:
    wanted = _Places()
    consistency_proof(old, new, wanted)
    return consistency_proof(old, new, _reader_of(wanted.places))


def stored_root(size: int) -> bytes:
    return root_at(size, _reader_of(Frontier.places(size)))


class _Places:
    """Stands in for the stored nodes and only remembers which of them a proof asks for."""

    def __init__(self) -> None:
        self.places: set[Place] = set()

    def __call__(self, level: int, pos: int) -> bytes:
        self.places.add((level, pos))
        return b""


def _reader_of(places: Iterable[Place]) -> NodeReader:
    found = stored_nodes(places)

    def node(level: int, pos: int) -> bytes:
        if (level, pos) not in found:
            raise LogDamagedError(f"Node {pos} of level {level} is missing from the log. Run verify_audit.")
        return found[level, pos]

    return node
