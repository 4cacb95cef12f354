"""What a worker does to an upload: reads it, takes its people in, takes them out again. Each is one transaction.

Called by the doorbell, not by a user: what it does was decided by whoever matched, accepted, discarded or undid it.
Running it again does nothing a second time.
"""

from collections.abc import Callable, Iterable, Iterator
from contextlib import closing
from datetime import timedelta
from uuid import UUID

from django.core.exceptions import ValidationError
from django.db import connection, transaction
from django.utils import timezone

from breachdesk.audit.record import record
from breachdesk.people import taking, tasks
from breachdesk.people.apart import apart
from breachdesk.people.counting import recount_and_state
from breachdesk.people.ending import forget_holds
from breachdesk.people.gate import Watch
from breachdesk.people.loading import Batch, Counts, Loader
from breachdesk.people.merging import keys_before
from breachdesk.people.models import CountEntry, Person, PersonMatch, Reading, RejectedRow, Upload
from breachdesk.people.preparing import Preparer
from breachdesk.people.progress import Progress
from breachdesk.people.reading.context import context_here
from breachdesk.people.reading.plan import plan_of
from breachdesk.people.reading.rows import read_rows
from breachdesk.people.reading.tables import open_table
from breachdesk.people.turns import may_read_alone, take_turn
from breachdesk.people.uploads import discard_file, opened
from breachdesk.vault.sealing import Cipher, SealBroken, cipher_for

LEASE = timedelta(seconds=60)
MOST_STARTS = 3
BATCH = 1_000  # rows
State = Upload.State


class Busy(Exception):
    """Another file of the incident is being read; this one's turn comes after it."""


class TakenOver(Exception):
    """The lease ran out and another worker reads the file now, or somebody has discarded it."""


def work_on_upload(upload_id: UUID) -> Upload:
    """Whatever its state asks for; nothing, if another worker is at it or it waits for somebody's decision."""
    upload = Upload.objects.get(pk=upload_id)
    if upload.state in (State.QUEUED, State.READING):
        return _read(upload)
    if upload.state == State.ACCEPTED:
        return _take_in(upload_id)
    if upload.state == State.LEAVING:
        return _take_out(upload_id)
    return upload


def _read(upload: Upload) -> Upload:
    begun = _begin_reading(upload)
    if begun is None:
        return Upload.objects.get(pk=upload.pk)
    if begun.starts > MOST_STARTS:
        return _fail(begun, f"The reading broke off {MOST_STARTS} times. Ask your administrator to look at the log.")
    try:
        return _load(begun)
    except ValidationError as refusal:
        return _fail(begun, refusal.messages[0])
    except (SealBroken, FileNotFoundError):
        return _fail(begun, "The sealed file is gone or was changed on the disk. Hand it in again.")
    except Busy:
        return _give_back(begun)
    except TakenOver:
        return Upload.objects.get(pk=upload.pk)


@transaction.atomic
def _begin_reading(upload: Upload) -> Upload | None:
    """Takes the lease, so that the page shows it at once; None when it is taken, the work is done or not its turn."""
    now = timezone.now()
    take_turn(upload.incident_id)
    uploads = Upload.objects.select_for_update(no_key=True, of=("self",)).select_related("incident")
    begun = uploads.free_at(now).filter(pk=upload.pk, state__in=[State.QUEUED, State.READING]).first()
    if begun is None:
        return None
    begun.state, begun.started_at, begun.rung_at = State.READING, now, now
    begun.starts += 1
    begun.save()
    begun.reading = Reading(upload=begun, starts=begun.starts, lease_until=now + LEASE)
    begun.reading.save()
    return begun


@transaction.atomic
def _give_back(upload: Upload) -> Upload:
    upload.state, upload.started_at = State.QUEUED, None
    upload.starts -= 1
    upload.save()
    upload.reading.delete()
    return upload


@transaction.atomic
def _load(upload: Upload) -> Upload:
    if not may_read_alone(upload.incident_id):
        raise Busy
    cipher = cipher_for(upload.incident_id)
    watch = Watch.over(upload)
    with Progress(upload, LEASE) as progress, closing(apart(_reading(upload, cipher))) as batches:
        counts = Loader(upload, cipher, watch, progress.tell).load(batches)
    if not counts.rows:
        raise ValidationError("The file has column names and no rows. Nobody was added.")
    return _checked(upload, counts, watch)


def _reading(upload: Upload, cipher: Cipher) -> Callable[[], Iterator[Batch]]:
    """All that must be asked of the database is asked before; what is given back asks nothing."""
    plan, context, today = plan_of(cipher, upload), context_here(), timezone.localdate()
    preparer = Preparer(upload, cipher, keys_before(upload))

    def read() -> Iterator[Batch]:
        with opened(upload, cipher) as stream:
            table = open_table(stream, plan.source)
            rows = read_rows(table, plan, today=today, context=context)
            for prepared, bad in preparer.batches(rows, BATCH):
                yield table.bytes_read, prepared, bad

    return read


def _checked(upload: Upload, counts: Counts, watch: Watch) -> Upload:
    upload.state, upload.finished_at = State.CHECKED, timezone.now()
    upload.rows_read, upload.rows_valid = counts.rows, counts.people
    upload.rows_repeated, upload.rows_rejected = counts.repeated, counts.rejected
    upload.signals = [signal.as_json() for signal in watch.signals(upload)]
    upload.summary = counts.summary() | {"fits": watch.kept()}
    _save_if_still_ours(upload)
    record(
        "upload.checked",
        by=None,
        on=upload,
        batches=_batches(upload),
        people=counts.people,
        rows=counts.rows,
        rejected=counts.rejected,
        duplicates=counts.repeated,
        without_email=counts.without_email,
        signals=len(upload.signals),
        seconds=round(upload.seconds),
    )
    transaction.on_commit(_plan_afresh, robust=True)
    return upload


def _batches(upload: Upload, touched: Iterable[UUID] = ()) -> list[tuple[str, object]]:
    own: list[tuple[str, object]] = [(model._meta.db_table, upload.pk) for model in (Person, PersonMatch, RejectedRow)]
    return own + [(Person._meta.db_table, other) for other in touched if other != upload.pk]


def _plan_afresh() -> None:
    with connection.cursor() as cursor:
        cursor.execute("ANALYZE people_person, people_personmatch")  # or the next search plans for an empty table


@transaction.atomic
def _take_in(upload_id: UUID) -> Upload:
    upload = _lock(upload_id, State.ACCEPTED)
    if upload is None:
        return Upload.objects.get(pk=upload_id)
    touched = taking.lists_touched(upload)
    changed, withdrawn = taking.take_in(upload)
    upload.state, upload.taken_in_at = State.LOADED, timezone.now()
    upload.version += 1
    upload.save()
    record(
        "upload.loaded",
        by=None,
        on=upload,
        also=[_counted(upload)],
        batches=_batches(upload, touched),
        people=upload.rows_valid,
        rows=upload.rows_read,
        rejected=upload.rows_rejected,
        duplicates=upload.rows_repeated,
        without_email=upload.summary["without_email"],
        seconds=round(upload.seconds),
        changed=changed,
        withdrawn=withdrawn,
    )
    transaction.on_commit(lambda: _tidy_up(upload), robust=True)
    return upload


@transaction.atomic
def _take_out(upload_id: UUID) -> Upload:
    """What it changed in others goes back, then its own rows go, and with its people the holds on them."""
    upload = _lock(upload_id, State.LEAVING)
    if upload is None:
        return Upload.objects.get(pk=upload_id)
    batches = _batches(upload, taking.lists_touched(upload)) + forget_holds(upload)
    changed = taking.take_out(upload) if upload.taken_in_at else 0
    taking.delete_rows(upload)
    upload.state = State.GONE
    upload.version += 1
    upload.save()
    record(
        "upload.left", by=None, on=upload, also=[_counted(upload)] if upload.taken_in_at else [], batches=batches,
        people=upload.rows_valid, rejected=upload.rows_rejected, changed=changed,
    )  # fmt: skip
    transaction.on_commit(lambda: _tidy_up(upload), robust=True)
    return upload


def _counted(upload: Upload) -> CountEntry:
    """Whoever decided that the list comes in, or leaves, answers for the number."""
    assert upload.decided_by is not None
    return recount_and_state(upload, by=upload.decided_by)


def _lock(upload_id: UUID, state: str) -> Upload | None:
    """None when another worker is at it, or was."""
    uploads = Upload.objects.select_for_update(no_key=True, of=("self",), skip_locked=True).select_related("incident")
    return uploads.filter(pk=upload_id, state=state).first()


@transaction.atomic
def _fail(upload: Upload, sentence: str) -> Upload:
    upload.state, upload.failure = State.FAILED, sentence[:300]
    upload.finished_at = timezone.now()
    _save_if_still_ours(upload)
    record("upload.failed", by=None, on=upload, why="unreadable", private={"detail": upload.failure})
    transaction.on_commit(lambda: _tidy_up(upload), robust=True)
    return upload


def _save_if_still_ours(upload: Upload) -> None:
    """A reader that was thought dead, and came back after another took over, must not finish."""
    now = Upload.objects.select_for_update(no_key=True).get(pk=upload.pk)
    if (now.state, now.starts) != (State.READING, upload.starts):
        raise TakenOver(f"Another worker has taken over the upload {upload.pk}. Nothing of this reading was kept.")
    upload.version += 1
    upload.save()
    upload.reading.delete()


def _tidy_up(upload: Upload) -> None:
    """The file has done its work; whoever waited behind it may be read."""
    discard_file(upload.pk)
    tasks.ring_waiting(upload.incident)
