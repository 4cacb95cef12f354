"""The breach register: every incident, notified or not, with effects, action and reasons."""

import csv
from datetime import timedelta
from io import StringIO
from pathlib import Path

import pytest
from django.test import Client
from django.utils import timezone

from breachdesk import pdf
from breachdesk.accounts.models import User
from breachdesk.audit.models import Event
from breachdesk.desk import register_views
from breachdesk.desk.register import Report, Row, register_of, years_of
from breachdesk.incidents.actions import StatedMoment, Verdict, close_incident, decide_notification, state_moment
from breachdesk.incidents.models import Decision, Incident
from regulators import actions
from regulators.models import FilingVersion
from tests.factories import make_incident, make_organisation, make_user, unguarded
from tests.pdfs import text_of_pdf
from tests.regulators.conftest import ANSWERS, fresh, sign, submit

pytestmark = pytest.mark.django_db


@pytest.fixture
def dpo() -> User:
    return make_user("dpo")


@pytest.fixture
def cases(dpo: User) -> list[Incident]:
    """One nobody is told of, for a reason; one that nobody has decided about."""
    harmless = make_incident(
        title="Names on a screen", effects="Names readable for 40 minutes.", action_taken="=Moved it."
    )
    undecided = make_incident(title="Payroll to the wrong company", origin="own", processor="")
    for about in Decision.About:
        decide_notification(harmless, Verdict(about, False, "Seen by two colleagues.", b"facts"), by=dpo)
    close_incident(harmless, reason="Over.", expected_version=harmless.version, by=dpo)
    return [harmless, undecided]


def test_who_is_not_told_stands_in_it_with_the_reason(client: Client, cases: list[Incident], dpo: User) -> None:
    client.force_login(dpo)
    page = client.get("/register/").content.decode()
    assert "Names readable for 40 minutes." in page
    assert "Seen by two colleagues." in page
    assert "Not reported" in page
    assert "Undecided" in page


def test_it_is_filtered(client: Client, cases: list[Incident], dpo: User) -> None:
    client.force_login(dpo)
    harmless, undecided = cases
    for query, shown, hidden in (
        ("reported=no", harmless, undecided),
        ("reported=undecided", undecided, harmless),
        ("origin=own", undecided, harmless),
        ("words=40+minutes", harmless, undecided),
    ):
        page = client.get(f"/register/?{query}").content.decode()
        assert shown.title in page, query
        assert hidden.title not in page, query
    assert "No breach fits" in client.get("/register/?words=nowhere").content.decode()


def test_the_table_leaves_with_an_event_and_without_formulas(client: Client, cases: list[Incident], dpo: User) -> None:
    client.force_login(dpo)
    answer = client.post("/register/csv/?reported=no")
    rows = list(csv.DictReader(StringIO(answer.content.decode("utf-8-sig"))))
    assert [row["Reference"] for row in rows] == [cases[0].reference]
    assert rows[0]["What was done"] == "'=Moved it."
    assert Event.objects.filter(type="register.exported").count() == 1
    reloaded = client.get("/register/csv/")
    assert (reloaded.status_code, reloaded["Allow"]) == (405, "POST")
    assert "takes only the button of its own page" in reloaded.text
    assert client.post("/register/doc/").status_code == 404


def test_on_paper_it_says_the_same(client: Client, cases: list[Incident], dpo: User) -> None:
    client.force_login(dpo)
    text = text_of_pdf(client.post("/register/pdf/").content)
    for said in (cases[0].reference, "Names readable for 40 minutes.", "Seen by two colleagues.", cases[1].title):
        assert said in text


def test_an_administrator_sees_no_case(client: Client, cases: list[Incident]) -> None:
    client.force_login(make_user("administrator"))
    assert client.get("/register/").status_code == 403


def test_a_pdf_that_cannot_be_made_is_a_sentence_and_no_event(
    client: Client, cases: list[Incident], dpo: User, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    broken = tmp_path / "child.py"
    broken.write_text("raise SystemExit(7)\n")
    monkeypatch.setattr(pdf, "CHILD", broken)
    client.force_login(dpo)
    answer = client.post("/register/pdf/")
    assert answer.status_code == 409
    assert "The PDF was not made" in answer.text
    assert not Event.objects.filter(type="register.exported").exists()


def test_a_report_on_the_border_is_in_time_and_a_minute_later_is_not(dpo: User) -> None:
    incident = make_incident(people_low=40, people_high=40)
    aware = incident.aware_at
    for late, in_time in ((timedelta(hours=72), True), (timedelta(hours=72, minutes=1), False)):
        row = Row(incident, "40", None, None, (Report("ICO", aware + late), Report("DPC", aware)), None)
        assert (row.reported, row.is_in_time) == ("yes", in_time)
    assert Row(incident, "40", None, None, (), None).is_in_time is None


def test_what_was_reported_stands_with_its_hours_and_the_people_with_their_day(client: Client, dpo: User) -> None:
    make_organisation()
    incident = make_incident(title="List at a carrier")
    filing = actions.open_filing(incident, "uk_ico", by=dpo)
    actions.save_answers(filing, {key: actions.NewAnswer(0, value) for key, value in ANSWERS.items()}, by=dpo)
    first = incident.aware_at + timedelta(hours=4)
    for days in (0, 1):  # and a follow-up, which is no first report
        filing = fresh(filing)
        filing = actions.submit_for_sign_off(filing, expected_version=filing.version, by=dpo)
        sign(fresh(filing), dpo)
        with unguarded():
            FilingVersion.objects.filter(filing=filing).update(signed_at=first)
        at = first + timedelta(minutes=days)
        submit(fresh(filing), dpo, submitted_at=at, authority_reference="IC-1")
        if not days:
            actions.begin_follow_up(filing, expected_version=fresh(filing).version, by=dpo)
    no = Verdict(Decision.About.AUTHORITY, False, "No risk.", b"facts")
    decide_notification(incident, no, by=dpo)
    standing = Decision.objects.of(incident).get()
    decide_notification(incident, Verdict(Decision.About.AUTHORITY, True, "A risk.", b"facts", standing), by=dpo)
    decide_notification(incident, Verdict(Decision.About.PEOPLE, False, "No high risk.", b"facts"), by=dpo)
    [row] = register_of(dpo).rows
    assert row.reports == (Report("ICO", first),)
    assert row.reason == "A risk.", "the decision that stands, not the one whose place it took"
    client.force_login(dpo)
    page = client.get("/register/?reported=yes").content.decode()
    assert "ICO, T+4\u202fh" in page
    assert "1 of 1" in page
    assert "People not told: No high risk." in page
    assert incident.title not in client.get("/register/?reported=decided").content.decode()
    [said] = csv.DictReader(StringIO(client.post("/register/csv/").content.decode("utf-8-sig")))
    assert (said["First report within 72 hours"], said["Decision about the people"]) == ("Yes", "Do not tell them")
    assert said["Reason for the decision about the people"] == "No high risk."


def test_a_decision_is_not_yet_a_report_and_the_newest_awareness_comes_first(dpo: User) -> None:
    older, newer = make_incident(title="First known"), make_incident(title="Known since")
    later = StatedMoment("aware", timezone.now() - timedelta(hours=1))
    state_moment(newer, later, expected_version=newer.version, reason="Their log.", by=dpo)
    decide_notification(older, Verdict(Decision.About.AUTHORITY, True, "A risk.", b"facts"), by=dpo)
    register = register_of(dpo)
    assert [row.incident.title for row in register.rows] == ["Known since", "First known"]
    assert [row.reported for row in register.rows] == ["undecided", "decided"]
    assert (len(register.undecided), len(register.reported), len(register.not_reported)) == (2, 0, 0)
    assert [row.incident.pk for row in register_of(dpo, reported="decided").rows] == [older.pk]
    years = {row.incident.aware_at.year for row in register.rows}
    assert years_of(dpo) == sorted(years, reverse=True)
    assert not register_of(dpo, year=min(years) - 1).rows


def test_it_is_paged_and_the_sum_counts_every_page(client: Client, dpo: User, monkeypatch: pytest.MonkeyPatch) -> None:
    for number in range(2):
        make_incident(title=f"Breach {number}")
    monkeypatch.setattr(register_views, "PER_PAGE", 1)
    client.force_login(dpo)
    page = client.get("/register/?origin=processor&page=2").content.decode()
    assert "Breach 0" in page
    assert "Breach 1" not in page
    assert "2 to 2 of 2 breaches" in page
    assert "?origin=processor&amp;page=1" in page
    assert "<b>2</b><span>breaches</span>" in page
