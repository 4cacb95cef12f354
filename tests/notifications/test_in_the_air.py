"""What a page answers when somebody stops a send, changes its pace or its way: how many were on their way already."""

import re
from collections.abc import Callable
from threading import Thread

import pytest
from django.db import connection, transaction
from django.test import Client
from django.urls import reverse
from pytest_django import Settings

from notifications import delivery
from notifications.actions import cancel_edition, pause_edition
from notifications.models import Edition
from notifications.schedule import Schedule
from tests.factories import make_edition_being_sent, make_user
from tests.notifications.limited import addresses, being_sent, drain, sink, states
from tests.notifications.test_two_processes import CONNECTIONS, WINDOW, two_at
from tests.services import until


def put_two_on_the_wire(edition: Edition) -> None:
    token, rows = delivery.claim(edition.pk, 2)
    delivery.share_hand_overs(edition.pk)
    assert len(delivery.begin_hand_over(token, {row.id: b"c" * 32 for row in rows})) == 2


PAGES = {
    "edition-pause": "Paused. 2 messages were already on the wire; none follows them.",
    "edition-cancel": "Cancelled. 2 messages were already on the wire; none follows them.",
    "edition-rate": "From now on: 30 a minute. 2 messages were on the wire at the change.",
    "edition-route": "2 messages were on the wire by the other way.",
}


@pytest.mark.django_db
@pytest.mark.parametrize("page", PAGES)
def test_the_page_answers_with_their_number(client: Client, settings: Settings, page: str) -> None:
    edition = make_edition_being_sent()
    put_two_on_the_wire(edition)
    client.force_login(make_user("approver", "dpo"))
    reference = edition.notice.incident.reference
    said = {"version": edition.version, "reason": "So.", "confirm": reference, "per_minute": "30"}
    second = {"second_transport": "smtp", "second_smtp_host": "b.example.com"}
    settings.BREACHDESK = settings.BREACHDESK.model_copy(update=second)
    answer = client.post(reverse(page, args=[reference, edition.pk]), said, follow=True)
    assert PAGES[page] in " ".join(re.sub(r"<[^>]+>", " ", answer.content.decode()).split())


@pytest.mark.django_db(transaction=True)
def test_after_the_answer_to_a_cancellation_no_more_arrive_than_it_said_and_nobody_ever_again() -> None:
    edition = being_sent(Schedule(), people=addresses(160))
    with sink(smtp_connections=CONNECTIONS, send_window=WINDOW) as caught:
        caught.delay = 0.1
        with two_at(edition) as ended:
            until(lambda: len(caught.caught) >= 12)
            in_air = cancel_edition(Edition.objects.get(), by=make_user("dpo"))
            on_the_wire = len(caught.caught)
            ended()
        assert in_air <= 2 * CONNECTIONS * WINDOW, "a window for each connection of each worker"
        assert len(caught.caught) - on_the_wire <= in_air
        told = len(caught.caught)
        drain(edition)
    assert len(caught.caught) == told < 160
    assert set(caught.times().values()) == {1}
    assert states(edition) == {"handed_over": told, "cancelled": 160 - told}


def somebody_waits() -> bool:
    with connection.cursor() as cursor:
        cursor.execute("SELECT EXISTS (SELECT FROM pg_locks WHERE locktype = 'advisory' AND NOT granted)")
        return bool(cursor.fetchone()[0])


@pytest.mark.django_db(transaction=True)
@pytest.mark.parametrize("stop", [pause_edition, cancel_edition])
def test_who_stops_it_waits_for_a_hand_over_that_is_being_committed_and_counts_it(stop: Callable[..., int]) -> None:
    edition, who, answered = make_edition_being_sent(), make_user("dpo"), list[int]()

    def press() -> None:
        answered.append(stop(Edition.objects.get(pk=edition.pk), by=who))
        connection.close()

    token, rows = delivery.claim(edition.pk, 1)
    pressing = Thread(target=press)
    with transaction.atomic():
        delivery.share_hand_overs(edition.pk)
        assert len(delivery.begin_hand_over(token, {rows[0].id: b"c" * 32})) == 1
        pressing.start()
        until(lambda: somebody_waits() or bool(answered))
        assert answered == []
    pressing.join(30)
    assert answered == [1]
