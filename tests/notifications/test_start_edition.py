"""Starting: only what was approved, checked once more; the workers are rung after the commit."""

from collections.abc import Callable
from typing import Any

import pytest
from django.core.exceptions import ValidationError

from breachdesk.accounts.actions import change_organisation
from breachdesk.incidents.actions import Facts, change_facts
from notifications.actions import start_edition
from notifications.models import Edition
from tests.factories import make_approved_edition, make_user

pytestmark = pytest.mark.django_db


def test_it_opens_the_first_epoch_and_rings_after_the_commit(
    django_capture_on_commit_callbacks: Callable[..., Any],
) -> None:
    approved, approver = make_approved_edition(), make_user("approver")
    with django_capture_on_commit_callbacks() as rung:
        edition = start_edition(approved, by=approver)
    assert (edition.state, edition.epoch, edition.started_by) == (Edition.State.SENDING, 1, approver)
    assert [call.args for call in rung] == [(edition.pk,)]


def test_a_changed_sender_stops_it() -> None:
    edition = make_approved_edition()
    change_organisation(sender_name="Somebody else", by=make_user("administrator"))
    with pytest.raises(ValidationError, match="Nothing was sent"):
        start_edition(edition, by=make_user("approver"))
    assert Edition.objects.get().state == Edition.State.APPROVED


def test_a_changed_fact_stops_it() -> None:
    edition = make_approved_edition()
    incident = edition.notice.incident
    facts = Facts(what_happened="A list was lost.", origin="processor", processor="Larkfield Parcels", kinds=["health"])
    change_facts(incident, facts, expected_version=incident.version, by=make_user("responder"))
    with pytest.raises(ValidationError, match="Nothing was sent"):
        start_edition(edition, by=make_user("approver"))
