"""Signed states of the log: which there are, by whose key, and the last one as the signer remembers it."""

from pathlib import Path

from django.conf import settings
from django.db import connection

from breachdesk.audit.canonical import from_base64url
from breachdesk.audit.durable import move_durably, write_durably
from breachdesk.audit.models import Checkpoint, Event
from breachdesk.audit.note import Note, PublicKey

KEY_EVENTS = ("signing_key.made", "key.rotated")
LAST_NOTE = "last.note"


def latest_checkpoint() -> Checkpoint | None:
    return Checkpoint.objects.order_by("-size").first()


def checkpoint_covering(idx: int) -> Checkpoint | None:
    """The first state that was signed with entry `idx` in it."""
    return Checkpoint.objects.filter(size__gt=idx).order_by("size").first()


def public_keys() -> list[PublicKey]:
    """Every key that ever signed, the newest last: old ones stay for ever, or old notes could not be checked."""
    events = Event.objects.of_types(KEY_EVENTS).oldest_first()
    return [_key_of(event) for event in events]


def linked_keys() -> list[tuple[int, PublicKey]]:
    """The keys with the position of the entry that made each the one to sign with, in the order of the log."""
    with connection.cursor() as cursor:
        cursor.execute(
            """SELECT entry.idx, event.id FROM audit_event AS event JOIN audit_entry AS entry USING (event_id)
               WHERE event.type = ANY (%s) ORDER BY entry.idx""",
            [list(KEY_EVENTS)],
        )
        found = cursor.fetchall()
    events = Event.objects.in_bulk([pk for _, pk in found])
    return [(idx, _key_of(events[pk])) for idx, pk in found]


def _key_of(event: Event) -> PublicKey:
    return PublicKey(settings.BREACHDESK.log_origin, from_base64url(event.content["data"]["public_key"]))


def store_checkpoint(note: Note, text: str) -> Checkpoint:
    """Adding the same one again changes nothing. Returns what is stored under its size, whatever that is."""
    with connection.cursor() as cursor:
        cursor.execute(
            """INSERT INTO audit_checkpoint (size, root, note, made_at) VALUES (%s, %s, %s, clock_timestamp())
               ON CONFLICT (size) DO NOTHING""",
            [note.size, note.root, text],
        )
    return Checkpoint.objects.get(pk=note.size)


# The last note, in a file that no database backup brings back


class NoteFileMissing(Exception):
    """The signer's folder cannot be used. The message says why and what to do."""


def signer_folder_path() -> Path:
    folder: Path | None = settings.BREACHDESK.signer_dir
    if folder is None:
        raise NoteFileMissing("BREACHDESK_SIGNER_DIR is not set, so the last signed note cannot be kept.")
    return folder


def signer_folder() -> Path:
    folder = signer_folder_path()
    if not folder.is_dir():
        raise NoteFileMissing(f"The signer's folder {folder} does not exist. Mount it, or make it with mode 0700.")
    return folder


def read_last_note() -> str | None:
    """None when nothing was ever signed here."""
    path = signer_folder() / LAST_NOTE
    try:
        return path.read_bytes().decode()
    except FileNotFoundError:
        return None
    except (OSError, UnicodeDecodeError) as error:
        raise NoteFileMissing(f"The last signed note {path} cannot be read: {error}.") from None


def write_last_note(text: str) -> None:
    """Before anybody else sees the note: a note that was given away and forgotten could be contradicted later."""
    write_durably(signer_folder() / LAST_NOTE, text.encode(), 0o600)


def give_up_last_note(size: int) -> None:
    """It is kept under another name, for whoever asks later what was signed."""
    folder = signer_folder()
    names = (folder / f"given-up-{size}{suffix}.note" for suffix in ("", *(f"-{number}" for number in range(2, 1000))))
    move_durably(folder / LAST_NOTE, next(path for path in names if not path.exists()))
