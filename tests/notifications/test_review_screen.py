"""What an approver decides on, and what others see instead of the buttons."""

import pytest
from django.test import Client
from django.urls import reverse

from notifications.actions import withdraw
from notifications.models import Edition
from tests.factories import make_approved_edition, make_edition, make_edition_in_review, make_user

pytestmark = pytest.mark.django_db


def review(client: Client, edition: Edition) -> str:
    return client.get(reverse("edition-review", args=[edition.notice.incident.reference, edition.pk])).content.decode()


def test_an_approver_sees_who_gets_it_and_what_is_bound(client: Client) -> None:
    edition = make_edition_in_review()
    client.force_login(make_user("approver"))
    page = review(client, edition)
    assert "May this go to 3 people?" in page
    assert "Approve for 3 people" in page
    assert "Open these first" in page
    assert "Germany" in page
    assert "".join(bytes(edition.digest or b"").hex()[:4]) in page
    assert "everything is new" in page


def test_an_author_is_told_that_somebody_else_decides(client: Client) -> None:
    author = make_user("author", "approver")
    edition = make_edition_in_review(make_edition(by=author))
    client.force_login(author)
    page = review(client, edition)
    assert "You wrote a part of this" in page
    assert "Approve for" not in page


def test_an_earlier_approval_is_named(client: Client) -> None:
    approver = make_user("approver")
    edition = make_edition_in_review(withdraw(make_approved_edition(by=approver), by=make_user("author")))
    client.force_login(approver)
    assert f"An earlier wording was approved by {approver.name}" in review(client, edition)


@pytest.mark.parametrize("role", ["author", "responder", "dpo", "auditor"])
def test_others_may_read_it(client: Client, role: str) -> None:
    edition = make_edition_in_review()
    client.force_login(make_user(role))
    page = review(client, edition)
    assert "A comms approver decides." in page
    assert "Approve for" not in page
