"""Two decisions about the same unknown people in the same moment, over connections of their own."""

import threading
from collections.abc import Callable
from datetime import timedelta
from pathlib import Path

import pytest
from django.db import connection, transaction
from django.utils import timezone
from pytest_django import Settings

from breachdesk.audit.models import Event
from notifications import delivery, journal, pace
from notifications.actions import ask_resend, confirm_resend, take_as_sent, withdraw_resend
from notifications.batches import close_batch
from notifications.journal import Journal
from notifications.models import Batch, Delivery, DeliveryDecision, Edition
from notifications.recovering import recover
from notifications.sweeping import finish_if_done
from notifications.unknowns import Rule, chosen_by
from tests.factories import make_edition_being_sent, make_user, unguarded
from tests.notifications.test_reconcile import unknowns
from tests.notifications.test_two_at_once import at_once
from tests.services import until

pytestmark = pytest.mark.django_db(transaction=True)

WHY = "The relay's log of that hour is lost."


def old_unknowns(edition: Edition) -> None:
    rows = unknowns(edition, 3)
    with unguarded(), connection.cursor() as cursor:
        Delivery.objects.filter(pk__in=rows).update(settled_at=timezone.now() - timedelta(days=2))
        cursor.execute("UPDATE notifications_attempt SET closed_at = now() - interval '2 days'")


def test_one_wins_and_the_other_reads_a_sentence() -> None:
    edition = make_edition_being_sent()
    old_unknowns(edition)
    first, second, third = make_user("approver"), make_user("dpo"), make_user("approver")
    root, generation = chosen_by(edition, Rule()).root, 0

    def ask(by: object) -> Callable[[], object]:
        return lambda: ask_resend(edition, rule=Rule(), rows_root=root, reason=WHY, by=by)  # type: ignore[arg-type]

    told = at_once(ask(first), ask(third))
    assert sorted(map(bool, told)) == [False, True], told
    asked = DeliveryDecision.objects.get()
    confirm = lambda: confirm_resend(asked, rows_root=root, by=second)  # noqa: E731
    told = at_once(confirm, lambda: withdraw_resend(asked, by=first))
    assert sorted(map(bool, told)) == [False, True], told
    asked.refresh_from_db()
    sent = set(Delivery.objects.values_list("generation", flat=True))
    assert sent == ({1} if asked.confirmed_at else {0})
    if asked.confirmed_at:
        old_unknowns(edition)
        generation = 1
    again = ask_resend(edition, rule=Rule(), rows_root=root, reason=WHY, by=first)
    told = at_once(
        lambda: confirm_resend(again, rows_root=root, by=second),
        lambda: confirm_resend(again, rows_root=root, by=third),
        lambda: take_as_sent(edition, rule=Rule(), rows_root=root, reason=WHY, by=second),
    )
    assert sorted(map(bool, told)) == [False, True, True], told
    assert set(Delivery.objects.values_list("state", "generation")) == {("planned", generation + 1)}
    assert Event.objects.of_type("delivery.decided").on_objects([str(again.pk)]).count() == 1


def test_an_edition_does_not_finish_under_a_decision_that_is_being_made() -> None:
    edition = make_edition_being_sent()
    old_unknowns(edition)
    root, second = chosen_by(edition, Rule()).root, make_user("dpo")
    asked = ask_resend(edition, rule=Rule(), rows_root=root, reason=WHY, by=make_user("approver"))
    finishing = threading.Thread(target=at_once, args=[lambda: finish_if_done(edition.pk)])
    with transaction.atomic():
        confirm_resend(asked, rows_root=root, by=second)
        finishing.start()
        until(somebody_waits)
    finishing.join(60)
    edition.refresh_from_db()
    assert set(Delivery.objects.values_list("state", flat=True)) == {"planned"}
    assert edition.state == Edition.State.SENDING


def somebody_waits() -> bool:
    with connection.cursor() as cursor:
        cursor.execute(
            "SELECT EXISTS (SELECT FROM pg_locks AS l JOIN pg_database AS d ON d.oid = l.database"
            " WHERE NOT l.granted AND d.datname = current_database())"
            " OR EXISTS (SELECT FROM pg_locks WHERE locktype = 'transactionid' AND NOT granted)"
        )
        return bool(cursor.fetchone()[0])


def test_a_batch_that_goes_while_it_is_recovered_ends_nobody(settings: Settings, tmp_path: Path) -> None:
    """All of it is given back and nothing was told: whoever closes it deletes it, and who waited for it goes on."""
    settings.BREACHDESK = settings.BREACHDESK.model_copy(update={"state_dir": tmp_path})
    edition, notes = make_edition_being_sent(), Journal()
    token, rows = delivery.claim(edition.pk, 3, notes.id)
    notes.end(is_settled=False)
    told: list[list[str]] = []
    recovering = threading.Thread(target=lambda: told.append(at_once(recover)))
    with transaction.atomic():
        assert pace.give_back(token) == len(rows)
        assert close_batch(token)
        recovering.start()
        until(somebody_waits)
    recovering.join(60)
    assert told == [[""]]
    assert not Batch.objects.exists()
    assert list(journal.folder().iterdir()) == []
