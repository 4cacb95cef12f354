"""The demo story goes through the actions alone: without a role's rights it stops at just that role's step."""

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from django.contrib.auth.models import Group
from django.core.exceptions import PermissionDenied
from django.core.management import call_command
from django.utils import timezone

from breachdesk.audit.sequencer import sequence_pending
from breachdesk.embedded.catcher import Catcher
from breachdesk.embedded.story.telling import Story
from breachdesk.incidents.models import Decision, Incident
from breachdesk.people.models import Upload
from breachdesk.people.working import work_on_upload
from notifications import routes, sending
from notifications.models import Delivery, Edition
from regulators.models import FilingVersion
from regulators.standing import standing_of
from tests.factories import unguarded

PEOPLE = 60
STEPS = ["cast", "organisation", "position", "log", "load", "decide", "write", "approve", "send", "file", "verify"]
STEPS += ["open case"]
STOPS_AT = {
    "administrator": "organisation",
    "responder": "log",
    "author": "write",
    "approver": "approve",
    "dpo": "position",
    "auditor": "verify",
}

pytestmark = pytest.mark.django_db(transaction=True)


@pytest.fixture
def mail(settings: Any, tmp_path: Path) -> Iterator[Catcher]:
    with Catcher(tmp_path / "caught", keep_all=True) as catcher:
        settings.BREACHDESK = settings.BREACHDESK.model_copy(update={"smtp_port": catcher.port})
        yield catcher


def do_what_the_other_parts_do() -> None:
    """The work of worker, sweeper and sequencer, in this process."""
    for upload in Upload.objects.free_at(timezone.now()):
        work_on_upload(upload.pk)
    for edition in Edition.objects.sending():
        sending.drain_edition(edition.pk, connect=routes.connect)
    sequence_pending()


def a_story() -> Story:
    call_command("sync_roles", verbosity=0)
    return Story(PEOPLE, lambda sentence: None, tick=do_what_the_other_parts_do, patience=30)


def test_it_is_told_to_its_end(mail: Catcher) -> None:
    assert list(a_story().tell()) == STEPS
    first, second = Incident.objects.order_by("reference")
    told = Delivery.objects.filter(person__incident=first)
    assert {delivery.state for delivery in told} == {"handed_over"}
    assert len(mail.mail.messages()) >= told.count() > PEOPLE * 0.9
    assert FilingVersion.objects.get().filing.incident == first
    places = {duty.obligation.place for duty in standing_of(first, timezone.now()).owed}
    assert {"GB", "DE"} < places
    assert Decision.objects.of(first).standing().filter(tell=True).count() == 2
    assert {delivery.state for delivery in Delivery.objects.filter(person__incident=second)} == {"planned"}


@pytest.mark.parametrize("role", STOPS_AT)
def test_without_a_role_it_stops_at_just_that_step(role: str, mail: Catcher) -> None:
    before = STEPS[: STEPS.index(STOPS_AT[role])]
    story = a_story().tell()
    assert [next(story) for _ in before] == before
    with unguarded():
        Group.objects.get(name=role).permissions.clear()
    with pytest.raises(PermissionDenied, match="This needs the role"):
        next(story)
