"""Who came to a frozen list, or changed on it: asked about alone, and sent nothing until somebody else says yes."""

import pytest
from django.core.exceptions import ValidationError
from django.db import IntegrityError, connection, transaction
from django.test import Client
from django.urls import reverse
from django.utils import timezone

from breachdesk.accounts.models import PendingDecision, User
from breachdesk.audit.models import Event
from breachdesk.people.models import Person
from notifications import delivery
from notifications.actions import (
    approve_amendment,
    ask_amendment,
    pause_edition,
    refuse_amendment,
    resume_edition,
    start_edition,
    withdraw,
)
from notifications.amendments import Since, holds, since
from notifications.models import Amendment, Delivery, Edition
from notifications.sweeping import finish_if_done
from tests.factories import make_approved_edition, make_people, make_user, unguarded

pytestmark = pytest.mark.django_db

LATER = """customer_id,first_name,last_name,email,street,city,country,language,data_exposed
HR-7,Mara,Ilves,mara.ilves@example.com,7 Quay Street,Leeds,GB,en-GB,name;email
HR-8,Teo,Brandt,teo.brandt@example.com,8 Quay Street,Leeds,GB,en-GB,name
"""


@pytest.fixture(scope="module")
def edition(made_once: None) -> Edition:
    """Approved; two people came to the list since, and one on it changed."""
    edition = make_approved_edition()
    with unguarded():
        changed = Person.objects.filter(deliveries__edition=edition).order_by("pk")[0]
        Person.objects.filter(pk=changed.pk).update(country="NZ")
    make_people(edition.notice.incident, LATER, name="later.csv")
    return edition


@pytest.fixture(scope="module")
def author(edition: Edition) -> User:
    return edition.authors.get().author


@pytest.fixture(scope="module")
def approver(made_once: None) -> User:
    return make_user("approver")


def states(edition: Edition) -> dict[str, int]:
    return Delivery.objects.tally([edition])[edition.pk]


def taken(edition: Edition) -> tuple[int, int]:
    """How many rows a worker may take, and how many of them it would send."""
    _, rows = delivery.claim(edition.pk, 50)
    return len(rows), sum(row.is_as_frozen for row in rows)


def test_they_are_counted_and_hold_nobody_up(edition: Edition, approver: User) -> None:
    assert since(edition) == Since(added=2, changed=1)
    assert taken(start_edition(edition, by=approver)) == (3, 2)


def test_asked_about_they_wait(edition: Edition, author: User, approver: User) -> None:
    amendment = ask_amendment(edition, by=author)
    assert (amendment.added, amendment.changed, holds(amendment)) == (2, 1, True)
    assert states(edition) == {"planned": 2, "blocked": 3}
    [event] = Event.objects.of_incident(edition.incident_id).filter(type="edition.amendment_asked")
    assert (event.content["data"]["added"], event.content["data"]["changed"]) == (2, 1)
    assert PendingDecision.objects.open().about(amendment).exists()
    started = start_edition(edition, by=approver)
    assert taken(started) == (2, 2)
    with pytest.raises(ValidationError, match="waits for approval already"):
        ask_amendment(started, by=author)


def test_approved_they_are_sent_to_like_everybody(edition: Edition, author: User, approver: User) -> None:
    amendment = ask_amendment(edition, by=author)
    start_edition(edition, by=approver)
    approve_amendment(amendment, by=approver)
    assert taken(edition) == (5, 5)
    assert not PendingDecision.objects.open().about(amendment).exists()
    with pytest.raises(ValidationError, match="decided already"):
        refuse_amendment(amendment, reason="Late.", by=approver)


def test_neither_the_asker_nor_an_author_approves_it(edition: Edition, author: User) -> None:
    both = make_user("author", "approver")
    amendment = ask_amendment(edition, by=both)
    with pytest.raises(ValidationError, match="You asked for this"):
        approve_amendment(amendment, by=both)
    for who in (both, author):
        with pytest.raises(IntegrityError, match="Whoever asked for an amendment"), transaction.atomic():
            Amendment.objects.update(approved_by=who, approved_at=timezone.now())
    assert states(edition)["blocked"] == 3


def test_refused_they_go_and_may_be_asked_about_again(edition: Edition, author: User, approver: User) -> None:
    amendment = ask_amendment(edition, by=author)
    with pytest.raises(ValidationError, match="Say why they are not to be told"):
        refuse_amendment(amendment, reason="", by=approver)
    refuse_amendment(amendment, reason="The wrong list.", by=approver)
    assert states(edition) == {"planned": 2, "blocked": 1}
    again = ask_amendment(edition, by=author)
    assert (again.added, again.changed) == (2, 1)
    approve_amendment(again, by=approver)
    assert states(edition) == {"planned": 5}


def test_a_row_that_changes_after_its_amendment_is_blocked_alone(
    edition: Edition, author: User, approver: User
) -> None:
    approve_amendment(ask_amendment(edition, by=author), by=approver)
    with unguarded():
        last = Person.objects.filter(deliveries__amendment__isnull=False).order_by("pk").last()
        Person.objects.filter(pk=last.pk).update(language="pt")  # type: ignore[union-attr]
    assert taken(start_edition(edition, by=approver)) == (5, 4)


def test_resuming_looks_at_the_rows_again(edition: Edition, author: User, approver: User) -> None:
    approve_amendment(ask_amendment(edition, by=author), by=approver)
    started = start_edition(edition, by=approver)
    pause_edition(started, by=approver)
    with unguarded():
        Delivery.objects.filter(amendment__isnull=False, frozen=None).update(amended=b"0" * 16)
    with pytest.raises(ValidationError, match="not those that were approved"):
        resume_edition(started, by=approver)


def test_as_a_draft_again_its_list_is_free(edition: Edition, author: User, approver: User) -> None:
    amendment = ask_amendment(edition, by=author)
    withdraw(edition, by=author)
    amendment.refresh_from_db()
    assert amendment.voided_at is not None
    assert not Delivery.objects.exists()


def test_a_send_is_not_finished_while_an_amendment_waits(edition: Edition, author: User, approver: User) -> None:
    amendment = ask_amendment(edition, by=author)
    started = start_edition(edition, by=approver)
    with unguarded():
        Delivery.objects.filter(state="planned").update(state="refused", next_at=None)
    assert not finish_if_done(started.pk)
    refuse_amendment(amendment, reason="The wrong list.", by=approver)
    assert finish_if_done(started.pk)
    with pytest.raises(ValidationError, match="cannot be amended: it is “finished”"):
        ask_amendment(started, by=author)


def test_the_database_lets_nobody_onto_a_frozen_list(edition: Edition, author: User) -> None:
    amendment = ask_amendment(edition, by=author)
    row = Delivery.objects.filter(amendment=amendment, frozen=None).first()
    assert row is not None
    attacks = {
        "UPDATE notifications_delivery SET state = 'planned', next_at = now() WHERE id = %s": "once the amendment",
        "UPDATE notifications_delivery SET amended = 'x' WHERE id = %s": "as the person is now",
        "UPDATE notifications_delivery SET amendment_id = NULL WHERE id = %s": "as the person is now",
        """INSERT INTO notifications_delivery (id, notice_id, edition_id, person_id, state, next_at, tries, generation,
           frozen) SELECT gen_random_uuid(), notice_id, edition_id, (SELECT id FROM people_person WHERE NOT has_email
           LIMIT 1), 'planned', now(), 0, 0, frozen FROM notifications_delivery WHERE id = %s""": "frozen list",
        """INSERT INTO notifications_delivery (id, notice_id, edition_id, person_id, state, next_at, tries, generation,
           amendment_id, amended) SELECT gen_random_uuid(), notice_id, edition_id, (SELECT id FROM people_person WHERE
           NOT has_email LIMIT 1), 'planned', now(), 0, 0, amendment_id, amended FROM notifications_delivery
           WHERE id = %s""": "begins as planned",
    }
    for statement, refusal in attacks.items():
        with pytest.raises(IntegrityError, match=refusal), transaction.atomic(), connection.cursor() as cursor:
            cursor.execute(statement, [row.pk])


def test_nobody_is_taken_off_a_started_list(edition: Edition, approver: User) -> None:
    start_edition(edition, by=approver)
    with pytest.raises(IntegrityError, match="Nobody is taken off"), connection.cursor() as cursor:
        cursor.execute("DELETE FROM notifications_delivery WHERE state = 'planned'")


def test_the_pages_ask_and_answer(edition: Edition, author: User, approver: User, client: Client) -> None:
    arguments = [edition.notice.incident.reference, edition.pk]
    client.force_login(author)
    page = client.get(reverse("edition-detail", args=arguments)).content.decode()
    assert "2 people came to the list, 1 on it changed" in page
    ask = reverse("edition-amend", args=arguments)
    assert "2 people who came to the list and 1 who changed" in client.get(ask).content.decode()
    assert client.post(ask, {"version": edition.version}).status_code == 302
    amendment = Amendment.objects.get()
    client.force_login(approver)
    approve = reverse("amendment-approve", args=[*arguments, amendment.pk])
    assert approve in client.get(reverse("edition-detail", args=arguments)).content.decode()
    assert "Approve 3 more" in client.get(approve).content.decode()
    assert client.post(approve, {"version": edition.version}).status_code == 302
    assert states(edition) == {"planned": 5}
    assert client.post(approve, {"version": edition.version}).status_code == 409
