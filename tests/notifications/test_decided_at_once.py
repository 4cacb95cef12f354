"""Two decisions about the same unknown people in the same moment, over connections of their own."""

from collections.abc import Callable
from datetime import timedelta

import pytest
from django.db import connection
from django.utils import timezone

from breachdesk.audit.models import Event
from notifications.actions import ask_resend, confirm_resend, take_as_sent, withdraw_resend
from notifications.models import Delivery, DeliveryDecision, Edition
from notifications.unknowns import Rule, chosen_by
from tests.factories import make_edition_being_sent, make_user, unguarded
from tests.notifications.test_reconcile import unknowns
from tests.notifications.test_two_at_once import at_once

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
