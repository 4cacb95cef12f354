"""The breach register: every incident, notified or not, with effects, action and reasons."""

import csv
from io import StringIO
from pathlib import Path

import pytest
from django.test import Client

from breachdesk import pdf
from breachdesk.accounts.models import User
from breachdesk.audit.models import Event
from breachdesk.incidents.actions import Verdict, close_incident, decide_notification
from breachdesk.incidents.models import Decision, Incident
from tests.factories import make_incident, make_user
from tests.pdfs import text_of_pdf

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
