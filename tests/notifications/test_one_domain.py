"""One domain's trouble is its own: how many of its messages are out at once, and who waits behind one of them."""

import time
from collections import Counter
from threading import Event, Thread

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


def at_work(edition: Edition) -> tuple[Thread, Event]:
    """A worker beside the test, and by what it is asked to stop."""
    stop = Event()
    worker = Thread(target=lambda: (drain(edition, seconds=90, should_stop=stop.is_set), connection.close()))
    worker.start()
    return worker, stop


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
    """One connection, and the first message on it hangs: the others of its windows go by another one meanwhile."""
    edition = being_sent(Schedule(), people=[f"person{n}@host{n}.example" for n in range(8)])
    hung = Fault("dot", "take_and_silence", times=1)
    with sink(hung, smtp_connections=1, smtp_timeout=40) as caught:
        worker, stop = at_work(edition)
        until(lambda: states(edition) == {"handing_over": 1, "handed_over": 7})
        assert caught.connections == 2
        stop.set()
    worker.join(60)
    assert states(edition) == {"unknown": 1, "handed_over": 7}
    assert set(caught.times().values()) == {1}
    assert not Delivery.objects.exclude(tries=1).exists(), "who was not sent was not tried"


@pytest.mark.parametrize(
    ("hangs_at", "limits"),
    [("dot", Schedule()), ("rcpt", Schedule()), ("dot", Schedule(per_minute=3000)), ("dot", Schedule(per_domain=3000))],
)
def test_a_domain_that_answers_nothing_holds_nobody_else_up(hangs_at: str, limits: Schedule) -> None:
    """Half of all people are there, and the first message to it hangs for as long as an answer is waited for."""
    people = [f"{name}{n:04}@{name}.example" for n in range(40) for name in ("hung", "quick")]
    edition = being_sent(limits, people=people)
    act = "take_and_silence" if hangs_at == "dot" else "silence"
    with sink(Fault(hangs_at, act, who="hung"), smtp_timeout=40) as caught:
        worker, stop = at_work(edition)
        until(lambda: states(edition)["handed_over"] == 40)
        held = states(edition)["handing_over"]
        assert 1 <= held <= 4 + 1, "the first ones, and one more that was tried"
        assert Counter(one.to.partition("@")[2] for one in caught.caught)["quick.example"] == 40
        assert not Delivery.objects.filter(state__in=["unknown", "refused"]).exists(), "no wait was over yet"
        stop.set()
    worker.join(60)  # the mail server is gone, so each wait ends
    assert not worker.is_alive()
    assert sum(states(edition).values()) == 80
    assert states(edition)["handed_over"] == 40
    assert set(caught.times().values()) == {1}


def test_a_domain_that_answers_slowly_has_a_few_connections_and_the_others_theirs() -> None:
    people = [f"person{n:04}@{'slow' if n % 4 == 2 else 'quick'}.example" for n in range(32)]
    edition = being_sent(Schedule(), people=people)
    with sink() as caught:
        caught.slow = ("slow.example", 3)
        while drain(edition, seconds=60) is not End.CLOSED:
            time.sleep(0.2)
    assert states(edition) == {"handed_over": 32}
    assert set(caught.times().values()) == {1}
    order = [one.to.partition("@")[2] for one in sorted(caught.caught, key=lambda one: one.at)]
    before = order[: len(order) - order[::-1].index("quick.example")].count("slow.example")
    assert before <= 5, "those that held the four connections first, and one more; not all eight"
    assert caught.most_at_once["slow.example"] <= 4, "once nobody else waits it has all connections, and no more"


def test_a_mail_server_that_stands_still_is_not_given_twice_the_connections() -> None:
    people = [f"person{n}@host{n}.example" for n in range(40)]
    edition = being_sent(Schedule(), people=people)
    with sink(Fault("dot", "take_and_silence"), smtp_timeout=40) as caught:
        worker, stop = at_work(edition)
        until(lambda: caught.connections == 5)
        with pytest.raises(AssertionError):
            until(lambda: caught.connections > 5, seconds=2)
        stop.set()
    worker.join(60)
    assert set(caught.times().values()) == {1}
    assert states(edition)["unknown"] == len(caught.caught) == 5


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
