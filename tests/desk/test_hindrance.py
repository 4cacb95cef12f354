"""A send that does not go out is seen wherever somebody looks: on the desk, at its incident, on the status page."""

from collections.abc import Iterator

import pytest
from django.core.cache import cache
from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext
from django.urls import reverse

from breachdesk.incidents.models import Incident
from notifications import epochs
from notifications.actions import pause_edition, start_edition
from notifications.models import Edition
from notifications.routes import FIRST, SECOND, forget_trouble, note_trouble
from tests.factories import (
    make_approved_edition,
    make_edition,
    make_edition_being_sent,
    make_edition_in_review,
    make_incident,
    make_people,
    make_user,
)

pytestmark = pytest.mark.django_db
WHY = "It answered 452 4.3.1 and took no message."
NOTHING = "Nothing goes out by 127.0.0.1:1, since"


@pytest.fixture(autouse=True)
def _calm() -> Iterator[None]:
    yield
    cache.delete_many(["way-1", "way-2"])


def seen(client: Client, name: str, *words: object) -> str:
    response = client.get(reverse(name, args=words))
    assert response.status_code == 200
    return " ".join(response.content.decode().split())


def another_send(edition: Edition) -> Edition:
    incident = make_incident()
    make_people(incident)
    other = make_approved_edition(make_edition_in_review(make_edition(incident)))
    return start_edition(other, by=make_user("approver"))


def incident_of(edition: Edition) -> Incident:
    return edition.notice.incident


def test_it_is_said_on_the_desk_at_the_incident_and_as_the_state_of_a_part(signed_in) -> None:
    edition, client = make_edition_being_sent(), signed_in("approver", "administrator")
    places = [("home",), ("incident-detail", incident_of(edition).reference), ("status",)]
    assert not any(NOTHING in seen(client, *place) for place in places)
    note_trouble(FIRST, WHY)
    desk, case, status = (seen(client, *place) for place in places)
    for page in (desk, case, status):
        assert NOTHING in page
        assert WHY in page
    send = reverse("send", args=[incident_of(edition).reference, edition.pk])
    assert f'href="{send}"' in desk
    assert f'href="{send}"' in case
    assert "Nothing of it goes out." in desk
    assert "Stands still" in desk
    assert "Takes nothing" in status
    forget_trouble(FIRST)
    assert not any(NOTHING in seen(client, *place) for place in places)


def test_only_a_send_that_goes_by_that_way_is_said_to_stand_still(signed_in) -> None:
    edition, client = make_edition_being_sent(), signed_in("approver")
    note_trouble(SECOND, WHY)
    assert WHY not in seen(client, "home")
    note_trouble(FIRST, WHY)
    pause_edition(edition, by=make_user("approver"))
    desk, page = seen(client, "home"), seen(client, "send", incident_of(edition).reference, edition.pk)
    assert WHY not in desk, "somebody stopped it: that is why nothing goes out"
    assert WHY in page, "whoever lets it go on must know"
    assert "it is tried again every few seconds" not in page


def test_whoever_looks_after_the_machine_sees_the_way_and_no_case(signed_in) -> None:
    edition = make_edition_being_sent()
    note_trouble(FIRST, WHY)
    status = seen(signed_in("administrator"), "status")
    assert WHY in status
    assert incident_of(edition).reference not in status


def test_a_provider_is_not_asked_for_a_greeting_and_its_trouble_is_shown(signed_in, settings) -> None:
    postmark = {"transport": "anymail.backends.postmark.EmailBackend"}
    settings.BREACHDESK = settings.BREACHDESK.model_copy(update=postmark)
    client = signed_in("administrator")
    page = seen(client, "status")
    assert "Mail provider" in page
    assert "does not answer" not in page
    note_trouble(FIRST, "It answered 401: our key or password is not accepted.")
    assert "Nothing goes out by Postmark, since" in seen(client, "status")


def test_one_more_send_that_stands_still_costs_no_query(signed_in) -> None:
    edition, client = make_edition_being_sent(), signed_in("approver")
    note_trouble(FIRST, WHY)
    seen(client, "home")
    with CaptureQueriesContext(connection) as one:
        seen(client, "home")
    another_send(edition)
    seen(client, "home")
    with CaptureQueriesContext(connection) as two:
        assert seen(client, "home").count(WHY) == 2
    assert len(two) <= len(one)


def test_a_send_that_is_held_back_does_not_say_that_it_is_sending(signed_in) -> None:
    edition, client = make_edition_being_sent(), signed_in("approver")
    epochs.hold_after_restore()
    page = seen(client, "send", incident_of(edition).reference, edition.pk)
    assert "<h1>Nothing is sent: 0 of" in page
    assert "wait until a colleague has compared with the relay’s log" in page
    assert "The first numbers come in a moment" not in page
    desk = seen(client, "home")
    assert "Held back" in desk
    assert "Nothing of it goes out." in desk
