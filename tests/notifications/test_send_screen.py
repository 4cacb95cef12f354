"""The send page: true numbers, readable without scripts, cheap to watch."""

from uuid import uuid4

import pytest
from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext
from django.urls import reverse

from notifications import delivery
from notifications.actions import pause_edition
from notifications.models import Delivery, Edition
from notifications.progress import Progress, progress_of
from notifications.reasons import reasons_of
from notifications.transport import Kind, Outcome, Phase
from tests.factories import make_edition_being_sent, make_user

pytestmark = pytest.mark.django_db


def hand_over(edition: Edition, *outcomes: Outcome) -> None:
    token, rows = delivery.claim(edition.pk, len(outcomes))
    delivery.share_hand_overs(edition.pk)
    delivery.begin_hand_over(token, {row.id: b"c" * 32 for row in rows})
    delivery.settle(token, [(row.id, row.tries, outcome) for row, outcome in zip(rows, outcomes, strict=True)])


def address(name: str, edition: Edition) -> str:
    return reverse(name, args=[edition.notice.incident.reference, edition.pk])


@pytest.fixture(scope="module")
def being_sent(made_once: None) -> Edition:
    edition = make_edition_being_sent()
    hand_over(
        edition,
        Outcome(Kind.HANDED_OVER, Phase.DOT, 250, "2.0.0"),
        Outcome(Kind.REFUSED, Phase.RCPT, 550, "5.1.1"),
        Outcome(Kind.UNKNOWN, Phase.DOT),
    )
    return edition


@pytest.fixture
def edition(being_sent: Edition, db: None) -> Edition:
    return Edition.objects.with_incident().get(pk=being_sent.pk)


def test_everybody_on_the_list_is_counted_once(edition: Edition) -> None:
    progress = progress_of(edition, fresh=True)
    assert (progress.total, progress.handed_over, progress.failed, progress.unknown, progress.queued) == (3, 1, 1, 1, 0)
    assert sum(part.number for part in progress.slices) == progress.total


def test_the_page_says_it_without_scripts(client: Client, edition: Edition) -> None:
    client.force_login(make_user("auditor"))
    page = client.get(address("send", edition)).content.decode()
    assert "Sending: 1 of 3 handed over" in page
    assert "1 person: not known whether it left." in page
    assert "The address does not exist or cannot take mail" in page
    assert "550 5.1.1" in page
    assert "Pause" not in page.split("<main")[1].split("</main")[0]


def test_refusals_are_grouped_and_those_who_got_it_are_not_among_them(edition: Edition) -> None:
    assert [(reason.answer, reason.people) for reason in reasons_of(edition)] == [("550 5.1.1", 1), ("", 1)]


def test_watching_costs_a_handful_of_queries(client: Client, edition: Edition) -> None:
    client.force_login(make_user("auditor"))
    client.get(address("send-numbers", edition))
    with CaptureQueriesContext(
        connection,
    ) as seen:
        client.get(address("send-numbers", edition))
    counted = [query["sql"] for query in seen if "notifications_delivery" in query["sql"]]
    assert counted == [], "whoever looks within a second and a half shares one count"
    assert len(seen) <= 8


def test_a_paused_send_offers_to_go_on(client: Client, edition: Edition) -> None:
    pause_edition(edition, by=make_user("dpo"))
    client.force_login(make_user("approver"))
    page = client.get(address("send-numbers", edition)).content.decode()
    assert "Paused: 1 of 3 handed over" in page
    assert "Go on sending" in page


def test_milestones_are_read_out_once(client: Client, edition: Edition) -> None:
    client.force_login(make_user("auditor"))
    first = client.get(address("send-numbers", edition), {"said": ""}).content.decode()
    assert "Sending. 100 per cent are done." in first
    assert (
        'id="milestone"' not in client.get(address("send-numbers", edition), {"said": "sending 100"}).content.decode()
    )


def test_time_left_is_told_from_the_measured_speed() -> None:
    progress = Progress({Delivery.State.PLANNED: 600, Delivery.State.HANDED_OVER: 400}, (100,))
    assert progress.seconds_left == 360
    assert progress.milestone == 25
    assert Progress({Delivery.State.PLANNED: 600}).seconds_left is None


def test_an_edition_of_another_incident_is_not_found(client: Client, edition: Edition) -> None:
    client.force_login(make_user("auditor"))
    assert client.get(reverse("send", args=["BD-2000-0001", edition.pk])).status_code == 404
    assert client.get(reverse("send", args=[edition.notice.incident.reference, uuid4()])).status_code == 404
