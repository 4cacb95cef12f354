"""Back to a draft: by an author who goes on writing, or by an approver with a reason."""

import pytest
from django.core.exceptions import ValidationError
from django.test import Client
from django.urls import reverse

from breachdesk.accounts.models import PendingDecision
from notifications.actions import reject_edition, submit_for_review, withdraw
from notifications.models import Delivery, Edition
from tests.factories import make_approved_edition, make_edition_in_review, make_user

pytestmark = pytest.mark.django_db


def test_an_author_takes_it_back_and_the_list_is_free() -> None:
    edition = withdraw(make_approved_edition(), by=make_user("author"))
    assert (edition.state, edition.digest) == (Edition.State.DRAFT, None)
    assert Delivery.objects.count() == 0
    assert edition.approvals.get().voided_at is not None
    assert not PendingDecision.objects.open().exists()


def test_the_same_words_need_the_same_approver_again() -> None:
    edition = withdraw(make_approved_edition(), by=make_user("author"))
    edition = submit_for_review(edition, by=make_user("author"))
    assert edition.state == Edition.State.IN_REVIEW
    assert not edition.approvals.in_force().exists()


def test_a_rejection_needs_a_reason() -> None:
    with pytest.raises(ValidationError, match="Say what must change"):
        reject_edition(make_edition_in_review(), reason="  ", by=make_user("approver"))


def test_the_reason_stands_above_the_draft(client: Client) -> None:
    edition = make_edition_in_review()
    arguments = [edition.notice.incident.reference, edition.pk]
    client.force_login(make_user("approver"))
    answer = client.post(
        reverse("edition-reject", args=arguments), {"version": edition.version, "reason": "Say when it happened."}
    )
    assert answer.status_code == 302
    client.force_login(make_user("author"))
    assert "Say when it happened." in client.get(reverse("edition-edit", args=arguments)).content.decode()


def test_the_screen_asks_for_the_reason(client: Client) -> None:
    edition = make_edition_in_review()
    client.force_login(make_user("approver"))
    address = reverse("edition-reject", args=[edition.notice.incident.reference, edition.pk])
    assert client.post(address, {"version": edition.version}).status_code == 422
    assert Edition.objects.get().state == Edition.State.IN_REVIEW
