"""Answering what laws ask about a case or about us, and recording what was done about a duty that is no filing."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import TYPE_CHECKING, Any

from django.core.exceptions import ValidationError
from django.db import transaction
from django.utils import timezone

from breachdesk.accounts.permissions import action
from breachdesk.audit.record import record
from breachdesk.incidents.locking import lock_open
from breachdesk.incidents.models import Incident
from regulators import tasks
from regulators.models import DutyMet, StatedFact
from regulators.positions import checked_value, of_the_organisation

if TYPE_CHECKING:
    from breachdesk.accounts.models import User


@dataclass(frozen=True)
class Statement:
    """`value` None: it is not known, or not known after all."""

    key: str
    value: bool | str | list[str] | None
    basis: str = ""


@action("regulators.state_fact")
def state_fact(incident: Incident, statement: Statement, *, by: "User") -> StatedFact:
    """Of this case alone; it wins over what is said about the organisation."""
    incident = lock_open(incident)
    return _state("fact.stated", incident, statement, by)


@action("regulators.state_position")
def state_position(statement: Statement, *, by: "User") -> StatedFact:
    """Of the organisation, for every case that has no statement of its own."""
    if statement.key not in of_the_organisation():
        raise ValidationError("That is asked about one case, and answered there. Nothing was changed.")
    fact = _state("position.stated", None, statement, by)
    transaction.on_commit(tasks.work_out_dates.delay, robust=True)  # lost: beat does it within five minutes
    return fact


def _state(event: str, incident: Incident | None, statement: Statement, by: "User") -> StatedFact:
    value = checked_value(statement.key, statement.value)
    current = StatedFact.objects.standing().about(incident, statement.key).select_for_update().first()
    if current and current.value == value and current.basis == statement.basis.strip():
        return current
    now = timezone.now()
    if current:
        current.superseded_at = now
        current.version += 1
        current.save(update_fields=["superseded_at", "version"])
    fact = StatedFact.objects.create(
        incident=incident,
        key=statement.key,
        value=value,
        basis=statement.basis.strip(),
        stated_by=by,
        stated_at=now,
    )
    record(
        event,
        by=by,
        on=fact,
        also=[current] if current else [],
        private={"basis": fact.basis} if fact.basis else {},
        key=fact.key,
        value=value,
        replaces=current.pk if current else None,
    )
    return fact


@dataclass(frozen=True)
class Told:
    """Which duty is met, when and how; `due_at` is its end, where it has one."""

    regime: str
    duty: str
    place: str
    told_at: datetime
    how: str
    due_at: datetime | None = None
    delay_reason: str = ""


@action("regulators.meet_duty")
def meet_duty(incident: Incident, told: Told, *, by: "User") -> DutyMet:
    incident = lock_open(incident)
    _check(incident, told)
    met = DutyMet.objects.create(
        incident=incident,
        regime=told.regime,
        duty=told.duty,
        place=told.place,
        told_at=told.told_at,
        how=told.how.strip(),
        delay_reason=told.delay_reason.strip(),
        recorded_by=by,
        recorded_at=timezone.now(),
    )
    private = {name: text for name, text in (("how", met.how), ("delay_reason", met.delay_reason)) if text}
    record(
        "duty.met",
        by=by,
        on=met,
        private=private,
        regime=met.regime,
        duty=met.duty,
        place=met.place,
        told_at=met.told_at,
    )
    return met


def _check(incident: Incident, told: Told) -> None:
    faults: Mapping[str, Any] = {
        "told_at": "That is in the future. Record it after it was done." if told.told_at > timezone.now() else "",
        "how": "" if told.how.strip() else "Say how they were told: by whom, by which way, to which address.",
        "delay_reason": ""
        if told.due_at is None or told.told_at <= told.due_at or told.delay_reason.strip()
        else "This was after the end of the period. Say why it was late: the law asks for the reasons.",
    }
    if found := {field: fault for field, fault in faults.items() if fault}:
        raise ValidationError(found)
    if DutyMet.objects.of(incident).of_duty(told.regime, told.duty, told.place).exists():
        raise ValidationError("Somebody recorded this already. It was not recorded a second time.")
