"""Approval: by somebody who wrote none of it, for exactly what stands there."""

import pytest
from django.core.exceptions import ValidationError
from django.db.models import BinaryField, F, Func

from breachdesk.accounts.actions import change_organisation
from breachdesk.accounts.models import PendingDecision
from breachdesk.audit.models import Event
from breachdesk.people.models import Person
from notifications import delivery
from notifications.actions import approve_edition, save_draft, start_edition, submit_for_review
from notifications.models import Approval, Delivery, Edition
from tests.factories import approve, make_approved_edition, make_edition, make_edition_in_review, make_user

pytestmark = pytest.mark.django_db


def test_it_binds_the_digest() -> None:
    edition = make_approved_edition()
    approval = Approval.objects.get()
    assert edition.state == Edition.State.APPROVED
    assert bytes(approval.digest) == bytes(edition.digest or b"")
    assert not PendingDecision.objects.open().exists()
    event = Event.objects.newest_first().filter(type="edition.approved")[0]
    assert event.content["data"]["recipients"] == 3


def test_it_refuses_every_author() -> None:
    second = make_user("author", "approver")
    draft = make_edition()
    edition = save_draft(draft, subject="Changed", body=f"{draft.body}\nMore.", by=second)
    edition = submit_for_review(edition, by=make_user("author"))
    with pytest.raises(ValidationError, match="You wrote a part of this edition"):
        approve_edition(edition, by=second)
    assert not Approval.objects.exists()


def test_it_refuses_another_sender_than_was_submitted() -> None:
    edition = make_edition_in_review()
    change_organisation(reply_to="elsewhere@halden-rowe.example", by=make_user("administrator"))
    with pytest.raises(ValidationError, match="not what was submitted any more"):
        approve(edition)


def test_a_changed_address_blocks_that_row_alone_and_voids_nothing() -> None:
    edition = make_edition_in_review()
    changed = Person.objects.filter(deliveries__edition=edition)[0]
    Person.objects.filter(pk=changed.pk).update(email_index=b"0" * 16)
    approved = approve(edition)
    started = start_edition(approved, by=make_user("approver"))
    _, rows = delivery.claim(started.pk, 10)
    assert [row.person for row in rows if not row.is_as_frozen] == [changed.pk]
    assert len(rows) == 3


CHANGED = {
    "email_index": b"0" * 16,
    "row_checksum": b"0" * 16,
    "country": "PT",
    "state": "CA",
    "language": "pt",
    "minor": True,
    "vulnerable": True,
    "deceased": True,
    "kinds": ["name", "passport"],
}


def test_whatever_messages_and_audiences_are_made_of_is_frozen_with_each_row() -> None:
    edition = make_edition_in_review()
    delivered = Delivery.objects.filter(edition=edition)[0]
    person = Person.objects.filter(pk=delivered.person_id)
    now = Func(F("pk"), function="notifications_frozen_row", template="%(function)s(people_person)")
    now.output_field = BinaryField()

    def frozen() -> bytes:
        return bytes(person.annotate(row=now).values_list("row", flat=True).get())

    assert frozen() == bytes(delivered.frozen or b"")
    for column, value in CHANGED.items():
        before = person.values_list(column, flat=True).get()
        person.update(**{column: (not before) if isinstance(value, bool) else value})
        assert frozen() != bytes(delivered.frozen or b""), column
        person.update(**{column: before})
    person.update(held=True)
    assert frozen() == bytes(delivered.frozen or b""), "taking people out voids nothing"


def test_a_person_on_hold_does_not_void_it() -> None:
    edition = make_edition_in_review()
    Person.objects.filter(deliveries__edition=edition).update(held=True)
    assert approve(edition).state == Edition.State.APPROVED
