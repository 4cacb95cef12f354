import json

import pytest
from django.core.exceptions import PermissionDenied
from django.test import Client
from django.urls import reverse

from breachdesk.accounts.permissions import ROLES
from breachdesk.audit.models import Event
from breachdesk.people import actions
from breachdesk.people.models import Person
from tests.factories import make_incident, make_organisation, make_people, make_user
from tests.people.test_people_page import client_of

pytestmark = pytest.mark.django_db
MAY_NOT = ["auditor", "administrator"]


@pytest.fixture
def person() -> Person:
    make_organisation()
    incident = make_incident()
    make_people(incident)
    (found,) = actions.find_people(incident, "hr-1", by=make_user("responder"))
    return found


def reveal(client: Client, person: Person):  # type: ignore[no-untyped-def]
    return client.post(reverse("person-reveal", args=[person.incident.reference, person.pk]))


@pytest.mark.parametrize("role", sorted(set(ROLES) - set(MAY_NOT)))
def test_a_look_shows_the_person_and_leaves_an_event(person: Person, role: str) -> None:
    page = reveal(client_of(role), person)
    assert "Amelia" in page.content.decode()
    assert page["Cache-Control"] == "no-store"
    body = bytes(Event.objects.get(type="people.revealed").body)
    assert json.loads(body)["data"]["people"] == [str(person.pk)]
    assert b"Amelia" not in body


@pytest.mark.parametrize("role", MAY_NOT)
def test_it_refuses_the_wrong_role(person: Person, role: str) -> None:
    page = reveal(client_of(role), person)
    assert page.status_code == 403
    assert "Amelia" not in page.content.decode()
    assert not Event.objects.filter(type="people.revealed").exists()
    with pytest.raises(PermissionDenied):
        actions.reveal_person(person, by=make_user(role))


def test_opening_the_address_alone_shows_nobody(person: Person) -> None:
    address = reverse("person-reveal", args=[person.incident.reference, person.pk])
    assert client_of("dpo").get(address).status_code == 405


@pytest.mark.parametrize("typed", ["HR-1", " hr-1 ", "amelia.okafor@example.com", "Amelia.Okafor@EXAMPLE.COM"])
def test_an_exact_search_finds_the_person_masked(person: Person, typed: str) -> None:
    page = search(client_of("dpo"), person, typed)
    assert "A•••• O••••" in page
    assert "Amelia" not in page.replace(typed, "")


@pytest.mark.parametrize("typed", ["HR", "amelia", "okafor@example.com", "%"])
def test_a_part_finds_nobody(person: Person, typed: str) -> None:
    assert "Nobody on the list has exactly that" in search(client_of("dpo"), person, typed)


def test_a_search_leaves_an_event_without_what_was_typed(person: Person) -> None:
    search(client_of("dpo"), person, "amelia.okafor@example.com")
    bodies = [bytes(event.body) for event in Event.objects.filter(type="people.searched")]
    assert len(bodies) == 2
    assert not [body for body in bodies if b"amelia" in body]


@pytest.mark.parametrize("role", MAY_NOT)
def test_a_search_refuses_the_wrong_role(person: Person, role: str) -> None:
    address = reverse("people-search", args=[person.incident.reference])
    assert client_of(role).post(address, {"typed": "HR-1"}).status_code == 403


def test_a_search_never_stands_in_an_address(person: Person) -> None:
    address = reverse("people-search", args=[person.incident.reference])
    assert client_of("dpo").get(address, {"typed": "HR-1"}).status_code == 405


def search(client: Client, person: Person, typed: str) -> str:
    answer = client.post(reverse("people-search", args=[person.incident.reference]), {"typed": typed})
    return answer.content.decode()
