"""The demo story goes through the actions alone: without a role's rights it stops at just that role's step."""

import csv
import re
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
from django.contrib.auth.models import Group
from django.core.exceptions import PermissionDenied
from django.core.management import call_command
from django.db import transaction
from django.utils import timezone

from breachdesk.audit.sequencer import sequence_pending
from breachdesk.embedded.catcher import Catcher
from breachdesk.embedded.demo import PEOPLE
from breachdesk.embedded.invented_people import Expected, write_people
from breachdesk.embedded.invented_places import PLACES
from breachdesk.embedded.story.telling import Story
from breachdesk.incidents.models import Decision, Incident
from breachdesk.people.models import Person, Upload
from breachdesk.people.working import work_on_upload
from notifications import routes, sending
from notifications.models import Delivery, Edition, Override
from regulators.models import FilingVersion
from regulators.standing import standing_of
from tests.factories import unguarded

FEW = 60
# What laws ask of a notice to these countries and its words leave out: the approver answers for it, and for no more.
OVERRULED = {("en", "law.remedies_and_damages_info")}
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


def write_a_few_of_everywhere(path: Path, people: int, *, seed: int) -> Expected:
    """The demo's own list, cut to its first rows and somebody of each country: each law that asks there asks here."""
    write_people(path, people, seed=seed)
    with path.open(newline="", encoding="utf-8") as file:
        heading, *rows = csv.reader(file)
    number, email, country = (heading.index(name) for name in ("customer_id", "email", "country"))
    whole = [row for row in rows if re.fullmatch(r"HR-\d+", row[number]) and int(row[number][3:]) <= people]
    abroad = {row[country]: row for row in reversed(whole) if row[email]}
    kept = {row[number]: row for row in [*rows[:FEW], *abroad.values()]}
    with path.open("w", newline="", encoding="utf-8") as file:
        csv.writer(file).writerows([heading, *kept.values()])
    return Expected(people=sum(row[number] in kept for row in whole))


def a_story() -> Story:
    """With as many people as the demo has, of whom few are written into the lists."""
    call_command("sync_roles", verbosity=0)
    parts = {"write": write_a_few_of_everywhere, "tick": do_what_the_other_parts_do, "patience": 30}
    return Story(PEOPLE, lambda sentence: None, **parts)


def refused_first(role: str, step: Callable[[], str]) -> Callable[[], str]:
    """Without this role's rights it stops at just this step; then it is told with them."""

    def tell() -> str:
        rights = Group.objects.get(name=role).permissions
        held = list(rights.all())
        with unguarded():
            rights.clear()
        with pytest.raises(PermissionDenied, match="This needs the role"), transaction.atomic():
            step()
        with unguarded():
            rights.set(held)
        return step()

    return tell


def test_it_is_told_to_its_end_and_without_a_role_stops_at_just_that_step(mail: Catcher) -> None:
    story = a_story()
    for role, name in STOPS_AT.items():
        story.steps[name] = refused_first(role, story.steps[name])
    assert list(story.tell()) == STEPS
    first, second = Incident.objects.order_by("reference")
    told = Delivery.objects.filter(person__incident=first)
    assert {delivery.state for delivery in told} == {"handed_over"}
    assert len(mail.mail.messages()) >= told.count() > FEW * 0.9
    assert set(Person.objects.of(first).values_list("country", flat=True)) == {place.country for place in PLACES}
    assert set(Override.objects.values_list("edition__language", "check_key")) == OVERRULED, "what a law asks besides"
    assert FilingVersion.objects.get().filing.incident == first
    places = {duty.obligation.place for duty in standing_of(first, timezone.now()).owed}
    assert {"GB", "DE"} < places
    assert Decision.objects.of(first).standing().filter(tell=True).count() == 2
    assert {delivery.state for delivery in Delivery.objects.filter(person__incident=second)} == {"planned"}
