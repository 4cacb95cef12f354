"""Setting when and how fast: bound by the approval; whoever sets it is an author."""

from datetime import UTC, datetime, time, timedelta
from typing import Any

import pytest
from django.core.exceptions import PermissionDenied, ValidationError
from django.db import IntegrityError, transaction
from django.test import Client
from django.urls import reverse
from django.utils import timezone

from breachdesk.audit.models import Event
from notifications.actions import set_schedule, start_edition, submit_for_review, withdraw
from notifications.models import Delivery, Edition
from notifications.schedule import Schedule
from tests.factories import make_approved_edition, make_edition, make_edition_in_review, make_user

pytestmark = pytest.mark.django_db
SOON = (timezone.now() + timedelta(days=2)).replace(hour=8, minute=0, second=0, microsecond=0)
LIMITS = Schedule(quiet=(time(21), time(8)), per_minute=600, canary=25)
TYPED: dict[str, Any] = {
    "start_date": "",
    "start_time": "",
    "zone": "Europe/Berlin",
    "late_after": "30",
    "quiet_from": "21:00",
    "quiet_until": "08:00",
    "per_minute": "600",
    "per_domain": "",
    "waves": "hotline",
    "wave_size": "",
    "wave_hours": "2",
    "calls_per_hour": "120",
    "share": "2.5",
    "canary": "25",
}


def address(name: str, edition: Edition) -> str:
    return reverse(name, args=[edition.notice.incident.reference, edition.pk])


def test_it_is_kept_and_leaves_its_event_with_public_values() -> None:
    edition, author = make_edition(), make_user("author")
    starts = Schedule(start_at=SOON, zone="Europe/Berlin", wave_size=100, wave_hours=3)
    kept = set_schedule(edition, schedule=starts, by=author)
    assert Schedule.from_json(Edition.objects.get().schedule) == starts
    assert kept.authors.filter(author=author).exists()
    event = Event.objects.newest_first()[0]
    data = event.content["data"]
    assert event.type == "edition.scheduled"
    assert (data["zone"], data["late_after"], data["wave_size"], data["wave_hours"]) == ("Europe/Berlin", 30, 100, 3)
    assert "canary" not in data
    assert set_schedule(kept, schedule=starts, by=make_user("author")).version == kept.version, "nothing changed"
    assert Event.objects.of_type("edition.scheduled").count() == 1


def test_an_approved_edition_becomes_a_draft_and_its_approval_is_void() -> None:
    edition, other = make_approved_edition(), make_user("author")
    changed = set_schedule(edition, schedule=LIMITS, by=other)
    assert (changed.state, changed.digest) == (Edition.State.DRAFT, None)
    assert not changed.approvals.in_force().exists()
    assert not Delivery.objects.exists(), "the list is free again"
    types = [event.type for event in Event.objects.newest_first()[:3]]
    assert types[:2] == ["edition.scheduled", "edition.withdrawn"]


def test_who_set_it_cannot_approve_it() -> None:
    author, helper = make_user("author"), make_user("author", "approver")
    edition = set_schedule(make_edition(by=author), schedule=LIMITS, by=helper)
    with pytest.raises(ValidationError, match="somebody else"):
        make_approved_edition(submit_for_review(edition, by=author), by=helper)


def test_the_approval_is_bound_to_it() -> None:
    author = make_user("author")
    first = submit_for_review(set_schedule(make_edition(by=author), schedule=LIMITS, by=author), by=author)
    second = set_schedule(withdraw(first, by=author), schedule=Schedule(canary=26), by=author)
    assert submit_for_review(second, by=author).digest != first.digest


def test_the_database_refuses_another_schedule_once_it_is_submitted() -> None:
    edition = make_edition_in_review()
    with pytest.raises(IntegrityError, match="schedule"), transaction.atomic():
        Edition.objects.filter(pk=edition.pk).update(schedule={"canary": 1})


def test_it_refuses_the_wrong_state_the_wrong_role_the_past_and_a_stale_page() -> None:
    author = make_user("author")
    edition = make_edition(by=author)
    with pytest.raises(ValidationError, match="changed by somebody else"):
        set_schedule(edition, schedule=LIMITS, by=author, expected_version=edition.version - 1)
    with pytest.raises(ValidationError, match="has passed"):
        set_schedule(edition, schedule=Schedule(start_at=datetime(2026, 1, 1, tzinfo=UTC), zone="UTC"), by=author)
    with pytest.raises(PermissionDenied, match="Comms author"):
        set_schedule(edition, schedule=LIMITS, by=make_user("auditor"))
    sent = start_edition(make_approved_edition(make_edition_in_review(edition)), by=make_user("approver"))
    with pytest.raises(ValidationError, match="cannot be scheduled anew"):
        set_schedule(sent, schedule=LIMITS, by=author)


def test_the_form_suggests_says_what_it_would_mean_and_keeps_it(client: Client) -> None:
    edition, author = make_edition(), make_user("author")
    client.force_login(author)
    page = client.get(address("edition-schedule", edition)).content.decode()
    assert 'value="21:00"' in page
    assert 'value="25"' in page
    assert "No limit holds it up" in page, "what is set now, and not what is suggested"
    typed = TYPED | {"version": edition.version}
    foreseen = client.post(address("edition-forecast", edition), typed).content.decode()
    assert "2 hours × 120 calls an hour are 240 calls; if 2.5 per cent" in foreseen
    assert "= 9,600 people a wave" in foreseen
    assert "Nobody gets it between 21:00 and 08:00" in foreseen
    assert Edition.objects.get().schedule == {}
    partial = client.post(address("edition-forecast", edition), typed, headers={"HX-Request": "true"}).content.decode()
    assert partial.lstrip().startswith("<section")
    assert client.post(address("edition-schedule", edition), typed).status_code == 302
    assert Edition.objects.get().schedule == {
        "quiet": ["21:00", "08:00"],
        "per_minute": 600,
        "wave_size": 9600,
        "wave_hours": 2,
        "hotline": [120, 25],
        "canary": 25,
    }
    detail = client.get(address("edition-detail", edition)).content.decode()
    assert "After the first 25 people it pauses by itself" in detail
    again = client.get(address("edition-schedule", edition)).content.decode()
    assert 'value="2.5"' in again


WRONG: list[tuple[dict[str, str], str]] = [
    ({"start_date": "2027-03-28"}, "Give both a day and a time"),
    ({"start_date": "2027-03-28", "start_time": "02:30"}, "the clocks went forward"),
    ({"start_date": "2026-01-02", "start_time": "08:00"}, "That moment has passed"),
    ({"quiet_until": ""}, "need both a beginning and an end"),
    ({"quiet_from": "19:00"}, "12 hours at most"),
    ({"per_minute": "0"}, "between 1 and"),
    ({"per_domain": "601"}, "One domain cannot get more"),
    ({"calls_per_hour": ""}, "how many calls the hotline answers"),
    ({"share": "0"}, "how many per cent"),
    ({"wave_hours": ""}, "hours from one wave to the next"),
    ({"waves": "size"}, "people in a wave"),
    ({"canary": "-1"}, "how many people go first"),
    ({"late_after": "2", "start_date": "2027-06-01", "start_time": "08:00"}, "minutes after which"),
]


def test_what_cannot_be_is_said_beside_its_field_and_nothing_is_kept(client: Client) -> None:
    edition = make_edition()
    client.force_login(make_user("author"))
    for typed, sentence in WRONG:
        answer = client.post(address("edition-schedule", edition), TYPED | {"version": edition.version} | typed)
        assert answer.status_code == 422, typed
        assert sentence in answer.content.decode(), typed
        assert Edition.objects.get().schedule == {}, typed
