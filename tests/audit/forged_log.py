"""A log made out of nothing, without a database: events, entries, keys and notes, right ones and others.

It shares the canonical form and the tree with the product, never a line with the two verifiers. Everything comes from a
seed: the same story is the same bytes.
"""

import json
from base64 import b64encode
from collections import Counter
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from hashlib import sha256
from random import Random
from typing import Any
from uuid import UUID

from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

from breachdesk.audit.canonical import base64url, canonical, time_text
from breachdesk.audit.tree import Frontier, leaf_of, root_at, root_of

ORIGIN = "trail.example.com/breachdesk/7f3a"
REFERENCE = "BD-2026-0007"
OUTCOMES = ("handed_over", "refused", "retry_wait", "unknown", "blocked")


def public_bytes(key: Ed25519PrivateKey) -> bytes:
    return key.public_key().public_bytes_raw()


def key_id(name: str, public: bytes) -> bytes:
    return sha256(name.encode() + b"\n\x01" + public).digest()[:4]


def sign_note(text: str, name: str, keys: Iterable[Ed25519PrivateKey]) -> str:
    """A C2SP signed note; also over a text that is no checkpoint at all."""
    lines = [
        f"— {name} {b64encode(key_id(name, public_bytes(key)) + key.sign(text.encode())).decode()}\n" for key in keys
    ]
    return text + "\n" + "".join(lines)


def commitment(name: str, salt: bytes, value: bytes) -> bytes:
    return sha256(b"\x02" + salt + len(name.encode()).to_bytes(2, "big") + name.encode() + value).digest()


@dataclass
class Written:
    """One event that is linked, with everything a bundle may show of it."""

    n: int
    event: str
    type: str
    incident: str | None
    body: bytes
    entry: bytes
    leaf: bytes
    private: dict[str, tuple[bytes, str]]
    rows: list[bytes] = field(default_factory=list)

    @property
    def content(self) -> dict[str, Any]:
        content: dict[str, Any] = json.loads(self.body)
        return content


class ForgedLog:
    """Every list may be changed at any time."""

    def __init__(self, seed: int = 7, *, private: bool = True, whole: bool = False) -> None:
        self.random = Random(seed)
        self.origin, self.reference = ORIGIN, REFERENCE
        self.private, self.whole = private, whole
        self.incident = self.uuid()
        self.now = datetime(2026, 11, 2, 9, 0, tzinfo=UTC)
        self.log: list[Written] = []
        self.frontier = Frontier()
        self.nodes: dict[tuple[int, int], bytes] = {}
        self.chains: dict[str, tuple[int, bytes]] = {}
        self.all_keys = [self.new_key()]
        self.keys = list(self.all_keys)
        self.kept: dict[int, str] = {}
        self.anchors: list[dict[str, Any]] = []
        self.tsa: list[str] = []
        self.erased: set[str] = set()
        self.sections: dict[str, dict[str, Any]] = {}
        self.checkpoint: str | None = None

    # Chance, and time

    def uuid(self) -> str:
        return str(UUID(int=self.random.getrandbits(128), version=4))

    def chance(self, count: int = 32) -> bytes:
        return self.random.getrandbits(8 * count).to_bytes(count, "big")

    def new_key(self) -> Ed25519PrivateKey:
        return Ed25519PrivateKey.from_private_bytes(self.chance())

    def wait(self, seconds: float) -> None:
        self.now += timedelta(seconds=seconds)

    # The log

    def append(
        self,
        event_type: str,
        *,
        incident: str | None = None,
        by: str | None = None,
        on: tuple[str, str, int] | None = None,
        digest: str | None = None,
        data: Mapping[str, Any] | None = None,
        private: Mapping[str, str] | None = None,
        at: datetime | None = None,
        body_changes: Mapping[str, Any] | None = None,
        entry_changes: Mapping[str, Any] | None = None,
        twist: Callable[[bytes], bytes] | None = None,
        twist_entry: Callable[[bytes], bytes] | None = None,
    ) -> Written:
        """Links one event. The changes go over the members before they become bytes, the twists over the bytes."""
        self.wait(1.5)
        openings = {name: (self.chance(), value) for name, value in (private or {}).items()}
        body = {
            "v": 1,
            "id": self.uuid(),
            "type": event_type,
            "at": time_text(at or self.now - timedelta(seconds=0.15)),
            "actor": {"id": by, "kind": "user" if by else "system", "session": None},
            "incident": incident,
            "object": {"kind": on[0], "id": on[1], "version": on[2], "sha256": digest} if on else None,
            "data": dict(data or {}),
            "priv": {name: base64url(commitment(name, salt, text.encode())) for name, (salt, text) in openings.items()},
            "request": None,
            **(body_changes or {}),
        }
        return self.link(body, openings, dict(entry_changes or {}), twist or bytes, twist_entry or bytes)

    def link(
        self,
        body: dict[str, Any],
        openings: dict[str, tuple[bytes, str]],
        changes: dict[str, Any],
        twist: Callable[[bytes], bytes] = bytes,
        twist_entry: Callable[[bytes], bytes] = bytes,
    ) -> Written:
        incident, stored = body["incident"], twist(canonical(body))
        inc_n, inc_prev = self.chains.get(incident, (0, None)) if incident else (None, None)
        plain = canonical(
            {
                "v": 1,
                "log": self.origin,
                "n": len(self.log),
                "seq_at": time_text(self.now),
                "incident": incident,
                "inc_n": None if inc_n is None else inc_n + 1,
                "inc_prev": base64url(inc_prev) if inc_prev else None,
                "body": base64url(sha256(stored).digest()),
                **changes,
            }
        )
        entry = twist_entry(plain)
        leaf = leaf_of(entry)
        if incident and inc_n is not None:
            self.chains[incident] = inc_n + 1, leaf
        written = Written(len(self.log), body["id"], body["type"], incident, stored, entry, leaf, openings)
        self.log.append(written)
        self._grow(leaf)
        return written

    def _grow(self, leaf: bytes) -> None:
        self.nodes[0, self.frontier.size] = leaf
        self.nodes.update({(level, pos): digest for level, pos, digest in self.frontier.add(leaf)})

    def relink(self, first: int = 0) -> None:
        """Everything again from the bodies as they stand in `log`, with fresh hashes: what a thorough forger does."""
        old, self.log = self.log, []
        self.frontier, self.nodes, self.chains = Frontier(), {}, {}
        for written in old:
            content, entry = written.content, json.loads(written.entry)
            keep = {} if written.n >= first else {"inc_n": entry["inc_n"], "inc_prev": entry["inc_prev"]}
            again = self.link(content, written.private, {"seq_at": entry["seq_at"], **keep})
            again.rows = written.rows

    def settle(
        self, edition: str, rows: Sequence[Mapping[str, Any]], *, backwards: bool = False, **changes: Any
    ) -> Written:
        """The event of a settled batch, with its rows in their order."""
        batch = self.uuid()
        ordered = sorted(rows, key=lambda row: (row["delivery"], row["try"], row["outcome"]), reverse=backwards)
        lines = [canonical(dict(row)) for row in ordered]
        counts = Counter(row["outcome"] for row in rows)
        data = {
            "batch": batch,
            "edition": edition,
            "rows": len(lines),
            "rows_root": base64url(root_of(leaf_of(line) for line in lines)),
            **{outcome: counts[outcome] for outcome in OUTCOMES},
            **changes,
        }
        on = ("notifications.batch", batch, 0)
        written = self.append("delivery.batch_settled", incident=self.incident, on=on, data=data)
        written.rows = lines
        return written

    def row(self, outcome: str = "handed_over", delivery: str | None = None, attempt: int = 1) -> dict[str, Any]:
        return {
            "delivery": delivery or self.uuid(),
            "try": attempt,
            "outcome": outcome,
            "code": {"handed_over": 250, "refused": 550, "retry_wait": 451}.get(outcome),
            "at": time_text(self.now),
            "reply": base64url(self.chance()),
            "recipient": base64url(self.chance()),
        }

    def erase(self, written: Written, *fields: str, by: str | None = None) -> Written:
        named = [f"{written.event}/{name}" for name in fields]
        self.erased.update(named)
        data = {"count": len(named), "erased": named, "ground": "art17"}
        private = {"requester": "A person who asked"}
        return self.append("privacy.erased", incident=self.incident, by=by, data=data, private=private)

    def head(self, **changes: Any) -> Written:
        inc_n, leaf = self.chains[self.incident]
        data = {"inc_n": inc_n, "inc_leaf": base64url(leaf), **changes}
        return self.append("incident.head", incident=self.incident, data=data)

    def export(self, by: str | None = None) -> None:
        """The last two events of the incident in every bundle."""
        data = {
            "sections_digest": base64url(sha256(self.sections_bytes()).digest()),
            "whole": self.whole,
            "with_private": self.private,
        }
        self.append("bundle.exported", incident=self.incident, by=by, data=data, private={"recipient": "ICO"})
        self.head()

    # Notes

    def root(self, size: int | None = None) -> bytes:
        return root_at(len(self.log) if size is None else size, lambda level, pos: self.nodes[level, pos])

    def note(self, size: int | None = None, keys: Sequence[Ed25519PrivateKey] | None = None) -> str:
        size = len(self.log) if size is None else size
        text = f"{self.origin}\n{size}\n{b64encode(self.root(size)).decode()}\n"
        return sign_note(text, self.origin, self.keys if keys is None else keys)

    def keep(self, size: int | None = None) -> str:
        """Signs what stands now, and keeps it among the older notes."""
        size = len(self.log) if size is None else size
        self.kept[size] = self.note(size)
        return self.kept[size]

    def make_key(self) -> None:
        public = public_bytes(self.keys[0])
        data = {"public_key": base64url(public), "key_id": key_id(self.origin, public).hex()}
        self.append("signing_key.made", data=data)

    def rotate(self) -> None:
        """From here the new key signs alone; one note is signed by both and kept."""
        old, new = self.keys[0], self.new_key()
        public = public_bytes(new)
        ids = {
            name: key_id(self.origin, public_bytes(key)).hex() for name, key in (("key_id", new), ("old_key_id", old))
        }
        self.append("key.rotated", data={"public_key": base64url(public), **ids})
        self.all_keys.append(new)
        self.keys = [old, new]
        self.keep()
        self.keys = [new]

    def anchor(self, size: int, receipt: bytes | None, kind: str = "rfc3161", at: datetime | None = None) -> None:
        self.anchors.append({"size": size, "receipt": receipt, "kind": kind, "at": time_text(at or self.now)})

    # What export() speaks of

    def section_files(self) -> dict[str, bytes]:
        return {f"sections/{name}.json": canonical(content) for name, content in self.sections.items()}

    def sections_bytes(self) -> bytes:
        files = {name: base64url(sha256(content).digest()) for name, content in self.section_files().items()}
        return canonical({"files": files})
