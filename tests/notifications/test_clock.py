"""A database clock that was ahead and came back: nobody waits until it is that time again, and there is no burst."""

from datetime import timedelta
from typing import Any

import pytest
from django.db import connection
from django.db.models import F
from django.test.utils import CaptureQueriesContext

from breachdesk.audit.models import Event
from notifications import clock, delivery, pace, sweeping
from notifications.ends import End
from notifications.models import Batch, Delivery, Edition, Pace
from notifications.progress import LONG
from notifications.schedule import Schedule
from tests.factories import make_edition_being_sent, unguarded
from tests.notifications.limited import addresses, being_sent, drain, later, sink, states
from tests.notifications.test_pace import take

HOUR = timedelta(hours=1)


def now() -> Any:
    """Of the database; in a test that is one transaction it stands still."""
    with connection.cursor() as cursor:
        cursor.execute("SELECT now()")
        return cursor.fetchone()[0]


def in_seconds(moment: Any) -> float:
    return float((moment - now()).total_seconds())


@pytest.mark.django_db(transaction=True)
def test_a_send_under_limits_goes_on_as_if_it_had_just_let_go_all_it_may() -> None:
    people = [*addresses(30, "one.example"), *addresses(30, "two.example")]
    edition = being_sent(Schedule(per_minute=1200, per_domain=600), people=people)
    with sink() as caught:
        drain(edition, seconds=1)
        before = len(caught.caught)
        assert 2 <= before < 60
        later(edition, hours=-1)  # what was written while the clock was an hour ahead
        assert take(edition).again_in > 3000
        assert drain(edition) is End.HELD_BACK
        sweeping.sweep()
        assert take(edition).rows == [], "what it may let go at once was let go"
        waits = [in_seconds(one.free_at) for one in Pace.objects.all()]
        assert max(waits) <= 1.1
        assert not Pace.objects.exclude(queued_until=None).exists()
        told = Event.objects.of_type("delivery.brought_forward").get().content["data"]
        assert (told["count"], told["why"]) == (60 - before, "clock_went_back")
        assert clock.mend() == 0, "and that is all"
        assert drain(edition) is End.NOTHING_DUE
    assert set(caught.times().values()) == {1}
    assert states(edition) == {"handed_over": 60}


@pytest.mark.django_db
def test_a_wave_and_a_limit_at_once_do_not_wait_for_the_wrong_hour_either() -> None:
    edition = being_sent(Schedule(wave_size=5, wave_hours=2), people=addresses(9))
    assert len(take(edition).rows) == 5
    with unguarded():
        Pace.objects.update(wave_at=F("wave_at") + 24 * HOUR)
    assert clock.mend() == 1
    assert 7000 < pace.goes_on_in(edition) <= 7200, "a whole wave's time from now, and no more"
    with unguarded():
        Pace.objects.update(free_at=F("free_at") + HOUR)
    assert clock.mend() == 1, "also where there is no rate"
    assert clock.mend() == 0


@pytest.mark.django_db
def test_without_limits_nobody_waits_longer_than_anybody_is_put_off() -> None:
    make_edition_being_sent()
    rows = list(Delivery.objects.order_by("pk").values_list("pk", flat=True))

    def waits(row: int, seconds: float, **changes: Any) -> None:
        with unguarded():
            Delivery.objects.filter(pk=rows[row]).update(next_at=now() + timedelta(seconds=seconds), **changes)

    def turn(row: int) -> float:
        return in_seconds(Delivery.objects.get(pk=rows[row]).next_at)

    for seconds, mended in [(3600, 0), (890, 890)]:  # given back; on hold, and looked at again in a quarter of an hour
        waits(0, seconds)
        clock.mend()
        assert turn(0) == mended
    for heard, wait, mended in [(3600, 300, 300), (3600, 14_400, 18_000), (-60, 14_400, 14_340), (20, 300, 320)]:
        waits(1, heard + wait, state="retry_wait", settled_at=now() + timedelta(seconds=heard))
        clock.mend()
        clock.mend()
        assert turn(1) == mended, f"heard in {heard} s, to be tried {wait} s later"
    assert Event.objects.of_type("delivery.brought_forward").count() == 2


@pytest.mark.django_db
def test_a_long_list_is_read_for_a_hundredth_of_the_time() -> None:
    edition = make_edition_being_sent()

    def reads() -> bool:
        with CaptureQueriesContext(connection) as asked:
            clock.mend()
        return any("UPDATE notifications_delivery" in one["sql"] for one in asked)

    assert [reads(), reads()] == [True, True]
    with unguarded():
        Edition.objects.filter(pk=edition.pk).update(recipients_count=LONG)
    clock._next_look.clear()
    assert reads()
    assert not all(reads() for _ in range(20)), "a machine that stands still for a moment may read again"


@pytest.mark.django_db
def test_a_lease_beyond_the_longest_is_cut_and_no_other() -> None:
    edition = make_edition_being_sent()
    token, rows = delivery.claim(edition.pk, 2)  # of a worker on another machine, that has no journal here
    delivery.share_hand_overs(edition.pk)
    lease, margin = delivery.terms().lease, delivery.terms().margin
    for ahead, left in [(lease, lease), (lease + margin / 2, lease + margin / 2), (24 * 3600, lease)]:
        with unguarded():
            Batch.objects.update(lease_until=now() + timedelta(seconds=ahead))
        assert sweeping.sweep().returned == 0
        assert in_seconds(Batch.objects.get().lease_until) == left
    assert len(delivery.begin_hand_over(token, {rows[0].id: b"c" * 32})) == 1, "who lives goes on"
    assert delivery.renew([token]) == {token}
    with unguarded():
        Batch.objects.update(lease_until=now() - timedelta(seconds=1))
    assert sweeping.sweep().returned == 1
    assert states(Edition.objects.get()) == {"planned": 2, "handing_over": 1}
