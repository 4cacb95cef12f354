"""What was signed about the log before: every checkpoint stored, the signer's last note, and notes that others kept.

Each names a size and a root. Walking along the log, the root at that size must be the very same.
"""

from collections.abc import Iterator, Sequence
from typing import NamedTuple

from breachdesk.audit.checkpoints import NoteFileMissing, linked_keys, public_keys, read_last_note
from breachdesk.audit.models import Checkpoint
from breachdesk.audit.note import Note, NoteMalformed, PublicKey, verify_note
from breachdesk.audit.walk import Wrong


class Kept(NamedTuple):
    """A note from outside the database, and where it is from."""

    source: str
    text: str


class Signed(NamedTuple):
    source: str
    size: int
    root: bytes


def signers_last_note() -> list[Kept]:
    """None on machines that do not see the signer's folder."""
    try:
        text = read_last_note()
    except NoteFileMissing:
        return []
    return [Kept("The signer's last note", text)] if text is not None else []


class SignedStates:
    def __init__(self, trusted: Sequence[PublicKey] | None, kept: Sequence[Kept]) -> None:
        """`trusted` are the keys that whoever checks got from elsewhere; without them, the log's own. Raises Wrong."""
        self.keys = list(public_keys() if trusted is None else trusted)
        self.count = 0
        self.last_size = 0
        self._linked = linked_keys()
        self._kept = sorted((self._checked(one.source, one.text) for one in kept), key=lambda signed: signed.size)

    def between(self, start: int, end: int) -> Iterator[Signed]:
        """The states of more than `start` and at most `end` entries, by size. Raises Wrong for one badly signed."""
        yield from (signed for signed in self._kept if start < signed.size <= end)
        for row in Checkpoint.objects.filter(size__gt=start, size__lte=end).order_by("size").iterator():
            yield self._checked_row(row)

    def after(self, end: int) -> Iterator[Signed]:
        yield from (signed for signed in self._kept if signed.size > end)
        for row in Checkpoint.objects.filter(size__gt=end).order_by("size"):
            yield self._checked_row(row)

    def _checked_row(self, row: Checkpoint) -> Signed:
        source = f"The checkpoint over {row.size:,} entries"
        signed = self._checked(source, row.note)
        if (signed.size, signed.root) != (row.size, bytes(row.root)):
            raise Wrong(1, f"{source} has other columns than its note says.")
        self.count += 1
        self.last_size = max(self.last_size, row.size)
        return signed

    def _checked(self, source: str, text: str) -> Signed:
        try:
            note = verify_note(text, self.keys)
        except NoteMalformed as error:
            raise Wrong(1, f"{source} is not a note to trust. {error}") from None
        self._refuse_retired_key(source, note)
        return Signed(source, note.size, note.root)

    def _refuse_retired_key(self, source: str, note: Note) -> None:
        """A key that was changed signs nothing that comes after: whoever finds it later cannot use it."""
        current = [key for idx, key in self._linked if idx < note.size][-1:]
        if current and not note.is_signed_by(current[0]):
            raise Wrong(1, f"{source} is not signed by the key that was the newest then, {current[0].key_id.hex()}.")
