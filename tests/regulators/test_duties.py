"""The duties of a case on screen: worked out afresh from facts, people and what was done."""

from datetime import timedelta
from zoneinfo import ZoneInfo

import pytest
from django.core.exceptions import ValidationError
from django.test import Client
from django.utils import timezone

from breachdesk.accounts.models import User
from breachdesk.audit.models import Event
from breachdesk.incidents.actions import StatedMoment, Verdict, decide_notification, state_moment
from breachdesk.incidents.models import Decision, Incident
from regulators.actions import Statement, state_fact, state_position
from regulators.listing import listing_of
from regulators.models import DutyMet, StatedFact
from regulators.standing import Progress, standing_of
from tests.factories import make_incident, make_people, make_user

pytestmark = pytest.mark.django_db

ICO = "uk_gdpr:authority:GB"


@pytest.fixture
def dpo() -> User:
    return make_user("dpo")


@pytest.fixture
def incident(dpo: User) -> Incident:
    """Of an organisation in the United Kingdom alone."""
    state_position(Statement("us.established_in", ["GB"], "Companies House."), by=dpo)
    return make_incident()


def decide(incident: Incident, dpo: User, about: str, *, tell: bool) -> Decision:
    standing = Decision.objects.of(incident).standing().filter(about=about).first()
    verdict = Verdict(Decision.About(about), tell, "Because.", b"facts", standing)
    return decide_notification(incident, verdict, by=dpo)


def verdict_of(incident: Incident, key: str) -> str:
    duty = standing_of(incident, timezone.now()).duty(key)
    assert duty
    return str(duty.obligation.verdict)


def test_what_is_not_decided_removes_no_duty(incident: Incident) -> None:
    duty = standing_of(incident, timezone.now()).duty(ICO)
    assert duty
    assert duty.obligation.verdict == "undecided"
    assert "risk.level" in duty.obligation.missing
    assert duty.due.at == incident.aware_at + timedelta(hours=72)


def test_a_decision_makes_it_owed_and_another_takes_it_away(incident: Incident, dpo: User) -> None:
    decide(incident, dpo, "authority", tell=True)
    assert verdict_of(incident, ICO) == "owed"
    assert verdict_of(incident, "uk_gdpr:people:GB") == "undecided"
    decide(incident, dpo, "authority", tell=False)
    assert verdict_of(incident, ICO) == "not_owed"
    assert [(one.tell, one.superseded_at is None) for one in Decision.objects.of(incident)] == [
        (False, True),
        (True, False),
    ]


def test_telling_the_people_without_the_authority_is_refused(incident: Incident, dpo: User) -> None:
    decide(incident, dpo, "authority", tell=False)
    with pytest.raises(ValidationError, match="not to tell the authority"):
        decide(incident, dpo, "people", tell=True)


def test_a_decision_without_a_reason_is_refused(incident: Incident, dpo: User) -> None:
    with pytest.raises(ValidationError, match="Give the reason"):
        decide_notification(incident, Verdict(Decision.About.PEOPLE, False, " ", b""), by=dpo)


def test_two_who_decide_at_once_do_not_overwrite_each_other(incident: Incident, dpo: User) -> None:
    decide(incident, dpo, "authority", tell=True)
    with pytest.raises(ValidationError, match="Somebody decided this while you were typing"):
        decide_notification(incident, Verdict(Decision.About.AUTHORITY, False, "No risk.", b""), by=dpo)


def test_the_page_shows_why_and_by_when(client: Client, incident: Incident, dpo: User) -> None:
    decide(incident, dpo, "authority", tell=True)
    client.force_login(dpo)
    page = client.get(f"/incidents/{incident.reference}/duties/").content.decode()
    assert "Information Commissioner" in page
    one = client.get(f"/incidents/{incident.reference}/duties/{ICO}/").content.decode()
    assert "72 hours later is" in one
    assert "We have an establishment in United Kingdom" in one
    assert "Not reviewed" in one


def test_a_fact_is_stated_through_the_page(client: Client, incident: Incident, dpo: User) -> None:
    client.force_login(dpo)
    address = f"/incidents/{incident.reference}/duties/asked/data.unreadable/"
    assert client.post(address, {"value": "yes", "basis": "Encrypted disks."}).status_code == 302
    fact = StatedFact.objects.of(incident).get()
    assert (fact.key, fact.value, fact.stated_by) == ("data.unreadable", True, dpo)
    assert client.post(address, {"value": "not_known"}).status_code == 302
    assert [
        (one.value, one.superseded_at is None) for one in StatedFact.objects.about(incident, fact.key).newest_first()
    ] == [
        (None, True),
        (True, False),
    ]
    said = Event.objects.of_incident(incident.pk).filter(type="fact.stated")
    assert said.count() == 2


def test_the_same_statement_again_adds_nothing(incident: Incident, dpo: User) -> None:
    first = state_fact(incident, Statement("data.unreadable", True), by=dpo)
    assert state_fact(incident, Statement("data.unreadable", True), by=dpo) == first


@pytest.mark.parametrize(
    ("key", "value"),
    [("nobody.asks", True), ("data.unreadable", "perhaps"), ("us.established_in", ["XX"]), ("us.established_in", "GB")],
)
def test_what_no_law_asks_is_refused(dpo: User, key: str, value: object) -> None:
    with pytest.raises(ValidationError):
        state_position(Statement(key, value), by=dpo)  # type: ignore[arg-type]


def test_of_several_authorities_in_one_place_ours_is_chosen_from_them(
    client: Client, incident: Incident, dpo: User
) -> None:
    state_position(Statement("us.established_in", ["DE"]), by=dpo)
    people = "first_name,last_name,email,country\nA,B,a@example.com,DE\n"
    make_people(incident, people)
    client.force_login(dpo)
    address = f"/incidents/{incident.reference}/duties/asked/supervisor.DE/"
    assert "de_he" in client.get(address).content.decode()
    assert client.post(address, {"value": "yes"}).status_code == 422
    assert client.post(address, {"value": "de_he"}).status_code == 302
    told = next(duty for duty in standing_of(incident, timezone.now()).duties if duty.key == "eu_gdpr:authority:DE")
    assert told.obligation.supervisor.id == "de_he"


@pytest.mark.parametrize("key", ["reach.nowhere", "supervisor.FR", f"supervisor.{'X' * 100}"])
def test_a_case_is_not_asked_about_laws_and_choices_that_are_not_there(
    client: Client, incident: Incident, dpo: User, key: str
) -> None:
    client.force_login(dpo)
    assert client.post(f"/incidents/{incident.reference}/duties/asked/{key}/", {"value": "yes"}).status_code == 404


def test_what_one_case_answers_is_never_said_of_every_case(client: Client, dpo: User) -> None:
    client.force_login(dpo)
    assert client.get("/organisation/position/data.unreadable/").status_code == 404
    with pytest.raises(ValidationError, match="about one case"):
        state_position(Statement("data.unreadable", True), by=dpo)


def test_a_case_wins_over_the_organisation(incident: Incident, dpo: User) -> None:
    assert verdict_of(incident, ICO) == "undecided"
    state_fact(incident, Statement("reach.uk_gdpr", False, "Run from abroad."), by=dpo)
    assert verdict_of(incident, ICO) == "not_owed"


def test_a_duty_met_outside_a_filing_is_recorded_once(client: Client, incident: Incident, dpo: User) -> None:
    decide(incident, dpo, "authority", tell=True)
    client.force_login(dpo)
    told_at = timezone.localtime(timezone.now() - timedelta(minutes=5), ZoneInfo("Europe/London"))
    address = f"/incidents/{incident.reference}/duties/{ICO}/told/"
    answers = {
        "date": f"{told_at:%Y-%m-%d}",
        "time": f"{told_at:%H:%M}",
        "zone": "Europe/London",
        "how": "By telephone.",
    }
    blank = client.post(address, {"zone": "Europe/London"})
    assert blank.status_code == 422
    for missing in ("on which day they were told", "at what time they were told", "how they were told"):
        assert f"Say {missing}" in blank.content.decode()
    assert client.post(address, answers).status_code == 302
    met = DutyMet.objects.of(incident).get()
    assert (met.how, met.recorded_by) == ("By telephone.", dpo)
    assert client.post(address, answers).status_code == 422
    duty = standing_of(incident, timezone.now()).duty(ICO)
    assert duty
    assert duty.progress == Progress.MET


def test_a_late_one_asks_for_the_reason(client: Client, dpo: User, incident: Incident) -> None:
    late = make_incident()
    long_ago = StatedMoment("aware", timezone.now() - timedelta(hours=100))
    state_moment(late, long_ago, expected_version=late.version, by=dpo, reason="The mail was read earlier.")
    decide(late, dpo, "authority", tell=True)
    client.force_login(dpo)
    now = timezone.localtime(timezone.now() - timedelta(minutes=5), ZoneInfo("Europe/London"))
    answers = {"date": f"{now:%Y-%m-%d}", "time": f"{now:%H:%M}", "zone": "Europe/London", "how": "By telephone."}
    address = f"/incidents/{late.reference}/duties/{ICO}/told/"
    refused = client.post(address, answers)
    assert refused.status_code == 422
    assert "Say why it was late" in refused.content.decode()
    assert client.post(address, answers | {"delay_reason": "The office was flooded."}).status_code == 302
    assert standing_of(late, timezone.now()).duty(ICO).progress == Progress.MET_LATE  # type: ignore[union-attr]


def test_the_organisation_is_asked_once_for_all(client: Client, dpo: User) -> None:
    client.force_login(dpo)
    assert client.post("/organisation/position/us.sectors/", {"value": ["bank"]}).status_code == 302
    page = client.get("/organisation/position/").content.decode()
    assert "bank" in page
    assert StatedFact.objects.of_organisation().get().value == ["bank"]


@pytest.mark.parametrize("role", ["responder", "author", "auditor"])
def test_others_read_and_do_not_state(client: Client, incident: Incident, role: str) -> None:
    client.force_login(make_user(role))
    assert client.get(f"/incidents/{incident.reference}/duties/").status_code == 200
    assert client.get("/organisation/position/").status_code == 403
    assert client.get(f"/incidents/{incident.reference}/duties/{ICO}/told/").status_code == 403


def test_many_duties_stand_by_place_the_nearest_end_first(incident: Incident, dpo: User) -> None:
    state_position(Statement("us.targets", ["AE", "DE", "FR", "GB"]), by=dpo)
    rows = [f"A{n},B,a{n}@example.com,{country}" for n, country in enumerate(["FR", "DE", "DE", "AE", "FK"])]
    make_people(incident, "\n".join(["first_name,last_name,email,country", *rows, ""]))
    decide(incident, dpo, "people", tell=True)
    decide(incident, dpo, "authority", tell=True)
    standing = standing_of(incident, timezone.now())
    listing = listing_of(standing.owed, standing.facts)
    assert [(group.name, group.people) for group in listing.groups] == [
        ("Germany", 2),
        ("France", 1),
        ("United Kingdom", 0),
        ("United Arab Emirates", 1),
    ]
    assert "The risk to people was decided to be high." in listing.shared
    assert not any("decided to be high" in line.why for group in listing.groups for line in group.lines)
    assert listing.next
    assert listing.next.obligation.place == "DE"
    undecided = listing_of(standing.undecided, standing.facts)
    assert undecided.count == len(standing.undecided) == sum(len(group.lines) for group in undecided.groups)
    assert all(line.why for group in undecided.groups for line in group.lines)


def test_people_without_a_state_and_laws_that_ask_nothing_are_shown(
    client: Client, incident: Incident, dpo: User
) -> None:
    state_position(Statement("us.targets", ["GB", "UA", "US"]), by=dpo)
    make_people(incident, "first_name,last_name,email,country\nA,B,a@example.com,US\nC,D,c@example.com,UA\n")
    client.force_login(dpo)
    page = " ".join(client.get(f"/incidents/{incident.reference}/duties/").content.decode().split())
    assert "<b>1</b> person in United States has no state or province in the list." in page
    assert "One law looked at that asks nothing of anybody" in page
    assert "There is no general duty to report a breach." in page
