from datetime import timedelta

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext
from django.urls import reverse
from django.utils import timezone

from breachdesk.accounts.decisions import ask_for_decision
from breachdesk.incidents.actions import Facts, StatedMoment, open_incident
from tests.factories import make_edition_being_sent, make_incident, make_people, make_user

pytestmark = pytest.mark.django_db


def incident_known_for(hours, **facts):
    said = {"what_happened": "A laptop was stolen.", "origin": "own", "kinds": ["name"], **facts}
    aware = StatedMoment("aware", timezone.now() - timedelta(hours=hours), basis="The police rang.")
    return open_incident(Facts(**said), [aware], by=make_user("responder"))


def home(client):
    response = client.get(reverse("home"))
    assert response.status_code == 200
    return response.content.decode()


def test_a_stranger_is_asked_to_sign_in(client):
    assert client.get(reverse("home")).status_code == 302


def test_an_empty_desk_says_what_to_do_first(signed_in):
    page = home(signed_in("responder"))
    assert "Nothing is due within a day" in page
    assert "No open incidents" in page
    assert reverse("incident-new") in page


def test_the_nearest_deadline_comes_first_and_stands_in_the_strip(signed_in):
    late, soon = incident_known_for(10), incident_known_for(60)
    page = home(signed_in("dpo"))
    assert page.index(soon.reference) < page.index(late.reference)
    assert "One report is due within a day" in page
    assert 'class="nextup" data-urgency="soon"' in page
    assert page.count("<h3>") >= 2


def test_red_is_for_what_is_overdue(signed_in):
    incident_known_for(73)
    page = home(signed_in("dpo"))
    assert 'class="nextup" data-urgency="over"' in page
    assert "One report is overdue" in page


def test_a_processor_owes_the_authority_nothing(signed_in):
    incident_known_for(60, our_role="processor")
    page = home(signed_in("dpo"))
    assert "Nothing is due" in page


def test_what_waits_for_me_is_there_and_my_own_work_is_not(signed_in):
    incident, author = make_incident(), make_user("approver")
    client = signed_in("approver")
    asked = {"on": incident, "by": author, "excluding": [author]}
    ask_for_decision("notifications.approve_edition", url="/yes/", sentence="Approve the French notice", **asked)
    page = home(client)
    assert "Approve the French notice" in page
    assert "one decision waits for you" in page
    client.force_login(author)
    assert "Approve the French notice" not in home(client)


def test_an_administrator_sees_no_case(signed_in):
    incident = make_incident()
    page = home(signed_in("administrator"))
    assert incident.reference not in page
    assert incident.title not in page
    assert "nextup" not in page
    assert reverse("staff") in page


def test_recent_activity_is_told_in_sentences(signed_in):
    incident = make_incident()
    assert f"logged the incident {incident.reference}" in home(signed_in("auditor"))


def test_it_asks_the_database_the_same_few_questions_however_much_there_is(signed_in):
    client = signed_in("dpo")
    incident_known_for(5)
    home(client)
    with CaptureQueriesContext(
        connection,
    ) as few:
        home(client)
    for hours in range(8):
        incident_known_for(hours + 1)
    home(client)
    with CaptureQueriesContext(connection) as many:
        home(client)
    assert len(many) == len(few)
    assert len(many) <= 20


def test_a_running_send_shows_how_far_it_is(signed_in):
    edition = make_edition_being_sent()
    page = home(signed_in("approver"))
    assert "One send is running." in page
    assert "0 of 3 handed over" in page
    assert reverse("edition-detail", args=[edition.notice.incident.reference, edition.pk]) in page


def test_people_are_counted_once_their_list_is_loaded(signed_in):
    incident = make_incident()
    make_people(incident)
    assert "4 people." in home(signed_in("auditor"))
