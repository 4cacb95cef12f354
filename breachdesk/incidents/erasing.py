"""Erasing for ever: single values of the trail, or one of a case's keys once two people have decided it.

Both run with the eraser's login, which alone may. The web server's may not: it only notes who asked and who confirmed,
and run_eraser, a process of its own, carries that out when everything that was checked then still holds.
"""

from collections.abc import Sequence
from datetime import datetime
from typing import TYPE_CHECKING
from uuid import UUID

from django.core.exceptions import ValidationError
from django.db import transaction

from breachdesk.accounts.permissions import OPERATOR, action
from breachdesk.audit.erasure import (
    DESTROYED,
    ERASED,
    GROUNDS,
    INDEX_DESTROYED,
    ErasureListBroken,
    SealedName,
    bring_list_up_to_date,
    clear_with_key,
    delete_sealed,
    sealed_names,
    still_there,
)
from breachdesk.audit.models import Event
from breachdesk.audit.record import record
from breachdesk.incidents.models import Destruction
from breachdesk.incidents.retention import refuse_destroying
from breachdesk.incidents.sealed_parts import counts_of, parts_of
from breachdesk.vault.models import DataKey
from breachdesk.vault.sealing import shred, shred_index
from breachdesk.vault.shares import DATA

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


@action(OPERATOR)
def carry_out(request_id: UUID, *, at: datetime, by: None) -> str:
    """Destroys what was confirmed, in one transaction with its events. Returns why not, or nothing when it is done."""
    request = Destruction.objects.select_for_update().confirmed().filter(pk=request_id).first()
    if request is None or request.lapses_at <= at or (request.not_before or at) > at:
        return "It is not to be carried out now."
    try:
        refuse_destroying(request.incident, request.what)
        _refuse_without_list()
    except ValidationError as refusal:
        return " ".join(refusal.messages)
    request.counts = counts_of(parts_of(request.incident)) if request.is_of_data else {}
    request.state, request.done_at = Destruction.State.DONE, at
    request.version += 1
    request.save()
    (_destroy_data if request.is_of_data else _destroy_index)(request)
    transaction.on_commit(bring_list_up_to_date)
    return ""


def _destroy_data(request: Destruction) -> None:
    """Salts and sealed values of the trail go too: with a salt in hand a guess at a value could be tested."""
    names = sealed_names(request.incident_id)
    if names:
        _record_and_delete(names, request.incident_id, ground="expired", requester="", by=None)
    shred(request.incident_id)
    key = DataKey.objects.get(scope=request.incident_id)
    changed = [request, *clear_with_key(request.incident_id)]
    record(DESTROYED, by=None, on=key, also=changed, incident=key.scope, which=DATA, **request.counts)


def _destroy_index(request: Destruction) -> None:
    shred_index(request.incident_id)
    key = DataKey.objects.get(scope=request.incident_id)
    record(INDEX_DESTROYED, by=None, on=key, also=[request], incident=key.scope)


def _record_and_delete(
    names: Sequence[SealedName], incident: UUID | None, *, ground: str, requester: str, by: "User | None"
) -> None:
    private = {"requester": requester.strip()} if requester.strip() else None
    erased = [str(name) for name in names]
    record(ERASED, by=by, incident=incident, private=private, count=len(names), erased=erased, ground=ground)
    delete_sealed(names)
    transaction.on_commit(bring_list_up_to_date)


def _check(ground: str) -> None:
    if ground not in GROUNDS:
        raise ValidationError(f"{ground} is not a ground for erasing. Say one of: {', '.join(GROUNDS)}.")
    _refuse_without_list()


def _refuse_without_list() -> None:
    """A list that cannot be written is noticed before anything is gone."""
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
