"""The staff list and one colleague's page, used as an administrator uses them."""

from collections.abc import Callable
from typing import Any

import pytest
from django.test import Client

from breachdesk.accounts import actions
from breachdesk.accounts.models import User
from tests.factories import make_user

pytestmark = pytest.mark.django_db


@pytest.fixture
def administrator(client: Client) -> User:
    user = make_user("administrator", name="Ines Okafor")
    client.force_login(user)
    return user


def text(answer: Any) -> str:
    return str(answer.content.decode())


def test_the_list_says_who_works_here_and_which_roles_nobody_holds(client: Client, administrator: User) -> None:
    make_user("author", name="Maja Lindqvist")
    page = text(client.get("/staff/"))
    assert "Two colleagues work here" in page
    assert "Maja Lindqvist" in page
    assert "Comms approver. Approves what somebody else wrote" in page


def test_inviting_by_the_form(
    client: Client, administrator: User, django_capture_on_commit_callbacks: Callable[..., Any]
) -> None:
    typed = {"name": "Maja Lindqvist", "email": "maja@halden-rowe.example", "roles": ["author"]}
    with django_capture_on_commit_callbacks(execute=True):
        answer = client.post("/staff/invite/", typed)
    assert answer["Location"] == "/staff/"
    assert "Maja Lindqvist is invited" in text(client.get("/staff/"))
    again = client.post("/staff/invite/", typed)
    assert again.status_code == 422
    assert "already has an account" in text(again)


@pytest.mark.django_db(transaction=True)
def test_a_relay_that_is_down_is_said_on_the_page(client: Client, administrator: User, settings: Any) -> None:
    settings.EMAIL_BACKEND = "django.core.mail.backends.smtp.EmailBackend"
    user = make_user("author")
    client.post(f"/staff/{user.pk}/reset/", {"version": 1})
    page = text(client.get(f"/staff/{user.pk}/"))
    assert "The change is made, but no e-mail went to" in page
    assert "Nothing takes connections at 127.0.0.1, port 1" in page


def test_changing_roles_and_deputy(client: Client, administrator: User) -> None:
    user, deputy = make_user("author"), make_user("author", "approver", name="Tom Reyes")
    client.post(f"/staff/{user.pk}/roles/", {"roles": ["author", "approver"], "version": 1})
    client.post(f"/staff/{user.pk}/deputy/", {"deputy": str(deputy.pk), "version": 2})
    user = User.objects.get(pk=user.pk)
    assert (user.roles, user.deputy) == (["approver", "author"], deputy)
    assert "Tom Reyes stands in for" in text(client.get(f"/staff/{user.pk}/"))


def test_a_stale_tab_gets_the_sentence(client: Client, administrator: User) -> None:
    user = make_user("author")
    client.post(f"/staff/{user.pk}/roles/", {"roles": ["approver"], "version": 1})
    answer = client.post(f"/staff/{user.pk}/roles/", {"roles": ["auditor"], "version": 1})
    assert answer.status_code == 409
    assert "Somebody changed this while your page was open" in text(answer)
    assert User.objects.get(pk=user.pk).roles == ["approver"]


def test_removing_asks_first_and_needs_a_reason(client: Client, administrator: User) -> None:
    user = make_user("author", name="Maja Lindqvist")
    assert "Remove Maja Lindqvist?" in text(client.get(f"/staff/{user.pk}/remove/"))
    assert client.post(f"/staff/{user.pk}/remove/", {"version": 1}).status_code == 422
    assert client.post(f"/staff/{user.pk}/remove/", {"version": 1, "reason": "Left"}).status_code == 302
    assert "Maja Lindqvist was removed" in text(client.get(f"/staff/{user.pk}/"))
    assert client.post(f"/staff/{user.pk}/readmit/", {"version": 2}).status_code == 302


def test_the_last_administrator_is_told_why_not(client: Client, administrator: User) -> None:
    answer = client.post(f"/staff/{administrator.pk}/remove/", {"version": 1, "reason": "Leaving"})
    assert answer.status_code == 409
    assert "Ines Okafor is the only administrator who can sign in" in text(answer)


@pytest.mark.parametrize("role", ["responder", "author", "approver", "dpo", "auditor"])
@pytest.mark.parametrize("path", ["/staff/", "/staff/invite/", "/organisation/"])
def test_other_roles_get_a_sentence(client: Client, role: str, path: str) -> None:
    client.force_login(make_user(role))
    answer = client.get(path)
    assert answer.status_code == 403
    assert "This needs the role Administrator" in text(answer)


def test_the_operator_appoints_the_first_administrator_without_any_mail(client: Client) -> None:
    from io import StringIO

    from django.core.management import call_command

    call_command("sync_roles", verbosity=0)
    out = StringIO()
    call_command("appoint_administrator", "ines@halden-rowe.example", "Ines Okafor", stdout=out)
    link = out.getvalue().split()[-1]
    page = str(client.get(link)["Location"])
    client.post(page, {"password1": "seven quiet lamps burning", "password2": "seven quiet lamps burning"})
    assert list(User.objects.who_can_administer().values_list("email", flat=True)) == ["ines@halden-rowe.example"]


def test_the_operator_lets_a_removed_administrator_in_again(administrator: User) -> None:
    make_user("administrator")
    actions.remove_user(administrator, reason="Mistake", by=make_user("administrator"))
    user = actions.appoint_administrator(email=administrator.email, name="", by=None)
    assert user.is_active
    assert user.roles == ["administrator"]


def test_health_is_open_and_says_nothing(client: Client) -> None:
    answer = client.get("/healthz")
    assert (answer.status_code, answer.content) == (200, b"ok\n")
