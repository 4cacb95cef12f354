"""A filing's date is the date of the duty it answers, wherever it stands."""

from datetime import UTC, datetime, timedelta
from zoneinfo import ZoneInfo

import pytest
from django.test import Client
from django.utils import timezone

from breachdesk.accounts.models import User
from breachdesk.desk.templatetags.say import moment
from breachdesk.incidents.actions import Facts, StatedMoment, open_incident, state_moment
from breachdesk.incidents.models import Incident
from regulators import actions
from regulators.actions import Statement, state_fact, state_position
from regulators.catalogue.rules import Start
from regulators.content import content_of
from regulators.due_dates import home_due
from regulators.models import Filing
from regulators.standing import Duty, due_of_filing, dues_of, standing_of
from tests.factories import make_incident, make_people, make_user
from tests.regulators.conftest import fresh, sheet, signed_in

pytestmark = pytest.mark.django_db

FRIDAY = datetime(2025, 7, 11, 22, tzinfo=ZoneInfo("Europe/Paris"))
"""At four hours it is Saturday, and the Monday after it is Bastille Day."""


@pytest.fixture
def dpo() -> User:
    return make_user("dpo")


def opened(aware: datetime, *moments: StatedMoment) -> Incident:
    facts = Facts(what_happened="Payments stood still.", origin="processor", processor="Larkfield", kinds=["name"])
    return open_incident(facts, [StatedMoment("aware", aware), *moments], by=make_user("responder"))


def bank(dpo: User, established_in: list[str], **stated: object) -> None:
    everything = {"us.sectors": ["dora_entity"], "us.established_in": established_in, **stated}
    for key, value in everything.items():
        state_position(Statement(key, value), by=dpo)


def duty_of(incident: Incident, key: str) -> Duty:
    found = standing_of(incident, timezone.now()).duty(key)
    assert found, key
    return found


def test_classified_late_every_page_has_the_four_hours_and_no_day(dpo: User) -> None:
    bank(dpo, ["FR"], **{"us.files_on_closed_days": True})
    aware = timezone.now().replace(second=0, microsecond=0) - timedelta(hours=40)
    incident = opened(aware, StatedMoment("classified", aware + timedelta(hours=39)))
    state_fact(incident, Statement("breach.is_major", True), by=dpo)
    filing = actions.open_filing(incident, "dora_major_incident", by=dpo, named="ACPR")
    due = due_of_filing(filing)
    assert due
    duty = duty_of(incident, "eu_dora:initial:FR")
    assert (due, filing, duty.is_begun) == (duty.due, duty.filing, True)
    assert due.at == aware + timedelta(hours=43)
    right, wrong = (moment(at, "Europe/London") for at in (due.at, aware + timedelta(hours=24)))
    client, filings = signed_in(dpo), f"/incidents/{incident.reference}/filings/"
    duty_page = f"/incidents/{incident.reference}/duties/eu_dora:initial:FR/"
    pages = {filings: f"Due {right}.", f"{filings}{filing.pk}/": f"Due {right}.", duty_page: right}
    for page, words in pages.items():
        text = client.get(page).text
        assert words in text
        assert "24 hours later" not in text
        assert wrong not in text
    assert content_of(sheet(filing))["clock"]["due_at"].startswith(f"{due.at:%Y-%m-%dT%H:%M}")


def test_while_it_is_not_classified_the_day_counts(dpo: User) -> None:
    bank(dpo, ["FR"], **{"us.files_on_closed_days": True})
    incident = opened(FRIDAY)
    due = duty_of(incident, "eu_dora:initial:FR").due
    assert due.at == FRIDAY + timedelta(hours=24)
    assert due.missing == (Start.CLASSIFICATION,)


def test_one_law_two_places_two_dates(client: Client, dpo: User) -> None:
    """Bastille Day is a holiday in France alone, and noon comes an hour earlier in Finland."""
    bank(dpo, ["FI", "FR"], **{"us.files_on_closed_days": False})
    incident = opened(FRIDAY - timedelta(hours=2), StatedMoment("classified", FRIDAY))
    state_fact(incident, Statement("breach.is_major", True), by=dpo)
    france, finland = (duty_of(incident, f"eu_dora:initial:{place}") for place in ("FR", "FI"))
    assert (france.zone, finland.zone) == ("Europe/Paris", "Europe/Helsinki")
    assert france.due.at == datetime(2025, 7, 15, 10, tzinfo=UTC)
    assert finland.due.at == datetime(2025, 7, 14, 9, tzinfo=UTC)
    filing = actions.open_filing(incident, "dora_major_incident", by=dpo, named="A supervisor")
    assert due_of_filing(filing) == finland.due  # the nearer one, while nobody can say whose report it is
    assert not duty_of(incident, "eu_dora:initial:FR").is_begun
    client.force_login(dpo)
    page = client.get(f"/incidents/{incident.reference}/duties/eu_dora:initial:FI/").text
    assert "There: Mon 14 Jul 2025, 12:00, Helsinki time." in page


def test_a_state_wants_its_copy_after_the_federal_department_was_told_and_not_before(client: Client, dpo: User) -> None:
    state_position(Statement("us.sectors", ["health"]), by=dpo)
    state_position(Statement("us.hipaa", True), by=dpo)
    incident = make_incident(kinds=["name", "national_number", "health"])
    make_people(incident, "first_name,last_name,email,country,state\nA,B,a@example.com,US,IL\n")
    copy, client_of = "us_il:authority_hipaa:US-IL", signed_in(dpo)
    assert duty_of(incident, copy).due.missing == (Start.HHS_TOLD,)
    tell(client_of, incident, "us_il:authority:US-IL")
    assert duty_of(incident, copy).due.at is None
    tell(client_of, incident, "us_hipaa:authority:US")
    due = duty_of(incident, copy).due
    assert due.end
    assert due.end.event == Start.HHS_TOLD
    assert due.at
    assert due.place.calendar == "US-IL"
    assert timedelta(days=5) <= due.at - timezone.now() <= timedelta(days=12)


def tell(client: Client, incident: Incident, duty: str) -> None:
    at = timezone.localtime(timezone.now() - timedelta(minutes=5), ZoneInfo("Europe/London"))
    told = {"date": f"{at:%Y-%m-%d}", "time": f"{at:%H:%M}", "zone": "Europe/London", "how": "In its portal."}
    told["delay_reason"] = "Nobody read the letter."
    assert client.post(f"/incidents/{incident.reference}/duties/{duty}/told/", told).status_code == 302


def test_a_report_is_the_warning_and_the_last_runs_from_the_full_notification(dpo: User) -> None:
    state_position(Statement("us.sectors", ["essential_entity"]), by=dpo)
    state_position(Statement("us.established_in", ["BE"]), by=dpo)
    incident = make_incident()
    assert duty_of(incident, "eu_nis2:final:BE").due.missing == (Start.NOTIFICATION,)
    filing = actions.open_filing(incident, "nis2_incident", by=dpo, named="The CSIRT")
    warning, full = (duty_of(incident, f"eu_nis2:{duty}:BE") for duty in ("early_warning", "notification"))
    assert (warning.filing, full.filing) == (filing, None)
    assert due_of_filing(filing) == warning.due
    tell(signed_in(dpo), incident, "eu_nis2:early_warning:BE")
    assert duty_of(incident, "eu_nis2:final:BE").due.at is None
    tell(signed_in(dpo), incident, "eu_nis2:notification:BE")
    assert duty_of(incident, "eu_nis2:final:BE").due.at


def test_a_report_under_a_law_that_nothing_ties_us_to_yet_has_its_date(draft: Filing) -> None:
    """Nobody has said where we are established: the desk's own countdown says the same."""
    assert standing_of(draft.incident, timezone.now()).duty("uk_gdpr:authority:GB") is None
    due = due_of_filing(draft)
    assert due
    assert due.at == home_due(draft.incident).at == draft.incident.aware_at + timedelta(hours=72)


def test_the_date_follows_the_facts(draft: Filing, dpo: User) -> None:
    incident = Incident.objects.get(pk=draft.incident_id)
    earlier = StatedMoment("aware", timezone.now() - timedelta(hours=30), basis="The post room.")
    state_moment(incident, earlier, expected_version=incident.version, reason="A letter.", by=dpo)
    filing = fresh(draft)
    assert dues_of(filing.incident, [filing])[filing.pk].at == filing.incident.aware_at + timedelta(hours=72)
