"""How fast it goes while it is sent: changed by a person, felt within a window, told beside what was approved."""

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import replace
from threading import Thread

import pytest
from django.core.exceptions import PermissionDenied, ValidationError
from django.db import connection
from django.utils import timezone

from breachdesk.audit.models import Event
from notifications.actions import change_rate, pause_edition, resume_edition
from notifications.ends import End
from notifications.models import Delivery, Edition, Pace
from notifications.schedule import Rate, Schedule, in_force
from tests.factories import make_user
from tests.notifications.limited import addresses, being_sent, drain, sink, states
from tests.notifications.test_pace import take
from tests.services import until

pytestmark = pytest.mark.django_db(transaction=True)


def change(edition: Edition, rate: Rate | None, **more: object) -> int:
    return change_rate(edition, rate=rate, by=make_user("approver"), reason="The relay complains.", **more)  # type: ignore[arg-type]


@contextmanager
def working(edition: Edition) -> Iterator[list[End]]:
    """A worker beside the test."""
    ends: list[End] = []

    def work() -> None:
        ends.append(drain(edition))
        connection.close()

    worker = Thread(target=work)
    worker.start()
    try:
        yield ends
    finally:
        worker.join(60)


def test_a_worker_stops_within_a_window_and_the_next_goes_by_the_new_numbers() -> None:
    edition = being_sent(Schedule(per_minute=600), people=addresses(120))
    with sink() as caught:
        with working(edition) as ends:
            until(lambda: len(caught.caught) >= 12)
            in_air = change(edition, Rate(per_minute=6000))
        assert ends == [End.NOTHING_DUE], "of its epoch there is nothing any more"
        assert 0 <= in_air <= 4 * 8
        assert drain(edition) is End.NOTHING_DUE
    assert set(caught.times().values()) == {1}
    assert states(edition) == {"handed_over": 120}
    kept, event = Edition.objects.get(), Event.objects.of_type("edition.rate_changed").get()
    assert (kept.epoch, kept.rate) == (2, {"per_minute": 6000, "per_domain": None, "at_once": None})
    assert kept.schedule == {"per_minute": 600}, "what was approved stays"
    data = event.content["data"]
    assert (data["rate"], data["before"], data["approved"]) == ("6000/min", "600/min", "600/min")
    assert data["epoch"] == 2
    assert b"complains" not in event.body


def test_slower_holds_what_was_without_limits_and_back_to_what_was_approved_frees_it() -> None:
    edition = being_sent(Schedule(), people=addresses(20))
    change(edition, Rate(per_minute=2))
    with sink() as caught:
        assert drain(edition) is End.HELD_BACK
        assert len(caught.caught) == 1
        change(edition, None)
        assert Edition.objects.get().rate is None
        assert drain(edition) is End.NOTHING_DUE
    assert set(caught.times().values()) == {1}
    assert len(caught.caught) == 20
    told = Event.objects.of_type("edition.rate_changed").oldest_first()
    assert [event.content["data"]["before"] for event in told] == ["no_limit", "2/min"]


def test_nobody_waits_for_a_turn_of_the_old_numbers() -> None:
    edition = being_sent(Schedule(per_domain=1), people=addresses(12))
    with sink() as caught:
        assert drain(edition) is End.HELD_BACK
        assert len(caught.caught) == 1
        assert Delivery.objects.filter(next_at__gt=timezone.now()).count() == 11
        change(edition, Rate(per_domain=6000))
        assert not Pace.objects.exclude(queued_until=None).exists()
        assert drain(edition, seconds=10) is End.NOTHING_DUE
    assert len(caught.caught) == 12
    told = Event.objects.of_type("delivery.brought_forward").get().content["data"]
    assert (told["count"], told["why"]) == (11, "rate_changed")


def test_paused_it_changes_at_once_and_counts_when_it_goes_on() -> None:
    edition = being_sent(Schedule(per_minute=600))
    sender = make_user("approver")
    pause_edition(edition, by=sender)
    assert change(edition, Rate(per_minute=60)) == 0
    assert Edition.objects.get().epoch == 1
    resumed = resume_edition(edition, by=sender)
    schedule = in_force(resumed.schedule, resumed.rate)
    assert schedule == replace(Schedule(per_minute=600), per_minute=60)
    assert len(take(resumed).rows) == 1, "one second's messages"


def test_who_may_when_and_why() -> None:
    edition = being_sent(Schedule(per_minute=600), people=addresses(2))
    sender = make_user("approver")
    with pytest.raises(PermissionDenied):
        change_rate(edition, rate=Rate(per_minute=1), by=make_user("author"), reason="Slow.")
    for rate, reason, says in [
        (Rate(per_minute=1), " ", "Say why"),
        (Rate(per_minute=600), "Same.", "goes out like that already"),
        (None, "Same.", "goes out like that already"),
        (Rate(per_minute=10, per_domain=20), "More.", "One domain cannot get more"),
        (Rate(per_minute=0), "None.", "Give between 1 and"),
    ]:
        with pytest.raises(ValidationError, match=says):
            change_rate(edition, rate=rate, by=sender, reason=reason)
    with pytest.raises(ValidationError, match="changed by somebody else"):
        change_rate(edition, rate=None, by=sender, reason="Late.", expected_version=edition.version - 1)
    with sink():
        assert drain(edition) in (End.NOTHING_DUE, End.HELD_BACK)
    with pytest.raises(ValidationError, match="cannot be changed"):
        change_rate(edition, rate=Rate(per_minute=1), by=sender, reason="Late.")
    assert not Event.objects.of_type("edition.rate_changed").exists()
