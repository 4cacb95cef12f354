"""Somebody calls about a message: what we sent them, and what they say, each kept in the trail.

They are found by the code in their message, or by their exact address or customer number; the rules of looking at
people hold. What they say takes effect at once where it keeps messages from them; whether data is wrong is decided by
the data protection officer, who is asked.
"""

from dataclasses import dataclass
from enum import StrEnum
from typing import TYPE_CHECKING

from django.core.exceptions import ValidationError
from django.urls import reverse

from breachdesk.accounts.decisions import ask_for_decision, settle_decisions
from breachdesk.accounts.permissions import action
from breachdesk.audit.record import record
from breachdesk.incidents.models import Incident
from breachdesk.people.actions import find_people, hold_caller, reveal_person
from breachdesk.people.models import Hold, Person
from notifications.callers import Caller, callers
from notifications.models import Delivery, Letter
from notifications.verification_codes import index_of_typed

if TYPE_CHECKING:
    from breachdesk.accounts.models import User

DECIDES = "people.hold_person"
LISTED = 20


class Said(StrEnum):
    NO_CUSTOMER = "no_customer"
    WRONG_DATA = "wrong_data"
    NO_CONTACT = "no_contact"


HOLDS = {Said.NO_CUSTOMER: Hold.Kind.NOT_OURS, Said.NO_CONTACT: Hold.Kind.ASKED}


@dataclass(frozen=True)
class Answer:
    """`elsewhere`: other cases in which a message has the code. The texts are there if one person was found."""

    callers: list[Caller]
    elsewhere: list[Incident]


@action("notifications.answer_callers")
def answer_caller(incident: Incident, typed: str, *, by: "User") -> Answer:
    """A code that is not known and a text that is none get the same answer. What was typed is kept nowhere."""
    index = index_of_typed(typed)
    with_code = [
        *Delivery.objects.with_code(index).select_related("person", "notice__incident").order_by("pk")[:LISTED],
        *Letter.objects.posted_with_code(index).select_related("person", "notice__incident").order_by("pk")[:LISTED],
    ]
    here = [one for one in with_code if one.notice.incident_id == incident.pk]
    elsewhere = {d.notice.incident_id: d.notice.incident for d in with_code if d.notice.incident_id != incident.pk}
    found = {person.pk: person for person in find_people(incident, typed, by=by)}
    found |= {one.person_id: one.person for one in here}
    record(
        "caller.answered",
        by=by,
        on=incident,
        incident=incident.pk,
        count=len(found),
        by_code=bool(here),
        people=sorted(map(str, found)),
        deliveries=sorted(str(one.pk) for one in here if isinstance(one, Delivery)),
    )
    people = list(found.values())
    return Answer(
        _opened(incident, people, by) if len(people) == 1 else callers(incident, people), [*elsewhere.values()]
    )


@action("notifications.answer_callers")
def open_caller(person: Person, *, by: "User") -> Answer:
    """One of several who were found, with the texts they got."""
    incident, here = person.incident, Delivery.objects.to_people_of(person.incident, [person])
    record(
        "caller.answered",
        by=by,
        on=incident,
        incident=incident.pk,
        count=1,
        by_code=False,
        people=[str(person.pk)],
        deliveries=sorted(str(delivery.pk) for delivery in here),
    )
    return Answer(_opened(incident, [person], by), [])


def _opened(incident: Incident, people: list[Person], by: "User") -> list[Caller]:
    for person in people:
        reveal_person(person, by=by)
    return callers(incident, people, reader=by)


@action("notifications.answer_callers")
def note_caller(person: Person, *, said: str, words: str, by: "User") -> Person:
    """No customer of ours, and do not contact me: nothing more goes to them. Wrong data: the DPO is asked to decide."""
    if said not in set(Said):
        raise ValidationError("Choose what the caller says. Nothing was changed.")
    if not words.strip():
        raise ValidationError({"words": "Write down what the caller said, in a sentence. Nothing was changed."})
    person = Person.objects.visible_to(by).select_related("incident").get(pk=person.pk)
    if said in HOLDS:
        person = hold_caller(person, kind=HOLDS[Said(said)], reason=words, by=by)
    else:
        _ask(person, by)
    record("caller.noted", by=by, on=person, said=said, private={"words": words.strip()})
    return person


def _ask(person: Person, by: "User") -> None:
    reference = person.incident.reference
    ask_for_decision(
        DECIDES,
        on=person,
        url=reverse("hotline-caller", args=[reference, person.pk]),
        sentence=f"{reference}: somebody on the list says that what we hold about them is wrong.",
        by=by,
    )


@action(DECIDES)
def settle_dispute(person: Person, *, words: str, by: "User") -> None:
    """The data was corrected, or stays and the person knows why."""
    if not words.strip():
        raise ValidationError({"words": "Say what was decided and done. Nothing was changed."})
    if not settle_decisions(on=person, by=by):
        raise ValidationError("Nobody waits for a decision about this person any more. Nothing was changed.")
    record("caller.settled", by=by, on=person, private={"words": words.strip()})
