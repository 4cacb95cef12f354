from datetime import timedelta

import pytest
from django.core.exceptions import ValidationError
from django.urls import reverse
from django.utils import timezone

from breachdesk.audit.models import Event
from breachdesk.incidents.actions import StatedMoment, change_facts, close_incident, state_moment
from breachdesk.incidents.models import Incident
from tests.factories import make_incident, make_user
from tests.incidents.test_open_incident import FACTS, answers

pytestmark = pytest.mark.django_db


def fresh(incident):
    return Incident.objects.with_moments().get(pk=incident.pk)


def test_new_facts_are_kept_and_named_in_the_trail(client):
    incident = make_incident()
    client.force_login(make_user("responder"))
    form = answers(version=incident.version, how_many="range", people_low="500", people_high="24937", title="Lost list")
    response = client.post(reverse("incident-facts", args=[incident.reference]), form)
    assert response.status_code == 302
    assert fresh(incident).people_estimate == "500 to 24,937"
    event = Event.objects.filter(type="incident.facts_changed").get()
    assert "people_high" in event.content["data"]["fields"]
    assert event.content["object"]["version"] == incident.version + 1


def test_a_stale_page_overwrites_nothing(client):
    incident = make_incident()
    responder = make_user("responder")
    change_facts(incident, FACTS, expected_version=incident.version, by=responder)
    client.force_login(responder)
    form = answers(version=incident.version, what_happened="An older story.")
    response = client.post(reverse("incident-facts", args=[incident.reference]), form)
    assert response.status_code == 422
    assert "Somebody changed" in response.content.decode()
    assert "An older story." in response.content.decode()
    assert fresh(incident).what_happened == FACTS.what_happened


def test_the_same_facts_again_leave_no_event():
    incident, responder = make_incident(), make_user("responder")
    change_facts(incident, FACTS, expected_version=incident.version, by=responder)
    again = fresh(incident)
    change_facts(again, FACTS, expected_version=again.version, by=responder)
    assert Event.objects.filter(type="incident.facts_changed").count() == 1


def test_a_corrected_awareness_moves_the_clock_and_keeps_the_old_time(client):
    incident, dpo = make_incident(), make_user("dpo")
    before = fresh(incident).aware
    earlier = timezone.now().replace(second=0, microsecond=0) - timedelta(hours=40)
    client.force_login(dpo)
    form = {
        "version": incident.version,
        "date": f"{earlier:%Y-%m-%d}",
        "time": f"{earlier:%H:%M}",
        "zone": "UTC",
        "precision": "exact",
        "reason": "The call log shows an earlier call.",
    }
    response = client.post(reverse("moment-correct", args=[incident.reference, "aware"]), form)
    assert response.status_code == 302
    assert fresh(incident).aware_at == earlier
    page = client.get(reverse("moment-correct", args=[incident.reference, "aware"])).content.decode()
    assert "The call log shows an earlier call." in page
    assert f"{before.at:%H:%M}" in page
    event = Event.objects.get(type="moment.corrected")
    assert event.content["data"]["replaces"] == str(before.pk)


def test_a_correction_needs_its_reason():
    incident = make_incident()
    stated = StatedMoment("aware", timezone.now() - timedelta(hours=1))
    with pytest.raises(ValidationError, match="Say why this time is corrected"):
        state_moment(incident, stated, expected_version=incident.version, by=make_user("dpo"))
    assert not Event.objects.filter(type="moment.corrected").exists()


def test_not_known_is_an_answer_but_not_for_awareness():
    incident, dpo = make_incident(), make_user("dpo")
    state_moment(incident, StatedMoment("ended", None, "not_known"), expected_version=incident.version, by=dpo)
    assert fresh(incident).moment("ended").at is None
    with pytest.raises(ValidationError, match="Say when you became aware"):
        state_moment(
            incident,
            StatedMoment("aware", None, "not_known"),
            expected_version=fresh(incident).version,
            reason="Unsure",
            by=dpo,
        )


@pytest.mark.parametrize("role", ["author", "approver", "auditor"])
@pytest.mark.parametrize("name", ["incident-facts", "incident-close"])
def test_reading_roles_change_nothing(client, role, name):
    incident = make_incident()
    client.force_login(make_user(role))
    response = client.post(reverse(name, args=[incident.reference]), answers(version=incident.version, reason="x"))
    assert response.status_code == 403
    assert fresh(incident).version == incident.version


def test_only_the_dpo_closes_and_a_closed_case_is_left_alone():
    incident, dpo = make_incident(), make_user("dpo")
    close_incident(incident, reason="All told, all filed.", expected_version=incident.version, by=dpo)
    with pytest.raises(ValidationError, match="is closed"):
        change_facts(incident, FACTS, expected_version=incident.version, by=dpo)
    with pytest.raises(ValidationError, match="is closed"):
        close_incident(incident, reason="Again", expected_version=incident.version, by=dpo)
    assert Event.objects.filter(type="incident.closed").count() == 1


def test_an_administrator_finds_no_case(client):
    incident = make_incident()
    client.force_login(make_user("administrator"))
    assert client.get(reverse("incident-facts", args=[incident.reference])).status_code == 403


@pytest.mark.parametrize("name", ["incident-facts", "incident-close"])
def test_its_pages_open_for_whoever_may_use_them(client, name):
    incident = make_incident()
    client.force_login(make_user("dpo"))
    page = client.get(reverse(name, args=[incident.reference]))
    assert page.status_code == 200
    assert incident.reference in page.content.decode()


def test_each_field_of_a_moment_has_its_own_name(client):
    incident = make_incident()
    client.force_login(make_user("dpo"))
    page = client.get(reverse("moment-correct", args=[incident.reference, "aware"])).content.decode()
    assert '<label for="id_zone">Time zone' in page
    assert '<label for="id_basis">How is it known?' in page
