"""The pages of retention: the days, the hold, the dry run and the decision."""

import pytest
from django.conf import settings
from django.utils import timezone

from breachdesk.accounts.permissions import ROLES
from breachdesk.incidents.actions import ask_destruction
from breachdesk.incidents.erasing import carry_out
from breachdesk.incidents.models import Destruction
from breachdesk.vault.sealing import cipher_for
from tests.factories import make_incident, make_organisation, make_people, make_user
from tests.incidents.keeping import FAR, closed, due, page

pytestmark = pytest.mark.django_db


@pytest.fixture(autouse=True)
def _own_state_folder(tmp_path, monkeypatch):
    monkeypatch.setattr(settings, "BREACHDESK", settings.BREACHDESK.model_copy(update={"state_dir": tmp_path}))


@pytest.fixture
def dpo():
    return make_user("dpo")


@pytest.fixture
def other():
    return make_user("approver")


def ask(incident, by, what="data"):
    return ask_destruction(incident, what=what, reason="The term is over.", by=by)


def test_a_date_destroys_nothing_by_itself_and_shows_on_the_case(dpo):
    incident = due()
    assert "The time for this data is over" in page(dpo, "incident-detail", incident.reference).content.decode()
    assert "The time for this data is over" in page(dpo, "incident-retention", incident.reference).content.decode()
    assert cipher_for(incident.pk).scope == incident.pk
    assert "The time for this" not in page(dpo, "incident-detail", closed().reference).content.decode()


def test_the_whole_way_through_the_pages(dpo, other):
    make_organisation()
    incident = make_incident()
    make_people(incident)
    closed(incident, dpo)
    reference, today = incident.reference, timezone.localdate()
    days = {"delete_on": today, "index_until": today + FAR, "reason": "The term is over."}
    assert page(dpo, "retention-dates", reference, **days).status_code == 302
    dry = page(dpo, "destruction-ask", reference, "data").content.decode()
    assert "Nothing has happened yet" in dry
    assert ">4<" in dry.replace("<span>", "").replace("</span>", "")
    assert page(dpo, "destruction-ask", reference, "data", reason="").status_code == 422
    assert page(dpo, "destruction-ask", reference, "data", reason="The term is over.").status_code == 302
    request = Destruction.objects.get()
    assert "You asked for this" in page(dpo, "destruction-decide", reference, request.pk).content.decode()
    decide = ("destruction-decide", reference, request.pk)
    assert page(other, *decide).status_code == 200
    wrong = page(other, *decide, decision="confirm", typed="BD-1999-0001")
    assert (wrong.status_code, "the case you mean" in wrong.content.decode()) == (422, True)
    assert page(other, *decide, decision="confirm", typed=reference.lower()).status_code == 302
    request.refresh_from_db()
    assert (request.state, request.decided_by) == ("confirmed", other)
    assert "it can be taken back" in page(dpo, "incident-retention", reference).content.decode()
    assert carry_out(request.pk, at=request.not_before, by=None) == ""
    shown = page(dpo, "incident-retention", reference).content.decode()
    assert "The personal data is destroyed" in shown
    assert "The index is personal data" in shown


def test_refusing_and_withdrawing_through_the_pages(dpo, other):
    first = ask(due(by=dpo), dpo)
    reference = first.incident.reference
    decide = ("destruction-decide", reference, first.pk)
    assert page(other, *decide, decision="refuse", reason="").status_code == 422
    assert page(other, *decide, decision="refuse", reason="A claim is coming.").status_code == 302
    assert "This was decided already" in page(other, *decide).content.decode()
    second = ask(first.incident, dpo)
    assert page(dpo, "destruction-withdraw", reference, second.pk, go="1").status_code == 302
    assert list(Destruction.objects.newest_first().values_list("state", flat=True)) == ["withdrawn", "refused"]
    assert "A claim is coming." in page(dpo, "incident-retention", reference).content.decode()


def test_holds_through_the_pages(dpo):
    incident = due()
    assert page(dpo, "legal-hold", incident.reference, reason="").status_code == 422
    assert page(dpo, "legal-hold", incident.reference, reason="Claim 12/2026.").status_code == 302
    assert page(dpo, "legal-hold", incident.reference, reason="Twice.").status_code == 422
    assert "A legal hold keeps everything" in page(dpo, "incident-retention", incident.reference).content.decode()
    assert page(dpo, "legal-hold-release", incident.reference, reason="Settled.").status_code == 302
    assert "Settled." in page(dpo, "incident-retention", incident.reference).content.decode()


@pytest.mark.parametrize("role", sorted(ROLES))
def test_each_role_sees_the_page_and_only_its_buttons(role):
    incident, user = due(), make_user(role)
    shown = page(user, "incident-retention", incident.reference)
    if role == "administrator":
        assert shown.status_code == 403
        return
    text = shown.content.decode()
    assert ("Dry run" in text, "Choose other days" in text) == (role == "dpo", role == "dpo")
    assert page(user, "destruction-ask", incident.reference, "data").status_code == (200 if role == "dpo" else 403)


def test_an_open_case_says_when_its_time_begins(dpo):
    incident = make_incident()
    assert "Kept while the case is open" in page(dpo, "incident-retention", incident.reference).content.decode()
    assert "still open" in page(dpo, "destruction-ask", incident.reference, "data").content.decode()
