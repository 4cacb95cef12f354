"""What a provider reports: only with the secret, once, forward, and never more than it says."""

import base64
import json
from collections import Counter
from typing import Any
from uuid import UUID, uuid4

import pytest
from django.test import Client
from pytest_django import DjangoDbBlocker, Settings

from breachdesk.audit.models import Event
from notifications import delivery
from notifications.mail_events import apply_events
from notifications.models import Delivery, Edition, MailEvent
from notifications.transport import Kind, Outcome, Phase
from tests.factories import make_edition_being_sent, unguarded

pytestmark = pytest.mark.django_db
SECRET = "Basic " + base64.b64encode(b"us:secret").decode()


@pytest.fixture(autouse=True)
def _secret(settings: Settings) -> None:
    settings.ANYMAIL = {"WEBHOOK_SECRET": "us:secret"}


@pytest.fixture(scope="module")
def edition(made_once: None, django_db_blocker: DjangoDbBlocker) -> Edition:
    with django_db_blocker.unblock():
        return make_edition_being_sent()


@pytest.fixture
def row(edition: Edition) -> Delivery:
    """What the provider took from us."""
    return handed_over(edition)


def handed_over(edition: Edition, kind: Kind = Kind.HANDED_OVER) -> Delivery:
    token, rows = delivery.claim(edition.pk, 1)
    delivery.share_hand_overs(edition.pk)
    delivery.begin_hand_over(token, {rows[0].id: b"c" * 32})
    code = 250 if kind is Kind.HANDED_OVER else None
    delivery.settle(token, [(rows[0].id, 0, Outcome(kind, Phase.DOT, code, remote_id="remote-1"))])
    return Delivery.objects.get(pk=rows[0].id)


def postmark(record: str, delivery_id: UUID | None, **more: Any) -> dict[str, Any]:
    """As Postmark posts it."""
    event = {
        "RecordType": record,
        "MessageID": "883953f4-6105-42a2-a16a-77a8eac79483",
        "Recipient": "somebody@example.com",
        "Metadata": {"delivery": str(delivery_id)} if delivery_id else {},
        "DeliveredAt": "2026-11-21T20:00:00Z",
        "BouncedAt": "2026-11-21T20:00:00Z",
        "Details": "ok",
    }
    if record == "Bounce":
        event |= {"ID": 42, "Type": "HardBounce", "TypeCode": 1, "Email": "somebody@example.com", "Description": "no"}
    if record == "SpamComplaint":
        event |= {"ID": 43, "Type": "SpamComplaint", "TypeCode": 512, "Email": "somebody@example.com"}
    return event | more


def report(event: dict[str, Any], secret: str | None = SECRET) -> int:
    headers = {"Authorization": secret} if secret else {}
    return (
        Client(enforce_csrf_checks=True)
        .post("/webhooks/postmark/tracking/", json.dumps(event), content_type="application/json", headers=headers)
        .status_code
    )


def test_a_real_call_moves_the_delivery_on(row: Delivery) -> None:
    assert report(postmark("Delivery", row.pk)) == 200
    row.refresh_from_db()
    assert row.state == "handed_over", "stored at once, applied by the sweeper"
    assert apply_events() == 1
    row.refresh_from_db()
    assert row.state == "delivered"
    [event] = Event.objects.filter(type="mail_event.received")
    assert event.content["data"] == {
        "count": 1,
        "source": "Postmark",
        "kinds": ["delivered=1"],
        "applied": 1,
        "batches": [f"notifications_delivery/{row.token}", "notifications_mailevent/Postmark"],
    }
    assert event.incident == row.notice.incident_id


@pytest.mark.parametrize("secret", [None, "Basic " + base64.b64encode(b"us:guess").decode()])
def test_without_the_secret_nothing_is_kept(row: Delivery, secret: str | None) -> None:
    assert report(postmark("Delivery", row.pk), secret) == 400
    assert not MailEvent.objects.exists()


def test_without_any_secret_set_nothing_is_taken(settings: Settings, row: Delivery) -> None:
    settings.ANYMAIL = {}
    with pytest.warns(match="WEBHOOK_SECRET"):
        assert report(postmark("Delivery", row.pk), None) == 400
    assert not MailEvent.objects.exists()


def test_a_repeated_report_is_one(row: Delivery) -> None:
    for _ in range(3):
        assert report(postmark("Bounce", row.pk)) == 200
    assert MailEvent.objects.count() == 1
    assert apply_events() == 1
    assert apply_events() == 0


def test_the_rank_never_falls(row: Delivery) -> None:
    for record, state in (
        ("Bounce", "bounced"),
        ("Delivery", "bounced"),
        ("SpamComplaint", "complained"),
        ("Delivery", "complained"),
    ):
        report(postmark(record, row.pk, Details=f"{record}{state}"))
        apply_events()
        row.refresh_from_db()
        assert row.state == state


def test_out_of_order_reports_in_one_pass_end_at_the_highest(row: Delivery) -> None:
    for record in ("SpamComplaint", "Delivery", "Bounce"):
        report(postmark(record, row.pk))
    assert apply_events() == 3
    row.refresh_from_db()
    assert row.state == "complained"


def sent_again(row: Delivery) -> Delivery:
    """As after a decision of two people and a second sending."""
    with unguarded():
        Delivery.objects.filter(pk=row.pk).update(generation=1)
    row.refresh_from_db()
    return row


@pytest.mark.parametrize(
    ("metadata", "state"),
    [
        ({"generation": "0"}, "handed_over"),
        ({}, "handed_over"),  # it does not say, so it is about the first
        ({"generation": "1"}, "bounced"),
        ({"generation": "2"}, "handed_over"),
        ({"generation": "-1"}, "handed_over"),
        ({"generation": ["1"]}, "handed_over"),
    ],
)
def test_what_comes_late_about_an_earlier_sending_leaves_the_later_alone(
    row: Delivery, metadata: dict[str, Any], state: str
) -> None:
    sent_again(row)
    report(postmark("Bounce", None, Metadata={"delivery": str(row.pk), **metadata}))
    assert apply_events() == 1
    row.refresh_from_db()
    assert row.state == state
    assert MailEvent.objects.get().delivery_id == row.pk, "it is kept, and told with the person"


def test_a_report_that_waits_does_not_hold_up_one_about_an_earlier_sending(edition: Edition) -> None:
    token, rows = delivery.claim(edition.pk, 1)
    delivery.share_hand_overs(edition.pk)
    delivery.begin_hand_over(token, {rows[0].id: b"c" * 32})
    row = Delivery.objects.get(pk=rows[0].id)
    report(postmark("Delivery", row.pk, Details="first"))
    assert apply_events() == 0, "its message is on the wire: the answer comes first"
    delivery.settle(token, [(row.pk, 0, Outcome(Kind.HANDED_OVER, Phase.DOT, 250))])
    assert apply_events() == 1
    row.refresh_from_db()
    assert row.state == "delivered"


def test_soft_bounces_and_delays_are_kept_and_change_nothing(row: Delivery) -> None:
    for number, words in enumerate(
        ({"Type": "SoftBounce"}, {"Type": "Transient"}, {"Details": "451 4.7.1 greylisted"})
    ):
        report(postmark("Bounce", row.pk, ID=number, **words))
    report(postmark("Bounce", row.pk, ID=9, Type="AutoResponder"))
    assert apply_events() == 4
    row.refresh_from_db()
    assert row.state == "handed_over"
    kept = Counter(MailEvent.objects.values_list("kind", "enhanced"))
    assert kept == {("delayed", ""): 2, ("delayed", "4.7.1"): 1, ("auto_replied", ""): 1}


@pytest.mark.parametrize(("kind", "state"), [(Kind.HANDED_OVER, "bounced"), (Kind.UNKNOWN, "unknown")])
def test_a_delay_in_the_same_pass_hides_nothing(edition: Edition, kind: Kind, state: str) -> None:
    row = handed_over(edition, kind)
    report(postmark("Bounce", row.pk, ID=1, Type="Transient"))
    if kind is Kind.HANDED_OVER:
        report(postmark("Bounce", row.pk, ID=2))
    apply_events()
    row.refresh_from_db()
    assert row.state == state


def test_the_servers_own_code_is_kept(row: Delivery) -> None:
    report(postmark("Bounce", row.pk, Details="550 5.1.1 <nobody> from 10.5.1.2"))
    assert MailEvent.objects.get().enhanced == "5.1.1"


def test_whoever_complains_about_an_unknown_has_got_it(edition: Edition) -> None:
    row = handed_over(edition, Kind.UNKNOWN)
    report(postmark("SpamComplaint", row.pk))
    assert apply_events() == 1
    row.refresh_from_db()
    assert row.state == "complained"


@pytest.mark.parametrize(
    "message_id", ["<{}@halden.example>", "{}@halden.example", "{}@HALDEN.example", "<x{}@halden.example>"]
)
def test_our_message_id_finds_the_delivery(row: Delivery, message_id: str) -> None:
    report(postmark("Delivery", None, MessageID=message_id.format(row.pk)))
    assert MailEvent.objects.get().delivery_id == (None if "<x" in message_id else row.pk)


def test_strange_words_in_a_report_break_nothing(row: Delivery) -> None:
    for strange in ({"ID": "a\u0000b"}, {"ID": "\ud800"}, {"MessageID": "a\u0000"}):
        assert report(postmark("Bounce", None, **strange)) == 200
    assert report(postmark("Bounce", row.pk, BouncedAt="2026-11-21T20:00:00")) == 200, "a moment without a zone"
    assert not MailEvent.objects.exclude(delivery=None).exclude(delivery=row).exists()


def test_an_unknown_is_cleared_up_by_a_report(edition: Edition) -> None:
    row = handed_over(edition, Kind.UNKNOWN)
    report(postmark("Delivery", row.pk))
    apply_events()
    row.refresh_from_db()
    assert row.state == "delivered"


@pytest.mark.parametrize("named", [uuid4(), None])
def test_a_report_about_nobody_stays_in_quarantine(row: Delivery, named: UUID | None) -> None:
    assert report(postmark("Delivery", named)) == 200
    assert MailEvent.objects.get().delivery_id is None
    assert apply_events() == 0


def test_the_providers_own_id_finds_the_delivery_too(row: Delivery) -> None:
    report(postmark("Delivery", None, MessageID="remote-1"))
    assert MailEvent.objects.get().delivery_id == row.pk


def test_a_report_cannot_touch_what_is_not_sent(edition: Edition) -> None:
    row = Delivery.objects.filter(state="planned")[0]
    report(postmark("Bounce", row.pk))
    assert apply_events() == 1
    assert apply_events() == 0, "it does not lie in wait for the message either"
    row.refresh_from_db()
    assert row.state == "planned"


def test_opens_and_clicks_are_not_kept(row: Delivery) -> None:
    assert report(postmark("Open", row.pk, ReceivedAt="2026-11-21T20:00:00Z", UserAgent="x")) == 200
    assert not MailEvent.objects.exists()


def test_no_address_is_kept(row: Delivery) -> None:
    report(postmark("Bounce", row.pk))
    kept = MailEvent.objects.values_list("source", "source_id", "kind").get()
    assert kept == ("Postmark", "42", "bounced")
