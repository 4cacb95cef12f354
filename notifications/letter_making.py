"""A run of letters from its beginning to its files, by one worker at a time, in the background.

The files are the progress: whoever takes a run up again makes those that are missing. What is told at the end stands
in one event, with who was left out; a run that cannot be made says why, and its people are free for another.
"""

import logging
import time
from collections.abc import Callable
from hashlib import sha256
from uuid import UUID

from django.db import connection, transaction

from breachdesk.audit.canonical import canonical
from breachdesk.audit.locks import process_lock
from breachdesk.audit.record import record
from breachdesk.pdf import PdfError
from breachdesk.vault.sealing import KeyDestroyed, SealBroken, cipher_for
from notifications.editions import the_organisation
from notifications.freezing import is_as_approved
from notifications.letter_files import (
    MadeFile,
    Press,
    discard_files,
    is_made,
    parts_of,
    read_file,
    why_left_out,
)
from notifications.letters import rows_of
from notifications.models import Edition, LetterRun

logger = logging.getLogger(__name__)
_VOID = """
UPDATE notifications_letter SET voided_at = now(), version = version + 1
WHERE run_id = %(run)s AND voided_at IS NULL AND (%(all)s OR id = ANY(%(ids)s::uuid[]))
"""
_PAGES = """
UPDATE notifications_letter AS l SET pages = new.pages, version = l.version + 1
FROM unnest(%(ids)s::uuid[], %(pages)s::int[]) AS new (id, pages) WHERE l.id = new.id AND l.run_id = %(run)s
"""


def work_on_letters(run_id: UUID, *, seconds: float, should_stop: Callable[[], bool] = lambda: False) -> bool:
    """Makes files for about so long. True if there is more to do; nothing is done while another worker is at it."""
    with process_lock(int.from_bytes(run_id.bytes[:8], "big", signed=True)) as held:
        run = LetterRun.objects.being_made().with_case().filter(pk=run_id).first() if held else None
        if run is None:
            return False
        try:
            return _make(run, time.monotonic() + seconds, should_stop)
        except (PdfError, SealBroken) as problem:
            logger.exception("Letters %s could not be made.", run_id)
            fail_letters(run, str(problem) if isinstance(problem, PdfError) else "A sealed file was changed")
        except KeyDestroyed:
            fail_letters(run, "The personal data of this case is destroyed")
    return False


def is_what_was_approved(edition: Edition) -> bool:
    """The words and what stands around them, computed anew: what is printed is what somebody said yes to."""
    root, count = bytes(edition.recipients_root or b""), edition.recipients_count or 0
    return is_as_approved(edition, the_organisation(), root, count)


def _make(run: LetterRun, until: float, should_stop: Callable[[], bool]) -> bool:
    if not is_what_was_approved(run.edition):
        fail_letters(run, "The organisation's page or a fact has changed: this is not what was approved any more")
        return False
    press = Press(run)
    for part in parts_of(run):
        if is_made(run, part):
            continue
        if time.monotonic() > until or should_stop():
            return True
        press.make(part)
    finish_letters(run, [read_file(run, part, cipher_for(run.incident_id)) for part in parts_of(run)])
    return False


@transaction.atomic
def finish_letters(run: LetterRun, files: list[MadeFile]) -> None:
    """Ready to print; whoever could not be printed is free for the next step of the ladder."""
    printed = {letter: pages for file in files for letter, pages in file.pages.items()}
    if not printed:
        fail_letters(run, why_left_out(files) or "Nobody was left to write to")
        return
    if (locked := _lock(run)) is None:
        return
    left_out = [letter for file in files for letter in file.left_out]
    with connection.cursor() as cursor:
        cursor.execute(_PAGES, {"run": run.pk, "ids": list(printed), "pages": list(printed.values())})
        cursor.execute(_VOID, {"run": run.pk, "all": False, "ids": left_out})
    locked.files = [file.as_listed() for file in files if file.pages]
    locked.pages = sum(file.printed for file in files)
    locked.state, locked.failure = LetterRun.State.READY, why_left_out(files)
    _save(locked)
    record(
        "letters.made",
        by=None,
        on=locked,
        sha256=sha256_of_files(locked),
        batches=[rows_of(locked)],
        letters=len(printed),
        pages=locked.pages,
        left_out=len(left_out),
        files=len(locked.files),
        digest=sha256_of_files(locked),
    )


@transaction.atomic
def fail_letters(run: LetterRun, why: str) -> None:
    if (locked := _lock(run)) is None:
        return
    with connection.cursor() as cursor:
        cursor.execute(_VOID, {"run": run.pk, "all": True, "ids": []})
    locked.state, locked.failure = LetterRun.State.FAILED, why[:300]
    _save(locked)
    transaction.on_commit(lambda: discard_files(locked), robust=True)
    record("letters.failed", by=None, on=locked, batches=[rows_of(locked)], people=locked.people, why="see_the_run")


def void_rows(run: LetterRun) -> int:
    """All letters of a run that stand, in the caller's transaction, whose event must name them."""
    with connection.cursor() as cursor:
        cursor.execute(_VOID, {"run": run.pk, "all": True, "ids": []})
        return int(cursor.rowcount)


def sha256_of_files(run: LetterRun) -> bytes:
    """Over the list of files with their digests, in canonical JSON."""
    return sha256(canonical(run.files)).digest()


def _lock(run: LetterRun) -> LetterRun | None:
    """None when somebody voided it meanwhile, or another worker was done first."""
    return LetterRun.objects.being_made().select_for_update(of=("self",)).with_case().filter(pk=run.pk).first()


def _save(locked: LetterRun) -> None:
    locked.version += 1
    locked.save()
