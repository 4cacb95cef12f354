from typing import TYPE_CHECKING

from django.core.exceptions import ValidationError
from django.urls import reverse
from django.utils import timezone

from breachdesk.accounts.decisions import ask_for_decision, settle_decisions
from breachdesk.accounts.permissions import action
from breachdesk.audit.record import record
from breachdesk.incidents.models import Incident
from breachdesk.people import exports
from breachdesk.people.models import PeopleExport
from breachdesk.people.models.exports import KEPT_FOR
from breachdesk.vault.sealing import cipher_for

if TYPE_CHECKING:
    from breachdesk.accounts.models import User

State = PeopleExport.State


@action("people.export_people")
def ask_export(
    incident: Incident, *, which: str, fields: list[str], reason: str, by: "User", country: str = ""
) -> PeopleExport:
    """Nothing leaves before somebody else allows it; who may is asked."""
    _check(which, country, fields, reason)
    export = PeopleExport(incident=incident, which=which, country=country, fields=fields, people=0, asked_by=by)
    export.people = export.whom().count()
    if not export.people:
        raise ValidationError({"which": "Nobody on the list is among these. Nothing was asked for."})
    export.asked_at = timezone.now()
    export.sealed_reason = exports.seal_reason(cipher_for(incident.pk), export, reason)
    export.save(force_insert=True)
    record(
        "people.export_asked", by=by, on=export, private={"reason": reason.strip()}, people=export.people, fields=fields
    )
    ask_for_decision(
        "people.approve_export",
        on=export,
        url=reverse("export", args=[incident.reference, export.pk]),
        sentence=f"{incident.reference}: allow or refuse an export of the data of {export.people:,} people.",
        excluding=[by],
        by=by,
    )
    return export


@action("people.export_people")
def withdraw_export(export: PeopleExport, *, by: "User", expected_version: int | None = None) -> PeopleExport:
    """Whoever asked takes it back; a file that was made is deleted."""
    locked = _lock(export, {State.ASKED, State.APPROVED, State.MADE}, "withdrawn", expected_version)
    _refuse_others(locked, by)
    exports.discard_after(locked)
    locked.state, locked.file_id = State.WITHDRAWN, None
    _save(locked)
    record("people.export_withdrawn", by=by, on=locked)
    settle_decisions(on=locked, by=by)
    return locked


@action("people.approve_export")
def refuse_export(
    export: PeopleExport, *, reason: str, by: "User", expected_version: int | None = None
) -> PeopleExport:
    if not reason.strip():
        raise ValidationError({"reason": "Say why not. Whoever asked reads it."})
    locked = _decide(export, State.REFUSED, "refused", expected_version, by)
    record("people.export_refused", by=by, on=locked, private={"reason": reason.strip()})
    settle_decisions(on=locked, by=by)
    return locked


@action("people.approve_export")
def approve_export(export: PeopleExport, *, by: "User", expected_version: int | None = None) -> PeopleExport:
    """For a day. Whoever asked is refused here and by the database."""
    locked = _decide(export, State.APPROVED, "allowed", expected_version, by)
    record("people.export_approved", by=by, on=locked, people=locked.people, fields=locked.fields)
    settle_decisions(on=locked, by=by)
    return locked


@action("people.export_people")
def make_export(export: PeopleExport, *, by: "User", expected_version: int | None = None) -> tuple[PeopleExport, str]:
    """The file, and the passphrase that opens it: it is nowhere else, and another making has another.

    A lost passphrase is not found again: the file is made anew, and the one before it is deleted.
    """
    locked = _lock(export, {State.APPROVED, State.MADE}, "made", expected_version)
    _refuse_others(locked, by)
    _refuse_late(locked)
    made = exports.write_file(locked, cipher_for(locked.incident_id))
    try:
        exports.discard_after(locked)
        locked.state, locked.made_at, locked.people = State.MADE, timezone.now(), made.people
        locked.file_id, locked.size, locked.sha256 = made.file_id, made.size, made.sha256
        _save(locked)
        _record_file("people.export_made", locked, by)
    except BaseException:
        exports.discard(made.file_id)
        raise
    return locked, made.passphrase


@action("people.export_people")
def download_export(export: PeopleExport, *, by: "User") -> PeopleExport:
    """Whoever asked for it takes the file away. Each time leaves an event with the digest of what went."""
    locked = _lock(export, {State.MADE}, "downloaded", None)
    _refuse_others(locked, by)
    _refuse_late(locked)
    _record_file("people.exported", locked, by)
    return locked


def _check(which: str, country: str, fields: list[str], reason: str) -> None:
    if which not in PeopleExport.Which.values or (which == PeopleExport.Which.COUNTRY) != bool(country):
        raise ValidationError({"which": "Choose whose data it is about; for one country, choose which."})
    if not fields or set(fields) - exports.COLUMNS.keys():
        raise ValidationError({"fields": "Choose what the file holds: at least one column."})
    if not reason.strip():
        raise ValidationError({"reason": "Say what the file is for, and who gets it."})


def _lock(
    export: PeopleExport, states: set[PeopleExport.State], done: str, expected_version: int | None
) -> PeopleExport:
    locked = PeopleExport.objects.select_for_update(of=("self",)).select_related("incident").get(pk=export.pk)
    if expected_version is not None and locked.version != expected_version:
        raise ValidationError("A colleague changed this export meanwhile. Look at it again; nothing was changed.")
    if locked.state not in states:
        raise ValidationError(f"“{locked.get_state_display()}”: it cannot be {done}. Nothing was changed.")
    return locked


def _decide(
    export: PeopleExport, state: PeopleExport.State, done: str, expected_version: int | None, by: "User"
) -> PeopleExport:
    locked = _lock(export, {State.ASKED}, done, expected_version)
    if locked.asked_by_id == by.pk:
        raise ValidationError("You asked for this export, so somebody else must decide about it.")
    locked.state, locked.decided_by, locked.decided_at = state, by, timezone.now()
    if state == State.APPROVED:
        locked.expires_at = locked.decided_at + KEPT_FOR
    _save(locked)
    return locked


def _refuse_others(export: PeopleExport, by: "User") -> None:
    if export.asked_by_id != by.pk:
        raise ValidationError("Only whoever asked for this export may take it. Nothing was changed.")


def _refuse_late(export: PeopleExport) -> None:
    assert export.expires_at is not None, "what was allowed has an end"
    if export.expires_at <= timezone.now():
        raise ValidationError("The day of this export is over, and its file is deleted. Ask for a new one.")


def _save(export: PeopleExport) -> None:
    export.version += 1
    export.save()


def _record_file(event: str, export: PeopleExport, by: "User") -> None:
    """Named by the digest of the zip, whose bytes somebody outside may hold against the trail."""
    digest = bytes(export.sha256 or b"")
    record(
        event, by=by, on=export, sha256=digest, people=export.people, bytes=export.size, fields=export.fields,
    )  # fmt: skip
