"""What is learned long after a message left: that it was put off, or that it came back though it was taken as sent."""

from datetime import timedelta

import pytest
from django.utils import timezone
from pytest_django import DjangoDbBlocker

from breachdesk.audit.models import Event
from notifications.actions import try_second_address
from notifications.mail_events import Kind, Report, apply_events, keep
from notifications.models import Delivery, Edition
from notifications.reach import QUEUED, count_reach
from notifications.second_addresses import with_a_second_address
from notifications.verp import Sending
from tests.factories import make_user, unguarded
from tests.notifications.undelivered import delivery_of, make_undelivered

pytestmark = pytest.mark.django_db


@pytest.fixture(scope="module")
def sent(made_once: None, django_db_blocker: DjangoDbBlocker) -> Edition:
    with django_db_blocker.unblock():
        return make_undelivered()


@pytest.fixture
def edition(sent: Edition) -> Edition:
    return Edition.objects.with_incident().get(pk=sent.pk)


def heard(number: str, kind: Kind, source: str = "returned_mail") -> None:
    about = Sending(delivery_of(number).pk, delivery_of(number).generation)
    keep(Report(source, f"{number}-{kind}-{source}", kind, about, "", timezone.now(), b"d" * 32))
    assert apply_events() == 1


def way_of(edition: Edition, *, after_days: float = 0) -> set[str]:
    """How the one message stands that was taken; all others were refused."""
    ways = count_reach(edition.notice, timezone.now() + timedelta(days=after_days)).all.ways
    return ways.keys() - {"refused", "no_email"}


def test_what_is_put_off_is_not_known_until_a_queue_gives_up(edition: Edition) -> None:
    """Then its host would have said so. A provider's soft bounce is followed by nothing."""
    assert way_of(edition, after_days=2) == {"silent"}
    heard("HR-1", Kind.DELAYED)
    for days in (0, 2, QUEUED.days - 0.1):
        assert way_of(edition, after_days=days) == {"delayed"}, days
    assert way_of(edition, after_days=QUEUED.days + 0.1) == {"silent"}
    heard("HR-1", Kind.DELAYED, "Postmark")
    assert way_of(edition, after_days=60) == {"delayed"}
    heard("HR-1", Kind.DELIVERED)
    assert way_of(edition) == {"delivered"}


@pytest.mark.parametrize("has_token", [True, False])
def test_what_was_taken_as_sent_and_comes_back_goes_on_down_the_ladder(edition: Edition, has_token: bool) -> None:
    """A colleague's word stands until something better is known. Without a token: stopped after a restore."""
    with unguarded():
        row = Delivery.objects.filter(pk=delivery_of("HR-2").pk)
        row.update(state="assumed_sent", code=None, **({} if has_token else {"token": None}))
    assert way_of(edition) == {"fresh", "assumed_sent"}
    assert with_a_second_address(edition) == []
    heard("HR-2", Kind.BOUNCED)
    said = Event.objects.of_type("mail_event.received").get().content["data"]
    named = f"notifications_delivery/{delivery_of('HR-2').token or edition.pk}"
    assert (said["applied"], said["batches"]) == (1, [named, "notifications_mailevent/returned_mail"])
    assert way_of(edition) == {"fresh", "bounced"}
    assert with_a_second_address(edition) == [delivery_of("HR-2").pk]
    try_second_address(edition, reason="Their first address is dead.", by=make_user("approver"))
    assert (delivery_of("HR-2").state, delivery_of("HR-2").rung) == ("planned", 1)
