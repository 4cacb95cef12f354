"""Erasing what is sealed in the trail: single values, or everything of a case that is over."""

from collections.abc import Sequence
from typing import TYPE_CHECKING
from uuid import UUID

from django.core.exceptions import ValidationError
from django.db import transaction

from breachdesk.accounts.permissions import action
from breachdesk.audit.erasure import (
    DESTROYED,
    ERASED,
    GROUNDS,
    ErasureListBroken,
    SealedName,
    bring_list_up_to_date,
    delete_sealed,
    sealed_names,
    still_there,
)
from breachdesk.audit.models import Event
from breachdesk.audit.record import record
from breachdesk.incidents.models import Incident
from breachdesk.vault.models import DataKey
from breachdesk.vault.sealing import shred

if TYPE_CHECKING:
    from breachdesk.accounts.models import User


@action("audit.erase_values")
def erase_values(names: Sequence[SealedName], *, ground: str, requester: str = "", by: "User") -> int:
    """All of them, of one case or of none, or nothing. The trail stays valid: it only ever held commitments to them."""
    names = sorted(set(names))
    _check(ground)
    _refuse_missing(names)
    _record_and_delete(names, _incident_of(names), ground=ground, requester=requester, by=by)
    return len(names)


@action("audit.erase_values")
def erase_incident(incident: Incident, *, ground: str, by: "User") -> int:
    """Every sealed value of a closed case and its data key, under which its people, files and mail are sealed too."""
    incident = Incident.objects.get(pk=incident.pk)
    if incident.status != Incident.Status.CLOSED:
        raise ValidationError(f"{incident.reference} is still open. Close it first; nothing was erased.")
    _check(ground)
    # Locked, so that of two at once the second finds the key destroyed.
    key = DataKey.objects.select_for_update().filter(scope=incident.pk, destroyed_at=None).first()
    if key is None:
        raise ValidationError(f"{incident.reference} was erased before. Nothing was changed.")
    names = sealed_names(incident.pk)
    if names:
        _record_and_delete(names, incident.pk, ground=ground, requester="", by=by)
    shred(key.scope)
    key.refresh_from_db()
    record(DESTROYED, by=by, on=key, incident=key.scope)
    transaction.on_commit(bring_list_up_to_date)
    return len(names)


def _record_and_delete(
    names: Sequence[SealedName], incident: UUID | None, *, ground: str, requester: str, by: "User"
) -> None:
    private = {"requester": requester.strip()} if requester.strip() else None
    erased = [str(name) for name in names]
    record(ERASED, by=by, incident=incident, private=private, count=len(names), erased=erased, ground=ground)
    delete_sealed(names)
    transaction.on_commit(bring_list_up_to_date)


def _check(ground: str) -> None:
    """A list that cannot be written is noticed before anything is gone."""
    if ground not in GROUNDS:
        raise ValidationError(f"{ground} is not a ground for erasing. Say one of: {', '.join(GROUNDS)}.")
    try:
        bring_list_up_to_date()
    except (OSError, ErasureListBroken) as error:
        raise ValidationError(
            f"The list of erasures cannot be kept, so a restored backup would bring the values back: {error}. "
            "Nothing was erased."
        ) from error


def _refuse_missing(names: Sequence[SealedName]) -> None:
    if not names:
        raise ValidationError("Name at least one value. Nothing was erased.")
    if missing := set(names) - set(still_there(names)):
        raise ValidationError(f"{min(missing)} is not there, or not any more. Nothing was erased.")


def _incident_of(names: Sequence[SealedName]) -> UUID | None:
    """Each case has its own history, so what is erased from it must be named there."""
    events = Event.objects.filter(event_id__in={name.event for name in names})
    incidents = set(events.values_list("incident", flat=True))
    if len(incidents) > 1:
        raise ValidationError("These values belong to more than one case: erase them case by case. Nothing was erased.")
    return incidents.pop()
