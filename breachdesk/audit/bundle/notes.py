"""Older notes with the proofs that today's log extends them, receipts from outside, and the keys that sign."""

from base64 import b64encode
from collections.abc import Iterator, Sequence
from hashlib import sha256
from typing import Any

from cryptography.hazmat.primitives.serialization import Encoding
from django.conf import settings

from breachdesk.audit.bundle.folder import Folder
from breachdesk.audit.bundle.pinning import BundleRefused
from breachdesk.audit.canonical import base64url, time_text
from breachdesk.audit.checkpoints import public_keys
from breachdesk.audit.models import Anchor, Checkpoint
from breachdesk.audit.note import NoteMalformed, verify_note
from breachdesk.audit.proofs import stored_consistency_proof, stored_root
from breachdesk.audit.stamps import StampRefused, read_roots

OTHER_NOTES = 100


def write_notes(folder: Folder, checkpoint: Checkpoint, kept: Sequence[str]) -> None:
    """notes.jsonl: those with a receipt, those that were asked for, and some others from all of the log's life."""
    folder.add("checkpoint.note", checkpoint.note.encode())
    asked = {_size_of(note, checkpoint): note for note in kept}
    sizes = _anchored_sizes(checkpoint) | _spread_sizes(checkpoint) | asked.keys()
    with folder.open("notes.jsonl") as member:
        for size in sorted(sizes - {checkpoint.size}):
            stored = Checkpoint.objects.filter(size=size).first()
            proof = [base64url(step) for step in stored_consistency_proof(size, checkpoint.size)]
            member.line({"note": stored.note if stored else asked[size], "proof": proof})


def _anchored_sizes(checkpoint: Checkpoint) -> set[int]:
    anchored = Anchor.objects.filter(ok=True, size__lt=checkpoint.size).values("size")
    return set(Checkpoint.objects.filter(size__in=anchored).values_list("size", flat=True))


def _spread_sizes(checkpoint: Checkpoint) -> set[int]:
    older = Checkpoint.objects.filter(size__gt=0, size__lt=checkpoint.size).order_by("size")
    sizes = list(older.values_list("size", flat=True))
    if len(sizes) <= OTHER_NOTES:
        return set(sizes)
    return {sizes[place * (len(sizes) - 1) // (OTHER_NOTES - 1)] for place in range(OTHER_NOTES)}


def _size_of(note: str, checkpoint: Checkpoint) -> int:
    """Of a note that somebody kept. A note that contradicts the log is not packed away: it is an alarm."""
    try:
        kept = verify_note(note, public_keys())
    except NoteMalformed as error:
        raise BundleRefused(f"The note that was kept is not one of this log. {error} Nothing was written.") from error
    if kept.size > checkpoint.size:
        raise BundleRefused(
            f"The note that was kept speaks of {kept.size:,} entries, and the log has only {checkpoint.size:,} under "
            "its last checkpoint: the log was cut off, or the signer is behind. Nothing was written."
        )
    if stored_root(kept.size) != kept.root:
        raise BundleRefused(
            f"The note that was kept contradicts this log: its first {kept.size:,} entries were changed after it was "
            "signed. Run manage.py verify_audit. Nothing was written."
        )
    return kept.size


def write_anchors(folder: Folder, checkpoint: Checkpoint) -> None:
    """Receipts of the notes in this bundle. Whom we mailed a note is nobody's business here."""
    notes = _NoteDigests()
    with folder.open("anchors.jsonl") as member:
        for anchor in Anchor.objects.filter(ok=True, size__lte=checkpoint.size).order_by("size", "id").iterator():
            if digest := notes.of(anchor.size):
                member.line(_anchor_line(anchor, digest))


class _NoteDigests:
    """Anchors come in order of size, several to a note."""

    def __init__(self) -> None:
        self._size = -1
        self._digest: str | None = None

    def of(self, size: int) -> str | None:
        if size != self._size:
            stored = Checkpoint.objects.filter(size=size).first()
            self._size, self._digest = size, base64url(sha256(stored.note.encode()).digest()) if stored else None
        return self._digest


def _anchor_line(anchor: Anchor, note: str) -> dict[str, Any]:
    receipt = b64encode(bytes(anchor.receipt)).decode() if anchor.kind == "rfc3161" and anchor.receipt else None
    return {"at": time_text(anchor.at), "kind": anchor.kind, "size": anchor.size, "note": note, "receipt": receipt}


def write_trust(folder: Folder) -> None:
    """What the reader should hold against a copy from elsewhere."""
    trust = {"v": 1, "origin": settings.BREACHDESK.log_origin, "keys": list(_keys()), "tsa": list(_roots())}
    folder.add_object("trust.json", trust)


def _keys() -> Iterator[dict[str, str]]:
    for key in public_keys():
        yield {"name": key.name, "algorithm": "ed25519", "public": base64url(key.raw)}


def _roots() -> Iterator[str]:
    """The certificates that time stamps must lead back to, each as PEM."""
    path = settings.BREACHDESK.tsa_roots_file
    if path is None:
        return
    try:
        for certificate in read_roots(path):
            yield certificate.public_bytes(Encoding.PEM).decode()
    except StampRefused as error:
        raise BundleRefused(f"{error} Nothing was written.") from error
