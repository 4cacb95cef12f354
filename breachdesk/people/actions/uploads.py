"""From a file to people who count, and back: what is decided here, a worker does (working.py)."""

import json
from typing import TYPE_CHECKING

from django.core.exceptions import ValidationError
from django.db import transaction
from django.utils import timezone

from breachdesk.accounts.permissions import action
from breachdesk.audit.record import record
from breachdesk.incidents.models import Incident
from breachdesk.people import tasks
from breachdesk.people.counting import recount
from breachdesk.people.gate import needs_explaining
from breachdesk.people.models import Reading, Upload
from breachdesk.people.reading.plan import Plan, seal_plan
from breachdesk.people.turns import take_turn
from breachdesk.people.undoing import why_not_undone
from breachdesk.people.uploads import SealedFile, discard_file
from breachdesk.vault.sealing import cipher_for

if TYPE_CHECKING:
    from breachdesk.accounts.models import User

State = Upload.State
BEFORE_READING = (State.RECEIVED, State.QUEUED, State.READING)
BEFORE_TAKING_IN = (State.CHECKED, State.ACCEPTED)


@action("people.load_people")
def receive_upload(incident: Incident, file: SealedFile, *, by: "User") -> Upload:
    """Takes over a sealed file. The same file a second time is refused, unless nothing came of it."""
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
    return upload


@action("people.load_people")
def match_columns(
    upload: Upload,
    plan: Plan,
    *,
    purpose: str,
    reason: str = "",
    expected_version: int,
    by: "User",
    ring: bool = True,
) -> Upload:
    """Says how the file is to be read and what for; it is read as soon as no other file of the incident is.

    Without `ring` the caller reads it at once; should that break off, the file is rung for like any other.
    """
    upload = _lock(upload, State.RECEIVED, expected_version=expected_version)
    if purpose not in Upload.Purpose.values:
        raise ValidationError({"purpose": "Say what the file is for."})
    if purpose == Upload.Purpose.WITHDRAW and not reason.strip():
        raise ValidationError({"reason": "Say why these people are no longer affected."})
    plan.check()
    upload.sealed_plan = seal_plan(cipher_for(upload.incident_id), upload.pk, plan)
    upload.state, upload.purpose = State.QUEUED, purpose
    _change(upload, rung=ring)
    private = {"reason": reason.strip()} if reason.strip() else None
    record(
        "upload.matched", by=by, on=upload, private=private,
        columns=len(plan.columns), stored=plan.stored, purpose=purpose, container=plan.source.container,
        encoding=plan.source.encoding,
    )  # fmt: skip
    return upload


@action("people.load_people")
def accept_upload(upload: Upload, explanations: dict[str, str], *, by: "User", ring: bool = True) -> Upload:
    """Decides that its people count. Whatever looks wrong with too many of them must be explained first."""
    upload = _lock(upload, State.CHECKED)
    explained = {key: text.strip() for key, text in explanations.items() if text.strip()}
    for signal in needs_explaining(upload):
        if signal.key not in explained:
            raise ValidationError(f"{signal.sentence} Say why that is right, or discard the file.", code=signal.key)
    upload.state, upload.decided_by, upload.decided_at = State.ACCEPTED, by, timezone.now()
    _change(upload, rung=ring)
    record(
        "upload.accepted", by=by, on=upload,
        private={"explanations": json.dumps(explained, ensure_ascii=False)} if explained else None,
        people=upload.rows_valid, rejected=upload.rows_rejected, duplicates=upload.rows_repeated,
        explained=len(explained),
    )  # fmt: skip
    return upload


@action("people.load_people")
def discard_upload(upload: Upload, *, reason: str = "", by: "User", ring: bool = True) -> Upload:
    """Nothing of the file is taken in. What was read of it is taken out by a worker."""
    upload = _lock(upload, *BEFORE_READING, *BEFORE_TAKING_IN)
    was_read = upload.state in BEFORE_TAKING_IN
    upload.state = State.LEAVING if was_read else State.GONE
    upload.decided_by, upload.decided_at = by, timezone.now()
    _change(upload, rung=ring and was_read)
    private = {"reason": reason.strip()} if reason.strip() else None
    record("upload.discarded", by=by, on=upload, private=private, rows=upload.rows_read, people=upload.rows_valid)
    if not was_read:
        Reading.objects.filter(upload=upload).delete()
        transaction.on_commit(lambda: _let_go(upload), robust=True)
    return upload


@action("people.load_people")
def undo_upload(upload: Upload, *, reason: str, by: "User", ring: bool = True) -> Upload:
    """Takes its people out again and gives back what it changed, until something was sent to one of them."""
    upload = _lock(upload, State.LOADED)
    if not reason.strip():
        raise ValidationError({"reason": "Say why these people do not belong here."})
    if why_not := why_not_undone(upload):
        raise ValidationError(why_not)
    upload.state, upload.decided_by, upload.decided_at = State.LEAVING, by, timezone.now()
    _change(upload, rung=ring)
    recount(upload.incident)
    record(
        "upload.undone", by=by, on=upload, private={"reason": reason.strip()},
        people=upload.rows_valid, duplicates=upload.rows_repeated,
    )  # fmt: skip
    return upload


def _lock(upload: Upload, *states: str, expected_version: int | None = None) -> Upload:
    take_turn(upload.incident_id)
    uploads = Upload.objects.select_for_update(no_key=True, of=("self",)).select_related("incident")
    locked = uploads.get(pk=upload.pk)
    if locked.state not in states:
        raise ValidationError(
            f"The file is in another state meanwhile: {locked.get_state_display()}. Nothing was changed."
        )
    if expected_version is not None and locked.version != expected_version:
        raise ValidationError("A colleague changed this file's entry meanwhile. Look at it again; nothing was changed.")
    return locked


def _change(upload: Upload, *, rung: bool) -> None:
    upload.version += 1
    upload.rung_at = timezone.now()
    upload.save()
    if rung:
        transaction.on_commit(lambda: tasks.ring(upload.pk), robust=True)


def _let_go(upload: Upload) -> None:
    discard_file(upload.pk)
    tasks.ring_waiting(upload.incident)
