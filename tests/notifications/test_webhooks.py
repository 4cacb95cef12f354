"""The doors by which providers report: who has no secret, no right signature or too much to say stays outside, with 4xx
and nothing kept; whoever may come in comes in once."""

import base64
import hashlib
import hmac
import json
import time
from collections.abc import Callable, Sequence
from datetime import UTC, datetime, timedelta
from typing import Any
from uuid import uuid4

import pytest
import requests
from anymail.exceptions import AnymailWebhookValidationFailure
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import rsa
from cryptography.hazmat.primitives.asymmetric.padding import PKCS1v15
from cryptography.x509.oid import NameOID
from django.test import Client, RequestFactory
from pytest_django import Settings

from notifications.models import MailEvent
from notifications.webhooks import DOORS, AmazonReports
from tests.factories import make_edition_being_sent
from tests.notifications.test_provider_events import handed_over

pytestmark = pytest.mark.django_db
BASIC = "Basic " + base64.b64encode(b"us:secret").decode()
SVIX = "whsec_" + base64.b64encode(b"a secret of 24 characters").decode()
TOPIC = "arn:aws:sns:eu-west-1:123456789012:reports"
CERTIFICATE = "https://sns.eu-west-1.amazonaws.com/SimpleNotificationService-" + "0" * 32 + ".pem"
MAILGUN = {
    "event-data": {
        "event": "failed",
        "severity": "permanent",
        "timestamp": 1_700_000_000.5,
        "recipient": "a@example.com",
        "id": "e1",
        "message": {"headers": {"message-id": f"{uuid4()}@halden.example"}},
        "user-variables": {"delivery": str(uuid4())},
        "delivery-status": {"code": 550, "message": "5.1.1 nobody here"},
    }
}
RESEND = {"type": "email.bounced", "created_at": "2026-11-22T10:00:00Z", "data": {"email_id": "r1", "to": ["a@b.test"]}}


@pytest.fixture(autouse=True)
def _account(settings: Settings) -> None:
    settings.ANYMAIL = {
        "WEBHOOK_SECRET": "us:secret",
        "MAILGUN_WEBHOOK_SIGNING_KEY": "mailgun-key",
        "RESEND_SIGNING_SECRET": SVIX,
    }
    settings.BREACHDESK = settings.BREACHDESK.model_copy(update={"sns_topics": TOPIC})


def post(provider: str, body: Any, **headers: str) -> int:
    text = body if isinstance(body, bytes | str) else json.dumps(body)
    given = {"Authorization": BASIC} | {name.replace("_", "-"): value for name, value in headers.items()}
    answer = Client(enforce_csrf_checks=True, raise_request_exception=False).post(
        f"/webhooks/{provider}/tracking/",
        text,
        content_type="application/json",
        headers={name: value for name, value in given.items() if value},
    )
    return answer.status_code


def by_mailgun(body: dict[str, Any], key: bytes = b"mailgun-key", token: str = "t" * 50) -> dict[str, Any]:
    stamp = str(int(time.time()))
    right = hmac.new(key, f"{stamp}{token}".encode(), hashlib.sha256).hexdigest()
    return body | {"signature": {"timestamp": stamp, "token": token, "signature": right}}


def by_resend(body: dict[str, Any], at: float | None = None, secret: bytes = b"a secret of 24 characters") -> int:
    text, stamp = json.dumps(body), str(int(at or time.time()))
    right = hmac.new(secret, f"msg_1.{stamp}.{text}".encode(), hashlib.sha256).digest()
    signature = "v1,AAAA v1," + base64.b64encode(right).decode()
    return post("resend", text, svix_id="msg_1", svix_timestamp=stamp, svix_signature=signature)


def test_what_mailgun_signed_comes_in_once() -> None:
    report = by_mailgun(MAILGUN)
    assert [post("mailgun", report) for _ in range(6)] == [200] * 6
    kept = MailEvent.objects.get()
    assert (kept.source, kept.kind, kept.enhanced, kept.delivery_id) == ("Mailgun", "bounced", "5.1.1", None)


def test_what_is_forged_stays_outside() -> None:
    good = by_mailgun(MAILGUN)
    assert post("mailgun", by_mailgun(MAILGUN, key=b"guessed")) == 400
    assert post("mailgun", MAILGUN) == 400, "unsigned"
    assert post("mailgun", good, Authorization="") == 400, "no secret"
    assert post("mailgun", good, Authorization="Basic " + base64.b64encode(b"us:wrong").decode()) == 400
    assert post("mailgun", b"\xff\xfe not json") == 400
    assert post("mailgun", by_mailgun({"event-data": "a string"})) == 400, "signed and garbled"
    assert by_resend(RESEND, secret=b"another secret") == 400
    assert by_resend(RESEND, at=time.time() - 600) == 400, "replayed after its time"
    assert post("resend", RESEND) == 400
    assert not MailEvent.objects.exists()


def test_what_resend_signed_comes_in() -> None:
    assert by_resend(RESEND) == 200
    assert by_resend(RESEND | {"type": "email.delivery_delayed"}) == 200, "the same id: nothing is added"
    assert MailEvent.objects.get().kind == "bounced"


def test_a_provider_that_signs_needs_its_key(settings: Settings) -> None:
    settings.ANYMAIL = {"WEBHOOK_SECRET": "us:secret"}
    assert post("resend", RESEND) == 400
    assert post("mailgun", by_mailgun(MAILGUN)) in (400, 404)
    assert post("sendgrid", []) == 400
    assert not MailEvent.objects.exists()


def test_every_door_is_shut_to_strangers_and_to_what_is_too_large() -> None:
    assert len(DOORS) >= 12
    for provider in DOORS:
        for body in (b"{}", b"[]", b"null", b'"x"', b"", b"\x00" * 10, b"[" * 5000):
            assert post(provider, body, Authorization="") in (400, 401, 404), provider
            assert 400 <= post(provider, body) < 500 or body in (b"{}", b"[]"), (provider, body)
        assert post(provider, b" " * 1_000_001) in (413, 404), provider
    assert not MailEvent.objects.filter(delivery__isnull=False).exists()


def test_what_others_write_to_us_is_not_taken_here() -> None:
    assert Client().post("/webhooks/postmark/inbound/", {}, headers={"Authorization": BASIC}).status_code == 404


@pytest.fixture(scope="module")
def key() -> rsa.RSAPrivateKey:
    return rsa.generate_private_key(65537, 2048)


def certificate(key: rsa.RSAPrivateKey, days: int = 1) -> bytes:
    name = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, "sns.amazonaws.com")])
    begins = datetime.now(UTC) - timedelta(days=10)
    made = x509.CertificateBuilder(name, name, key.public_key(), x509.random_serial_number())
    made = made.not_valid_before(begins).not_valid_after(begins + timedelta(days=10 + days))
    return made.sign(key, hashes.SHA256()).public_bytes(serialization.Encoding.PEM)


def notification(headers: Sequence[dict[str, str]] = (), **changes: Any) -> dict[str, Any]:
    bounce = {
        "bounceType": "Permanent",
        "bounceSubType": "General",
        "bouncedRecipients": [{"emailAddress": "a@example.com"}],
    }
    mail = {"messageId": "s1", "destination": ["a@example.com"], "headers": list(headers)}
    said = {"eventType": "Bounce", "bounce": bounce, "mail": mail}
    return {
        "Type": "Notification",
        "MessageId": "m-1",
        "TopicArn": TOPIC,
        "Message": json.dumps(said),
        "Timestamp": "2026-11-22T10:00:00.000Z",
        "SignatureVersion": "2",
        "SigningCertURL": CERTIFICATE,
        **changes,
    }


def signed(message: dict[str, Any], key: rsa.RSAPrivateKey) -> dict[str, Any]:
    """As SNS signs: a line with the name and a line with the value of each field, in order of the names."""
    fields = ["Message", "MessageId", "SubscribeURL", "Subject", "Timestamp", "Token", "TopicArn", "Type"]
    text = "".join(f"{name}\n{message[name]}\n" for name in fields if name in message)
    kind = hashes.SHA1() if message["SignatureVersion"] == "1" else hashes.SHA256()
    return message | {"Signature": base64.b64encode(key.sign(text.encode(), PKCS1v15(), kind)).decode()}


def to_amazon(message: dict[str, Any], fetch: Callable[[str], bytes], secret: str = BASIC) -> int:
    request = RequestFactory().post(
        "/webhooks/amazon_ses/tracking/",
        json.dumps(message),
        content_type="text/plain; charset=UTF-8",
        headers={
            "x-amz-sns-message-type": message["Type"],
            "x-amz-sns-message-id": message["MessageId"],
            **({"Authorization": secret} if secret else {}),
        },
    )
    try:
        return AmazonReports.as_view(fetch=fetch)(request).status_code
    except AnymailWebhookValidationFailure:
        return 400  # as Django answers a suspicious operation


@pytest.mark.parametrize("version", ["1", "2"])
def test_what_sns_signed_comes_in(key: rsa.RSAPrivateKey, version: str) -> None:
    fetched: list[str] = []

    def fetch(address: str) -> bytes:
        fetched.append(address)
        return certificate(key)

    assert to_amazon(signed(notification(SignatureVersion=version), key), fetch) == 200
    assert fetched == [CERTIFICATE]
    assert MailEvent.objects.get().kind == "bounced"


def test_what_amazon_reports_is_about_the_sending_that_our_header_names(key: rsa.RSAPrivateKey) -> None:
    row = handed_over(make_edition_being_sent())
    ours = {"name": "X-Metadata", "value": json.dumps({"delivery": str(row.pk), "generation": "2"})}
    assert to_amazon(signed(notification([ours]), key), lambda _: certificate(key)) == 200
    event = MailEvent.objects.get()
    assert (event.delivery_id, event.generation, event.kind) == (row.pk, 2, "bounced")


FORGED = [
    {"TopicArn": "arn:aws:sns:eu-west-1:999999999999:mine"},
    {"SigningCertURL": CERTIFICATE.replace(".com/", ".com.evil.example/")},
    {"SigningCertURL": CERTIFICATE.replace("https", "http")},
    {"SigningCertURL": CERTIFICATE.replace("sns.", "s3.")},
    {"SigningCertURL": CERTIFICATE.replace("sns.", "user@sns.")},
    {"SigningCertURL": CERTIFICATE + "?x"},
    {"SignatureVersion": "3"},
    {"SignatureVersion": None},
]


def test_what_sns_did_not_sign_stays_outside(key: rsa.RSAPrivateKey) -> None:
    def fetch(address: str) -> bytes:
        return certificate(key)

    fetched: list[str] = []

    def never(address: str) -> bytes:
        fetched.append(address)
        return certificate(key)

    good = signed(notification(), key)
    for change in FORGED:
        right = signed(notification(**{n: v for n, v in change.items() if n != "SignatureVersion"}), key) | change
        assert to_amazon(right, never) == 400, change
    assert to_amazon(good | {"Message": good["Message"].replace("Permanent", "Transient")}, fetch) == 400
    assert to_amazon(good | {"Signature": "no base64!"}, fetch) == 400
    assert to_amazon({k: v for k, v in good.items() if k != "Signature"}, fetch) == 400
    assert to_amazon(good, lambda _: certificate(key, days=-1)) == 400, "a certificate that ran out"
    assert to_amazon(good, lambda _: b"no certificate") == 400
    assert to_amazon(good, lambda _: certificate(rsa.generate_private_key(65537, 2048))) == 400
    assert to_amazon(good, never, secret="") == 401, "SNS gives the secret when it is asked for it"
    assert to_amazon(good, never, secret="Basic dXM6bm8=") == 400
    assert fetched == [], "nothing is fetched for a message that cannot be right"
    assert not MailEvent.objects.exists()


def test_sns_comes_again_when_its_certificate_cannot_be_had(key: rsa.RSAPrivateKey) -> None:
    def fetch(address: str) -> bytes:
        raise requests.ConnectTimeout

    assert to_amazon(signed(notification(), key), fetch) == 503


def test_a_topic_that_was_named_is_subscribed_and_no_other_address_is_called(key: rsa.RSAPrivateKey) -> None:
    where = "https://sns.eu-west-1.amazonaws.com/?Action=ConfirmSubscription&TopicArn=x&Token=2336"
    fetched: list[str] = []

    def fetch(address: str) -> bytes:
        fetched.append(address)
        return certificate(key)

    asked = notification(Type="SubscriptionConfirmation", Token="2336", SubscribeURL=where)
    assert to_amazon(signed(asked, key), fetch) == 200
    assert fetched == [CERTIFICATE, where]
    for elsewhere in ("https://evil.example/?Action=ConfirmSubscription&x", where.replace("https", "http")):
        fetched.clear()
        assert to_amazon(signed(asked | {"SubscribeURL": elsewhere}, key), fetch) == 400
        assert fetched == [CERTIFICATE]
    fetched.clear()
    assert to_amazon(signed(asked | {"TopicArn": TOPIC + "-else"}, key), fetch) == 400
    assert fetched == []
