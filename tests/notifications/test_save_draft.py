"""A draft keeps its faults; whoever changes a character is an author; a change voids what was approved."""

import pytest
from django.core.exceptions import ValidationError
from django.test import Client
from django.urls import reverse

from breachdesk.audit.models import Event
from notifications.actions import save_draft
from notifications.models import Delivery, Edition
from tests.factories import (
    make_approved_edition,
    make_edition,
    make_edition_being_sent,
    make_edition_in_review,
    make_user,
)

pytestmark = pytest.mark.django_db


def test_it_keeps_a_text_with_faults() -> None:
    edition = save_draft(make_edition(), subject="A subject", body="Dear ((nobody)),", by=make_user("author"))
    assert (edition.subject, edition.body, edition.version) == ("A subject", "Dear ((nobody)),", 2)


def test_whoever_changes_it_becomes_an_author() -> None:
    edition, second = make_edition(), make_user("author")
    save_draft(edition, subject=edition.subject, body=f"{edition.body}More.", by=second)
    assert second in [row.author for row in edition.authors.all()]


def test_a_change_that_changes_nothing_makes_no_author_and_no_event() -> None:
    edition, second = make_edition(), make_user("author")
    before = Event.objects.count()
    save_draft(edition, subject=edition.subject, body=edition.body.replace("\n", "\r\n"), by=second)
    assert second not in [row.author for row in edition.authors.all()]
    assert Event.objects.count() == before


def test_the_text_is_sealed_in_the_trail() -> None:
    save_draft(make_edition(), subject="A subject", body="A body nobody else has.", by=make_user("author"))
    event = Event.objects.newest_first()[0]
    assert event.type == "edition.saved"
    assert b"nobody else" not in event.body


@pytest.mark.parametrize("make", [make_edition_in_review, make_approved_edition])
def test_a_change_takes_it_back_and_voids(make: type) -> None:
    edition = save_draft(make(), subject="Changed", body="Changed", by=make_user("author"))
    assert (edition.state, edition.digest, edition.recipients_count) == (Edition.State.DRAFT, None, None)
    assert not edition.approvals.in_force().exists()
    assert Delivery.objects.count() == 0


def test_a_stale_page_overwrites_nothing(client: Client) -> None:
    edition = make_edition()
    address = reverse("edition-edit", args=[edition.notice.incident.reference, edition.pk])
    client.force_login(make_user("author"))
    assert client.post(address, {"subject": "First", "body": "First", "version": 1}).status_code == 302
    answer = client.post(address, {"subject": "Second", "body": "Second", "version": 1})
    assert answer.status_code == 422
    assert "changed by somebody else" in answer.content.decode()
    assert "Second" in answer.content.decode(), "what was typed is not lost"
    assert Edition.objects.get().subject == "First"


def test_what_is_being_sent_cannot_be_changed() -> None:
    edition = make_edition_being_sent()
    with pytest.raises(ValidationError, match="cannot be changed: it is “sending”"):
        save_draft(edition, subject="Changed", body="Changed", by=make_user("author"))


def test_other_roles_are_told_who_may(client: Client) -> None:
    edition = make_edition()
    client.force_login(make_user("approver"))
    answer = client.post(
        reverse("edition-edit", args=[edition.notice.incident.reference, edition.pk]), {"subject": "x"}
    )
    assert answer.status_code == 403
    assert "Comms author" in answer.content.decode()
