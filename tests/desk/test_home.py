from datetime import timedelta

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext
from django.urls import reverse
from django.utils import timezone

from breachdesk.accounts.decisions import ask_for_decision
from breachdesk.desk.deadlines import next_deadline
from breachdesk.desk.home import desk_of
from breachdesk.incidents.actions import Facts, StatedMoment, Verdict, decide_notification, open_incident
from breachdesk.incidents.models import Decision
from regulators import open_dates
from regulators.actions import Statement, Told, meet_duty, state_position
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


def test_every_page_names_the_deadline_that_is_first_on_the_desk(django_assert_num_queries):
    user, now = make_user("dpo"), timezone.now()
    assert next_deadline(user, now) is None
    cases = [incident_known_for(10), incident_known_for(60), incident_known_for(60), incident_known_for(1)]
    assert next_deadline(user, now) == desk_of(user, now).next_deadline
    with django_assert_num_queries(3):
        shown = next_deadline(user, now)
    assert shown.incident == cases[1]
    sooner = incident_known_for(70)
    assert next_deadline(user, now).incident == sooner
    assert next_deadline(make_user("auditor"), now) == desk_of(make_user("auditor"), now).next_deadline


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


def told(incident, key, by):
    regime, duty, place = key.split(":")
    meet_duty(incident, Told(regime, duty, place, timezone.now() - timedelta(minutes=1), "By telephone."), by=by)


def case_of_three_countries(by, hours):
    """Owed to the authorities of the United Kingdom, France and Ireland."""
    for key, places in (("us.established_in", ["GB"]), ("us.targets", ["FR", "IE"])):
        state_position(Statement(key, places), by=by)
    incident = incident_known_for(hours)
    make_people(incident)
    decide_notification(incident, Verdict(Decision.About.AUTHORITY, True, "Cards.", b"facts"), by=by)
    return incident


def test_it_counts_down_to_whoever_is_next_of_all_authorities(signed_in):
    client = signed_in("dpo")
    incident = case_of_three_countries(client.user, 60)
    page = home(client)
    assert "for the ICO report" in page
    assert "Three reports are due within a day" in page
    assert "Two more end at the same moment." in page
    assert "may count: nobody has said whether their laws reach us" in page
    told(incident, "uk_gdpr:authority:GB", client.user)
    page = home(client)
    assert "for the CNIL report" in page
    assert "One more ends at the same moment." in page
    assert f'href="{reverse("filing-list", args=[incident.reference])}?q=CNIL"' in page
    elsewhere = client.get(reverse("trail")).content.decode()
    assert "<b>CNIL report</b> for" in elsewhere
    assert "CNIL report" in client.get(reverse("incident-list")).content.decode()
    case = client.get(incident.get_absolute_url()).content.decode()
    assert "for the CNIL report" in case
    assert "To the CNIL. Not begun." in case
    assert "CNIL, France" in case
    assert "ICO, United Kingdom" not in case
    told(incident, "eu_gdpr:authority:FR", client.user)
    told(incident, "eu_gdpr:authority:IE", client.user)
    assert "Nothing is due within a day" in home(client)


def test_what_is_overdue_is_counted_over_all_authorities_and_what_has_no_date_is_not_forgotten(signed_in):
    client = signed_in("dpo")
    incident = case_of_three_countries(client.user, 80)
    page = home(client)
    assert "Three reports are overdue" in page
    assert "Two more are overdue." in page
    decide_notification(incident, Verdict(Decision.About.PEOPLE, True, "Cards.", b"facts"), by=client.user)
    for key in ("uk_gdpr:authority:GB", "eu_gdpr:authority:FR", "eu_gdpr:authority:IE"):
        told(incident, key, client.user)
    page = home(client)
    assert "Nothing is due within a day" in page
    assert "Open without a date" in page
    assert "Nothing due" not in page


def test_a_date_that_is_not_worked_out_yet_says_so(signed_in, monkeypatch):
    client = signed_in("dpo")
    incident_known_for(60)
    home(client)
    monkeypatch.setattr(open_dates, "AT_ONCE", 0)
    state_position(Statement("us.established_in", ["GB"]), by=client.user)
    page = home(client)
    assert page.count("Being worked out again") == 2
    assert "for the ICO report" in page
