"""What an approver must have opened before a yes: chosen at submission, kept as evidence, asked for by the database."""

import pytest
from django.core.exceptions import ValidationError
from django.db import IntegrityError, transaction
from django.test import Client
from django.urls import reverse
from django.utils import timezone

from breachdesk.accounts.models import User
from breachdesk.audit.models import Event
from notifications.actions import approve_edition, open_rendering, submit_for_review, withdraw
from notifications.models import Approval, Edition, Opening
from notifications.renderings import required_of
from tests.factories import make_edition_in_review, make_user, open_everything

pytestmark = pytest.mark.django_db


@pytest.fixture(scope="module")
def edition(made_once: None) -> Edition:
    return make_edition_in_review()


@pytest.fixture(scope="module")
def approver(made_once: None) -> User:
    return make_user("approver")


def test_the_most_common_the_fullest_and_the_barest_are_chosen() -> None:
    few, many, bare = ("name",), ("name", "email", "phone"), ("name", "email")
    wanted = required_of({bare: 9, many: 2, few: 1})
    assert wanted == ["name,email", "name,email,phone", "name", "text:name,email", "coverage"]
    assert required_of({few: 5}) == ["name", "text:name", "coverage"]
    assert required_of({few: 2, ("email",): 2}) == required_of({("email",): 2, few: 2})


def test_they_are_frozen_with_the_submission(edition: Edition) -> None:
    assert edition.renderings == required_of({("name", "email"): 1, ("name", "email", "phone"): 1, ("name",): 1})


def test_approval_is_refused_with_the_names_of_what_is_left(edition: Edition, approver: User) -> None:
    for key in edition.renderings[:-2]:
        open_rendering(edition, rendering=key, by=approver)
    with pytest.raises(ValidationError, match="as plain text”; “Every language and combination of data”"):
        approve_edition(edition, by=approver)
    open_everything(edition, by=approver)
    assert approve_edition(edition, by=approver).state == Edition.State.APPROVED


def test_what_another_opened_does_not_count(edition: Edition, approver: User) -> None:
    open_everything(edition, by=make_user("approver"))
    with pytest.raises(ValidationError, match="Open everything"):
        approve_edition(edition, by=approver)


def test_the_database_refuses_it_too(edition: Edition, approver: User) -> None:
    words = {"subject": edition.subject, "body": edition.body, "digest": edition.digest}
    with pytest.raises(IntegrityError, match="has not opened everything"):
        Approval.objects.create(edition=edition, approver=approver, approved_at=timezone.now(), **words)


def test_an_opening_is_noted_once_and_stays(edition: Edition, approver: User) -> None:
    key = edition.renderings[0]
    first = open_rendering(edition, rendering=key, by=approver)
    assert open_rendering(edition, rendering=key, by=approver) == first
    [event] = Event.objects.of_incident(edition.incident_id).filter(type="edition.opened")
    assert event.content["data"]["shown"] == "message"
    assert event.content["data"]["kinds"] == key.split(",")
    for change in (lambda: Opening.objects.update(rendering="coverage"), lambda: first.delete()):
        with pytest.raises(IntegrityError, match="never changed or forgotten"), transaction.atomic():
            change()


def test_only_what_is_asked_for_can_be_opened(edition: Edition, approver: User) -> None:
    with pytest.raises(ValidationError, match="not one of the messages"):
        open_rendering(edition, rendering="health", by=approver)
    with pytest.raises(IntegrityError, match="Only what must be seen"):
        Opening.objects.create(
            edition=edition, digest=b"0" * 32, rendering="coverage", opened_by=approver, opened_at=timezone.now()
        )


def test_after_a_change_everything_is_opened_again(edition: Edition, approver: User) -> None:
    open_everything(edition, by=approver)
    author = edition.authors.get().author
    again = withdraw(edition, by=author)
    assert again.renderings == []
    again = submit_for_review(again, by=author)
    assert bytes(again.digest or b"") == bytes(edition.digest or b"")  # the same words and list: the same digest
    assert approve_edition(again, by=approver).state == Edition.State.APPROVED


def test_the_review_page_opens_and_ticks_them(edition: Edition, approver: User, client: Client) -> None:
    client.force_login(approver)
    arguments = [edition.notice.incident.reference, edition.pk]
    review = reverse("edition-review", args=arguments)
    assert client.get(review).content.decode().count("Not opened by you yet") == len(edition.renderings)
    for key in edition.renderings:
        answer = client.post(reverse("edition-open", args=arguments), {"rendering": key}, follow=True)
        assert answer.status_code == 200
        where = "Coverage:" if key == "coverage" else "as plain text" if key.startswith("text:") else "The message"
        assert where in answer.content.decode()
    page = client.get(review).content.decode()
    assert (page.count("Opened by you"), page.count("Not opened by you yet")) == (len(edition.renderings), 0)
    assert reverse("edition-approve", args=arguments) in page


def test_who_may_not_approve_opens_nothing(edition: Edition, client: Client) -> None:
    client.force_login(make_user("auditor"))
    arguments = [edition.notice.incident.reference, edition.pk]
    assert client.post(reverse("edition-open", args=arguments), {"rendering": "coverage"}).status_code == 403
    assert client.get(reverse("edition-rendering", args=arguments), {"rendering": "health"}).status_code == 404
    assert not Opening.objects.exists()
