from datetime import timedelta
from typing import TYPE_CHECKING
from uuid import UUID

from django.core.exceptions import ValidationError
from django.db import connection, transaction
from django.utils import timezone

from breachdesk.accounts.permissions import action
from breachdesk.audit.record import record
from breachdesk.incidents.models import Incident
from breachdesk.people import tasks
from breachdesk.people.loading import Counts, Loader
from breachdesk.people.models import CountEntry, Person, Upload
from breachdesk.people.personal import email_index_of_typed, personal_of, reference_index
from breachdesk.people.progress import Progress
from breachdesk.people.reading import PeopleFile
from breachdesk.people.uploads import SealedFile, discard_file, opened
from breachdesk.vault.sealing import SealBroken, cipher_for

if TYPE_CHECKING:
    from breachdesk.accounts.models import User

LEASE = timedelta(seconds=60)
MOST_STARTS = 3
MOST_FOUND = 50


class Busy(Exception):
    """Another file of the incident is being read; this one's turn comes after it."""


class TakenOver(Exception):
    """The lease ran out, and another worker reads the file now."""


@action("people.load_people")
def receive_upload(incident: Incident, file: SealedFile, *, by: "User", ring: bool = True) -> Upload:
    """Takes over a sealed file and rings for it to be read. The same file a second time is refused.

    Without `ring` the caller reads it at once; should that break off, the file is rung for like any other.
    """
    incident = Incident.objects.select_for_update(no_key=True).get(pk=incident.pk)
    if incident.status != Incident.Status.OPEN:
        raise ValidationError(f"{incident.reference} is closed. Nobody was added.")
    if not file.size:
        raise ValidationError("The file is empty. Nobody was added.")
    if Upload.objects.of(incident).same_as(file.sha256).exists():
        raise ValidationError(f"Exactly this file was handed in before. {incident.reference} was not changed.")
    upload = Upload.objects.create(
        id=file.id,
        incident=incident,
        file_name=file.name,
        size=file.size,
        sha256=file.sha256,
        uploaded_by=by,
        received_at=timezone.now(),
    )
    record("upload.received", by=by, on=upload, private={"filename": file.name}, bytes=file.size, sha256=file.sha256)
    if ring:
        transaction.on_commit(lambda: tasks.ring(upload.pk), robust=True)
    return upload


def load_upload(upload_id: UUID) -> Upload:
    """Reads a received file: all of its people are added, or none. Running it again adds nothing.

    Called by the doorbell, not by a user: what it does was decided by whoever handed the file in.
    """
    upload = _begin_reading(upload_id)
    if upload is None:
        return Upload.objects.get(pk=upload_id)
    if upload.starts > MOST_STARTS:
        return _fail(upload, f"The reading broke off {MOST_STARTS} times. Ask your administrator to look at the log.")
    try:
        return _load(upload)
    except ValidationError as refusal:
        return _fail(upload, refusal.messages[0])
    except (SealBroken, FileNotFoundError):
        return _fail(upload, "The sealed file is gone or was changed on the disk. Hand it in again.")
    except Busy:
        return _give_back(upload)


@transaction.atomic
def _begin_reading(upload_id: UUID) -> Upload | None:
    """Takes the lease, so that the page shows it at once; None when it is taken or the work is done."""
    now = timezone.now()
    uploads = Upload.objects.select_for_update(no_key=True, of=("self",)).select_related("incident")
    try:
        upload = uploads.free_at(now).get(pk=upload_id)
    except Upload.DoesNotExist:
        return None
    upload.state, upload.started_at, upload.lease_until = Upload.State.READING, now, now + LEASE
    upload.starts += 1
    upload.save()
    return upload


def _give_back(upload: Upload) -> Upload:
    upload.state, upload.started_at, upload.lease_until = Upload.State.RECEIVED, None, None
    upload.starts -= 1
    upload.save()
    return upload


@transaction.atomic
def _load(upload: Upload) -> Upload:
    _refuse_second_reader(upload)
    cipher = cipher_for(upload.incident_id)
    with opened(upload, cipher) as stream, Progress(upload, LEASE) as progress:
        file = PeopleFile(stream, today=timezone.localdate())
        loader = Loader(upload, cipher, lambda counts: progress.tell(counts, stream.given))
        counts = loader.load(file.rows())
    if not counts.rows:
        raise ValidationError("The file has column names and no rows. Nobody was added.")
    upload.columns = file.columns.shown
    return _finish(upload, counts)


def _refuse_second_reader(upload: Upload) -> None:
    """One file of an incident is read at a time: two could bring the same person, and then neither could be stored."""
    with connection.cursor() as cursor:
        cursor.execute("SELECT pg_try_advisory_xact_lock(hashtextextended(%s, 0))", [f"people of {upload.incident_id}"])
        if not cursor.fetchone()[0]:
            raise Busy


def _finish(upload: Upload, counts: Counts) -> Upload:
    now = timezone.now()
    upload.state, upload.finished_at, upload.lease_until = Upload.State.LOADED, now, None
    upload.bytes_read, upload.rows_read, upload.rows_valid = upload.size, counts.rows, counts.people
    upload.rows_repeated, upload.rows_rejected = counts.repeated, counts.rejected
    upload.without_email, upload.minors = counts.without_email, counts.minors
    upload.countries, upload.languages = counts.countries, counts.languages
    _save_if_still_ours(upload)
    total = Person.objects.of(upload.incident).count()
    stated = CountEntry.objects.create(
        incident=upload.incident,
        low=total,
        high=total,
        basis="list",
        upload=upload,
        stated_by=upload.uploaded_by,
        stated_at=now,
    )
    record(
        "upload.loaded",
        by=None,
        on=upload,
        also=[stated],
        batches=[("people_person", upload.pk), ("people_rejectedrow", upload.pk)],
        people=counts.people,
        rows=counts.rows,
        rejected=counts.rejected,
        duplicates=counts.repeated,
        without_email=counts.without_email,
        seconds=round(upload.seconds),
    )
    transaction.on_commit(lambda: _tidy_up(upload), robust=True)
    return upload


@transaction.atomic
def _fail(upload: Upload, sentence: str) -> Upload:
    upload.state, upload.failure = Upload.State.FAILED, sentence[:300]
    upload.finished_at, upload.lease_until = timezone.now(), None
    upload.bytes_read = upload.rows_read = upload.rows_valid = upload.rows_repeated = upload.rows_rejected = 0
    _save_if_still_ours(upload)
    record("upload.failed", by=None, on=upload, why="unreadable", private={"detail": upload.failure})
    transaction.on_commit(lambda: _tidy_up(upload), robust=True)
    return upload


def _save_if_still_ours(upload: Upload) -> None:
    """A reader that was thought dead, and came back after another took over, must not finish."""
    now = Upload.objects.select_for_update(no_key=True).get(pk=upload.pk)
    if (now.state, now.starts) != (Upload.State.READING, upload.starts):
        raise TakenOver(f"Another worker has taken over the upload {upload.pk}. Nothing of this reading was kept.")
    upload.version += 1
    upload.save()


def _tidy_up(upload: Upload) -> None:
    """The file has done its work; whoever waited behind it may begin."""
    discard_file(upload.pk)
    with connection.cursor() as cursor:
        cursor.execute("ANALYZE people_person")  # or the next search plans for an empty table
    for waiting in Upload.objects.of(upload.incident).waiting():
        tasks.ring(waiting.pk)


@action("people.reveal_person")
def reveal_person(person: Person, *, by: "User") -> dict[str, str]:
    """Everything we hold on one person, in the clear. Each look leaves an event."""
    person = Person.objects.visible_to(by).get(pk=person.pk)
    personal = personal_of(cipher_for(person.incident_id), person)
    record("people.revealed", by=by, on=person, count=1, people=[person.pk], fields=sorted(personal))
    return personal


@action("people.reveal_person")
def find_people(incident: Incident, typed: str, *, by: "User") -> list[Person]:
    """People whose email address or customer number is exactly `typed`. That somebody looked leaves an event."""
    cipher = cipher_for(incident.pk)
    email = email_index_of_typed(cipher, typed)
    found = Person.objects.of(incident).found_by(email_index=email, reference_index=reference_index(cipher, typed))
    people = list(found[:MOST_FOUND])
    record("people.searched", by=by, on=incident, count=len(people), people=[person.pk for person in people])
    return people


@action("people.hold_person")
def hold_person(person: Person, *, reason: str, expected_version: int, by: "User") -> Person:
    """The person gets no notice until released; what was handed over already cannot be called back."""
    person = _lock(person, expected_version)
    if not reason.strip():
        raise ValidationError({"reason": "Say why this person gets no notice: a request of the police, a dispute."})
    if person.held:
        raise ValidationError("This person is on hold already. Nothing was changed.")
    return _set_held(person, True, "person.held", reason, by)


@action("people.hold_person")
def release_person(person: Person, *, reason: str, expected_version: int, by: "User") -> Person:
    person = _lock(person, expected_version)
    if not reason.strip():
        raise ValidationError({"reason": "Say why this person may get notices again."})
    if not person.held:
        raise ValidationError("This person is not on hold. Nothing was changed.")
    return _set_held(person, False, "person.released", reason, by)


def _lock(person: Person, expected_version: int) -> Person:
    locked = Person.objects.select_for_update(no_key=True).get(pk=person.pk)
    if locked.version != expected_version:
        raise ValidationError(
            "A colleague changed this person's entry meanwhile. Look at it again; nothing was changed."
        )
    return locked


def _set_held(person: Person, held: bool, event: str, reason: str, by: "User") -> Person:
    person.held = held
    person.version += 1
    person.save(update_fields=["held", "version"])
    record(event, by=by, on=person, private={"reason": reason.strip()})
    return person
