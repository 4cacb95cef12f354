"""The one process that signs the log, and the only one that can: it alone has the key.

It signs nothing but what extends the last note it signed, which it keeps in a file outside the database. What it checks
before every signature:

- the log is at least as long as at the last note, and the stored tree has that note's root at that size;
- every entry since then stands at its position, its bytes are those that its event's bytes, its place and its
  incident's entry before call for (so the hash of every event's body is recomputed), and its leaf is their hash;
- the root over these leaves is that of the stored nodes, and the consistency proof made from stored nodes leads from
  the last note to the new one: what is signed can also be proved later;
- the key is the one that the log itself names as the newest.

What it cannot know: whether an event was replaced, together with its entry, before any note covered it.

In what order a note comes into being, and what a crash leaves behind:

1. signed in memory. A crash here leaves nothing; no signature was given away.
2. written to the file and flushed to the disk. A crash from here on leaves a note the database does not know: the next
   look offers it again, and goes on from it; a different note of that size is never made.
3. added to audit_checkpoint. From here on others see it.
"""

import time
from collections.abc import Sequence

from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from django.conf import settings
from django.db import transaction

from breachdesk.audit.checkpoints import (
    NoteFileMissing,
    latest_checkpoint,
    linked_keys,
    public_keys,
    read_last_note,
    store_checkpoint,
    write_last_note,
)
from breachdesk.audit.entries import LogDamagedError, log_size, stored_frontier, stored_node
from breachdesk.audit.events import PROVEN_AT_ONCE
from breachdesk.audit.locks import is_held_elsewhere
from breachdesk.audit.models import Checkpoint, Event
from breachdesk.audit.note import Note, NoteMalformed, checkpoint_text, parse_note, sign_note, verify_note
from breachdesk.audit.record import record
from breachdesk.audit.signing_key import (
    SigningKeyMissing,
    next_key,
    own_public_key,
    put_next_key_in_place,
    read_signing_key,
)
from breachdesk.audit.tree import EMPTY_ROOT, consistency_proof, root_at, verifies_consistency
from breachdesk.audit.walk import Stored, Walk, Wrong, heads_before, page_from

LOCK = 0x62647369676E  # "bdsign"
SIGN_EVERY = 60.0
REFUSED = "checkpoint.refused"


class Refused(Exception):
    """The log is not signed as it is. `why` is the code for the trail; the message is for whoever runs the signer."""

    def __init__(self, why: str, sentence: str) -> None:
        super().__init__(sentence)
        self.why = why


class Signer:
    """Looks at the log again and again; keeps in memory how far it walked, so that a look costs what is new."""

    def __init__(self, every: float = SIGN_EVERY) -> None:
        self.every = every
        self.refusal: Refused | None = None
        self._walk: Walk | None = None
        self._is_urgent = False
        self._due_at = time.monotonic()

    def look(self) -> Checkpoint | None:
        """Signs if it is time to. If the log must not be signed, says so in the trail, once, and in `refusal`."""
        try:
            checkpoint = self._look()
        except Refused as refusal:
            self._walk, self.refusal = None, refusal
            _tell(refusal)
            return None
        self.refusal = None
        return checkpoint

    def _look(self) -> Checkpoint | None:
        key = _signing_key()
        base = _agreed_with_the_database(_last_note())
        key = _after_rotation(key, base)
        walk = self._walk_from(base)
        self._advance(walk)
        if walk.size == (base.size if base else 0) or not self._is_due():
            return None
        keys = _keys_for(walk.size, key)
        if not keys:
            return None
        checkpoint = _sign(walk, base, keys)
        self._is_urgent, self._due_at = False, time.monotonic() + self.every
        return checkpoint

    def _is_due(self) -> bool:
        return self._is_urgent or time.monotonic() >= self._due_at

    def _walk_from(self, base: Note | None) -> Walk:
        size = base.size if base else 0
        if self._walk is None or self._walk.size < size:
            self._walk = _walk_at(base)
        return self._walk

    def _advance(self, walk: Walk) -> None:
        while page := page_from(walk.size):
            new = {stored.event_incident for stored in page if stored.event_incident} - walk.incidents.keys()
            walk.incidents |= heads_before(walk.size, new)
            for stored in page:
                self._take(walk, stored)

    def _take(self, walk: Walk, stored: Stored) -> None:
        try:
            walk.take(stored)
        except Wrong as wrong:
            raise Refused("entries_changed", f"{wrong} Run verify_audit.") from None
        self._is_urgent |= stored.type in PROVEN_AT_ONCE


def is_signer_running() -> bool:
    """Whether another database session than this one has the signer's lock."""
    return is_held_elsewhere(LOCK)


def _signing_key() -> Ed25519PrivateKey:
    try:
        return read_signing_key()
    except SigningKeyMissing as missing:
        raise Refused(missing.why, str(missing)) from None


def _last_note() -> tuple[Note, str] | None:
    """The note in the file, which must be ours."""
    try:
        text = read_last_note()
        return None if text is None else (verify_note(text, public_keys()), text)
    except NoteFileMissing as missing:
        raise Refused("note_missing", str(missing)) from None
    except NoteMalformed as error:
        raise Refused("note_unknown", f"The last signed note is not one of this log. {error}") from None


def _agreed_with_the_database(kept: tuple[Note, str] | None) -> Note | None:
    """What to go on from: the later of the note in the file and the newest checkpoint, if both are of one log."""
    stored = latest_checkpoint()
    if kept is None:
        if stored is None:
            return None
        raise Refused(
            "note_missing",
            f"The database has a checkpoint over {stored.size:,} entries, but the last signed note is gone from the "
            "signer's folder. Put it back; if it is lost for good, see resume_signing.",
        )
    note, text = kept
    if stored is None or stored.size < note.size:
        return _offered_again(note, text)
    is_the_same = (stored.size, bytes(stored.root), stored.note) == (note.size, note.root, text)
    return note if is_the_same else _adopted(note, stored)


def _offered_again(note: Note, text: str) -> Note:
    """A note that was signed but, by a crash, never reached the database."""
    _refuse_other_log(note)
    if store_checkpoint(note, text).note != text:
        raise Refused("checkpoint_differs", _TWO_NOTES.format(size=note.size))
    return note


def _adopted(note: Note, stored: Checkpoint) -> Note:
    """The file is older than the database: a copy was put back. What we signed since still binds us."""
    try:
        newer = verify_note(stored.note, public_keys())
    except NoteMalformed as error:
        raise Refused("checkpoint_forged", f"The newest checkpoint is not one we signed. {error}") from None
    if newer.size == note.size or (newer.size, newer.root) != (stored.size, bytes(stored.root)):
        raise Refused("checkpoint_differs", _TWO_NOTES.format(size=newer.size))
    _refuse_other_log(newer)
    _refuse_unless_it_extends(note, newer.size, newer.root)
    write_last_note(stored.note)
    return newer


_TWO_NOTES = "The database has another checkpoint over {size:,} entries than the one that was signed. Run verify_audit."


def _refuse_other_log(note: Note) -> None:
    size = log_size()
    if size < note.size:
        raise Refused(
            "shorter",
            f"The log has {size:,} entries, but {note.size:,} were signed: something was cut off, or an older backup "
            "was restored. If that was meant, see resume_signing.",
        )
    if _stored_root(note.size) != note.root:
        raise Refused("not_extended", _OTHER_ROOT.format(size=note.size))


_OTHER_ROOT = "The first {size:,} entries are not those that were signed. Run verify_audit; see also resume_signing."


def _stored_root(size: int) -> bytes:
    try:
        return root_at(size, stored_node)
    except LogDamagedError as error:
        raise Refused("not_extended", str(error)) from None


def _refuse_unless_it_extends(base: Note | None, size: int, root: bytes) -> None:
    old_size, old_root = (base.size, base.root) if base else (0, EMPTY_ROOT)
    try:
        proof = consistency_proof(old_size, size, stored_node)
    except LogDamagedError as error:
        raise Refused("not_extended", str(error)) from None
    if not verifies_consistency(old_size, old_root, size, root, proof):
        raise Refused("not_extended", _OTHER_ROOT.format(size=old_size))


def _walk_at(base: Note | None) -> Walk:
    log: str = settings.BREACHDESK.log_origin
    if base is None:
        return Walk(log)
    _refuse_other_log(base)
    return Walk(log, stored_frontier(base.size))


def _after_rotation(key: Ed25519PrivateKey, base: Note | None) -> Ed25519PrivateKey:
    """Once a note bears both signatures, the next key takes the place of the old one."""
    try:
        following = next_key()
    except SigningKeyMissing as missing:
        raise Refused(missing.why, str(missing)) from None
    if following is None or base is None or not base.is_signed_by(own_public_key(following)):
        return key
    put_next_key_in_place()
    return following


def _keys_for(size: int, key: Ed25519PrivateKey) -> list[Ed25519PrivateKey]:
    """Whose signatures a note over `size` entries bears; none yet while the event of a new key is not linked."""
    known = [public for idx, public in linked_keys() if idx < size]
    own, following = own_public_key(key), next_key()
    if known and known[-1] == own:
        return [key]
    if following and known and known[-1] == own_public_key(following) and own in known:
        return [key, following]
    if own in public_keys() and own not in known:
        return []
    raise Refused(
        "key_unknown",
        f"The log does not name {own.key_id.hex()} as the key to sign with. Put the right key file back.",
    )


def _sign(walk: Walk, base: Note | None, keys: Sequence[Ed25519PrivateKey]) -> Checkpoint:
    size, root = walk.size, walk.frontier.root()
    if _stored_root(size) != root:
        raise Refused("nodes_changed", "The stored tree is not that of the entries. Run verify_audit.")
    _refuse_unless_it_extends(base, size, root)
    origin: str = settings.BREACHDESK.log_origin
    text = sign_note(checkpoint_text(origin, size, root), origin, keys)
    write_last_note(text)
    return store_checkpoint(parse_note(text), text)


def _tell(refusal: Refused) -> None:
    """One event for each state it refuses in; a process that starts anew does not say again what stands there."""
    stored = latest_checkpoint()
    last_size = stored.size if stored else 0
    with transaction.atomic():
        told = Event.objects.of_type(REFUSED).newest_first().first()
        if told and _says_the_same(told, refusal.why, last_size):
            return
        record(REFUSED, by=None, why=refusal.why, size=log_size(), last_size=last_size)


def _says_the_same(told: Event, why: str, last_size: int) -> bool:
    data = told.content["data"]
    return bool((data["why"], data["last_size"]) == (why, last_size))
