"""A decision about those that a rule gives, over the pages: the others stay as they are."""

from datetime import timedelta

import pytest
from django.db import connection
from django.test import Client
from django.urls import reverse
from django.utils import timezone

from notifications.models import Delivery, DeliveryDecision, Edition, MailEvent
from notifications.unknowns import Rule, chosen_by
from tests.factories import make_edition_being_sent, make_user, unguarded
from tests.notifications.test_reconcile import unknowns

pytestmark = pytest.mark.django_db
RULE = {"heard": "absent", "phase": "dot"}


@pytest.fixture
def edition() -> Edition:
    """Of three unknowns a log that is whole says of two that the relay never had them."""
    edition = make_edition_being_sent()
    never, neither, _ = unknowns(edition, 3)
    for row in (never, neither):
        MailEvent.objects.create(
            source="postfix_log", source_id=f"absent {row}", delivery_id=row, generation=0, kind="absent",
            received_at=timezone.now(), raw_sha256=b"0" * 32,
        )  # fmt: skip
    with unguarded(), connection.cursor() as cursor:
        Delivery.objects.filter(state="unknown").update(settled_at=timezone.now() - timedelta(days=2))
        cursor.execute("UPDATE notifications_attempt SET closed_at = now() - interval '2 days'")
    return edition


def seen(edition: Edition) -> str:
    return f"?seen={chosen_by(edition, Rule(**RULE)).root.hex()}&heard=absent&phase=dot"


def test_those_of_whom_the_relay_says_that_it_never_had_them_are_sent_again_by_two_people(edition: Edition) -> None:
    reference = edition.notice.incident.reference
    asker, second = Client(), Client()
    asker.force_login(make_user("approver"))
    second.force_login(make_user("dpo"))
    page = asker.get(reverse("unknown", args=[reference, edition.pk]), RULE).content.decode()
    assert "Ask to send 2 again" in page
    said = {"version": edition.version, "reason": "The log of that hour is whole."}
    asker.post(reverse("unknown-resend", args=[reference, edition.pk]) + seen(edition), said)
    decision = DeliveryDecision.objects.get()
    assert Delivery.objects.filter(state="unknown").count() == 3, "asking sends nothing"
    root = bytes(decision.rows_root).hex()
    confirm = reverse("resend-confirm", args=[reference, edition.pk, decision.pk]) + f"?seen={root}"
    asker.post(confirm, {"version": Edition.objects.get().version})
    assert Delivery.objects.filter(state="unknown").count() == 3, "not by whoever asked"
    second.post(confirm, {"version": Edition.objects.get().version})
    again = set(Delivery.objects.filter(state="planned", generation=1).values_list("pk", flat=True))
    assert again == set(MailEvent.objects.values_list("delivery_id", flat=True))
    assert Delivery.objects.filter(state="unknown").count() == 1


def test_those_that_the_rule_gives_are_taken_as_sent_and_nobody_else(edition: Edition) -> None:
    client = Client()
    client.force_login(make_user("approver"))
    step = reverse("unknown-sent", args=[edition.notice.incident.reference, edition.pk]) + seen(edition)
    client.post(step, {"version": edition.version, "reason": "We rang them."})
    taken = set(Delivery.objects.filter(state="assumed_sent").values_list("pk", flat=True))
    assert taken == set(MailEvent.objects.values_list("delivery_id", flat=True))
    assert Delivery.objects.filter(state="unknown").count() == 1
