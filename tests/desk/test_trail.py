import pytest
from django.urls import reverse
from django.utils import timezone

from breachdesk.audit.sequencer import sequence_pending
from tests.factories import make_incident, make_user

pytestmark = pytest.mark.django_db


def trail(client, incident=None, **asked):
    address = reverse("incident-trail", args=[incident.reference]) if incident else reverse("trail")
    response = client.get(address, asked)
    assert response.status_code == 200
    return response.content.decode()


def test_it_shows_who_did_what_and_the_hash_of_it(signed_in):
    incident = make_incident()
    page = trail(signed_in("auditor"), incident)
    assert f"logged the incident {incident.reference}" in page
    assert incident.opened_by.name in page
    assert "incident.opened" in page


def test_one_case_shows_nothing_of_another(signed_in):
    one, other = make_incident(), make_incident()
    page = trail(signed_in("auditor"), one)
    assert f"logged the incident {other.reference}" not in page


def test_it_filters_by_who_what_and_day(signed_in):
    incident, client = make_incident(), signed_in("auditor")
    stranger = make_user("dpo")
    logged = f"logged the incident {incident.reference}"
    assert logged in trail(client, who=incident.opened_by.pk)
    assert logged not in trail(client, who=stranger.pk)
    assert logged in trail(client, what="incident")
    assert logged not in trail(client, what="filings")
    assert logged in trail(client, start=timezone.localdate().isoformat())
    assert logged not in trail(client, end="2020-01-01")


def test_a_filter_that_cannot_be_read_says_so_and_hides_nothing(signed_in):
    incident = make_incident()
    page = trail(signed_in("auditor"), start="yesterday")
    assert "Enter a valid date" in page
    assert f"logged the incident {incident.reference}" in page


def test_linked_is_counted_and_never_called_verified(signed_in):
    make_incident()
    client = signed_in("auditor")
    assert "No event is linked into the log yet" in trail(client)
    linked = sequence_pending()
    page = trail(client)
    assert f"Linked up to index {linked - 1}" in page
    assert "Linked is not verified" in page


def test_typed_text_is_opened_for_who_may_see_the_case(signed_in):
    incident = make_incident(what_happened="A parcel carrier lost a list.")
    assert "A parcel carrier lost a list." in trail(signed_in("auditor"), incident)


@pytest.mark.parametrize("name", ["trail"])
def test_it_refuses_who_may_not_see_it(signed_in, name):
    assert signed_in("administrator").get(reverse(name)).status_code == 403


def test_what_the_product_did_by_itself_is_left_out_and_said_so(signed_in):
    incident, client = make_incident(), signed_in("auditor")
    assert "made the data key" not in trail(client, incident)
    assert "is left out" in trail(client, incident)
    assert "made the data key" in trail(client, incident, what="everything")
