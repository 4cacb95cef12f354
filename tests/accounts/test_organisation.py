"""What is said about the organisation: asked for, checked, kept with its history, and its gaps named with reasons."""

from datetime import timedelta
from typing import Any

import pytest
from django.core.exceptions import PermissionDenied, ValidationError
from django.test import Client

from breachdesk.accounts import actions
from breachdesk.accounts.forms import OrganisationForm
from breachdesk.accounts.models import Organisation, User
from breachdesk.audit.models import Event
from tests.factories import make_organisation, make_user

pytestmark = pytest.mark.django_db

NAMES = {"legal_name": "Halden & Rowe Ltd", "short_name": "Halden & Rowe"}


@pytest.fixture
def administrator() -> User:
    return make_user("administrator")


def typed(**changes: Any) -> dict[str, Any]:
    return {**NAMES, "zone": "Europe/London", "approvers_needed": "1", "deputy_after": "2", "version": "0", **changes}


def test_the_first_answers_make_the_organisation(administrator: User) -> None:
    actions.change_organisation(**NAMES, version=0, by=administrator)
    assert Organisation.objects.get().legal_name == "Halden & Rowe Ltd"
    event = Event.objects.newest_first()[0]
    assert event.content["data"] == {"fields": ["legal_name", "short_name"]}
    assert set(event.content["priv"]) == {"legal_name", "short_name"}


def test_only_what_differs_is_recorded(administrator: User) -> None:
    make_organisation()
    actions.change_organisation(**NAMES, deputy_after=timedelta(hours=4), version=1, by=administrator)
    assert Organisation.objects.get().version == 2
    assert Event.objects.newest_first()[0].content["data"] == {"fields": ["deputy_after"]}


def test_saying_the_same_again_is_refused(administrator: User) -> None:
    make_organisation()
    with pytest.raises(ValidationError, match="Nothing differs"):
        actions.change_organisation(**NAMES, by=administrator)


def test_a_stale_page_changes_nothing(administrator: User) -> None:
    make_organisation(version=3)
    with pytest.raises(ValidationError, match="while your page was open"):
        actions.change_organisation(short_name="Other", version=2, by=administrator)
    assert Organisation.objects.get().short_name == "Halden & Rowe"


def test_another_role_changes_nothing() -> None:
    with pytest.raises(PermissionDenied, match="needs the role Administrator"):
        actions.change_organisation(**NAMES, by=make_user("dpo"))
    assert not Organisation.objects.exists()


def test_what_is_missing_is_said_with_its_reason() -> None:
    assert make_organisation().missing() == []
    gaps = Organisation(legal_name="Halden & Rowe Ltd", short_name="Halden & Rowe", languages=["en"]).missing()
    assert "The hotline: whoever distrusts the e-mail needs a number to call." in gaps
    assert not any("legal name" in sentence or "languages" in sentence for sentence in gaps)
    assert len(Organisation.current().missing()) == 0


def test_an_administrator_is_asked_at_the_first_sign_in(client: Client, administrator: User) -> None:
    answer = client.post("/sign-in/", {"login": administrator.email, "password": "a long enough pass phrase"})
    assert answer["Location"] == "/organisation/"
    assert "Who are we?" in client.get("/organisation/").content.decode()


def test_the_page_saves_and_says_what_is_missing(client: Client, administrator: User) -> None:
    client.force_login(administrator)
    answer = client.post(
        "/organisation/", typed(allowed_links="halden-rowe.example\n", languages="en, fr"), follow=True
    )
    assert answer.redirect_chain == [("/organisation/", 302)]
    organisation = Organisation.objects.get()
    assert (organisation.allowed_links, organisation.languages) == (["halden-rowe.example"], ["en", "fr"])
    assert "Without it nothing can be sent to customers" in answer.content.decode()


@pytest.mark.parametrize(
    ("field", "value", "sentence"),
    [
        ("allowed_links", "https://halden-rowe.example/path", "is not a domain"),
        ("languages", "English", "is not a language code"),
        ("legal_name", "", "Legal name is needed"),
        ("deputy_after", "0", "greater than or equal to 1"),
        ("zone", "Europe/Bath", "Select a valid choice"),
    ],
)
def test_a_wrong_answer_is_named_and_nothing_is_kept(
    client: Client, administrator: User, field: str, value: str, sentence: str
) -> None:
    client.force_login(administrator)
    answer = client.post("/organisation/", typed(**{field: value}))
    assert answer.status_code == 422
    assert sentence in answer.content.decode()
    assert not Organisation.objects.exists()


def test_a_stale_form_gets_the_sentence(client: Client, administrator: User) -> None:
    make_organisation(version=5)
    client.force_login(administrator)
    answer = client.post("/organisation/", typed(version="4"))
    assert answer.status_code == 409
    assert "Somebody changed this while your page was open" in answer.content.decode()


def test_every_gap_is_a_field_the_form_asks_for() -> None:
    from breachdesk.accounts.models import NEEDED

    assert set(NEEDED) <= set(OrganisationForm().fields)
