"""A send into the night: who sleeps is put off to the morning of their own place, and nobody is forgotten."""

from datetime import UTC, datetime, time, timedelta
from typing import Any
from uuid import UUID

import pytest
from django.db import IntegrityError, connection, transaction
from django.test import Client
from django.urls import reverse

from breachdesk.people.models import Person
from notifications import pace, sweeping
from notifications.editions import the_organisation
from notifications.ends import End
from notifications.freezing import digest_of
from notifications.models import Delivery, Edition
from notifications.schedule import Schedule
from notifications.zones import quiet_until, zones_of
from tests.factories import make_user, unguarded
from tests.notifications.limited import addresses, being_sent, drain, later, sink, states

pytestmark = pytest.mark.django_db(transaction=True)


def night_in(zone_offset: int = 0) -> tuple[time, time]:
    """Quiet hours that are on now where clocks show UTC and the offset, from an hour ago for eleven hours."""
    begin = (datetime.now(UTC) + timedelta(hours=zone_offset - 1)).replace(minute=0)
    return begin.time().replace(second=0, microsecond=0), (begin + timedelta(hours=11)).time().replace(
        second=0, microsecond=0
    )


def with_neighbours(edition: Edition, country: str, every: int = 2) -> None:
    """Every second person lives elsewhere."""
    ids = list(Person.objects.order_by("pk").values_list("pk", flat=True))[::every]
    with unguarded():
        Person.objects.filter(pk__in=ids).update(country=country)
        with connection.cursor() as cursor:
            cursor.execute(
                "UPDATE notifications_delivery AS d SET frozen = notifications_frozen_row(p) FROM people_person AS p "
                "WHERE p.id = d.person_id"
            )


def test_who_sleeps_is_put_off_to_their_morning_and_goes_then(client: Client) -> None:
    # Iceland keeps UTC all year; Fiji is twelve hours ahead all year, so it is never night in both.
    night = night_in()
    edition = being_sent(Schedule(quiet=night), people=addresses(20), country="FJ")
    with_neighbours(edition, "IS")
    morning = quiet_until(zones_of(("IS", ""), "UTC"), night, datetime.now(UTC))
    with sink() as caught:
        assert drain(edition) is End.NOTHING_DUE
        assert len(caught.caught) == 10
        waiting = Delivery.objects.filter(next_at__isnull=False)
        assert {(row.state, row.token, row.tries, row.next_at) for row in waiting} == {("planned", None, 0, morning)}
        assert set(waiting.values_list("person__country", flat=True)) == {"IS"}
        assert Edition.objects.get().state == Edition.State.SENDING, "it is not finished without them"
        assert sweeping.sweep().unattended == [], "and nobody is rung until then"
        client.force_login(make_user("auditor"))
        page = client.get(reverse("send", args=[edition.notice.incident.reference, edition.pk])).content.decode()
        assert "Iceland 10 until" in page
        assert "10 people" in page
        with unguarded():
            Edition.objects.update(schedule={"canary": 100})
            digest_again(edition)
        later(edition, hours=12)
        assert sweeping.sweep().unattended == [edition.pk]
        assert drain(edition) is End.NOTHING_DUE
    assert set(caught.times().values()) == {1}
    assert states(edition) == {"handed_over": 20}


def digest_again(edition: Edition) -> None:
    """As if it had been approved so."""
    edition.refresh_from_db()
    digest = digest_of(
        edition, the_organisation(), bytes(edition.recipients_root or b""), edition.recipients_count or 0
    )
    Edition.objects.filter(pk=edition.pk).update(digest=digest)
    edition.approvals.update(digest=digest)


def test_it_moves_all_who_sleep_and_still_finds_who_does_not(monkeypatch: pytest.MonkeyPatch) -> None:
    """More people sleep than one claim looks at."""
    monkeypatch.setattr(pace, "LOOKED_AT", 8)
    monkeypatch.setattr(
        pace, "CLAIMS", {key: claim.replace("LIMIT 500", "LIMIT 8") for key, claim in pace.CLAIMS.items()}
    )
    edition = being_sent(Schedule(quiet=night_in()), people=addresses(40), country="IS")
    with_neighbours(edition, "FJ", every=10)
    with sink() as caught:
        drain(edition)
    assert len(caught.caught) == 4
    assert states(edition) == {"handed_over": 4, "planned": 36}


def refused_by_the_trail(edition: Edition, **changed: Any) -> bool:
    one = Delivery.objects.filter(edition=edition, state="planned").values_list("pk", flat=True)[0]
    try:
        with transaction.atomic():
            Delivery.objects.filter(pk=one).update(**changed)
            with connection.cursor() as cursor:
                cursor.execute("SET CONSTRAINTS ALL IMMEDIATE")
    except IntegrityError:
        return True
    return False


def test_only_a_turn_can_be_put_off_without_an_event_and_only_for_a_night() -> None:
    now = datetime.now(UTC)
    limited = being_sent(Schedule(quiet=night_in()), people=addresses(5))
    assert not refused_by_the_trail(limited, next_at=now + timedelta(hours=10))
    assert refused_by_the_trail(limited, next_at=now + timedelta(hours=50)), "not for ever"
    assert refused_by_the_trail(limited, next_at=now + timedelta(hours=10), verification=b"x" * 16)
    assert refused_by_the_trail(limited, next_at=now + timedelta(hours=10), token=UUID(int=1), state="claimed")
    with unguarded():
        Edition.objects.update(schedule={})
    assert refused_by_the_trail(limited, next_at=now + timedelta(hours=9)), "no quiet hours, no putting off"
