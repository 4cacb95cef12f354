"""Letters: begun for those whom email did not reach, taken to a printer, posted, or given up."""

from datetime import date, datetime
from datetime import time as time_of_day
from functools import partial
from typing import TYPE_CHECKING
from zoneinfo import ZoneInfo

from django.core.exceptions import ValidationError
from django.db import connection, transaction
from django.utils import timezone

from breachdesk.accounts.permissions import action
from breachdesk.audit.models import Event
from breachdesk.audit.record import record
from breachdesk.audit.tree import leaf_of, root_of
from breachdesk.incidents.locking import refuse_closed
from notifications import delivery, tasks
from notifications.editions import the_organisation
from notifications.letter_files import LETTERS_IN_A_FILE, discard_files, is_here
from notifications.letter_making import is_what_was_approved, sha256_of_files, void_rows
from notifications.letter_pages import WINDOWS
from notifications.letters import freeze_letters, people_for_letters, rows_of
from notifications.locked import lock, which
from notifications.models import Edition, Letter, LetterRun

if TYPE_CHECKING:
    from breachdesk.accounts.models import User

PRINT = "notifications.print_letters"
STATES = {Edition.State.SENDING, Edition.State.PAUSED, Edition.State.FINISHED}
State = LetterRun.State
_GONE_SINCE = """
SELECT count(*) FROM notifications_letter AS l JOIN people_person AS p ON p.id = l.person_id
JOIN notifications_notice AS n ON n.id = l.notice_id
WHERE l.run_id = %(run)s AND l.voided_at IS NULL AND l.number > %(after)s AND l.number <= %(up_to)s
  AND (p.held OR p.withdrawn <> (n.audience ? 'affected') OR notifications_frozen_row(p) IS DISTINCT FROM l.frozen)
"""


@action(PRINT)
def begin_letters(edition: Edition, *, window: str, by: "User", expected_version: int | None = None) -> LetterRun:
    """Who gets one is fixed now; the pages are made in the background. Nobody has two letters of one notice."""
    if window not in WINDOWS:
        raise ValidationError({"window": "Choose the envelopes that the letters are printed for."})
    delivery.hold_back_hand_overs(edition.pk)
    locked = lock(edition, STATES, "printed", expected_version)
    if not is_what_was_approved(locked):
        raise ValidationError(
            "The organisation's page or a fact has changed since this was approved, so the letters would not be what "
            "was approved. Nothing was begun. Take the change back, or write a new notice."
        )
    people = people_for_letters(locked)
    if not people:
        raise ValidationError("Nobody waits for a letter of this edition. Nothing was begun.")
    run = LetterRun.objects.create(
        edition=locked, people=len(people), window=window, made_by=by, made_at=timezone.now()
    )
    freeze_letters(run, people)
    record(
        "letters.begun",
        by=by,
        on=run,
        batches=[rows_of(run)],
        people=run.people,
        window=window,
        rows_root=_root_of(run),
        **which(locked),
    )
    transaction.on_commit(partial(tasks.ring_letters, run.pk), robust=True)
    return run


@action(PRINT)
def take_letters(run: LetterRun, part: int, *, by: "User") -> LetterRun:
    """Who takes a file away to a printer leaves an event. Refused while it holds a letter that must not leave."""
    locked = _lock(run, {State.READY, State.POSTED}, "taken", None)
    listed = next((file for file in locked.files if file["part"] == part), None)
    if listed is None:
        raise ValidationError("There is no such file of these letters. Look at the list again.")
    if locked.state == State.READY and (gone := _gone_since(locked, part)):
        raise ValidationError(
            f"{gone:,} of the people in this file were put on hold, taken off or changed since the letters were made. "
            "Give these letters up and make them anew: nothing was handed out."
        )
    if not is_here(locked, part):
        raise ValidationError(
            "This file is not where the web server looks for it, so nobody took it. Let web and worker share one state "
            "folder, or give these letters up and make them anew."
        )
    digest = bytes.fromhex(listed["sha256"])
    record("letters.taken", by=by, on=locked, sha256=digest, letters=listed["letters"], file=part, digest=digest)
    return locked


@action(PRINT)
def post_letters(run: LetterRun, *, on: date, how: str, by: "User", expected_version: int | None = None) -> LetterRun:
    """A colleague says when and how they were posted: from then on these people count as reached."""
    locked = _lock(run, {State.READY}, "posted", expected_version)
    if not how.strip():
        raise ValidationError({"how": "Say who posted them and how, for example the printer and the class of mail."})
    zone = ZoneInfo(the_organisation().zone)
    if not locked.made_at.astimezone(zone).date() <= on <= timezone.now().astimezone(zone).date():
        raise ValidationError({"on": "Choose a day from when they were made until today."})
    if never := sorted(_parts(locked) - _parts_taken(locked)):
        raise ValidationError(f"File {never[0]} was never taken from here, so it cannot have been posted.")
    locked.state, locked.posted_by = State.POSTED, by
    noon = datetime.combine(on, time_of_day(12), zone)
    locked.posted_at = min(max(noon, locked.made_at), timezone.now())
    _save(locked)
    record(
        "letters.posted",
        by=by,
        on=locked,
        private={"how": how.strip()},
        letters=locked.letters_made,
        posted_at=locked.posted_at,
        pages=locked.pages,
        digest=sha256_of_files(locked),
    )
    return locked


@action(PRINT)
def void_letters(run: LetterRun, *, reason: str, by: "User", expected_version: int | None = None) -> LetterRun:
    """Its people are free for other letters, and its files are deleted. What was posted stays so."""
    if not reason.strip():
        raise ValidationError({"reason": "Say why these letters are given up. It stands in the trail."})
    locked = _lock(run, {State.MAKING, State.READY}, "given up", expected_version)
    letters, was = void_rows(locked), locked.state
    locked.voided_at = timezone.now()
    _save(locked)
    transaction.on_commit(lambda: discard_files(locked), robust=True)
    record(
        "letters.voided",
        by=by,
        on=locked,
        batches=[rows_of(locked)],
        private={"reason": reason.strip()},
        letters=letters,
        state=str(was),
    )
    return locked


def _lock(run: LetterRun, states: set[State], done: str, expected_version: int | None) -> LetterRun:
    locked = LetterRun.objects.select_for_update(of=("self",)).with_case().get(pk=run.pk)
    if locked.voided_at or locked.state not in states:
        state = "given up" if locked.voided_at else locked.get_state_display().lower()
        raise ValidationError(f"These letters cannot be {done}: they are “{state}”. Nothing was changed.")
    if expected_version is not None and locked.version != expected_version:
        raise ValidationError("A colleague changed these letters meanwhile. Look at them again; nothing was changed.")
    refuse_closed(locked.edition.notice.incident)
    return locked


def _save(locked: LetterRun) -> None:
    locked.version += 1
    locked.save()


def _root_of(run: LetterRun) -> bytes:
    """RFC 6962 over (person id, person's row), in the order of the letters: as the frozen list of an edition."""
    rows = Letter.objects.filter(run=run).order_by("number").values_list("person", "frozen")
    return root_of(leaf_of(person.bytes + bytes(frozen or b"")) for person, frozen in rows)


def _gone_since(run: LetterRun, part: int) -> int:
    up_to = part * LETTERS_IN_A_FILE
    with connection.cursor() as cursor:
        cursor.execute(_GONE_SINCE, {"run": run.pk, "after": up_to - LETTERS_IN_A_FILE, "up_to": up_to})
        return int(cursor.fetchone()[0])


def _parts(run: LetterRun) -> set[int]:
    return {file["part"] for file in run.files}


def _parts_taken(run: LetterRun) -> set[int]:
    taken = Event.objects.of_incident(run.incident_id).of_type("letters.taken").on_objects([str(run.pk)])
    return {event.content["data"]["file"] for event in taken}
