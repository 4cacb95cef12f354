"""A test goes to named colleagues, says that it is one, is counted, and never reaches anybody who is affected."""

import email
import time
from email import policy
from html import unescape
from typing import Any

import pytest
from django.core.exceptions import PermissionDenied, ValidationError
from django.test import Client
from django.urls import reverse
from pytest_django import DjangoDbBlocker, Settings

from breachdesk.accounts.models import User
from breachdesk.accounts.permissions import ROLES
from breachdesk.audit.canonical import base64url
from breachdesk.audit.models import Event
from notifications import test_sends
from notifications.actions import save_draft
from notifications.editions import skeleton_of, the_organisation, vocabulary_of
from notifications.history import history_of
from notifications.models import Delivery, Edition
from notifications.previewing import MADE_UP_ADDRESS
from notifications.test_sends import BANNERS, left_this_hour, send_test
from notifications.verification_codes import SAMPLE
from notifications.wording import parse
from tests.desk.exporting import pointing
from tests.factories import (
    make_approved_edition,
    make_edition,
    make_edition_in_review,
    make_incident,
    make_organisation,
    make_people,
    make_user,
    unguarded,
)
from tests.notifications.sink import Caught, Fault, Sink

pytestmark = pytest.mark.django_db
LIST = "customer_id,first_name,last_name,email\nHR-1,Amelia,Okafor,amelia@example.com\nHR-2,Ben,Low,ben@example.com"


@pytest.fixture(scope="module")
def case(made_once: None, django_db_blocker: DjangoDbBlocker) -> Edition:
    with django_db_blocker.unblock():
        make_organisation()
        incident = make_incident()
        make_people(incident, LIST)
        return make_edition(incident)


@pytest.fixture
def author(case: Edition) -> User:
    return make_user("author")


def sent(
    settings: Settings, edition: Edition, users: list[User], by: User, faults: list[Fault] | None = None
) -> tuple[test_sends.Tested, list[Caught]]:
    with Sink(faults or []) as sink:
        pointing(settings)(sink)
        tested = send_test(edition, [user.pk for user in users], by=by)
    return tested, sink.caught


def parts_of(caught: Caught) -> tuple[str, str, str]:
    message = email.message_from_bytes(caught.message, policy=policy.SMTP)
    text, page = (part.get_content() for part in message.iter_parts())
    return str(message["Subject"]), " ".join(text.split()), " ".join(unescape(page).split())


def newest(kind: str) -> dict[str, Any]:
    data: dict[str, Any] = Event.objects.of_type(kind).newest_first()[0].content["data"]
    return data


def test_those_chosen_get_the_message_of_somebody_made_up_marked_as_a_test(
    settings: Settings, case: Edition, author: User
) -> None:
    maja, omar = make_user("approver", name="Maja"), make_user("administrator", name="Omar")
    make_user("dpo")
    tested, caught = sent(settings, case, [maja, omar], author)
    assert {user.name for user in tested.got} == {"Maja", "Omar"}
    assert tested.not_got == []
    assert sorted(one.to for one in caught) == sorted([maja.email, omar.email])
    for one in caught:
        subject, text, page = parts_of(one)
        assert subject == f"TEST {case.subject}"
        for part in (text, page):
            assert "test: this is not a real message" in part.lower()
            assert "Nobody’s data was lost." in part
            assert part.index("Nobody’s data was lost.") < part.index("Dear Anwen,")
            assert SAMPLE in part
            assert "Amelia" not in part
        assert one.sender.startswith("b+")
    assert MADE_UP_ADDRESS.encode() not in caught[0].message
    assert not Delivery.objects.exists(), "a test is nobody's delivery"


def test_it_is_counted_in_the_trail_with_what_was_tested_and_who_got_it(
    settings: Settings, case: Edition, author: User
) -> None:
    maja, omar = make_user("approver"), make_user("dpo")
    refusing = [Fault("rcpt", "550 5.1.1 nobody", omar.email)]
    sent(settings, case, [maja, omar], author, refusing)
    began, told = newest("test_send.began"), newest("edition.tested")
    assert (began["count"], began["users"]) == (2, sorted([str(maja.pk), str(omar.pk)]))
    assert (told["count"], told["users"], told["failed"]) == (1, [str(maja.pk)], [str(omar.pk)])
    assert told["digest"] == newest_digest(case)
    lines = [line.sentence for line in history_of(case, private=True)]
    assert lines[0] == "tried the English edition on colleagues: 1 got it"
    assert not any("began to send a test" in line for line in lines)


def newest_digest(edition: Edition) -> str:
    return base64url(skeleton_of(edition).digest)


def test_the_page_says_who_got_it_and_who_did_not(settings: Settings, case: Edition, client: Client) -> None:
    client.force_login(make_user("approver"))
    maja, omar = make_user("approver", name="Maja"), make_user("dpo", name="Omar")
    address = reverse("edition-test", args=[case.notice.incident.reference, case.pk])
    page = unescape(client.get(address).content.decode())
    assert f"Maja <small>{maja.email}</small>" in page
    assert "50 of 50 tests are left this hour" in page
    form = {"colleagues": [str(maja.pk), str(omar.pk)], "version": case.version}
    with Sink([Fault("dot", "take_and_drop", omar.email)]) as sink:
        pointing(settings)(sink)
        answer = client.post(address, form, follow=True)
    told = unescape(answer.content.decode())
    assert "Handed to the mail server for Maja." in told
    assert "Omar did not get it. The connection broke before the answer came: it may have arrived." in told
    assert "48 of 50 tests are left" in told
    assert client.post(address, {"version": 1}).status_code == 422
    stale = client.post(address, form | {"version": case.version - 1})
    assert (stale.status_code, "was changed while you looked" in stale.content.decode()) == (422, True)


def test_a_mail_server_that_is_down_is_told_in_a_sentence(settings: Settings, case: Edition, author: User) -> None:
    with Sink() as sink:
        port = sink.port
    settings.BREACHDESK = settings.BREACHDESK.model_copy(update={"smtp_port": port, "smtp_timeout": 1})
    users = [make_user("dpo"), make_user("dpo")]
    tested = send_test(case, [user.pk for user in users], by=author)
    assert tested.got == []
    assert "cannot be used" in tested.not_got[0][1]
    assert "was not sent" in tested.not_got[1][1]
    assert (newest("edition.tested")["count"], len(newest("edition.tested")["failed"])) == (0, 2)


def test_a_mail_server_that_is_silent_holds_nobody_up(
    settings: Settings, case: Edition, author: User, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(test_sends, "SECONDS", 2)
    users = [make_user("dpo", name=name) for name in ("Ada", "Bo", "Cy")]
    with Sink([Fault("dot", "silence", users[1].email)]) as sink:
        pointing(settings)(sink)
        settings.BREACHDESK = settings.BREACHDESK.model_copy(update={"smtp_timeout": 60})
        began = time.monotonic()
        tested = send_test(case, [user.pk for user in users], by=author)
        assert time.monotonic() - began < 30, "the wait for an answer in a send is a minute"
    assert [user.name for user in tested.got] == ["Ada"]
    assert [(user.name, "may have arrived" in why) for user, why in tested.not_got] == [("Bo", True), ("Cy", False)]


def test_nobody_on_the_list_gets_one(settings: Settings, case: Edition, author: User) -> None:
    affected = make_user("dpo", name="Amelia Okafor", email="Amelia@Example.com")
    with Sink() as sink:
        pointing(settings)(sink)
        with pytest.raises(ValidationError, match="Amelia Okafor’s address is in this case’s list"):
            send_test(case, [make_user("dpo").pk, affected.pk], by=author)
    assert sink.caught == []
    assert not Event.objects.of_type("test_send.began").exists()


def test_who_may_and_to_whom(settings: Settings, case: Edition, author: User) -> None:
    colleague = make_user("dpo")
    for role in sorted(ROLES.keys() - {"author", "approver"}):
        with pytest.raises(PermissionDenied):
            send_test(case, [colleague.pk], by=make_user(role))
    gone, invited = make_user("dpo", is_active=False), make_user("dpo", joined_at=None)
    for chosen in ([], [gone.pk], [invited.pk, colleague.pk], [case.pk]):
        with pytest.raises(ValidationError, match="who have an account"):
            send_test(case, chosen, by=author)
    with pytest.raises(ValidationError, match="At most 10"):
        send_test(case, [make_user().pk for _ in range(11)], by=author)
    assert not Event.objects.of_type("test_send.began").exists()


def test_no_more_in_an_hour_than_allowed(
    settings: Settings, case: Edition, author: User, monkeypatch: pytest.MonkeyPatch
) -> None:
    """What was begun counts, whatever came of it."""
    assert left_this_hour(case) == 50
    monkeypatch.setattr(test_sends, "MOST_AN_HOUR", 4)
    users = [make_user() for _ in range(3)]
    sent(settings, case, users, author, [Fault("rcpt", "550 no")])
    assert left_this_hour(case) == 1
    with pytest.raises(ValidationError, match="1 are left"):
        send_test(case, [user.pk for user in users], by=author)
    with unguarded():
        Event.objects.of_type("test_send.began").update(at="2020-01-01T00:00:00Z")
    assert left_this_hour(case) == 4


def test_before_the_send_only(settings: Settings, case: Edition, author: User) -> None:
    """A test changes nothing: what is approved stays approved."""
    edition, colleague = case, make_user("dpo")
    for step in (lambda draft: draft, make_edition_in_review, make_approved_edition):
        edition = step(edition)
        before = (edition.state, edition.version, edition.digest)
        assert sent(settings, edition, [colleague], author)[0].got == [colleague]
        edition.refresh_from_db()
        assert (edition.state, edition.version, edition.digest) == before
    assert edition.approvals.in_force().exists()
    with unguarded():
        Edition.objects.filter(pk=edition.pk).update(state=Edition.State.FINISHED)
    edition.refresh_from_db()
    with pytest.raises(ValidationError, match="has begun or is over"):
        send_test(edition, [colleague.pk], by=author)


def test_a_faulty_text_is_no_test(case: Edition, author: User) -> None:
    faulty = save_draft(case, subject="S", body="Dear ((friend)),", by=make_user("author"))
    with pytest.raises(ValidationError, match="The text has faults"):
        send_test(faulty, [make_user("dpo").pk], by=author)


def test_each_banner_says_test_and_can_be_sent(case: Edition) -> None:
    for language, banner in BANNERS.items():
        case.language = language
        assert not parse(banner, vocabulary_of(case, the_organisation())).problems
        assert "TEST" in banner
    case.refresh_from_db()
