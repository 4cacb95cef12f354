"""An armed edition starts by itself at its time: by the sweeper, with the same checks, and never too late."""

from datetime import timedelta
from io import StringIO
from typing import Any

import pytest
from django.core.exceptions import ValidationError
from django.db import IntegrityError, transaction
from django.test import Client
from django.urls import reverse
from django.utils import timezone

from breachdesk.accounts.actions import change_organisation
from breachdesk.accounts.models import PendingDecision
from breachdesk.audit.models import Event
from notifications import tasks
from notifications.actions import (
    cancel_edition,
    disarm_edition,
    set_schedule,
    start_due_editions,
    start_edition,
    withdraw,
)
from notifications.editions import the_organisation
from notifications.freezing import digest_of
from notifications.management.commands.run_sweeper import Command
from notifications.models import Edition
from notifications.schedule import Schedule
from tests.factories import make_approved_edition, make_edition, make_edition_in_review, make_user, unguarded

pytestmark = pytest.mark.django_db


def armed(sender: Any = None) -> Edition:
    """Approved, and to begin in two hours."""
    starts = (timezone.now() + timedelta(hours=2)).replace(second=0, microsecond=0)
    edition = make_edition()
    edition = set_schedule(edition, schedule=Schedule(start_at=starts, zone="UTC"), by=edition.authors.get().author)
    edition = make_approved_edition(make_edition_in_review(edition))
    return start_edition(edition, by=sender or make_user("approver"))


def its_time_came(edition: Edition, **ago: float) -> None:
    """As if it had been scheduled, approved and armed for a moment that has passed by so much."""
    starts = (timezone.now() - timedelta(**ago)).replace(second=0, microsecond=0)
    edition.refresh_from_db()
    edition.schedule = Schedule(start_at=starts, zone="UTC").to_json()
    root, count = bytes(edition.recipients_root or b""), edition.recipients_count or 0
    digest = digest_of(edition, the_organisation(), root, count)
    with unguarded():
        Edition.objects.filter(pk=edition.pk).update(schedule=edition.schedule, digest=digest)
        edition.approvals.update(digest=digest)
        edition.openings.update(digest=digest)


def test_before_its_time_start_arms_it() -> None:
    sender = make_user("approver")
    edition = armed(sender)
    assert (edition.state, edition.armed_by, edition.epoch) == (Edition.State.APPROVED, sender, 0)
    assert Event.objects.newest_first()[0].type == "edition.armed"
    assert start_due_editions() == []
    with pytest.raises(ValidationError, match="starts by itself already"):
        start_edition(edition, by=sender)


def test_at_its_time_the_sweeper_starts_it_and_names_who_armed_it(monkeypatch: pytest.MonkeyPatch) -> None:
    sender = make_user("approver")
    edition = armed(sender)
    its_time_came(edition, minutes=3)
    rung: list[Any] = []
    monkeypatch.setattr(tasks.drain, "delay", rung.append)
    Command(stdout=StringIO())._pass()
    started = Edition.objects.get()
    assert (started.state, started.started_by, started.armed_by, started.epoch) == ("sending", None, sender, 1)
    event = Event.objects.of_type("edition.started").get()
    assert str(sender.pk) not in str({key: event.content[key] for key in event.content if key != "data"})
    assert event.content["data"]["armed_by"] == str(sender.pk)
    assert str(edition.pk) in rung
    assert start_due_editions() == [], "once"


def test_too_late_it_is_never_started_and_colleagues_are_asked(client: Client) -> None:
    edition = armed()
    its_time_came(edition, minutes=32)
    assert start_due_editions() == []
    missed = Edition.objects.get()
    assert (missed.state, missed.armed_at, missed.armed_by) == (Edition.State.APPROVED, None, None)
    data = Event.objects.of_type("edition.schedule_missed").get().content["data"]
    assert (data["why"], data["late_after"]) == ("late", 30)
    asked = PendingDecision.objects.open().get()
    assert asked.permission == "notifications.send_edition"
    assert "was not started in time" in asked.sentence
    assert start_due_editions() == []
    sender = make_user("approver")
    client.force_login(sender)
    page = client.get(reverse("edition-detail", args=[edition.notice.incident.reference, edition.pk])).content.decode()
    assert "Its time has passed and it was not started." in page
    assert start_edition(missed, by=sender).state == Edition.State.SENDING, "a person may"
    assert not PendingDecision.objects.open().exists()


def test_what_is_not_as_approved_any_more_is_not_started() -> None:
    edition = armed()
    its_time_came(edition, minutes=1)
    change_organisation(sender_name="Somebody else", by=make_user("administrator"))
    assert start_due_editions() == []
    assert Edition.objects.get().state == Edition.State.APPROVED
    assert Event.objects.of_type("edition.schedule_missed").get().content["data"]["why"] == "changed_since_approval"
    assert Edition.objects.get().armed_at is None


def test_whoever_armed_it_or_an_author_takes_it_back() -> None:
    edition = armed()
    disarmed = disarm_edition(edition, by=make_user("approver"))
    assert (disarmed.state, disarmed.armed_at) == (Edition.State.APPROVED, None)
    assert Event.objects.newest_first()[0].type == "edition.disarmed"
    with pytest.raises(ValidationError, match="nothing to take back"):
        disarm_edition(disarmed, by=make_user("approver"))
    again = start_edition(disarmed, by=make_user("approver"))
    drafted = withdraw(again, by=edition.authors.get().author)
    assert (drafted.state, drafted.armed_at) == (Edition.State.DRAFT, None)
    assert start_due_editions() == []


def test_a_cancelled_one_is_not_armed() -> None:
    edition = armed()
    cancel_edition(edition, by=make_user("dpo"))
    assert Edition.objects.get().armed_at is None


def test_the_database_arms_only_what_is_approved() -> None:
    edition, user = make_edition_in_review(), make_user("approver")
    with pytest.raises(IntegrityError, match="approved"), transaction.atomic():
        Edition.objects.filter(pk=edition.pk).update(armed_by=user, armed_at=timezone.now())


def test_the_pages_say_when_it_starts_and_how_to_take_that_back(client: Client) -> None:
    edition = armed()
    reference = edition.notice.incident.reference
    client.force_login(make_user("approver"))
    page = client.get(reverse("edition-detail", args=[reference, edition.pk])).content.decode()
    assert "It starts by itself" in page
    disarm = reverse("edition-disarm", args=[reference, edition.pk])
    assert disarm in page
    assert "It stays approved" in client.get(disarm).content.decode()
    assert client.post(disarm, {"version": edition.version}).status_code == 302
    question = client.get(reverse("edition-start", args=[reference, edition.pk])).content.decode()
    assert "Have it start by itself" in question
