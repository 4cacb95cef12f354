"""Stopping a send: the answer tells how many were on the wire; nobody gets it twice after going on."""

import pytest
from django.db import connection
from django.test import Client
from django.urls import reverse

from breachdesk.audit.models import Event
from notifications import delivery, invariants, sweeping
from notifications.actions import add_edition, cancel_edition, pause_edition, resume_edition
from notifications.batches import close_batch
from notifications.models import Delivery, Edition
from notifications.transport import Kind, Outcome, Phase
from tests.factories import make_approved_edition, make_edition_being_sent, make_user
from tests.notifications.test_delivery_states import ACCEPTED

pytestmark = pytest.mark.django_db


def put_one_on_the_wire(edition: Edition) -> None:
    token, rows = delivery.claim(edition.pk, 1)
    delivery.share_hand_overs(edition.pk)
    assert len(delivery.begin_hand_over(token, {rows[0].id: b"c" * 32})) == 1


def test_a_pause_tells_how_many_were_on_the_wire() -> None:
    edition = make_edition_being_sent()
    put_one_on_the_wire(edition)
    assert pause_edition(edition, by=make_user("dpo"), reason="The hotline is down.") == 1
    event = Event.objects.newest_first()[0]
    assert (event.type, event.content["data"]["in_air"]) == ("edition.paused", 1)
    assert b"hotline" not in event.body


def test_nothing_can_be_claimed_or_begun_while_it_is_paused() -> None:
    edition = make_edition_being_sent()
    token, rows = delivery.claim(edition.pk, 1)
    pause_edition(edition, by=make_user("dpo"))
    assert delivery.begin_hand_over(token, {rows[0].id: b"c" * 32}) == set()
    assert delivery.claim(edition.pk, 10)[1] == []


def test_going_on_opens_a_new_epoch() -> None:
    edition = make_edition_being_sent()
    pause_edition(edition, by=make_user("dpo"))
    resumed = resume_edition(edition, by=make_user("approver"))
    assert (resumed.state, resumed.epoch) == (Edition.State.SENDING, 2)


def test_aborting_cancels_everybody_who_waits() -> None:
    edition = make_edition_being_sent()
    put_one_on_the_wire(edition)
    assert cancel_edition(edition, by=make_user("dpo"), reason="Wrong list.") == 1
    assert Edition.objects.get().state == Edition.State.CANCELLED
    states = sorted(Delivery.objects.values_list("state", flat=True))
    assert states == [Delivery.State.CANCELLED, Delivery.State.CANCELLED, Delivery.State.HANDING_OVER]


def test_who_comes_back_after_it_was_aborted_is_not_told_any_more() -> None:
    """On the wire when somebody pressed the button, and refused for now, or never sent: the sweeper cancels them."""
    edition = make_edition_being_sent()
    token, rows = delivery.claim(edition.pk, 3)
    delivery.share_hand_overs(edition.pk)
    delivery.begin_hand_over(token, {row.id: b"c" * 32 for row in rows})
    cancel_edition(edition, by=make_user("dpo"))
    outcomes = [Outcome(Kind.RETRY_WAIT, Phase.DOT, 451), Outcome(Kind.NOT_SENT, Phase.MAIL), ACCEPTED]
    delivery.settle(token, [(row.id, 0, outcome) for row, outcome in zip(rows, outcomes, strict=True)])
    close_batch(token)
    sweeping.sweep()
    assert [Delivery.objects.get(pk=row.id).state for row in rows] == ["cancelled", "cancelled", "handed_over"]
    assert Event.objects.of_type("delivery.cancelled").get().content["data"]["count"] == 2
    with connection.cursor() as cursor:
        cursor.execute("SET CONSTRAINTS ALL IMMEDIATE")  # the event names what was changed
    sweeping.sweep()
    assert Event.objects.of_type("delivery.cancelled").count() == 1
    assert invariants.check(at_rest=True).findings == []


def test_an_edition_that_never_began_frees_its_people() -> None:
    edition = make_approved_edition()
    cancel_edition(edition, by=make_user("dpo"))
    assert Delivery.objects.count() == 0
    assert add_edition(edition.notice, language="en", by=make_user("author")).revision == 2


def test_aborting_needs_the_reference_typed(client: Client) -> None:
    edition = make_edition_being_sent()
    client.force_login(make_user("dpo"))
    address = reverse("edition-cancel", args=[edition.notice.incident.reference, edition.pk])
    assert client.post(address, {"version": edition.version, "confirm": "yes"}).status_code == 422
    assert Edition.objects.get().state == Edition.State.SENDING
    answer = client.post(address, {"version": edition.version, "confirm": edition.notice.incident.reference})
    assert answer.status_code == 302
    assert Edition.objects.get().state == Edition.State.CANCELLED
