"""A way out that takes nothing: people see it and what they can do, and thousands are not pushed into it meanwhile."""

from collections.abc import Iterator

import pytest
from django.core.cache import cache
from django.db.models import Sum
from django.test import Client
from django.urls import reverse

from notifications import easing, progress, providers, routes
from notifications.easing import Easing
from notifications.ends import End
from notifications.models import Delivery, Edition
from notifications.schedule import Schedule
from notifications.transport import Kind, Outcome, Phase
from tests.factories import make_user
from tests.notifications.limited import being_sent, drain, later, sink, states
from tests.notifications.sink import Fault
from tests.notifications.test_every_provider import PROVIDERS
from tests.notifications.test_provider_wire import Server, server  # noqa: F401
from tests.services import until

SECOND = {"second_transport": "smtp", "second_smtp_host": "second.example"}
POSTMARK = {"transport": "anymail.backends.postmark.EmailBackend"}


@pytest.fixture(autouse=True)
def _calm() -> Iterator[None]:
    easing._of_ways.clear()
    yield
    easing._of_ways.clear()
    cache.delete_many(["way-1", "way-2"])


def people(number: int, hosts: int = 5) -> list[str]:
    return [f"person{n:04}@h{n % hosts}.example.com" for n in range(number)]


def page_of(edition: Edition) -> str:
    client = Client()
    client.force_login(make_user("approver"))
    return client.get(reverse("send", args=[edition.notice.incident.reference, edition.pk])).content.decode()


@pytest.mark.django_db(transaction=True)
def test_a_provider_that_refuses_us_rests_and_costs_nobody_their_tries(
    server: Server,  # noqa: F811
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    edition = being_sent(Schedule(), people=people(120))
    with sink(**POSTMARK, **SECOND):
        server.answer = 401, {"ErrorCode": 10, "Message": "No such key."}, ""
        drain(edition, seconds=2.5)
        assert 3 <= len(server.taken) <= 14, "the first of each connection, and a few that try"
        assert set(states(edition)) <= {"planned", "retry_wait"}
        tries = Delivery.objects.aggregate(n=Sum("tries"))["n"]
        assert tries <= 6, "alone a refusal could be about the message; several are about us"
        page = page_of(edition)
        assert "Nothing goes out by Postmark, since" in page
        assert "It answered 401: our key or password is not accepted." in page
        assert "Let the others take the other way" in page
        easing._of_ways.clear()
        server.answer = 200, PROVIDERS["postmark"].good, ""
        monkeypatch.setattr(providers, "accepted", lambda outgoing, to: Outcome(Kind.HANDED_OVER, Phase.DOT, 250))
        later(edition, minutes=6)
        until(lambda: drain(edition) in (End.NOTHING_DUE, End.CLOSED) and states(edition) == {"handed_over": 120})
    assert states(edition) == {"handed_over": 120}
    assert routes.trouble_of(routes.FIRST) is None


@pytest.mark.django_db(transaction=True)
def test_a_relay_that_takes_nothing_is_told_and_one_host_that_takes_nothing_is_not() -> None:
    edition = being_sent(Schedule(), people=people(40, hosts=40))
    with sink(Fault("rcpt", "452 4.3.1 out of room"), **SECOND):
        while routes.trouble_of(routes.FIRST) is None:
            drain(edition, seconds=1)
        page = page_of(edition)
    assert "It answered 452 4.3.1 and took no message." in page
    assert "Let the others take the other way" in page
    later(edition, minutes=6)
    cache.delete("way-1")  # else what was told is told anew after five seconds
    with sink(Fault("dot", "take_and_drop"), smtp_connections=1, **SECOND):
        while (doubts := states(edition)["unknown"]) < 3:
            drain(edition, seconds=1)
        cache.delete(f"send-{edition.pk}", version=progress.FORM)  # what was counted for the page before
        progress._remembered.clear()
        page = page_of(edition)
    assert "It reads messages and does not say whether it takes them: each of those is in doubt." in page
    assert f"The {doubts} people in doubt are not sent by the other way." in page
    way, of_one_host = Easing(), Outcome(Kind.RETRY_WAIT, Phase.RCPT, 452)
    assert not any(way.takes_nothing(of_one_host) for _ in range(100))
