import json

import pytest
from django.core.exceptions import PermissionDenied, ValidationError
from django.urls import reverse

from breachdesk.accounts.permissions import ROLES
from breachdesk.audit.models import Event
from breachdesk.people import actions
from breachdesk.people.models import Person
from tests.factories import make_incident, make_organisation, make_people, make_user
from tests.people.test_people_page import client_of

pytestmark = pytest.mark.django_db


@pytest.fixture
def person() -> Person:
    make_organisation()
    incident = make_incident()
    make_people(incident)
    return Person.objects.of(incident).reachable_by_email()[0]


def hold(person: Person, role: str = "dpo", version: int | None = None, reason: str = "The police asked.") -> Person:
    return actions.hold_person(person, reason=reason, expected_version=version or person.version, by=make_user(role))


def test_a_person_on_hold_is_not_reached(person: Person) -> None:
    held = hold(person)
    assert person not in Person.objects.of(person.incident).reachable_by_email()
    event = Event.objects.get(type="person.held")
    assert json.loads(bytes(event.body))["object"]["id"] == str(person.pk)
    assert b"police" not in bytes(event.body)
    actions.release_person(held, reason="They agreed.", expected_version=held.version, by=make_user("dpo"))
    assert person in Person.objects.of(person.incident).reachable_by_email()
    assert Event.objects.filter(type="person.released").count() == 1


@pytest.mark.parametrize("role", sorted(set(ROLES) - {"dpo"}))
def test_it_refuses_the_wrong_role(person: Person, role: str) -> None:
    with pytest.raises(PermissionDenied, match="Data protection officer"):
        hold(person, role)
    person.refresh_from_db()
    assert not person.held


def test_it_refuses_a_second_hold(person: Person) -> None:
    held = hold(person)
    with pytest.raises(ValidationError, match="on hold already"):
        hold(held)


def test_it_refuses_a_stale_page(person: Person) -> None:
    hold(person)
    with pytest.raises(ValidationError, match="A colleague changed"):
        hold(person, version=1)
    assert Event.objects.filter(type="person.held").count() == 1


def test_it_refuses_without_a_reason(person: Person) -> None:
    with pytest.raises(ValidationError, match="Say why"):
        hold(person, reason=" ")


def test_it_refuses_to_release_who_is_not_held(person: Person) -> None:
    with pytest.raises(ValidationError, match="not on hold"):
        actions.release_person(person, reason="Why not.", expected_version=person.version, by=make_user("dpo"))


def test_the_screen_holds_and_releases(person: Person) -> None:
    client, arguments = client_of("dpo"), [person.incident.reference, person.pk]
    form = {"version": 1, "reason": "A dispute."}
    assert client.post(reverse("person-hold", args=arguments), form).status_code == 302
    twice = client.post(reverse("person-hold", args=arguments), form)
    assert (twice.status_code, "Nothing was changed" in twice.content.decode()) == (422, True)
    assert "On hold, gets no notice" in client.get(reverse("person", args=arguments)).content.decode()
    assert client.post(reverse("person-release", args=arguments), {"version": 2, "reason": "Over."}).status_code == 302
