from typing import TYPE_CHECKING

from django.core.exceptions import ValidationError

from breachdesk.accounts.permissions import action
from breachdesk.audit.context import current_origin
from breachdesk.audit.record import record
from breachdesk.incidents.models import Incident
from breachdesk.people.looking import has_said_why
from breachdesk.people.models import Person
from breachdesk.people.personal import email_index_of_typed, personal_of, reference_index
from breachdesk.vault.sealing import cipher_for

if TYPE_CHECKING:
    from breachdesk.accounts.models import User

MOST_FOUND = 50


@action("people.reveal_person")
def begin_looking(incident: Incident, *, reason: str, by: "User") -> None:
    """The reason for every look of this session at the incident's people. Sealed; whoever calls notes it was given."""
    if not reason.strip():
        raise ValidationError({"reason": "Say why you look: a call from the person, a question of the regulator."})
    record("people.looking_began", by=by, on=incident, incident=incident.pk, private={"reason": reason.strip()})


@action("people.reveal_person")
def reveal_person(person: Person, *, by: "User") -> dict[str, str]:
    """Everything we hold on one person, in the clear. Each look leaves an event."""
    person = Person.objects.visible_to(by).select_related("incident").get(pk=person.pk)
    _refuse_unexplained(person.incident)
    personal = personal_of(cipher_for(person.incident_id), person)
    record("people.revealed", by=by, on=person, count=1, people=[person.pk], fields=sorted(personal))
    return personal


@action("people.reveal_person")
def find_people(incident: Incident, typed: str, *, by: "User") -> list[Person]:
    """People whose email address or customer number is exactly `typed`, even those no longer affected.

    That somebody looked leaves an event, without what was typed.
    """
    _refuse_unexplained(incident)
    cipher = cipher_for(incident.pk)
    email = email_index_of_typed(cipher, typed)
    known = Person.objects.visible_to(by).known_in(incident).in_order()
    people = list(known.found_by(email_index=email, reference_index=reference_index(cipher, typed))[:MOST_FOUND])
    record("people.searched", by=by, on=incident, count=len(people), people=[person.pk for person in people])
    return people


def _refuse_unexplained(incident: Incident) -> None:
    """Outside of a session (a command, a test) nobody looks at a screen."""
    session = current_origin().session
    if session is not None and not has_said_why(session, incident):
        raise ValidationError("Say first why you look at the people of this incident. Nobody was shown.")
