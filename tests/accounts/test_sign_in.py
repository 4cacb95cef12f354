"""Signing in, first passwords by link, and the doors that stay closed."""

import re

import pytest
from django.core import mail
from django.test import Client
from pytest_django import Settings

from breachdesk.accounts import actions
from breachdesk.accounts.models import User
from breachdesk.accounts.staff_mail import password_link
from breachdesk.audit.models import Event
from tests.factories import make_organisation, make_user

pytestmark = pytest.mark.django_db

PASSWORD = "a long enough pass phrase"
BETTER = "seven quiet lamps burning"


def sign_in(client: Client, email: str, password: str = PASSWORD) -> int:
    return client.post("/sign-in/", {"login": email, "password": password}).status_code


def open_link(client: Client, link: str) -> str:
    """Follows the link of an e-mail to the page that asks for a password."""
    return str(client.get(link.removeprefix("http://testserver"))["Location"])


def test_a_stranger_is_sent_to_sign_in(client: Client) -> None:
    assert client.get("/staff/")["Location"] == "/sign-in/?next=/staff/"


def test_signing_in_works_whatever_the_case_and_is_recorded(client: Client) -> None:
    make_user("auditor", email="maja@halden-rowe.example")
    assert sign_in(client, "Maja@Halden-Rowe.example") == 302
    assert Event.objects.newest_first()[0].type == "user.signed_in"


def test_a_wrong_password_says_so_and_nothing_about_the_address(client: Client) -> None:
    user = make_user("auditor")
    known = client.post("/sign-in/", {"login": user.email, "password": "wrong"})
    unknown = client.post("/sign-in/", {"login": "nobody@halden-rowe.example", "password": "wrong"})
    for answer in (known, unknown):
        assert "do not belong together" in answer.content.decode()


def test_ten_wrong_passwords_close_the_door_for_a_while(client: Client) -> None:
    user = make_user("auditor")
    for _ in range(10):
        sign_in(client, user.email, "wrong")
    assert sign_in(client, user.email) != 302


def test_an_invited_colleague_joins_by_the_link_and_only_once(client: Client) -> None:
    make_organisation()
    user = actions.invite_user(
        email="maja@halden-rowe.example", name="Maja Lindqvist", roles=["author"], by=make_user("administrator")
    )
    link = password_link(user)
    page = open_link(client, link)
    assert client.post(page, {"password1": BETTER, "password2": BETTER})["Location"] == "/password/link/done/"
    assert sign_in(client, user.email, BETTER) == 302
    assert {"user.joined", "user.signed_in"} <= set(Event.objects.values_list("type", flat=True))
    assert "This link no longer works" in Client().get(link).content.decode()


def test_a_weak_password_is_refused(client: Client) -> None:
    user = make_user("author")
    page = open_link(client, password_link(user))
    answer = client.post(page, {"password1": "password1234", "password2": "password1234"})
    assert answer.status_code == 200
    assert User.objects.get(pk=user.pk).check_password(PASSWORD)


def test_a_removed_colleagues_link_is_dead(client: Client) -> None:
    user = make_user("author")
    link = password_link(user)
    actions.remove_user(user, reason="Left", by=make_user("administrator"))
    assert "This link no longer works" in client.get(link).content.decode()


def test_a_forgotten_password_is_replaced_by_e_mail(client: Client) -> None:
    user = make_user("author")
    client.post("/password/new/", {"email": user.email})
    link = re.search(r"http://testserver/password/link/\S+", mail.outbox[0].body)
    assert link is not None
    page = open_link(client, link[0])
    client.post(page, {"password1": BETTER, "password2": BETTER})
    assert User.objects.get(pk=user.pk).check_password(BETTER)
    assert Event.objects.newest_first()[0].type == "user.password_changed"
    assert mail.outbox[1].subject == "Your BreachDesk password was changed"


def test_an_unknown_address_gets_the_same_page_and_no_e_mail(client: Client) -> None:
    answer = client.post("/password/new/", {"email": "nobody@halden-rowe.example"})
    assert answer["Location"] == "/password/new/sent/"
    assert mail.outbox == []


def test_a_relay_that_is_down_tells_nobody_which_addresses_are_known(client: Client, settings: Settings) -> None:
    settings.EMAIL_BACKEND = "django.core.mail.backends.smtp.EmailBackend"
    answer = client.post("/password/new/", {"email": make_user("author").email})
    assert answer["Location"] == "/password/new/sent/"


def test_a_link_leads_to_the_configured_address_whatever_host_was_asked(client: Client) -> None:
    client.post("/password/new/", {"email": make_user("author").email}, headers={"Host": "localhost"})
    assert "http://testserver/password/link/" in mail.outbox[0].body


def test_changing_the_password_ends_every_session(client: Client) -> None:
    user = make_user("author")
    client.force_login(user)
    other = Client()
    other.force_login(user)
    client.post("/password/", {"oldpassword": PASSWORD, "password1": BETTER, "password2": BETTER})
    assert User.objects.get(pk=user.pk).check_password(BETTER)
    assert other.get("/password/").status_code == 302


def test_nobody_signs_up(client: Client) -> None:
    assert client.get("/sign-up/").status_code in (302, 404)
    assert client.get("/signup/").status_code in (302, 404)
    assert "sign up" not in client.get("/sign-in/").content.decode().lower()


@pytest.mark.parametrize(
    "path", ["/sign-in/", "/sign-in/removed/", "/password/new/", "/password/new/sent/", "/password/link/done/"]
)
def test_a_page_before_sign_in_opens(client: Client, path: str) -> None:
    assert client.get(path).status_code == 200


@pytest.mark.parametrize("path", ["/password/", "/sign-in/again/", "/sign-out/"])
def test_a_page_of_ones_own_account_opens(client: Client, path: str) -> None:
    client.force_login(make_user("author"))
    assert client.get(path).status_code == 200


def test_signing_out(client: Client) -> None:
    client.force_login(make_user("author"))
    client.post("/sign-out/")
    assert client.get("/password/").status_code == 302
