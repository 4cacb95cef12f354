"""write_bundle(): one case's history as a file that an outsider can check without us.

In this order: the sections are collected; an event says that the case is exported, with their digest; an incident.head
ends the case's chain; a signed checkpoint covers it; then everything is read in one view of the database and written.
The file appears under its name when it is whole, and not before.
"""

import os
import shutil
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from hashlib import sha256
from pathlib import Path
from typing import Any
from uuid import UUID, uuid4

from django.conf import settings
from django.utils import timezone

from breachdesk.audit.bundle.archive import TooLarge, write_archive
from breachdesk.audit.bundle.contents import Scope, write_deliveries, write_entries, write_openings
from breachdesk.audit.bundle.folder import Folder
from breachdesk.audit.bundle.notes import write_anchors, write_notes, write_trust
from breachdesk.audit.bundle.pinning import (
    BundleRefused,
    Patience,
    pin_head,
    wait_for_checkpoint,
    wait_until_linked,
)
from breachdesk.audit.bundle.reader import add_manifest, add_page, add_verifier
from breachdesk.audit.bundle.readme import readme_of
from breachdesk.audit.canonical import base64url, canonical, time_text
from breachdesk.audit.checkpoints import public_keys
from breachdesk.audit.models import Entry, Event
from breachdesk.audit.sections import collect_sections
from breachdesk.audit.verification import one_snapshot
from breachdesk.vault.sealing import Cipher, KeyDestroyed, cipher_for

GONE = ["privacy.erased", "key.destroyed"]

Sections = dict[str, bytes]


@dataclass(frozen=True)
class Order:
    """What was asked for. `kept` are notes of older states that somebody wants to see extended."""

    incident: UUID
    reference: str
    private: bool = False
    whole: bool = False
    kept: Sequence[str] = ()
    seconds: float = 60


@dataclass(frozen=True)
class Bundle:
    """What was written: bytes, counts, the entry that ends the case's history, and the keys to compare."""

    size: int
    entries: int
    deliveries: int
    head: int
    fingerprints: tuple[str, ...]


def write_bundle(order: Order, target: Path, announce: Callable[[bytes], Event]) -> Bundle:
    """`announce` records bundle.exported with the sections' digest, in a transaction of its own."""
    _refuse_target(target)
    _refuse_unsigned()
    patience = Patience.of(order.seconds)
    sections = _sections(order)
    event = announce(digest_of(sections))
    wait_until_linked(event.event_id, patience)
    with _working_folder(target) as root:
        while True:
            head = pin_head(order.incident, patience)
            checkpoint = wait_for_checkpoint(head, patience)
            with one_snapshot():
                scope = Scope(order.incident, head, checkpoint, order.whole, order.private, _cipher(order))
                if not _is_overtaken(scope):
                    return _write(order, scope, sections, root, target)
            patience.wait_or(
                "So much happens in this case just now that no signed checkpoint ends where its history does. Export "
                "it again, with a longer --wait or without --whole. Nothing was written."
            )


def digest_of(sections: Sections) -> bytes:
    """SHA-256 over the canonical list of the sections' own digests; it stands in the bundle.exported event."""
    files = {name: base64url(sha256(content).digest()) for name, content in sections.items()}
    return sha256(canonical({"files": files})).digest()


def _refuse_target(target: Path) -> None:
    if target.exists():
        raise BundleRefused(f"{target} is there already. Name a new file; nothing is ever written over.")
    if not target.parent.is_dir():
        raise BundleRefused(f"There is no folder {target.parent}. Make it first, or name another.")


def _refuse_unsigned() -> None:
    if not public_keys():
        raise BundleRefused(
            "Nothing signs this log yet, so a bundle could prove nothing. Make the key (manage.py make_signing_key) "
            "and start the signer (manage.py run_signer). Nothing was written."
        )


def _sections(order: Order) -> Sections:
    collected = collect_sections(order.incident, private=order.private)
    return {f"sections/{name}.json": canonical(content) for name, content in collected.items()}


def _cipher(order: Order) -> Cipher | None:
    """None as well when the case's key was destroyed: then there is nothing left to open."""
    if not order.private:
        return None
    try:
        return cipher_for(order.incident)
    except KeyDestroyed:
        return None


def _is_overtaken(scope: Scope) -> bool:
    """Whether something happened behind the head that the bundle would have to tell.

    An erasure takes openings away; without its event in the bundle they would be missing without a reason. And a whole
    log must not show entries of the case behind the head that ends it.
    """
    events = Event.objects.of_incident(scope.incident)
    known = Entry.objects.filter(incident=scope.incident, idx__lte=scope.head.idx).values("event_id")
    if scope.is_private and events.of_types(GONE).exclude(event_id__in=known).exists():
        return True
    behind = Entry.objects.filter(incident=scope.incident, idx__gt=scope.head.idx, idx__lt=scope.checkpoint.size)
    return scope.whole and behind.exists()


@contextmanager
def _working_folder(target: Path) -> Iterator[Path]:
    """Beside the target, so that the last step is a rename within one file system. Nothing of it stays.

    Its name is known before it is made: so a signal between the two finds it as well.
    """
    folder = target.parent / f".{target.name}-{uuid4().hex}"
    try:
        folder.mkdir(mode=0o700)
        yield folder
    except OSError as error:
        raise BundleRefused(
            f"The bundle could not be written to {target.parent}: {error.strerror}. Nothing was left behind."
        ) from error
    finally:
        shutil.rmtree(folder, ignore_errors=True)


def _write(order: Order, scope: Scope, sections: Sections, root: Path, target: Path) -> Bundle:
    folder = Folder(root)
    about = _write_log(order, scope, folder)
    for name, content in sections.items():
        folder.add(name, content)
    keys = public_keys()
    is_destroyed = scope.is_private and scope.cipher is None
    folder.add("README.txt", readme_of(about, keys, is_destroyed=is_destroyed).encode())
    add_verifier(folder)
    add_manifest(folder)
    add_page(folder)
    size = _pack(folder, target)
    return Bundle(size, about["entries"], about["deliveries"], scope.head.idx, tuple(key.fingerprint for key in keys))


def _write_log(order: Order, scope: Scope, folder: Folder) -> dict[str, Any]:
    write_notes(folder, scope.checkpoint, order.kept)
    write_anchors(folder, scope.checkpoint)
    write_trust(folder)
    if scope.is_private:
        write_openings(folder, scope)
    about: dict[str, Any] = {
        "v": 1,
        "made_at": time_text(timezone.now()),
        "origin": settings.BREACHDESK.log_origin,
        "incident": str(order.incident),
        "reference": order.reference,
        "head": scope.head.idx,
        "size": scope.checkpoint.size,
        "whole": order.whole,
        "private": order.private,
        "entries": write_entries(folder, scope),
        "deliveries": write_deliveries(folder, scope),
    }
    folder.add_object("bundle.json", about)
    return about


def _pack(folder: Folder, target: Path) -> int:
    """Readable for its owner alone; it has its name only when its last byte is on the disk."""
    packed = folder.scratch("bundle")
    descriptor = os.open(packed, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
    try:
        with os.fdopen(descriptor, "wb") as file:
            write_archive(file, list(folder.members.values()))
            file.flush()
            os.fsync(file.fileno())
    except TooLarge as error:
        raise BundleRefused(f"{error} Nothing was written.") from error
    size = packed.stat().st_size
    packed.rename(target)
    return size
