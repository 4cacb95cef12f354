"""A way out in trouble is left in peace, and comes back with less."""

from threading import Thread

import pytest
from django.db import connection

from notifications.easing import LONGEST_REST, Easing
from notifications.invariants.paced import EVER, Arrival, most_beyond
from notifications.models import Delivery
from notifications.schedule import Schedule
from tests.notifications.limited import addresses, being_sent, drain, sink, states
from tests.notifications.sink import Fault


def test_trouble_halves_the_connections_and_rests_longer_each_time() -> None:
    way = Easing()
    assert (way.allowed(8, 0), way.rests_for(0)) == (8, 0)
    for now in (10.0, 10.2, 10.9):
        way.trouble(now)
    assert (way.rests_for(10.0), way.allowed(8, 10.9)) == (1.0, 4), "connections that end together are one trouble"
    rests = []
    now = 11.0
    for _ in range(5):
        way.trouble(now)
        rests.append(way.rests_for(now))
        now = way.until
    assert rests == [2, 4, 8, LONGEST_REST, LONGEST_REST]
    assert way.allowed(8, now) == 1, "one always tries"
    assert way.allowed(8, now + 20) == 4, "back step by step"
    assert way.allowed(8, now + 60) == 8
    way.trouble(now + 100)
    assert way.rests_for(now + 100) == 1.0, "after a calm time the first rest is short again"


def test_one_person_s_message_that_breaks_connections_is_no_trouble_of_the_way() -> None:
    way = Easing()
    for now in range(20):
        way.ended(now, taken=now % 3, is_told=False)
        way.fruitless = 0 if now % 3 else way.fruitless  # something was taken
    assert way.rests_for(20) == 0
    for now in (30, 31):
        way.ended(now, taken=0, is_told=False)
    assert way.rests_for(31) == 0
    way.ended(32, taken=0, is_told=False)
    assert way.rests_for(32) == 1, "the third in a row"
    way.trouble(33)
    way.ended(40, taken=5, is_told=False)
    way.ended(41, taken=0, is_told=True)
    assert way.rests_for(41) == 1, "it worked meanwhile"


@pytest.mark.django_db(transaction=True)
def test_a_relay_that_wants_no_more_is_not_hammered_and_nobody_s_try_is_used_up() -> None:
    edition = being_sent(Schedule(), people=addresses(40))
    with sink(Fault("mail", "421 4.7.0 too many connections")) as caught:
        drain(edition, seconds=2.5)
        assert 4 <= caught.connections <= 8, "four at once, then half as many after a second, and one after two"
        assert not caught.caught
    assert set(states(edition)) <= {"planned", "retry_wait"}
    assert not Delivery.objects.exclude(tries=0).exists()


@pytest.mark.django_db(transaction=True)
def test_what_two_workers_send_keeps_the_limit_as_the_mail_server_sees_it() -> None:
    edition = being_sent(Schedule(per_minute=1200), people=addresses(70))
    with sink() as caught:
        workers = [Thread(target=lambda: (drain(edition), connection.close())) for _ in range(2)]
        for worker in workers:
            worker.start()
        for worker in workers:
            worker.join(60)
    at = sorted(one.at for one in caught.caught)
    assert len(at) == 70
    assert at[-1] - at[0] >= 2.5, "half a second's at once, the others 20 a second"
    assert most_beyond([Arrival(moment) for moment in at], [(EVER, 1200)])[0] <= 0, "one second's messages in all"
