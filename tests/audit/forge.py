"""Makes bundles out of nothing, valid ones and others, without a database.

`Forge().files()` are the members of a bundle as its format describes them, `zipped()` makes the file of them, and
`sealed()` gives members that somebody changed a manifest and a page that fit again.
"""

import json
from base64 import b64encode
from collections.abc import Iterable, Mapping
from datetime import timedelta
from hashlib import sha256
from typing import Any
from uuid import UUID
from zlib import crc32

from breachdesk.audit.canonical import base64url, canonical, time_text
from breachdesk.audit.tree import consistency_proof, inclusion_proof
from tests.audit.forged_log import REFERENCE, ForgedLog, Written, public_bytes

OPEN_BLOCK, CLOSE_BLOCK = b'<script type="application/json" id="bundle">', b"</script>"
SMALL_PAGE = b"<!doctype html><title>Bundle</title>" + OPEN_BLOCK + b"null" + CLOSE_BLOCK + b"<p>End</p>\n"
SMALL_SCRIPT = b"print('a stand-in for the verifier')\n"
LARGEST_PAGE = 30_000_000
WITHOUT_INCIDENT = ("signing_key.made", "key.rotated", "clock.anomaly")


class Forge(ForgedLog):
    """A log, and what a bundle of its incident shows of it."""

    def shown(self) -> list[Written]:
        if self.whole:
            return list(self.log)
        return [row for row in self.log if self.is_own(row) or (not row.incident and row.type in WITHOUT_INCIDENT)]

    def is_own(self, row: Written) -> bool:
        return row.incident == self.incident

    def files(self, page: bytes = SMALL_PAGE, script: bytes = SMALL_SCRIPT) -> dict[str, bytes]:
        """Every member of the bundle, manifest and page included."""
        checkpoint, shown = self.checkpoint or self.note(), self.shown()
        deliveries = [self._row_line(row, i, line) for row in shown if row.rows for i, line in enumerate(row.rows)]
        members = {
            "bundle.json": canonical(self._about(checkpoint, len(shown), len(deliveries))),
            "trust.json": canonical(self.trust()),
            "checkpoint.note": checkpoint.encode(),
            "notes.jsonl": _lines(self._note_line(size, note) for size, note in sorted(self.kept.items())),
            "anchors.jsonl": _lines(self._anchor_line(anchor, checkpoint) for anchor in self.anchors),
            "entries.jsonl": _lines(self._entry_line(row) for row in shown),
            "deliveries.jsonl": _lines(deliveries),
            "README.txt": b"Run: python3 bd_verify.py BUNDLE.zip\n",
            "bd_verify.py": script,
            **self.section_files(),
        }
        if self.private:
            members["private.jsonl"] = _lines(line for row in shown for line in self._private_lines(row))
        return sealed(members, page)

    def trust(self) -> dict[str, Any]:
        keys = [
            {"name": self.origin, "algorithm": "ed25519", "public": base64url(public_bytes(key))}
            for key in self.all_keys
        ]
        return {"v": 1, "origin": self.origin, "keys": keys, "tsa": self.tsa}

    def _about(self, checkpoint: str, entries: int, deliveries: int) -> dict[str, Any]:
        own = [row.n for row in self.shown() if self.is_own(row)]
        return {
            "v": 1,
            "made_at": time_text(self.now + timedelta(seconds=2)),
            "origin": self.origin,
            "incident": self.incident,
            "reference": self.reference,
            "head": own[-1] if own else 0,
            "size": int(checkpoint.split("\n")[1]),
            "whole": self.whole,
            "private": self.private,
            "entries": entries,
            "deliveries": deliveries,
        }

    def _note_line(self, size: int, note: str) -> dict[str, Any]:
        proof = consistency_proof(size, len(self.log), lambda level, pos: self.nodes[level, pos])
        return {"note": note, "proof": [base64url(digest) for digest in proof]}

    def _anchor_line(self, anchor: Mapping[str, Any], checkpoint: str) -> dict[str, Any]:
        note = self.kept.get(anchor["size"], checkpoint)
        receipt = anchor["receipt"]
        return {
            "at": anchor["at"],
            "kind": anchor["kind"],
            "size": anchor["size"],
            "note": base64url(sha256(note.encode()).digest()),
            "receipt": None if receipt is None else b64encode(receipt).decode(),
        }

    def _entry_line(self, row: Written) -> dict[str, Any]:
        proof = None
        if not self.whole:
            path = inclusion_proof(row.n, len(self.log), lambda level, pos: self.nodes[level, pos])
            proof = [base64url(digest) for digest in path]
        is_withheld = row.incident not in (None, self.incident)
        body = None if is_withheld else row.body.decode()
        return {"n": row.n, "entry": row.entry.decode(), "body": body, "proof": proof}

    def _row_line(self, row: Written, number: int, line: bytes) -> dict[str, Any]:
        return {"batch": row.content["data"]["batch"], "n": row.n, "row": number, "line": line.decode()}

    def _private_lines(self, row: Written) -> list[dict[str, Any]]:
        if not self.is_own(row):
            return []
        return [
            {"event": row.event, "field": name, "salt": base64url(salt), "value": value}
            for name, (salt, value) in sorted(row.private.items())
            if f"{row.event}/{name}" not in self.erased
        ]


def _lines(objects: Iterable[Mapping[str, Any]]) -> bytes:
    return b"".join(canonical(dict(item)) + b"\n" for item in objects)


def sealed(members: Mapping[str, bytes], page: bytes = SMALL_PAGE) -> dict[str, bytes]:
    """The members with a manifest that fits them and a page that holds them. Old ones of both are replaced."""
    files = {name: content for name, content in members.items() if name not in ("manifest.json", "index.html")}
    head, _, tail = page.partition(OPEN_BLOCK)
    tail = tail.partition(CLOSE_BLOCK)[2]
    manifest = {
        "v": 1,
        "files": {name: base64url(sha256(content).digest()) for name, content in files.items()},
        "index": base64url(sha256(head + OPEN_BLOCK + CLOSE_BLOCK + tail).digest()),
    }
    files["manifest.json"] = canonical(manifest)
    files["index.html"] = head + OPEN_BLOCK + _block(files) + CLOSE_BLOCK + tail
    return files


def _block(files: Mapping[str, bytes]) -> bytes:
    if sum(map(len, files.values())) > LARGEST_PAGE:
        return b"null"
    texts = {name: content.decode(errors="replace") for name, content in files.items()}
    return json.dumps(texts, sort_keys=True, separators=(",", ":")).replace("<", "\\u003c").encode()


def zipped(files: Mapping[str, bytes]) -> bytes:
    """Stored members in the order of their names, every header from name, CRC and size alone."""
    body, directory = bytearray(), bytearray()
    for name in sorted(files):
        content, label = files[name], name.encode("ascii")
        common = b"".join(
            number.to_bytes(width, "little")
            for number, width in (
                (20, 2), (0, 2), (0, 2), (0, 2), (0x21, 2), (crc32(content), 4), (len(content), 4), (len(content), 4),
                (len(label), 2), (0, 2),
            )
        )  # fmt: skip
        directory += b"PK\x01\x02" + (20).to_bytes(2, "little") + common + bytes(10) + len(body).to_bytes(4, "little")
        directory += label
        body += b"PK\x03\x04" + common + label + content
    count = len(files).to_bytes(2, "little")
    end = b"PK\x05\x06" + bytes(4) + count + count
    end += len(directory).to_bytes(4, "little") + len(body).to_bytes(4, "little") + bytes(2)
    return bytes(body + directory + end)


AUTHOR, APPROVER, STARTER, LEADER = (str(UUID(int=number, version=4)) for number in (11, 12, 13, 14))


def whole_story(*, private: bool = True, whole: bool = False, export: bool = True) -> Forge:
    """A small case from its first hour to its export: valid in every variant."""
    forge = Forge(private=private, whole=whole)
    forge.make_key()
    forge.append("heartbeat", data={"log_size": 1})
    _open_the_case(forge)
    other = forge.uuid()
    forge.append("incident.opened", incident=other, by=LEADER, data={"reference": "BD-2026-0008"})
    forge.keep()
    english, french = (_approved_edition(forge, language) for language in ("en", "fr"))
    forge.rotate()
    _send(forge, english)
    _send(forge, french)
    _fast_clock(forge)
    forge.append("incident.facts_changed", incident=other, by=LEADER, data={"fields": ["kinds"]})
    forge.keep()
    forge.anchor(len(forge.log), b"From: sender@example.com\r\n\r\nHanded over\r\n", kind="mail")
    forge.append("incident.closed", incident=forge.incident, by=LEADER, private={"reason": "Everybody was told"})
    forge.sections = {"incident": {"v": 1, "reference": REFERENCE}, "notices": {"v": 1, "editions": [english, french]}}
    if export:
        forge.export(by=LEADER)
    return forge


def _open_the_case(forge: Forge) -> None:
    opened = forge.append(
        "incident.opened",
        incident=forge.incident,
        by=LEADER,
        on=("incidents.incident", forge.incident, 1),
        data={"reference": REFERENCE, "origin": "processor", "kinds": ["contact"]},
        private={
            "title": "Post zur falschen Adresse",
            "what_happened": "Ein Konto wurde übernommen 🔒",
            "processor": "A",
        },
    )
    forge.append("key.created", incident=forge.incident)
    forge.erase(opened, "processor", by=LEADER)


def _approved_edition(forge: Forge, language: str) -> str:
    """Written by one colleague, sent back once, approved by another."""
    edition, digest, wrong = forge.uuid(), base64url(forge.chance()), base64url(forge.chance())
    which = {"language": language, "revision": 1}

    def step(name: str, by: str, version: int, **more: Any) -> None:
        private = {"subject": "Your data", "body": "Dear ((first name))"} if name == "edition.saved" else {}
        on = ("notifications.edition", edition, version)
        private |= {"reason": "Too long"} if name == "edition.rejected" else {}
        forge.append(name, incident=forge.incident, by=by, on=on, data={**which, **more}, private=private)

    step("edition.created", AUTHOR, 1)
    step("edition.saved", AUTHOR, 2)
    step("edition.submitted", AUTHOR, 3, recipients=4, digest=wrong)
    step("edition.rejected", APPROVER, 4, digest=wrong)
    step("edition.saved", AUTHOR, 5)
    step("edition.submitted", AUTHOR, 6, recipients=4, digest=digest)
    step("edition.approved", APPROVER, 7, recipients=4, digest=digest)
    step("edition.started", STARTER, 8, recipients=4, digest=digest, epoch=1)
    return edition


def _send(forge: Forge, edition: str) -> None:
    again = forge.uuid()
    first = [forge.row(), forge.row(), forge.row("refused"), forge.row("retry_wait", again)]
    forge.settle(edition, first)
    forge.settle(edition, [forge.row("handed_over", again, 2)])


def _fast_clock(forge: Forge) -> None:
    """An event whose machine was two minutes ahead, and the report of it."""
    data: dict[str, Any] = {"returned": 0, "unknown": 0}
    ahead = forge.append("delivery.swept", incident=forge.incident, at=forge.now + timedelta(minutes=2), data=data)
    data = {"kind": "ahead", "seconds": 118, "first": ahead.n, "last": ahead.n}
    forge.append("clock.anomaly", data=data)


def small_story(*, private: bool = True) -> Forge:
    """The shortest case there can be, with an older note, a private value and an anchor."""
    forge = Forge(private=private)
    private_title = {"title": "Ärger"}
    opened = {"reference": REFERENCE}
    forge.append("incident.opened", incident=forge.incident, by=LEADER, data=opened, private=private_title)
    forge.keep()
    forge.anchor(1, b"A letter", kind="mail")
    forge.sections = {"incident": {"v": 1}}
    forge.export(by=LEADER)
    return forge
