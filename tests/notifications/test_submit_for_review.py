"""Submission freezes text and list, and refuses with numbers while one message could not be made."""

import pytest
from django.core.exceptions import ValidationError

from breachdesk.accounts.models import Organisation, PendingDecision
from breachdesk.audit.models import Event
from breachdesk.audit.tree import leaf_of, root_of
from notifications.actions import add_edition, save_draft, submit_for_review
from notifications.models import Delivery, Edition
from tests.factories import (
    make_edition,
    make_edition_in_review,
    make_incident,
    make_organisation,
    make_people,
    make_user,
)

pytestmark = pytest.mark.django_db


def test_it_freezes_everybody_who_can_be_reached() -> None:
    edition = make_edition_in_review()
    assert (edition.state, edition.recipients_count) == (Edition.State.IN_REVIEW, 3)
    rows = Delivery.objects.filter(edition=edition).order_by("person")
    leaves = [leaf_of(row.person_id.bytes + bytes(row.frozen or b"")) for row in rows]
    assert bytes(edition.recipients_root or b"") == root_of(leaves)


def test_it_asks_whoever_may_approve_and_wrote_nothing() -> None:
    author = make_user("author", "approver")
    edition = submit_for_review(make_edition(by=author), by=author)
    asked = PendingDecision.objects.get()
    assert (asked.permission, asked.object_id) == ("notifications.approve_edition", edition.pk)
    assert list(asked.excluded.all()) == [author]
    assert asked.sentence == f"{edition.notice.incident.reference}: a notice in English to 3 people waits for approval."


def test_the_event_carries_digest_and_number() -> None:
    edition = make_edition_in_review()
    event = Event.objects.newest_first().filter(type="edition.submitted")[0]
    assert event.content["data"]["recipients"] == 3
    assert len(bytes(edition.digest or b"")) == 32


def test_missing_values_are_counted() -> None:
    text = (
        "customer_id,first_name,last_name,email\n"
        "A-1,,Byron,a@example.com\nA-2,,Lovelace,b@example.com\nA-3,Ada,King,c@example.com\n"
    )
    incident = make_incident(kinds=["name"])
    make_people(incident, text)
    draft = make_edition(incident)
    edition = save_draft(draft, subject="S", body=f"Dear ((first name)),\n{draft.body}", by=make_user("author"))
    with pytest.raises(ValidationError) as refusal:
        submit_for_review(edition, by=make_user("author"))
    assert refusal.value.messages == [
        "2 people have no usable value for ((first name)). Give a default: ((first name|customer))."
    ]
    assert Delivery.objects.filter(edition=edition).count() == 0


def test_faults_are_named_by_place() -> None:
    edition = save_draft(make_edition(), subject="", body="One line.\n\nDear ((friend)),", by=make_user("author"))
    with pytest.raises(ValidationError) as refusal:
        submit_for_review(edition, by=make_user("author"))
    assert refusal.value.messages[0].startswith("Subject: ")
    assert refusal.value.messages[1].startswith("Line 3, column 6: ((friend)) is not a field.")


def test_the_organisation_must_say_who_sends() -> None:
    Organisation.objects.all().delete()
    make_organisation(sender_email="", dpo_email="")
    edition = save_draft(make_edition(), subject="S", body="Text.", by=make_user("author"))
    with pytest.raises(ValidationError) as refusal:
        submit_for_review(edition, by=make_user("author"))
    assert "lacks the sender's address and the data protection officer's email" in refusal.value.messages[0]


def test_an_edition_for_nobody_is_refused() -> None:
    make_organisation()
    incident = make_incident()
    with pytest.raises(ValidationError, match="Nobody would get this edition"):
        submit_for_review(make_edition(incident), by=make_user("author"))


def test_each_language_serves_its_readers_and_the_default_the_rest() -> None:
    english, author = make_edition(), make_user("author")
    german = add_edition(english.notice, language="de", by=author)
    assert german.subject == "Ihre Daten wurden kopiert"
    assert submit_for_review(german, by=author).recipients_count == 1
    assert submit_for_review(english, by=author).recipients_count == 2
    assert Delivery.objects.count() == 3


def test_nobody_is_in_two_editions_of_a_notice() -> None:
    english, author = make_edition_in_review(), make_user("author")
    german = add_edition(english.notice, language="de", by=author)
    with pytest.raises(ValidationError, match="Nobody would get this edition"):
        submit_for_review(german, by=author)
