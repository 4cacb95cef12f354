"""A pasted list of people is put on hold with one reason, and what names nobody is told by its line."""

from datetime import timedelta

import pytest
from django.core.exceptions import ValidationError
from django.db import connection
from django.urls import reverse
from django.utils import timezone

from breachdesk.audit.models import Event
from breachdesk.incidents.models import Incident
from breachdesk.people import actions, ending
from breachdesk.people.models import Hold, Person, Tally
from tests.factories import make_incident, make_organisation, make_people, make_user
from tests.people.test_canary import undressed
from tests.people.test_people_page import client_of

pytestmark = pytest.mark.django_db
PASTED = "hr-1\n\n J.Mueller@example.org \nnobody@example.com\nHR-999\nHR-1\n"


@pytest.fixture(scope="module", autouse=True)
def taken_in(made_once: None) -> Incident:
    make_organisation()
    incident = make_incident()
    make_people(incident)
    return incident


@pytest.fixture
def incident(taken_in: Incident, db: None) -> Incident:
    return Incident.objects.get(pk=taken_in.pk)


def hold_list(incident: Incident, pasted: str = PASTED, **said):  # type: ignore[no-untyped-def]
    said = {"kind": "police", "reason": "Operation Zyxelm.", **said}
    return actions.hold_people(incident, pasted, by=make_user("dpo"), **said)


def test_exact_lines_hold_and_the_others_are_told_by_number(incident: Incident) -> None:
    held = hold_list(incident)
    assert (held.people, held.lines, held.unknown) == (2, 5, [4, 5])
    assert Person.objects.of(incident).held_back().count() == Tally.objects.of(incident).held == 2
    assert len({hold.placing for hold in Hold.objects.all()}) == 1
    event = Event.objects.get(type="people.held").content
    assert (event["data"]["people"], event["data"]["kind"]) == (2, "police")


def test_what_was_pasted_stands_nowhere(incident: Incident) -> None:
    client = client_of("dpo")
    form = {"pasted": "HR-1\nzyxpasted@example.com", "kind": "police", "reason": "Operation Zyxelm."}
    page = client.post(reverse("people-hold-list", args=[incident.reference]), form).content.decode()
    assert "1 person is on hold" in page
    assert "zyxpasted" not in page
    for table in connection.introspection.table_names():
        with connection.cursor() as cursor:
            cursor.execute(f"SELECT convert_to(row_to_json(t)::text, 'UTF8') FROM \"{table}\" t")
            rows = b"".join(undressed(bytes(row[0])) for row in cursor.fetchall()).lower()
        assert (b"zyxpasted" in rows, b"zyxelm" in rows) == (False, False), table


def test_nobody_found_holds_nobody(incident: Incident) -> None:
    with pytest.raises(ValidationError, match="No line is"):
        hold_list(incident, "HR-998\nHR-999")
    assert not Hold.objects.exists()


def test_too_many_lines_are_refused(incident: Incident) -> None:
    with pytest.raises(ValidationError, match="5,001 lines"):
        hold_list(incident, "HR-1\n" * 5_001)


def test_people_behind_one_address_are_all_held(incident: Incident) -> None:
    rows = "HR-7,Ada,Stone,home@example.net\nHR-8,Ben,Stone,home@example.net\n"
    make_people(incident, "customer_id,first_name,last_name,email\n" + rows)
    assert hold_list(incident, "home@example.net").people == 2


def test_what_was_placed_together_ends_together(incident: Incident) -> None:
    end = timezone.now() + timedelta(days=1)
    hold_list(incident, until=end)
    assert ending.release_ended_holds(end) == 2
    assert not Person.objects.of(incident).held_back().exists()
    event = Event.objects.get(type="people.released").content
    assert (event["data"]["people"], event["data"]["ended"], event["actor"]["id"]) == (2, True, None)


def test_a_larger_list_is_one_event(incident: Incident) -> None:
    rows = "".join(f"BIG-{number},Person,Number{number},p{number}@example.net\n" for number in range(300))
    make_people(incident, "customer_id,first_name,last_name,email\n" + rows)
    held = hold_list(incident, "\n".join(f"big-{number}" for number in range(300)))
    assert held.people == Hold.objects.count() == 300
    assert Event.objects.filter(type="people.held").count() == 1
    connection.check_constraints()


@pytest.mark.parametrize("role", ["responder", "author", "approver", "auditor", "administrator"])
def test_it_refuses_the_wrong_role(incident: Incident, role: str) -> None:
    form = {"pasted": "HR-1", "kind": "police", "reason": "No."}
    assert client_of(role).post(reverse("people-hold-list", args=[incident.reference]), form).status_code == 403
    assert not Hold.objects.exists()


def test_the_screen_asks_again_for_what_is_missing(incident: Incident) -> None:
    page = client_of("dpo").post(reverse("people-hold-list", args=[incident.reference]), {"pasted": "HR-1"})
    assert page.status_code == 422
    assert "Choose what kind of hold it is" in page.content.decode()
