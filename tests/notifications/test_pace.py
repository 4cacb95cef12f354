"""How many may go, and when: one pace for all workers, kept by the database and by its clock."""

import threading
from collections import Counter
from datetime import UTC, datetime, timedelta

import pytest
from django.core.cache import cache
from django.db import connection
from django.db.models import F

from breachdesk.audit.models import Event
from notifications import pace, sweeping
from notifications.ends import End
from notifications.management.commands.run_sweeper import Command
from notifications.models import Batch, Delivery, Edition, Pace
from notifications.schedule import Schedule, in_force
from notifications.turns import IN_TIME, Limits, rate_allows
from tests.factories import unguarded
from tests.notifications.limited import addresses, being_sent, drain, later, sink, states
from tests.notifications.sink import Fault

pytestmark = pytest.mark.django_db(transaction=True)
NOW = datetime(2026, 11, 24, 7, 0, tzinfo=UTC)


def take(edition: Edition, most: int = 500) -> pace.Taken:
    schedule = in_force(edition.schedule, edition.rate)
    limits = Limits(edition.pk, edition.recipients_count or 0, schedule, "Europe/London", lambda row: b"")
    return pace.take(limits, edition.pk, most, None)


@pytest.mark.parametrize("per_minute", [1, 7, 60, 90, 600, 50_000])
def test_over_any_minute_at_most_the_limit_and_one_second_go(per_minute: int) -> None:
    """Somebody who asks all the time, and now and then not at all."""
    at, free_at, gone = NOW, NOW, list[tuple[datetime, int]]()
    while at < NOW + timedelta(minutes=6):
        most, wait = rate_allows(per_minute, free_at, at)
        assert (most > 0) == (wait == 0)
        if most:
            gone.append((at, most))
            free_at = max(free_at, at) + timedelta(seconds=60 / per_minute * most)
        pause = timedelta(seconds=40) if most and len(gone) % 100 == 99 else timedelta(seconds=max(wait, 0.1))
        at += pause
    for begin, _ in gone:
        within = sum(number for moment, number in gone if begin <= moment < begin + timedelta(seconds=60 + IN_TIME))
        assert within <= per_minute + max(1, per_minute // 60), "also if all of it leaves as late as it may"
    assert sum(number for _, number in gone) > per_minute * 2, "and it is used"


def test_claims_share_one_pace_whoever_asks_and_however_often() -> None:
    edition = being_sent(Schedule(per_minute=600))
    first = take(edition)
    assert len(first.rows) == 5, "half a second's messages"
    with unguarded():
        Pace.objects.update(free_at=F("free_at") + timedelta(seconds=5))  # for a machine that stands still meanwhile
    again = take(edition)
    assert again.rows == []
    assert 0 < (again.again_in or 0) <= 5.5, "not for each, but for a quarter of a second's together"
    later(edition, seconds=60)
    assert len(take(edition).rows) == 5, "what was not used in a minute is not added up"
    assert Pace.objects.get().taken == 10


def test_a_restart_finds_the_pace_as_it_was() -> None:
    """Nothing of it is in a process or in Redis: another connection waits as long, also with an empty cache."""
    edition = being_sent(Schedule(per_minute=1))
    assert len(take(edition).rows) == 1
    connection.close()
    cache.clear()
    held_up = take(edition)
    assert held_up.rows == []
    assert 30 < (held_up.again_in or 0) <= 60
    assert pace.goes_on_in(edition) > 30
    later(edition, seconds=60)
    assert pace.goes_on_in(edition) == 0
    assert len(take(edition).rows) == 1


def test_two_workers_share_one_pace_and_nobody_gets_it_twice() -> None:
    edition = being_sent(Schedule(per_minute=1200))
    with sink() as caught:
        ends: list[End] = []

        def work() -> None:
            ends.append(drain(edition))
            connection.close()

        workers = [threading.Thread(target=work) for _ in range(2)]
        for worker in workers:
            worker.start()
        for worker in workers:
            worker.join(60)
    assert set(caught.times().values()) == {1}
    assert states(edition) == {"handed_over": 60}
    began = Delivery.objects.order_by("handing_over_at").values_list("handing_over_at", flat=True)
    assert (began[59] - began[0]).total_seconds() >= 1, "60 at 20 a second, not 20 for each"
    assert Edition.objects.get().state == Edition.State.FINISHED
    events = Event.objects.filter(type="delivery.batch_settled")
    assert events.count() == Batch.objects.count() <= 4, "not an event for each second"


def test_a_killed_worker_s_people_are_not_counted_and_go_later() -> None:
    edition = being_sent(Schedule(per_minute=600))
    token = take(edition).token
    assert states(edition) == {"claimed": 5, "planned": 55}
    with unguarded():
        Batch.objects.filter(pk=token).update(lease_until=F("lease_until") - timedelta(days=1))
    swept = sweeping.sweep()
    assert swept.returned == 5
    assert Pace.objects.get().taken == 0
    later(edition, seconds=2)
    assert len(take(edition).rows) == 5


def test_a_long_wait_ends_the_drain_and_the_sweeper_rings_when_it_is_over() -> None:
    edition = being_sent(Schedule(per_minute=2))
    with sink() as caught:
        assert drain(edition) is End.HELD_BACK
        assert len(caught.caught) == 1
        assert sweeping.sweep().unattended == [], "nothing could be sent now"
        later(edition, seconds=31)
        assert sweeping.sweep().unattended == [edition.pk]
        assert drain(edition) is End.HELD_BACK
        assert len(caught.caught) == 2
    assert states(edition) == {"handed_over": 2, "planned": 58}


def test_the_sweeper_wakes_for_a_turn_that_comes_before_its_next_look() -> None:
    """Three a minute: a worker does not wait for 20 seconds, and the sweeper not for its usual 15."""
    edition = being_sent(Schedule(per_minute=3))
    with sink():
        assert drain(edition) is End.HELD_BACK
    assert sweeping.sweep().next_in == sweeping.LOOK_EVERY, "first it looks as usual"
    later(edition, seconds=17)
    woken = Command()._pass()
    assert 0 < woken <= 3
    later(edition, seconds=woken)
    assert sweeping.sweep().unattended == [edition.pk]


def test_one_domain_s_limit_holds_no_other_domain_up() -> None:
    people = [*addresses(30, "crowded.example"), *addresses(10, "quiet.example")]
    edition = being_sent(Schedule(per_domain=60), people=people)
    with sink() as caught:
        assert drain(edition, seconds=2) is End.TIME, "the next turn is near"
    by_domain = Counter(one.to.partition("@")[2] for one in caught.caught)
    assert by_domain["quiet.example"] >= 1
    assert by_domain["crowded.example"] <= 4, "one at once, and one a second"
    turns = list(Delivery.objects.filter(next_at__isnull=False).values_list("next_at", flat=True))
    assert (max(turns) - min(turns)).total_seconds() > 20, "one after the other"
    domains = Pace.objects.exclude(domain=b"")
    assert domains.count() == 2
    assert all(len(bytes(one.domain)) == 16 and b"example" not in bytes(one.domain) for one in domains)
    assert set(caught.times().values()) == {1}


def test_who_was_put_back_by_a_domain_s_limit_goes_in_the_end() -> None:
    edition = being_sent(Schedule(per_domain=600), people=addresses(25))
    with sink() as caught:
        assert drain(edition) is End.NOTHING_DUE
    assert set(caught.times().values()) == {1}
    assert states(edition) == {"handed_over": 25}


def test_without_limits_no_pace_is_kept() -> None:
    edition = being_sent(Schedule(), people=addresses(5))
    with sink():
        assert drain(edition) is End.NOTHING_DUE
    assert not Pace.objects.exists()


def test_a_put_off_person_is_tried_again_under_the_same_pace() -> None:
    edition = being_sent(Schedule(per_minute=6000), people=addresses(12))
    with sink(Fault("rcpt", "451 4.7.1 later", who="person0003", times=1)) as caught:
        drain(edition)
        assert states(edition) == {"handed_over": 11, "retry_wait": 1}
        later(edition, minutes=2)
        assert drain(edition) is End.NOTHING_DUE
    assert len(caught.caught) == 12
