from collections.abc import Collection, Iterable
from dataclasses import dataclass
from datetime import datetime
from typing import TYPE_CHECKING
from uuid import UUID, uuid4

from django.core.exceptions import ValidationError
from django.db.models import F
from django.utils import timezone

from breachdesk.accounts.permissions import action
from breachdesk.audit.record import record
from breachdesk.incidents.models import Incident
from breachdesk.people.counting import recount_left_out
from breachdesk.people.holds import is_marked, lock_people, seal_text, still_held
from breachdesk.people.models import Hold, Person
from breachdesk.people.pasted import find_pasted
from breachdesk.vault.sealing import cipher_for

if TYPE_CHECKING:
    from breachdesk.accounts.models import User


@dataclass(frozen=True)
class HeldList:
    people: int
    lines: int
    unknown: list[int]  # numbers of the lines that name nobody


@action("people.hold_person")
def hold_person(
    person: Person,
    *,
    reason: str,
    expected_version: int,
    by: "User",
    kind: str = Hold.Kind.OTHER,
    until: datetime | None = None,
) -> Person:
    """The person gets no notice until every hold on them is over; what was handed over cannot be called back."""
    _check(kind, reason, until)
    return _place(_lock(person, expected_version), kind, reason, until, by)


@action("notifications.answer_callers")
def hold_caller(person: Person, *, kind: str, reason: str, by: "User") -> Person:
    """Whoever answers callers may hold one of them back at once; only the DPO lets them go.

    A second hold of the same kind says nothing new and is refused.
    """
    _check(kind, reason, None)
    person = lock_people([person.pk])[0]
    if person.holds.open().of_kind(kind).exists():
        raise ValidationError("This person is on hold for that already: nothing goes to them. Nothing was changed.")
    return _place(person, kind, reason, None, by)


@action("people.hold_person")
def hold_people(
    incident: Incident, pasted: str, *, kind: str, reason: str, by: "User", until: datetime | None = None
) -> HeldList:
    """Holds everybody whose exact email address or customer number stands on a line, and names the lines of nobody."""
    _check(kind, reason, until)
    named = find_pasted(incident, pasted)
    if not named.people:
        raise ValidationError({"pasted": "No line is the email address or customer number of somebody on the list."})
    people, placing = lock_people(named.people), uuid4()
    Hold.objects.bulk_create([_hold(person, placing, kind, reason, until, by) for person in people], batch_size=1000)
    Person.objects.filter(pk__in=[person.pk for person in people]).update(held=True, version=F("version") + 1)
    record(
        "people.held",
        by=by,
        on=incident,
        incident=incident.pk,
        batches=[("people_hold", placing), *_lists_of(people)],
        private={"reason": reason.strip()},
        people=len(people),
        kind=kind,
        until=until,
        placing=placing,
    )
    recount_left_out(incident)
    return HeldList(len(people), named.lines, named.unknown)


@action("people.hold_person")
def release_hold(hold: Hold, *, reason: str, expected_version: int, by: "User") -> Person:
    """Ends one hold. The person may get notices again unless another one holds them."""
    _check_release(reason)
    person = _lock(hold.person, expected_version)
    return _release(person, [hold.pk], reason, by)


@action("people.hold_person")
def release_person(person: Person, *, reason: str, expected_version: int, by: "User") -> Person:
    """Ends every hold on the person, and answers the mark of a list that says they have died."""
    _check_release(reason)
    person = _lock(person, expected_version)
    if not person.held:
        raise ValidationError("This person is not on hold. Nothing was changed.")
    return _release(person, None, reason, by)


def _check(kind: str, reason: str, until: datetime | None) -> None:
    if kind not in Hold.Kind.values:
        raise ValidationError({"kind": "Choose what kind of hold it is."})
    if not reason.strip():
        raise ValidationError({"reason": "Say why this person gets no notice: a request of the police, a dispute."})
    if until is not None and until <= timezone.now():
        raise ValidationError({"until": "This day has begun already. Choose a later one, or leave it open."})


def _check_release(reason: str) -> None:
    if not reason.strip():
        raise ValidationError({"reason": "Say why this person may get notices again."})


def _lock(person: Person, expected_version: int) -> Person:
    locked = lock_people([person.pk])[0]
    if locked.version != expected_version:
        raise ValidationError(
            "A colleague changed this person's entry meanwhile. Look at it again; nothing was changed."
        )
    return locked


def _place(person: Person, kind: str, reason: str, until: datetime | None, by: "User") -> Person:
    hold = _hold(person, uuid4(), kind, reason, until, by)
    hold.save(force_insert=True)
    person.held = True
    _save(person)
    record("person.held", by=by, on=person, also=[hold], private={"reason": reason.strip()}, kind=kind, until=until)
    recount_left_out(person.incident)
    return person


def _hold(person: Person, placing: UUID, kind: str, reason: str, until: datetime | None, by: "User") -> Hold:
    hold = Hold(incident_id=person.incident_id, person=person, placing=placing, kind=kind, until=until)
    hold.placed_by, hold.placed_at = by, timezone.now()
    hold.sealed_reason = seal_text(cipher_for(person.incident_id), hold, "sealed_reason", reason)
    return hold


def _release(person: Person, chosen: Collection[UUID] | None, reason: str, by: "User") -> Person:
    """The open holds of the person, or those of them that were chosen."""
    holds = [hold for hold in person.holds.open().select_for_update() if chosen is None or hold.pk in chosen]
    if chosen is None and (is_marked(person) or not holds):
        holds.append(_answered_mark(person))
    if not holds:
        raise ValidationError("This hold is over already. Nothing was changed.")
    for hold in holds:
        _end(hold, reason, by)
    person.held = person.pk in still_held([person])
    _save(person)
    record("person.released", by=by, on=person, also=holds, private={"reason": reason.strip()}, ended=False)
    recount_left_out(person.incident)
    return person


def _answered_mark(person: Person) -> Hold:
    """What the list said without a hold of its own; kept, so that the same mark is not answered twice."""
    kind = Hold.Kind.DECEASED if person.deceased else Hold.Kind.OTHER
    placed_at = person.upload.finished_at or person.upload.received_at
    return Hold(
        incident_id=person.incident_id, person=person, placing=uuid4(), kind=kind, placed_at=placed_at, version=0
    )


def _end(hold: Hold, reason: str, by: "User") -> None:
    hold.released_by, hold.released_at = by, timezone.now()
    hold.sealed_release = seal_text(cipher_for(hold.incident_id), hold, "sealed_release", reason)
    hold.version += 1
    hold.save()


def _save(person: Person) -> None:
    person.version += 1
    person.save(update_fields=["held", "version"])


def _lists_of(people: Iterable[Person]) -> list[tuple[str, object]]:
    """Whose rows were changed together, by the lists they came in."""
    return [("people_person", upload) for upload in sorted({person.upload_id for person in people})]
