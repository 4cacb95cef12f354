import pytest
from django.core.exceptions import PermissionDenied, ValidationError

from breachdesk.accounts.models import User
from breachdesk.audit.models import Event
from breachdesk.incidents.actions import close_incident
from breachdesk.incidents.models import Incident
from regulators import actions
from regulators.models import Filing
from tests.factories import make_user
from tests.regulators.conftest import sheet, signed_in


def test_it_begins_the_newest_version_of_the_form(incident: Incident, dpo: User) -> None:
    filing = actions.open_filing(incident, "uk_ico", by=dpo)
    assert (filing.form, filing.form_version, filing.state) == ("uk_ico", 1, "draft")
    event = Event.objects.newest_first()[0]
    assert (event.type, event.incident) == ("filing.opened", incident.pk)


def test_what_is_known_is_filled_in_with_its_origin(draft: Filing) -> None:
    known = {given.key: given for given in sheet(draft) if given.value is not None}
    assert known["what_happened"].value.startswith("A parcel carrier lost a list")
    assert known["what_happened"].value.endswith("It began at Larkfield Parcels, a company that works for us.")
    assert known["what_happened"].origin == "From the incident’s facts."
    assert known["how_discovered"].value == "Larkfield rang the service desk."
    assert known["data_categories"].value == ["basic_identifiers"]
    assert known["controller_name"].value == "Halden & Rowe Ltd"
    assert known["reporter"].value["email"] == "dpo@halden-rowe.example"
    assert all(given.live for given in known.values())


def test_what_is_not_known_is_never_made_up(draft: Filing) -> None:
    blank = {given.key for given in sheet(draft) if given.value is None}
    assert {"people_count", "record_count", "high_risk", "told_people", "is_cyber_incident"} <= blank


@pytest.mark.parametrize("role", ["responder", "author", "approver", "auditor", "administrator"])
def test_it_refuses_every_other_role(incident: Incident, role: str) -> None:
    with pytest.raises(PermissionDenied, match="Data protection officer"):
        actions.open_filing(incident, "uk_ico", by=make_user(role))
    assert not Filing.objects.exists()


def test_a_second_press_opens_no_second_form(draft: Filing, dpo: User) -> None:
    events = Event.objects.count()
    with pytest.raises(ValidationError, match="already has this form"):
        actions.open_filing(draft.incident, "uk_ico", by=dpo)
    assert (Filing.objects.count(), Event.objects.count()) == (1, events)


def test_it_refuses_a_closed_incident(incident: Incident, dpo: User) -> None:
    close_incident(incident, reason="A false alarm.", expected_version=incident.version, by=dpo)
    with pytest.raises(ValidationError, match="is closed"):
        actions.open_filing(incident, "uk_ico", by=dpo)


def test_the_button_opens_the_form(incident: Incident, dpo: User) -> None:
    client = signed_in(dpo)
    page = client.get(f"/incidents/{incident.reference}/filings/")
    assert "Begin the report to the ICO" in page.text
    answer = client.post(f"/incidents/{incident.reference}/filings/open/", {"form": "uk_ico"}, follow=True)
    assert "<h1>Report to the ICO</h1>" in answer.text


def test_an_invented_form_is_a_sentence(incident: Incident, dpo: User) -> None:
    answer = signed_in(dpo).post(f"/incidents/{incident.reference}/filings/open/", {"form": "xx"})
    assert answer.status_code == 409
    assert "The catalogue has no such form" in answer.text


def test_an_auditor_sees_the_list_and_no_button(incident: Incident, auditor: User) -> None:
    page = signed_in(auditor).get(f"/incidents/{incident.reference}/filings/")
    assert page.status_code == 200
    assert "Begin the report to the ICO" not in page.text
