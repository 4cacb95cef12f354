"""Looking at a person: the reason for the first look of a session, the event of each, and what is found."""

import json
import logging

import pytest
from django.contrib.sessions.models import Session
from django.core.exceptions import PermissionDenied, ValidationError
from django.test import Client
from django.urls import reverse

from breachdesk.accounts.models import User
from breachdesk.accounts.permissions import ROLES
from breachdesk.audit.context import Origin, _origin
from breachdesk.audit.models import Event
from breachdesk.incidents.models import Incident
from breachdesk.people import actions
from breachdesk.people.models import Person
from tests.factories import make_incident, make_organisation, make_people, make_user, unguarded
from tests.people.test_people_page import client_of

pytestmark = pytest.mark.django_db
MAY_NOT = ["auditor", "administrator"]
REASON = "Mrs zyxwhy rang the hotline."


@pytest.fixture(scope="module")
def found(made_once: None) -> Person:
    make_organisation()
    incident = make_incident()
    make_people(incident)
    (found,) = actions.find_people(incident, "hr-1", by=make_user("responder"))
    return found


@pytest.fixture
def person(found: Person, db: None) -> Person:
    return Person.objects.select_related("incident").get(pk=found.pk)


def reveal(client: Client, person: Person, **said: str):  # type: ignore[no-untyped-def]
    return client.post(reverse("person-reveal", args=[person.incident.reference, person.pk]), said)


def search(client: Client, incident: Incident, typed: str, **said: str):  # type: ignore[no-untyped-def]
    return client.post(reverse("people-search", args=[incident.reference]), {"typed": typed, **said})


def looking(role: str, incident: Incident) -> Client:
    """Somebody who has said why."""
    client = client_of(role)
    search(client, incident, "nobody", reason=REASON)
    return client


@pytest.mark.parametrize("role", sorted(set(ROLES) - set(MAY_NOT)))
def test_a_look_shows_the_person_and_leaves_an_event(person: Person, role: str) -> None:
    page = reveal(client_of(role), person, reason=REASON)
    assert "Amelia" in page.content.decode()
    assert page["Cache-Control"] == "no-store"
    body = bytes(Event.objects.get(type="people.revealed").body)
    assert json.loads(body)["data"]["people"] == [str(person.pk)]
    assert b"Amelia" not in body


@pytest.mark.parametrize("role", MAY_NOT)
def test_it_refuses_the_wrong_role(person: Person, role: str) -> None:
    page = reveal(client_of(role), person, reason=REASON)
    assert page.status_code == 403
    assert "Amelia" not in page.content.decode()
    assert not Event.objects.filter(type__in=["people.revealed", "people.looking_began"]).exists()
    for refused in (
        lambda by: actions.reveal_person(person, by=by),
        lambda by: actions.begin_looking(person.incident, reason=REASON, by=by),
    ):
        with pytest.raises(PermissionDenied):
            refused(make_user(role))


def test_opening_the_address_alone_shows_nobody(person: Person) -> None:
    address = reverse("person-reveal", args=[person.incident.reference, person.pk])
    assert client_of("dpo").get(address).status_code == 405


# The reason


@pytest.mark.parametrize("said", [{}, {"reason": " "}])
def test_the_first_look_asks_for_a_reason(person: Person, said: dict[str, str]) -> None:
    page = reveal(client_of("dpo"), person, **said)
    assert "Why do you look at these people?" in page.content.decode()
    assert "Amelia" not in page.content.decode()
    assert page.status_code == (422 if said else 200)
    assert not Event.objects.filter(type__in=["people.revealed", "people.looking_began"]).exists()


def test_the_first_search_asks_for_a_reason_and_keeps_what_was_typed(person: Person) -> None:
    client = client_of("dpo")
    page = search(client, person.incident, "hr-1").content.decode()
    assert '<input type="hidden" name="typed" value="hr-1">' in page
    assert "A•••• O••••" not in page
    assert Event.objects.filter(type="people.searched").count() == 1  # the fixture's own
    assert "A•••• O••••" in search(client, person.incident, "hr-1", reason=REASON).content.decode()


def test_a_reason_is_asked_for_once_in_a_session_and_kept_for_that_incident_alone(person: Person) -> None:
    client = looking("dpo", person.incident)
    assert "Amelia" in reveal(client, person).content.decode()
    assert Event.objects.filter(type="people.looking_began").count() == 1
    other = make_incident()
    assert "Why do you look" in search(client, other, "hr-1").content.decode()


def test_signing_out_forgets_that_a_reason_was_given(person: Person) -> None:
    client = looking("dpo", person.incident)
    user = Event.objects.get(type="people.looking_began").content["actor"]["id"]
    client.post(reverse("account_logout"))
    client.force_login(User.objects.get(pk=user), backend="allauth.account.auth_backends.AuthenticationBackend")
    assert "Why do you look" in reveal(client, person).content.decode()


def test_masked_pages_need_no_reason(person: Person) -> None:
    page = client_of("auditor").get(reverse("person", args=[person.incident.reference, person.pk]))
    assert "A••••" in page.content.decode()
    assert "Amelia" not in page.content.decode()


def test_the_action_itself_refuses_a_session_that_gave_no_reason(person: Person) -> None:
    token = _origin.set(Origin("request", client_of("dpo").session))
    try:
        for look in (actions.reveal_person, lambda found, by: actions.find_people(found.incident, "hr-1", by=by)):
            with pytest.raises(ValidationError, match="Say first why"):
                look(person, by=make_user("dpo"))
    finally:
        _origin.reset(token)


def test_a_reason_stands_sealed_in_the_trail_and_nowhere_else(person: Person, caplog: pytest.LogCaptureFixture) -> None:
    caplog.set_level(logging.DEBUG)
    reveal(client_of("dpo"), person, reason=REASON)
    bodies = b"".join(bytes(event.body) for event in Event.objects.all())
    assert b"zyxwhy" not in bodies
    assert "zyxwhy" not in caplog.text
    assert not [1 for session in Session.objects.all() if "zyxwhy" in str(session.get_decoded())]
    trail = client_of("auditor").get(reverse("incident-trail", args=[person.incident.reference])).content.decode()
    assert REASON in trail


# Searching


@pytest.mark.parametrize("typed", ["HR-1", " hr-1 ", "amelia.okafor@example.com", "Amelia.Okafor@EXAMPLE.COM"])
def test_an_exact_search_finds_the_person_masked(person: Person, typed: str) -> None:
    page = search(looking("dpo", person.incident), person.incident, typed).content.decode()
    assert "A•••• O••••" in page
    assert "Amelia" not in page.replace(typed, "")


@pytest.mark.parametrize("typed", ["HR", "amelia", "okafor@example.com", "%"])
def test_a_part_finds_nobody(person: Person, typed: str) -> None:
    page = search(looking("dpo", person.incident), person.incident, typed).content.decode()
    assert "Nobody on the list has exactly that" in page


def test_a_search_leaves_an_event_without_what_was_typed(person: Person) -> None:
    search(looking("dpo", person.incident), person.incident, "amelia.okafor@example.com")
    bodies = [bytes(event.body) for event in Event.objects.filter(type="people.searched")]
    assert len(bodies) == 3
    assert not [body for body in bodies if b"amelia" in body]


@pytest.mark.parametrize("role", MAY_NOT)
def test_a_search_refuses_the_wrong_role(person: Person, role: str) -> None:
    assert search(client_of(role), person.incident, "HR-1", reason=REASON).status_code == 403


def test_a_search_never_stands_in_an_address(person: Person) -> None:
    address = reverse("people-search", args=[person.incident.reference])
    assert client_of("dpo").get(address, {"typed": "HR-1"}).status_code == 405


def test_whoever_was_taken_off_the_list_is_found_and_said_to_be_so(person: Person) -> None:
    with unguarded():
        Person.objects.filter(pk=person.pk).update(withdrawn=True)
    client = looking("dpo", person.incident)
    assert "No longer affected" in search(client, person.incident, "hr-1").content.decode()
    page = client.get(reverse("person", args=[person.incident.reference, person.pk])).content.decode()
    assert "no longer affected" in page
    assert person not in Person.objects.of(person.incident)


def test_the_page_names_the_rows_that_spoke_of_the_person(person: Person) -> None:
    with unguarded():
        person.matches.create(upload=person.upload, row_number=41, row_checksum=b"", found_by="reference")
    page = client_of("auditor").get(reverse("person", args=[person.incident.reference, person.pk])).content.decode()
    assert page.count("customers.csv") >= 2
    assert "First seen here" in page
    assert "<span>41</span>" in page
    assert "Same customer number" in page


def test_the_page_says_who_looked(person: Person) -> None:
    client = client_of("dpo")
    assert (
        "Who looked" not in client.get(reverse("person", args=[person.incident.reference, person.pk])).content.decode()
    )
    page = reveal(client, person, reason=REASON).content.decode()
    assert "Who looked" in page
    assert "looked at this person" in page
