from datetime import timedelta

import pytest
from django.urls import reverse
from django.utils import timezone

from breachdesk.incidents.actions import StatedMoment, Verdict, close_incident, decide_notification, state_moment
from breachdesk.incidents.models import Decision, Incident
from regulators.actions import Statement, state_position
from regulators.standing import standing_of
from tests.factories import make_approved_edition, make_edition_in_review, make_incident, make_people, make_user

pytestmark = pytest.mark.django_db


def page_of(client, incident):
    response = client.get(reverse("incident-detail", args=[incident.reference]))
    assert response.status_code == 200
    return response.content.decode()


def test_it_says_what_we_owe_what_we_know_and_what_comes_next(signed_in):
    incident = make_incident(people_low=430_000, people_high=430_000)
    page = page_of(signed_in("dpo"), incident)
    assert "ICO, United Kingdom" in page
    assert "Not begun" in page
    assert "About 430,000" in page
    assert "Begin the report" in page
    assert "Larkfield rang the service desk." in page


def test_a_step_that_is_not_mine_names_whose_it_is(signed_in):
    page = page_of(signed_in("auditor"), make_incident())
    assert "For the data protection officer." in page
    assert "Change the facts" not in page


def test_a_corrected_time_stays_visible(signed_in):
    incident, dpo = make_incident(), make_user("dpo")
    earlier = StatedMoment("aware", timezone.now() - timedelta(hours=9), basis="An older e-mail was found.")
    state_moment(incident, earlier, expected_version=incident.version, reason="The mail was in spam.", by=dpo)
    page = page_of(signed_in("auditor"), incident)
    assert "One earlier statement, corrected since" in page
    assert "An older e-mail was found." in page


def test_a_closed_case_has_no_clock_and_no_next_step(signed_in):
    incident = make_incident()
    close_incident(incident, reason="A false alarm.", expected_version=incident.version, by=make_user("dpo"))
    page = page_of(signed_in("dpo"), incident)
    assert "Next actions" not in page
    assert 'data-clock="left"' not in page


def test_its_tabs_lead_to_every_part(signed_in):
    incident = make_incident()
    page = page_of(signed_in("auditor"), incident)
    for name in ("people", "notice-list", "filing-list", "incident-trail"):
        assert f'href="{reverse(name, args=[incident.reference])}"' in page


def test_who_sees_no_cases_gets_none(signed_in):
    incident = make_incident()
    response = signed_in("administrator").get(reverse("incident-detail", args=[incident.reference]))
    assert response.status_code == 403
    assert incident.title not in response.content.decode()


def test_an_unknown_reference_is_not_found(signed_in):
    make_incident()
    response = signed_in("dpo").get("/incidents/BD-1999-0001/")
    assert response.status_code == 404
    assert "nothing at this address" in response.content.decode()


def test_the_list_finds_by_reference_title_and_state(signed_in):
    found, other = make_incident(title="Stolen laptop, Bath"), make_incident(title="Lost parcel list")
    client = signed_in("auditor")
    page = client.get(reverse("incident-list"), {"q": "laptop"}).content.decode()
    assert found.reference in page
    assert f">{other.reference}<" not in page
    assert "No incident fits" in client.get(reverse("incident-list"), {"status": "closed"}).content.decode()
    assert Incident.objects.count() == 2


def test_the_approver_is_led_to_what_waits(signed_in):
    edition = make_edition_in_review()
    page = page_of(signed_in("approver"), edition.notice.incident)
    assert "Read and decide: Customer notice, English" in page
    assert "Waiting for approval" in page
    assert "approved by" not in page


def test_a_decision_is_marked_as_one_on_the_timeline(signed_in):
    edition = make_approved_edition()
    page = page_of(signed_in("auditor"), edition.notice.incident)
    assert '<li class="decision">' in page


def test_it_owes_what_the_laws_of_every_place_say_once_we_are_established_somewhere(
    signed_in, django_assert_max_num_queries
):
    incident, client = make_incident(), signed_in("dpo")
    make_people(incident)
    home = page_of(client, incident)
    assert "nobody has said where we are established" in home
    assert "UK GDPR Art 34" in home
    for key, places in (("us.established_in", ["GB"]), ("us.targets", ["DE", "FR", "GB", "IE"])):
        state_position(Statement(key, places), by=client.user)
    decide_notification(incident, Verdict(Decision.About.AUTHORITY, True, "Cards.", b"facts"), by=client.user)
    page = page_of(client, incident)
    assert "nobody has said where" not in page
    assert page.index("ICO, United Kingdom") < page.index("DPC, Ireland")
    assert f'href="{reverse("duty", args=[incident.reference, "uk_gdpr:authority:GB"])}"' in page
    owed = len(standing_of(incident, timezone.now()).owed)
    assert f"All {owed} duties owed" in page
    assert page.count("data-current") == 1
    assert "CSIRT" not in page  # of a trade nobody has said we are in
    duties = client.get(reverse("duties", args=[incident.reference])).content.decode()
    assert "CSIRT" not in duties[: duties.index("laws of which nobody has said whether they reach us")]
    assert "CSIRT" in duties
    with django_assert_max_num_queries(52):
        page_of(client, incident)
