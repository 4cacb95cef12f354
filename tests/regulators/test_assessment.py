"""The risk to people on screen: scored by the method, decided by a person, open again when the facts change."""

import pytest
from django.test import Client

from breachdesk.accounts.models import User
from breachdesk.audit.models import Event
from breachdesk.incidents.models import Assessment, Decision, Incident
from regulators.actions import Statement, state_fact
from tests.factories import make_incident, make_user

pytestmark = pytest.mark.django_db

LUXURY_LIST = {
    "simple": "1",
    "behavioural": "",
    "financial": "",
    "sensitive": "",
    "identification": "maximum",
    "confidentiality": "wholly",
    "integrity": "none",
    "availability": "none",
    "malicious": "yes",
    "recipient": "unknown",
    "unintelligible": "no",
    "insider": "not_known",
}


@pytest.fixture
def dpo() -> User:
    return make_user("dpo")


@pytest.fixture
def incident() -> Incident:
    return make_incident(people_low=428_000, people_high=430_000)


@pytest.fixture
def address(incident: Incident) -> str:
    return f"/incidents/{incident.reference}/risk/"


def test_a_score_is_kept_with_what_it_was_made_of(client: Client, incident: Incident, address: str) -> None:
    client.force_login(make_user("responder"))
    assert client.post(f"{address}score/", LUXURY_LIST).status_code == 302
    made = Assessment.objects.of(incident).get()
    assert (float(made.score), made.level, made.inputs["people"]) == (3.0, "high", 430_000)
    event = Event.objects.of_incident(incident.pk).get(type="assessment.made")
    assert b"high" in bytes(event.body)
    page = client.get(address).content.decode()
    assert "2 × 1 + 1 = 3" in page
    assert "More than 10,000 people" in page
    assert "House rule" in page


def test_nothing_affected_is_no_score(client: Client, incident: Incident, address: str) -> None:
    client.force_login(make_user("responder"))
    refused = client.post(f"{address}score/", LUXURY_LIST | {"simple": ""})
    assert refused.status_code == 422
    assert not Assessment.objects.exists()


def decide(
    client: Client, address: str, about: str, tell: str, reason: str = "Thought through.", expected: str = ""
) -> int:
    fields = {"about": about, "tell": tell, "reason": reason, "expected": expected}
    return client.post(f"{address}{about}/", {f"{about}-{name}": value for name, value in fields.items()}).status_code


def test_a_change_of_the_facts_opens_a_decision_again(
    client: Client, incident: Incident, address: str, dpo: User
) -> None:
    client.force_login(dpo)
    assert decide(client, address, "authority", "yes") == 302
    assert "Decided: tell them" in client.get(address).content.decode()
    state_fact(incident, Statement("breach.is_attack", True), by=dpo)
    assert "Open again: the facts changed" in client.get(address).content.decode()
    standing = Decision.objects.of(incident).get()
    assert decide(client, address, "authority", "yes", expected=str(standing.pk)) == 302
    assert "Open again" not in client.get(address).content.decode()


def test_a_milder_decision_is_told_what_its_reason_has_to_answer(
    client: Client, incident: Incident, address: str, dpo: User
) -> None:
    client.force_login(dpo)
    client.post(f"{address}score/", LUXURY_LIST)
    assert decide(client, address, "authority", "no") == 302
    assert decide(client, address, "people", "no") == 302
    page = client.get(address).content.decode()
    assert "The reasons have to answer" in page
    assert "Nobody knows who has it now" in page


def test_a_decision_needs_its_reason_and_its_role(client: Client, incident: Incident, address: str, dpo: User) -> None:
    client.force_login(dpo)
    assert decide(client, address, "authority", "no", reason="") == 422
    assert decide(client, address, "weather", "no") == 404
    client.force_login(make_user("responder"))
    assert decide(client, address, "authority", "no") == 403
    assert not Decision.objects.exists()


def test_the_boards_cases_stand_beside_the_score(client: Client, address: str, dpo: User) -> None:
    client.force_login(dpo)
    page = client.get(address).content.decode()
    assert page.count('data-label="The Board"') == 18
