"""Whoever may decide is told by e-mail, deputies after a while, and nobody once it is decided."""

from collections.abc import Generator
from datetime import timedelta
from typing import Any

import pytest
from django.core import mail
from django.db import models, transaction
from django.utils import timezone
from kombu import pools
from pytest_django import Settings

from breachdesk.accounts import reminders
from breachdesk.accounts.decisions import ask_for_decision, settle_decisions, waiting_for
from breachdesk.accounts.models import PendingDecision, User
from breachdesk.audit.models import Event
from breachdesk.celery import app
from tests.factories import make_organisation, make_user

pytestmark = pytest.mark.django_db

SENTENCE = "The English notice of BD-2026-0001 waits for your approval."


@pytest.fixture
def author() -> User:
    return make_user("author")


def ask(on: models.Model, by: User, **changes: Any) -> PendingDecision:
    return ask_for_decision(
        **{"permission": "notifications.approve_edition", "url": "/editions/1/", "sentence": SENTENCE, **changes},
        on=on,
        by=by,
    )


def tell(decision: PendingDecision, after: timedelta = timedelta()) -> None:
    reminders.tell(decision.pk, decision.asked_at + after)


def receivers() -> list[str]:
    return sorted(address for message in mail.outbox for address in message.to)


def call(decision: PendingDecision, after: timedelta) -> None:
    moment = decision.asked_at + after
    reminders.call_deputies(moment)
    reminders.tell_the_untold(moment)


def test_everyone_who_may_decide_is_told_once(author: User) -> None:
    approvers = [make_user("approver"), make_user("approver")]
    make_user("approver", is_active=False)
    decision = ask(author, author)
    tell(decision)
    tell(decision, timedelta(minutes=5))
    assert receivers() == sorted(user.email for user in approvers)


def test_the_e_mail_is_a_sentence_and_a_link(author: User) -> None:
    make_user("approver")
    tell(ask(author, author))
    assert SENTENCE in mail.outbox[0].body
    assert "http://testserver/editions/1/" in mail.outbox[0].body
    assert author.name not in mail.outbox[0].body


def test_the_asking_is_in_the_trail(author: User) -> None:
    approver = make_user("approver")
    ask(author, author)
    data = Event.objects.newest_first()[0].content["data"]
    assert data == {
        "also": [f"accounts.pendingdecision/{PendingDecision.objects.get().pk}/1"],
        "asked": 1,
        "permission": "notifications.approve_edition",
        "users": [str(approver.pk)],
    }


def test_an_author_is_never_asked(author: User) -> None:
    both, approver = make_user("author", "approver"), make_user("approver")
    tell(ask(author, author, excluding=[both]))
    assert receivers() == [approver.email]
    assert list(waiting_for(both)) == []


def test_deputies_are_called_after_the_set_time_and_only_once(author: User) -> None:
    deputy = make_user("approver")
    make_user("approver", deputy=deputy)
    decision = ask(author, author)
    tell(decision)
    call(decision, timedelta(hours=1, minutes=59))
    assert len(mail.outbox) == 2
    call(decision, timedelta(hours=2))
    call(decision, timedelta(hours=3))
    assert len(mail.outbox) == 3
    assert mail.outbox[2].to == [deputy.email]
    assert mail.outbox[2].subject == "Nobody has decided yet: you are named as a deputy"
    assert Event.objects.filter(type="decision.deputies_asked").count() == 1


def test_the_organisation_says_how_long_we_wait(author: User) -> None:
    make_organisation(deputy_after=timedelta(minutes=30))
    decision = ask(author, author)
    call(decision, timedelta(minutes=31))
    decision.refresh_from_db()
    assert decision.deputies_asked_at is not None


def test_a_deputy_who_wrote_it_is_not_called(author: User) -> None:
    approver = make_user("approver", deputy=author)
    decision = ask(author, author, excluding=[author])
    call(decision, timedelta(hours=3))
    assert receivers() == [approver.email]


def test_nobody_is_told_about_what_is_settled(author: User) -> None:
    approver = make_user("approver")
    decision = ask(author, author)
    assert settle_decisions(on=author, by=approver) == 1
    assert settle_decisions(on=author, by=approver) == 0
    tell(decision)
    call(decision, timedelta(hours=3))
    assert mail.outbox == []
    assert Event.objects.filter(type="decision.settled").count() == 1


def test_asking_again_takes_the_place_of_the_first_time(author: User) -> None:
    approver = make_user("approver")
    ask(author, author)
    second = ask(author, author)
    assert list(waiting_for(approver)) == [second]


def test_what_waits_for_me_follows_my_rights(author: User) -> None:
    approver, dpo = make_user("approver"), make_user("dpo")
    decision = ask(author, author)
    assert list(waiting_for(approver)) == [decision]
    assert list(waiting_for(dpo)) == []


def test_a_relay_that_fails_is_tried_again(author: User, settings: Settings) -> None:
    approver = make_user("approver")
    decision = ask(author, author)
    working = settings.EMAIL_BACKEND
    settings.EMAIL_BACKEND = "django.core.mail.backends.smtp.EmailBackend"
    tell(decision)
    settings.EMAIL_BACKEND = working
    reminders.tell_the_untold(decision.asked_at + timedelta(seconds=10))
    assert mail.outbox == []
    reminders.tell_the_untold(decision.asked_at + timedelta(seconds=60))
    assert receivers() == [approver.email]


@pytest.fixture
def broker_that_is_down() -> Generator[None]:
    was = app.conf.broker_url
    app.conf.broker_url = "redis://127.0.0.1:1/0"
    _forget_connections()
    yield
    app.conf.broker_url = was
    _forget_connections()


def _forget_connections() -> None:
    pools.reset()
    app._pool = app.amqp._producer_pool = None


@pytest.mark.django_db(transaction=True)
def test_a_broker_that_is_down_does_not_break_the_action(author: User, broker_that_is_down: None) -> None:
    make_user("approver")
    with transaction.atomic():
        ask(author, author)
    reminders.tell_the_untold(timezone.now())
    assert len(mail.outbox) == 1
