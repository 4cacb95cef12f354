"""Waves and the first few: exactly so many, and nobody more until it is time or a person has looked."""

from datetime import timedelta

import pytest
from django.db import transaction
from django.db.models import F

from breachdesk.audit.models import Event
from notifications import delivery, pace, sweeping
from notifications.actions import pause_edition, resume_edition
from notifications.ends import End
from notifications.models import Batch, Delivery, Edition, Pace
from notifications.schedule import Schedule
from notifications.transport import Kind, Outcome, Phase
from tests.factories import make_user, unguarded
from tests.notifications.limited import addresses, being_sent, drain, later, sink, states
from tests.notifications.sink import Fault
from tests.notifications.test_pace import take

pytestmark = pytest.mark.django_db(transaction=True)


def test_a_wave_is_exactly_so_many_and_the_next_comes_hours_later() -> None:
    edition = being_sent(Schedule(wave_size=25, wave_hours=2))
    with sink() as caught:
        for told in (25, 50, 60):
            assert drain(edition) is (End.HELD_BACK if told < 60 else End.NOTHING_DUE)
            assert len(caught.caught) == told
            assert drain(edition) is (End.HELD_BACK if told < 60 else End.CLOSED)
            later(edition, hours=1)
            assert sweeping.sweep().unattended == []
            later(edition, hours=1)
            assert sweeping.sweep().unattended == ([edition.pk] if told < 60 else [])
    assert Pace.objects.get().wave == 3
    assert set(caught.times().values()) == {1}


def test_what_a_pause_or_a_night_did_not_use_is_not_added_to_the_next_wave() -> None:
    edition = being_sent(Schedule(wave_size=10, wave_hours=1))
    with sink() as caught:
        drain(edition)
        later(edition, hours=30)
        drain(edition)
    assert len(caught.caught) == 20


def test_who_was_put_off_is_tried_again_although_the_wave_is_full() -> None:
    edition = being_sent(Schedule(wave_size=5, wave_hours=4), people=addresses(12))
    with sink(Fault("rcpt", "451 4.7.1 later", times=2)) as caught:
        assert drain(edition) is End.HELD_BACK
        assert states(edition) == {"handed_over": 3, "retry_wait": 2, "planned": 7}
        assert sweeping.sweep().unattended == []
        later(edition, minutes=2)
        assert sweeping.sweep().unattended == [edition.pk]
        assert drain(edition) is End.HELD_BACK
        assert len(caught.caught) == 5
    assert states(edition) == {"handed_over": 5, "planned": 7}


def test_who_never_left_us_does_not_use_up_the_wave() -> None:
    edition = being_sent(Schedule(wave_size=5, wave_hours=4), people=addresses(12))
    taken = take(edition)
    outcomes = [Outcome(Kind.HANDED_OVER, Phase.DOT, 250)] * 3 + [Outcome(Kind.NOT_SENT, Phase.CONNECT)] * 2
    with transaction.atomic():
        delivery.share_hand_overs(edition.pk)
        delivery.begin_hand_over(taken.token, {row.id: b"c" * 32 for row in taken.rows})
        answers = [(row.id, row.tries, outcome) for row, outcome in zip(taken.rows, outcomes, strict=True)]
        delivery.settle(taken.token, answers)
    assert (Pace.objects.get().taken, pace.counted(edition.pk)) == (5, 3)
    assert len(take(edition).rows) == 2
    assert take(edition).rows == []


def test_after_the_first_few_it_pauses_by_itself_and_a_person_lets_the_rest_go() -> None:
    edition = being_sent(Schedule(canary=7), people=addresses(20))
    with sink(Fault("rcpt", "550 5.1.1 nobody", who="person0001")) as caught:
        assert drain(edition) is End.HELD_BACK
        paused = Edition.objects.get()
        assert paused.state == Edition.State.PAUSED
        assert paused.stopped_by is None
        told = Event.objects.get(type="edition.paused").content["data"]
        assert (told["why"], told["in_air"]) == ("canary", 0)
        assert sum(states(edition).values()) - states(edition)["planned"] == 7
        assert drain(edition) is End.CLOSED
        resume_edition(paused, by=make_user("approver"))
        assert drain(edition) is End.NOTHING_DUE
    assert states(edition)["planned"] == 0
    assert set(caught.times().values()) == {1}
    assert Event.objects.filter(type="edition.paused").count() == 1


def test_a_pause_by_hand_does_not_end_the_canary() -> None:
    edition = being_sent(Schedule(canary=6, wave_size=3, wave_hours=1), people=addresses(20))
    sender = make_user("approver")
    with sink() as caught:
        drain(edition)
        assert len(caught.caught) == 3
        pause_edition(edition, by=sender)
        resume_edition(edition, by=sender)
        later(edition, hours=1)
        drain(edition)
        assert len(caught.caught) == 6
        assert Edition.objects.get().state == Edition.State.PAUSED
        resume_edition(edition, by=sender)
        later(edition, hours=1)
        drain(edition)
    assert len(caught.caught) == 9


def test_a_worker_killed_among_the_first_few_leaves_no_canary_that_never_ends() -> None:
    edition = being_sent(Schedule(canary=6), people=addresses(20))
    token = take(edition).token
    assert states(edition) == {"claimed": 6, "planned": 14}
    assert sweeping.sweep().unattended == []
    with unguarded():
        Batch.objects.filter(pk=token).update(lease_until=F("lease_until") - timedelta(days=1))
    assert sweeping.sweep().unattended == [edition.pk]
    with sink() as caught:
        drain(edition)
    assert len(caught.caught) == 6
    assert Edition.objects.get().state == Edition.State.PAUSED


def test_the_sweeper_pauses_where_the_worker_could_not() -> None:
    edition = being_sent(Schedule(canary=6), people=addresses(20))
    with sink():
        drain(edition)
    with unguarded():
        Edition.objects.update(state="sending")
        Pace.objects.update(canary_at=None)
    sweeping.sweep()
    assert Edition.objects.get().state == Edition.State.PAUSED


def test_an_edition_that_is_not_larger_has_no_canary() -> None:
    edition = being_sent(Schedule(canary=25), people=addresses(25))
    with sink() as caught:
        assert drain(edition) is End.NOTHING_DUE
    assert len(caught.caught) == 25
    assert Edition.objects.get().state == Edition.State.FINISHED
    assert Delivery.objects.filter(state="handed_over").count() == 25
