"""Anymail's providers: the same message, one recipient a call, and the doubt named as it is."""

import asyncio
from collections.abc import Callable
from typing import Any

import pytest
import requests
from anymail.exceptions import (
    AnymailAPIError,
    AnymailRecipientsRefused,
    AnymailRequestsAPIError,
    AnymailSerializationError,
)
from anymail.message import AnymailRecipientStatus
from django.core import mail
from django.core.checks import run_checks
from pytest_django import Settings
from urllib3.exceptions import MaxRetryError, NewConnectionError, ProtocolError

from notifications import sending
from notifications.checks import check_provider
from notifications.models import Attempt, Delivery, Edition
from notifications.provider_answers import outcome_of
from notifications.providers import ProviderConnection
from notifications.rendering import CODE
from notifications.routes import connect
from notifications.transport import Kind, Outcome, Phase
from notifications.verification_codes import SAMPLE
from tests.notifications.test_drain import addresses, being_sent, states
from tests.notifications.test_rendering import DELIVERY, SKELETON, render

BACKEND = "anymail.backends.test.EmailBackend"


@pytest.fixture(autouse=True)
def _empty_outbox() -> None:
    mail.outbox = []


@pytest.fixture
def provider(settings: Settings) -> None:
    settings.BREACHDESK = settings.BREACHDESK.model_copy(update={"transport": BACKEND, "smtp_connections": 2})


def hand_over(way: ProviderConnection, lease: float = 60) -> Outcome:
    async def call() -> Outcome:
        deadline = asyncio.get_running_loop().time() + lease
        return await way.hand_over(b"b@example.com", b"ana@example.com", render({"first name": "Zoë"}), deadline)

    return asyncio.run(call())


@pytest.mark.django_db(transaction=True)
def test_a_notice_goes_out_through_a_provider(provider: None) -> None:
    edition = being_sent(12)
    sending.drain_edition(edition.pk, connect=connect)
    assert {message.to[0] for message in mail.outbox} == addresses(12)
    assert all(len(message.to) == 1 and not message.cc and not message.bcc for message in mail.outbox)
    assert states(edition) == {"handed_over": 12}
    assert Edition.objects.get().state == Edition.State.FINISHED
    assert Attempt.objects.filter(outcome="handed_over").exclude(remote_id="").count() == 12
    sent = mail.outbox[0].anymail_test_params
    delivery = Delivery.objects.get(pk=sent["metadata"]["delivery"])
    assert sent["track_opens"] is sent["track_clicks"] is False
    assert mail.outbox[0].extra_headers["Message-ID"].startswith(f"<{delivery.pk}@")


def test_it_is_the_message_that_was_rendered() -> None:
    outcome = hand_over(ProviderConnection(BACKEND, 5))
    assert (outcome.kind, outcome.code, outcome.remote_id) == (Kind.HANDED_OVER, 250, "0")
    [message] = mail.outbox
    assert message.body == SKELETON.as_text({"first name": "Zoë", CODE: SAMPLE}, ("name",))
    assert message.alternatives[0][0] == SKELETON.as_html({"first name": "Zoë", CODE: SAMPLE}, ("name",))
    assert message.subject == "Über Ihre Daten"
    assert message.from_email == "Halden & Rowe <care@halden-rowe.example>"
    assert message.extra_headers["Message-ID"] == f"<{DELIVERY}@halden-rowe.example>"
    assert message.attachments == []


def test_nothing_is_sent_after_the_deadline() -> None:
    assert hand_over(ProviderConnection(BACKEND, 5), lease=-1).kind is Kind.NOT_SENT
    assert mail.outbox == []


@pytest.mark.parametrize(
    ("status", "kind"),
    [
        ("sent", Kind.HANDED_OVER),
        ("queued", Kind.HANDED_OVER),
        ("rejected", Kind.REFUSED),
        ("invalid", Kind.REFUSED),
        ("failed", Kind.REFUSED),
        ("unknown", Kind.UNKNOWN),
    ],
)
def test_the_providers_word_counts(monkeypatch: pytest.MonkeyPatch, status: Any, kind: Kind) -> None:
    from anymail.backends.test import EmailBackend

    def answer(self: Any, response: Any, payload: Any, message: Any) -> Any:
        return {"ana@example.com": AnymailRecipientStatus("m1", status)}

    monkeypatch.setattr(EmailBackend, "parse_recipient_status", answer)
    way = ProviderConnection(BACKEND, 5)
    way._backend.ignore_recipient_status = True  # type: ignore[attr-defined]
    assert hand_over(way).kind is kind


@pytest.mark.parametrize("refused", [{"track_opens"}, {"track_opens", "metadata"}])
def test_a_provider_that_cannot_be_asked_for_something_gets_the_same_message(
    monkeypatch: pytest.MonkeyPatch, refused: set[str]
) -> None:
    from anymail.backends.test import TestPayload
    from anymail.exceptions import AnymailUnsupportedFeature

    def unsupported(self: Any, value: Any) -> None:
        raise AnymailUnsupportedFeature("not here")

    for feature in refused:
        monkeypatch.setattr(TestPayload, f"set_{feature}", unsupported)
    assert hand_over(ProviderConnection(BACKEND, 5)).kind is Kind.HANDED_OVER
    assert len(mail.outbox) == 1
    assert ("metadata" in mail.outbox[0].anymail_test_params) is ("metadata" not in refused)


def response(code: int) -> requests.Response:
    made = requests.Response()
    made.status_code, made._content = code, b"words"
    return made


def broken(error: Exception) -> Exception:
    """As Anymail raises it: its own class and that of `requests` at once, with the cause beside it."""
    both = type("Both", (AnymailRequestsAPIError, type(error)), {})("Error posting")
    both.__cause__ = error
    return both  # type: ignore[no-any-return]


def lost(reason: Exception) -> Exception:
    return broken(requests.ConnectionError(MaxRetryError(None, "/", reason)))  # type: ignore[arg-type]


@pytest.mark.parametrize(
    ("make", "kind"),
    [
        *[
            (lambda code=code: AnymailRequestsAPIError(response=response(code)), Kind.REFUSED)
            for code in (400, 404, 422)
        ],
        *[
            (lambda code=code: AnymailRequestsAPIError(response=response(code)), Kind.RETRY_WAIT)
            for code in (401, 402, 403)  # it refuses us, and nobody on the list
        ],
        (lambda: AnymailRequestsAPIError(response=response(429)), Kind.RETRY_WAIT),
        *[
            (lambda code=code: AnymailRequestsAPIError(response=response(code)), Kind.UNKNOWN)
            for code in (408, 409, 500, 502, 503)
        ],
        (lambda: AnymailRequestsAPIError("Invalid JSON", response=response(200)), Kind.UNKNOWN),
        (lambda: broken(requests.ReadTimeout()), Kind.UNKNOWN),
        (lambda: broken(requests.ConnectionError(ProtocolError("Connection aborted."))), Kind.UNKNOWN),
        (lambda: lost(ProtocolError("reset")), Kind.UNKNOWN),
        (lambda: broken(requests.ConnectTimeout()), Kind.NOT_SENT),
        (lambda: broken(requests.exceptions.SSLError()), Kind.UNKNOWN),  # of the handshake or of later: it is not said
        (lambda: lost(NewConnectionError(None, "refused")), Kind.NOT_SENT),  # type: ignore[arg-type]
        (lambda: AnymailRecipientsRefused(), Kind.REFUSED),
        (lambda: AnymailSerializationError(), Kind.REFUSED),
        (lambda: AnymailAPIError("something else"), Kind.UNKNOWN),
    ],
)
def test_it_names_what_became_of_a_call(make: Callable[[], Exception], kind: Kind) -> None:
    assert outcome_of(make()).kind is kind


def test_a_call_that_takes_too_long_is_unknown(monkeypatch: pytest.MonkeyPatch) -> None:
    import time

    from anymail.backends.test import EmailBackend

    monkeypatch.setattr(EmailBackend, "post_to_esp", lambda *_: time.sleep(0.5))
    outcome = hand_over(ProviderConnection(BACKEND, 0.1))
    assert (outcome.kind, outcome.phase) == (Kind.UNKNOWN, Phase.DOT)


@pytest.mark.parametrize(
    ("transport", "anymail", "found"),
    [
        ("smtp", {}, set()),
        ("postmark", {}, {"E001"}),
        ("postmark", {"WEBHOOK_SECRET": "us:secret"}, {"E002"}),
        ("postmark", {"WEBHOOK_SECRET": ["us:" + "x" * 16, "no-colon-but-long-enough"]}, {"E002"}),
        ("postmark", {"WEBHOOK_SECRET": "us:" + "x" * 16}, set()),
        ("mailgun", {"WEBHOOK_SECRET": "us:" + "x" * 16, "MAILGUN_API_KEY": "k"}, {"E003"}),
        ("mailgun", {"WEBHOOK_SECRET": "us:" + "x" * 16, "MAILGUN_WEBHOOK_SIGNING_KEY": "k"}, set()),
        *[(name, {"WEBHOOK_SECRET": "us:" + "x" * 16}, {"E003"}) for name in ("sendgrid", "mandrill", "postal")],
        ("amazon_ses", {"WEBHOOK_SECRET": "us:" + "x" * 16}, {"E004"}),
    ],
)
def test_whoever_reports_to_us_must_be_known(
    settings: Settings, transport: str, anymail: dict[str, object], found: set[str]
) -> None:
    backend = transport if transport == "smtp" else f"anymail.backends.{transport}.EmailBackend"
    settings.BREACHDESK = settings.BREACHDESK.model_copy(update={"transport": backend})
    settings.ANYMAIL = anymail
    assert {problem.id for problem in check_provider() if problem.is_serious()} == {f"notifications.{e}" for e in found}


def test_a_provider_as_the_second_way_is_asked_the_same(settings: Settings) -> None:
    second = "anymail.backends.mailgun.EmailBackend"
    settings.BREACHDESK = settings.BREACHDESK.model_copy(update={"transport": "smtp", "second_transport": second})
    settings.ANYMAIL = {}
    assert [problem.id for problem in check_provider()] == ["notifications.E001", "notifications.E003"]


def test_the_check_runs_at_every_start(settings: Settings, provider: None) -> None:
    settings.ANYMAIL = {}
    assert "notifications.E001" in {found.id for found in run_checks()}
