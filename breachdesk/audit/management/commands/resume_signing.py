"""Lets the signer go on from the state the database has, when the last note it signed cannot be extended any more.

For the lawful cases alone: an older backup was restored, or the signer's folder is lost. What was signed beyond that
state stays signed: whoever kept such a note will see that history was replaced. So this leaves an event that says so,
and keeps the note that is given up.
"""

from typing import Any

from django.core.management.base import BaseCommand, CommandError, CommandParser
from django.db import transaction

from breachdesk.audit.checkpoints import (
    NoteFileMissing,
    give_up_last_note,
    latest_checkpoint,
    public_keys,
    read_last_note,
    signer_folder_path,
    write_last_note,
)
from breachdesk.audit.entries import log_size, stored_node
from breachdesk.audit.models import Checkpoint
from breachdesk.audit.note import Note, NoteMalformed, parse_note, verify_note
from breachdesk.audit.record import record
from breachdesk.audit.tree import root_at

REASONS = ("backup_restored", "note_lost", "database_moved")


class Command(BaseCommand):
    help = "After a restore that was meant: gives up the last signed note, and says so in the log."
    requires_system_checks: list[str] = []

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("--reason", required=True, choices=REASONS, help="Why; it stands in the log for ever.")

    def handle(self, *args: Any, **options: Any) -> None:
        try:
            signer_folder_path().mkdir(mode=0o700, parents=True, exist_ok=True)
            text, stored = read_last_note(), latest_checkpoint()
        except (NoteFileMissing, OSError) as error:
            raise CommandError(str(error)) from error
        kept = _parsed(text)
        _refuse_false_checkpoint(stored)
        if not _is_in_the_way(kept, text, stored):
            raise CommandError("The log extends the last note that was signed: there is nothing to give up.")
        with transaction.atomic():
            record(
                "signing.resumed",
                by=None,
                why=options["reason"],
                size=log_size(),
                last_size=kept.size if kept else None,
                last_root=kept.root if kept else None,
            )
        if text is not None:
            give_up_last_note(kept.size if kept else 0)
        if stored:
            write_last_note(stored.note)
        self.stdout.write(f"The signer goes on from {stored.size if stored else 0:,} signed entries.")


def _parsed(text: str | None) -> Note | None:
    try:
        return parse_note(text) if text is not None else None
    except NoteMalformed:
        return None


def _refuse_false_checkpoint(stored: Checkpoint | None) -> None:
    """What it goes on from must at least be signed, and true of the log as it is."""
    if stored is None:
        return
    try:
        note = verify_note(stored.note, public_keys())
    except NoteMalformed as error:
        raise CommandError(f"The newest checkpoint in the database is not one we signed. {error}") from None
    if not _extends(note):
        raise CommandError("The log does not extend the newest checkpoint of its own database: run verify_audit.")


def _is_in_the_way(kept: Note | None, text: str | None, stored: Checkpoint | None) -> bool:
    if kept is None:
        return text is not None or stored is not None
    return not _extends(kept)


def _extends(note: Note) -> bool:
    return log_size() >= note.size and root_at(note.size, stored_node) == note.root
