"""One domain's trouble is its own: how many of its messages are out at once, and who waits behind one of them."""

from collections import Counter
from threading import Thread

import pytest
from django.db import connection

from breachdesk.people.models import Person
from notifications.ends import End
from notifications.models import Delivery, Edition, Pace
from notifications.schedule import Schedule
from tests.factories import unguarded
from tests.notifications.limited import addresses, being_sent, drain, sink, states
from tests.notifications.sink import Fault
from tests.services import until

pytestmark = pytest.mark.django_db(transaction=True)


def both(edition: Edition) -> None:
    """Two workers at the same time."""

    def work() -> None:
        drain(edition)
        connection.close()

    workers = [Thread(target=work) for _ in range(2)]
    for worker in workers:
        worker.start()
    for worker in workers:
        worker.join(60)


def test_no_more_of_one_domain_are_out_at_once_over_all_workers() -> None:
    people = [*addresses(8, "slow.example"), *(f"person{n}@quick{n % 20}.example" for n in range(40))]
    edition = being_sent(Schedule(at_once=2), people=people)
    with sink() as caught:
        caught.slow = ("slow.example", 0.4)
        both(edition)
        while drain(edition) is not End.CLOSED:
            pass
    assert 1 <= caught.most_at_once["slow.example"] <= 2
    assert set(caught.times().values()) == {1}
    assert states(edition) == {"handed_over": 48}
    quick = max(one.at for one in caught.caught if "@quick" in one.to)
    slow = sorted(one.at for one in caught.caught if one.to.endswith("@slow.example"))
    assert quick < slow[-1], "nobody waits for a slow domain"
    assert all(len(pace.in_hand) <= 2 for pace in Pace.objects.exclude(domain=b""))


def test_behind_a_message_that_gets_no_answer_nobody_waits() -> None:
    """One connection, and the first message on it hangs: the others of its windows go by another worker meanwhile."""
    edition = being_sent(Schedule(), people=addresses(8))
    hung = Fault("dot", "take_and_silence", times=1)
    with sink(hung, smtp_connections=1, smtp_timeout=8) as caught:
        worker = Thread(target=lambda: (drain(edition), connection.close()))
        worker.start()
        until(lambda: states(edition)["handing_over"] == 1 and states(edition)["retry_wait"] == 7)
        assert drain(edition) is End.NOTHING_DUE
        assert states(edition) == {"handing_over": 1, "handed_over": 7}
        worker.join(60)
    assert states(edition) == {"unknown": 1, "handed_over": 7}
    assert set(caught.times().values()) == {1}
    assert not Delivery.objects.exclude(tries=1).exists(), "who was not sent was not tried"


def test_a_domain_that_puts_everybody_off_slows_nobody() -> None:
    people = [*addresses(20, "later.example"), *addresses(20, "quick.example")]
    edition = being_sent(Schedule(), people=people)
    with sink() as caught:
        caught.faults += [Fault("rcpt", "451 4.7.1 later", who=to) for to in people[:20]]
        assert drain(edition) is End.NOTHING_DUE
        assert caught.connections == 4, "no connection was lost by it"
    assert states(edition) == {"retry_wait": 20, "handed_over": 20}
    assert Counter(one.to.partition("@")[2] for one in caught.caught) == {"quick.example": 20}


def test_a_row_that_was_tampered_with_is_stopped_and_holds_nobody_up() -> None:
    edition = being_sent(Schedule(at_once=2), people=addresses(4))
    with unguarded():
        Person.objects.filter(pk=Delivery.objects.order_by("next_at", "pk")[0].person_id).update(row_checksum=b"x" * 32)
    with sink() as caught:
        while drain(edition) not in (End.CLOSED, End.NOTHING_DUE):
            pass
    assert states(edition) == {"handed_over": 3, "blocked": 1}
    assert set(caught.times().values()) == {1}
