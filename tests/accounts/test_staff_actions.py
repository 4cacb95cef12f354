"""Inviting, changing and removing colleagues: by an administrator, refused with a sentence, always in the trail."""

from collections.abc import Callable
from smtplib import SMTPRecipientsRefused
from threading import Thread
from typing import Any

import pytest
from django.contrib.auth import authenticate
from django.core import mail
from django.core.exceptions import PermissionDenied, ValidationError
from django.db import connection, transaction
from django.test import Client

from breachdesk.accounts import actions
from breachdesk.accounts.models import User
from breachdesk.accounts.permissions import ROLES
from breachdesk.audit.models import Event
from tests.factories import make_user

pytestmark = pytest.mark.django_db

PASSWORD = "seven quiet lamps burning"


@pytest.fixture
def administrator() -> User:
    return make_user("administrator")


def last_event() -> Event:
    return Event.objects.newest_first()[0]


def events() -> int:
    return Event.objects.count()


def invite(by: User, **changes: Any) -> User:
    return actions.invite_user(
        **{"email": "maja@halden-rowe.example", "name": "Maja Lindqvist", "roles": ["author"], **changes}, by=by
    )


def link_in(message: Any) -> str:
    return next(line for line in message.body.splitlines() if line.startswith("http://testserver/"))


def test_an_invitation_goes_out_after_the_commit(
    administrator: User, django_capture_on_commit_callbacks: Callable[..., Any]
) -> None:
    with django_capture_on_commit_callbacks(execute=True):
        user = invite(administrator, email=" Maja@Halden-Rowe.example ")
        assert mail.outbox == []
    assert mail.outbox[0].to == ["maja@halden-rowe.example"]
    assert link_in(mail.outbox[0]).startswith("http://testserver/password/link/")
    assert user.roles == ["author"]
    assert not user.has_usable_password()
    assert user.joined_at is None


def test_an_invitation_leaves_its_event_with_the_address_sealed(administrator: User) -> None:
    user = invite(administrator)
    assert last_event().type == "user.invited"
    assert last_event().content["object"] == {
        "kind": "accounts.user", "id": str(user.pk), "version": 1, "sha256": None
    }  # fmt: skip
    assert b"maja" not in bytes(last_event().body)
    assert set(last_event().content["priv"]) == {"name", "email"}


def test_a_relay_that_refuses_breaks_nothing(
    administrator: User, django_capture_on_commit_callbacks: Callable[..., Any], monkeypatch: pytest.MonkeyPatch
) -> None:
    def refuse(*_: Any) -> None:
        raise SMTPRecipientsRefused({"maja@halden-rowe.example": (550, b"No such user")})

    monkeypatch.setattr("django.core.mail.backends.locmem.EmailBackend.send_messages", refuse)
    with django_capture_on_commit_callbacks(execute=True):
        user = invite(administrator)
    assert User.objects.filter(pk=user.pk).exists()
    assert user.mail_problem == "The relay refused the address: 550 No such user"


def test_inviting_twice_says_who_it_is(administrator: User) -> None:
    invite(administrator)
    before = events()
    with pytest.raises(ValidationError, match="Maja Lindqvist already has an account"):
        invite(administrator, email="MAJA@halden-rowe.example")
    assert (User.objects.count(), events()) == (2, before)


@pytest.mark.parametrize(("roles", "sentence"), [([], "at least one role"), (["king"], "no role king")])
def test_an_invitation_needs_real_roles(administrator: User, roles: list[str], sentence: str) -> None:
    with pytest.raises(ValidationError, match=sentence):
        invite(administrator, roles=roles)
    assert User.objects.count() == 1


def test_joining_happens_once_and_is_recorded(administrator: User) -> None:
    user = invite(administrator)
    actions.join(user, password=PASSWORD, by=user)
    user.refresh_from_db()
    assert user.joined_at is not None
    assert user.check_password(PASSWORD)
    assert last_event().type == "user.joined"


def test_nobody_chooses_somebody_elses_password(administrator: User) -> None:
    user = invite(administrator)
    with pytest.raises(ValidationError, match="Only the owner"):
        actions.join(user, password=PASSWORD, by=administrator)
    assert not User.objects.get(pk=user.pk).has_usable_password()


def test_a_new_password_is_recorded(administrator: User) -> None:
    actions.change_password(administrator, password=PASSWORD, by=administrator)
    assert last_event().type == "user.password_changed"
    assert User.objects.get(pk=administrator.pk).check_password(PASSWORD)


def test_a_reset_ends_the_old_password_and_sends_a_link(
    administrator: User, django_capture_on_commit_callbacks: Callable[..., Any]
) -> None:
    user = make_user("author")
    with django_capture_on_commit_callbacks(execute=True):
        actions.reset_user(user, by=administrator)
    assert mail.outbox[0].subject == "Choose a new BreachDesk password"
    assert not User.objects.get(pk=user.pk).has_usable_password()
    assert last_event().type == "user.reset"


def test_a_reset_before_joining_repeats_the_invitation(
    administrator: User, django_capture_on_commit_callbacks: Callable[..., Any]
) -> None:
    user = invite(administrator)
    with django_capture_on_commit_callbacks(execute=True):
        actions.reset_user(user, by=administrator)
    assert mail.outbox[-1].subject == "Your BreachDesk account"


def test_roles_change_and_both_states_are_recorded(administrator: User) -> None:
    user = make_user("author")
    actions.set_roles(user, roles=["author", "responder"], by=administrator)
    assert User.objects.get(pk=user.pk).roles == ["author", "responder"]
    assert last_event().content["data"] == {"roles": ["author", "responder"], "before": ["author"]}
    assert last_event().content["object"]["version"] == 2


def test_the_same_roles_again_are_refused(administrator: User) -> None:
    user = make_user("author")
    with pytest.raises(ValidationError, match="already has just these roles"):
        actions.set_roles(user, roles=["author"], by=administrator)


def test_a_removed_colleague_cannot_sign_in_and_every_session_is_dead(administrator: User, client: Client) -> None:
    user = make_user("author", email="gone@halden-rowe.example")
    client.force_login(user)
    assert client.get("/password/").status_code == 200
    actions.remove_user(user, reason="Left the company", by=administrator)
    assert client.get("/password/").status_code == 302
    assert authenticate(None, email="gone@halden-rowe.example", password="a long enough pass phrase") is None
    assert last_event().type == "user.removed"
    actions.readmit_user(user, by=administrator)
    assert client.get("/password/").status_code == 302


def test_removing_twice_is_refused(administrator: User) -> None:
    user = make_user("author")
    actions.remove_user(user, reason="Left", by=administrator)
    before = events()
    with pytest.raises(ValidationError, match="was removed already"):
        actions.remove_user(user, reason="Left", by=administrator)
    assert events() == before


def test_removing_needs_a_reason(administrator: User) -> None:
    with pytest.raises(ValidationError, match="Say why"):
        actions.remove_user(make_user("author"), reason="  ", by=administrator)


def test_a_removed_address_is_not_invited_again_but_let_in_again(administrator: User) -> None:
    user = make_user("author", email="gone@halden-rowe.example")
    actions.remove_user(user, reason="Left", by=administrator)
    with pytest.raises(ValidationError, match="Let them in again on their own page"):
        invite(administrator, email="gone@halden-rowe.example")
    actions.readmit_user(user, by=administrator)
    assert User.objects.get(pk=user.pk).is_active
    assert last_event().type == "user.readmitted"
    with pytest.raises(ValidationError, match="has not been removed"):
        actions.readmit_user(user, by=administrator)


def test_the_last_administrator_stays(administrator: User) -> None:
    invite(administrator, email="not-yet@halden-rowe.example", roles=["administrator"])
    with pytest.raises(ValidationError, match="only administrator who can sign in"):
        actions.remove_user(administrator, reason="Leaving", by=administrator)
    with pytest.raises(ValidationError, match="only administrator who can sign in"):
        actions.set_roles(administrator, roles=["auditor"], by=administrator)
    assert User.objects.get(pk=administrator.pk).roles == ["administrator"]


def test_one_of_two_administrators_may_go(administrator: User) -> None:
    actions.remove_user(administrator, reason="Leaving", by=make_user("administrator"))
    assert not User.objects.get(pk=administrator.pk).is_active


def test_a_deputy_needs_the_same_roles(administrator: User) -> None:
    user, deputy = make_user("approver"), make_user("author", name="Tom Reyes")
    with pytest.raises(ValidationError, match="Tom Reyes could not decide: they lack the role Comms approver"):
        actions.set_deputy(user, deputy=deputy, by=administrator)
    actions.set_roles(deputy, roles=["author", "approver"], by=administrator)
    actions.set_deputy(user, deputy=deputy, by=administrator)
    assert User.objects.get(pk=user.pk).deputy == deputy
    assert last_event().content["data"] == {"fields": ["deputy"], "deputy": str(deputy.pk)}


def test_an_unfit_deputy_is_refused(administrator: User) -> None:
    user, gone = make_user("approver"), make_user("approver", is_active=False)
    with pytest.raises(ValidationError, match="their own deputy"):
        actions.set_deputy(user, deputy=user, by=administrator)
    with pytest.raises(ValidationError, match="was removed and cannot stand in"):
        actions.set_deputy(user, deputy=gone, by=administrator)
    with pytest.raises(ValidationError, match="the deputy already"):
        actions.set_deputy(user, deputy=None, by=administrator)


CHANGES: dict[str, Callable[[User, dict[str, Any]], Any]] = {
    "reset_user": lambda user, who: actions.reset_user(user, **who),
    "set_roles": lambda user, who: actions.set_roles(user, roles=["auditor"], **who),
    "remove_user": lambda user, who: actions.remove_user(user, reason="Left", **who),
    "set_deputy": lambda user, who: actions.set_deputy(user, deputy=None, **who),
    "readmit_user": lambda user, who: actions.readmit_user(user, **who),
}


@pytest.mark.parametrize("name", CHANGES)
def test_a_stale_page_changes_nothing(administrator: User, name: str) -> None:
    user = make_user("author")
    actions.set_roles(user, roles=["responder"], by=administrator)
    before = events()
    with pytest.raises(ValidationError, match="Somebody changed this while your page was open"):
        CHANGES[name](user, {"by": administrator, "version": 1})
    assert (User.objects.get(pk=user.pk).version, events()) == (2, before)


@pytest.mark.parametrize("role", [role for role in ROLES if role != "administrator"])
@pytest.mark.parametrize("name", CHANGES)
def test_another_role_changes_nothing(role: str, name: str) -> None:
    user, stranger = make_user("author"), make_user(role)
    before = events()
    with pytest.raises(PermissionDenied, match="This needs the role Administrator"):
        CHANGES[name](user, {"by": stranger})
    with pytest.raises(PermissionDenied, match="Administrator"):
        invite(stranger)
    assert (User.objects.get(pk=user.pk).version, events()) == (1, before)


@pytest.mark.parametrize("name", [name for name in CHANGES if name not in ("remove_user", "readmit_user")])
def test_a_removed_colleague_is_not_changed(administrator: User, name: str) -> None:
    user = make_user("author")
    actions.remove_user(user, reason="Left", by=administrator)
    with pytest.raises(ValidationError, match="was removed"):
        CHANGES[name](user, {"by": administrator})


def test_a_right_taken_away_a_moment_ago_is_gone(administrator: User) -> None:
    other = make_user("administrator")
    assert other.has_perm("accounts.manage_staff")  # what this object believes from now on
    actions.set_roles(other, roles=["auditor"], by=administrator)
    with pytest.raises(PermissionDenied):
        invite(other)


@pytest.mark.django_db(transaction=True)
def test_two_administrators_who_remove_each_other_at_once_leave_one() -> None:
    first, second = make_user("administrator"), make_user("administrator")
    refusals: list[Exception] = []

    def remove_first() -> None:
        try:
            actions.remove_user(first, reason="Out", by=second)
        except (ValidationError, PermissionDenied) as refusal:
            refusals.append(refusal)
        finally:
            connection.close()

    other = Thread(target=remove_first)
    with transaction.atomic():
        actions.remove_user(second, reason="Out", by=first)
        other.start()
        other.join(timeout=1)  # time enough to pass every check, if nothing made it wait for us
    other.join(timeout=20)
    assert len(refusals) == 1
    assert User.objects.who_can_administer().count() == 1
