"""Every step through its address: the wrong role, the wrong state, a stale page and a double click change nothing."""

from collections.abc import Callable
from dataclasses import dataclass

import pytest
from django.test import Client
from django.urls import reverse

from breachdesk.accounts.permissions import ROLES
from breachdesk.audit.models import Event
from notifications.actions import pause_edition
from notifications.models import Edition
from tests.factories import (
    make_approved_edition,
    make_edition,
    make_edition_being_sent,
    make_edition_in_review,
    make_user,
    open_everything,
)

pytestmark = pytest.mark.django_db


def make_paused_edition() -> Edition:
    edition = make_edition_being_sent()
    pause_edition(edition, by=make_user("dpo"))
    return Edition.objects.with_incident().get()


@dataclass(frozen=True)
class Step:
    name: str
    permission: str
    ready: Callable[[], Edition]
    too_early: Callable[[], Edition]

    def role(self, *, allowed: bool) -> str:
        wanted = f"notifications.{self.permission}"
        return next(name for name, role in ROLES.items() if (wanted in role.permissions) == allowed)


STEPS = [
    Step("edition-submit", "write_notice", make_edition, make_edition_in_review),
    Step("edition-withdraw", "write_notice", make_edition_in_review, make_edition),
    Step("edition-approve", "approve_edition", make_edition_in_review, make_edition),
    Step("edition-reject", "approve_edition", make_edition_in_review, make_edition),
    Step("edition-start", "send_edition", make_approved_edition, make_edition_in_review),
    Step("edition-pause", "pause_edition", make_edition_being_sent, make_approved_edition),
    Step("edition-resume", "send_edition", make_paused_edition, make_edition_being_sent),
]
every_step = pytest.mark.parametrize("step", STEPS, ids=lambda step: step.name)


def press(client: Client, step: Step, edition: Edition, version: int) -> tuple[int, str]:
    address = reverse(step.name, args=[edition.notice.incident.reference, edition.pk])
    answer = client.post(address, {"version": version, "reason": "A reason."})
    return answer.status_code, answer.content.decode()


def standing(edition: Edition) -> tuple[object, ...]:
    now = Edition.objects.get(pk=edition.pk)
    told = Event.objects.of_incident(now.incident_id).count()
    return now.state, now.version, now.epoch, told, now.approvals.in_force().count()


@every_step
def test_the_page_before_it_says_what_will_happen_and_nobody_else_may(client: Client, step: Step) -> None:
    """The page itself, the wrong role, a stale page; then a double click does it once. All of one edition."""
    edition = step.ready()
    before = standing(edition)
    client.force_login(make_user(step.role(allowed=False)))
    status, page = press(client, step, edition, edition.version)
    assert (status, standing(edition)) == (403, before), "the wrong role"
    assert "This needs the role" in page

    user = make_user(step.role(allowed=True))
    if edition.state == Edition.State.IN_REVIEW and user.has_perm("notifications.approve_edition"):
        open_everything(edition, by=user)
    before = standing(edition)
    client.force_login(user)
    answer = client.get(reverse(step.name, args=[edition.notice.incident.reference, edition.pk]))
    assert answer.status_code == 200
    assert f'name="version" value="{edition.version}"' in answer.content.decode()

    status, page = press(client, step, edition, edition.version - 1)
    assert (status, standing(edition)) == (409, before), "a stale page"
    assert "changed by somebody else since you opened it" in page

    assert press(client, step, edition, edition.version)[0] == 302
    after = standing(edition)
    assert after != before
    status, page = press(client, step, edition, edition.version)
    assert (status, standing(edition)) == (409, after), "a double click"
    assert "Nothing was changed" in page


@every_step
def test_the_wrong_state_changes_nothing(client: Client, step: Step) -> None:
    edition = step.too_early()
    before = standing(edition)
    client.force_login(make_user(step.role(allowed=True)))
    status, page = press(client, step, edition, edition.version)
    assert status == 409
    assert "Nothing was changed" in page
    assert standing(edition) == before
