"""Every backend that Anymail ships, down to its HTTP: one recipient a call, no tracking, our ids, and each answer
taken for what it is. What is replaced is the last layer of `requests`, which would open a socket."""

import asyncio
import json
import pkgutil
import re
from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from email.utils import format_datetime
from typing import Any
from urllib.parse import unquote
from uuid import UUID

import anymail.backends
import pytest
import requests
from pytest_django import Settings
from requests.adapters import HTTPAdapter
from urllib3.exceptions import MaxRetryError, NewConnectionError, ProtocolError

from notifications import providers
from notifications.providers import ProviderConnection
from notifications.rendering import return_path
from notifications.transport import Kind, Outcome
from tests.notifications.test_rendering import DELIVERY, SKELETON, render

TO = "ana@example.com"
NOT_PROVIDERS = {"base", "base_requests", "console", "test"}
ELSEWHERE = {"amazon_ses"}  # its client does not go by `requests`: test_provider_wire.py
ACCOUNT = {
    "BREVO_API_KEY": "k",
    "SENDINBLUE_API_KEY": "k",
    "MAILERSEND_API_TOKEN": "k",
    "MAILGUN_API_KEY": "k",
    "MAILJET_API_KEY": "k",
    "MAILJET_SECRET_KEY": "k",
    "MAILTRAP_API_TOKEN": "k",
    "MANDRILL_API_KEY": "k",
    "POSTAL_API_KEY": "k",
    "POSTAL_API_URL": "https://postal.example.com",
    "POSTMARK_SERVER_TOKEN": "k",
    "RESEND_API_KEY": "k",
    "SCALEWAY_SECRET_KEY": "k",
    "SCALEWAY_PROJECT_ID": "p",
    "SENDGRID_API_KEY": "k",
    "SPARKPOST_API_KEY": "k",
    "UNISENDER_GO_API_KEY": "k",
    "UNISENDER_GO_API_URL": "https://go.example.com/",
    # What must not reach anybody: a copy of every message, and tracking.
    "SEND_DEFAULTS": {"bcc": ["boss@example.com"], "track_opens": True, "tags": ["notice"]},
}


@dataclass(frozen=True)
class Provider:
    """Its answer to a message it takes; what in a request says that nothing is tracked, and whose message it is."""

    good: Any
    untracked: tuple[str, ...] = ()
    gives_ids_back: bool = True
    good_status: int = 200
    has_key: bool = False


UNISENDER = {"status": "success", "job_id": "m1", "emails": [TO], "failed_emails": {}}
MAILJET = {"Messages": [{"Status": "success", "To": [{"Email": TO, "MessageID": 1, "MessageUUID": "u"}]}]}
SPARKPOST = {"results": {"total_rejected_recipients": 0, "total_accepted_recipients": 1, "id": "m1"}}
PROVIDERS = {
    "brevo": Provider({"messageId": "<m1@x>"}, good_status=201),
    "sendinblue": Provider({"messageId": "<m1@x>"}, good_status=201),
    "mailersend": Provider(
        {}, ('"track_clicks": false', '"track_opens": false'), gives_ids_back=False, good_status=202
    ),
    "mailgun": Provider(
        {"id": "<m1@x>", "message": "Queued. Thank you."}, ("o:tracking-clicks=no", "o:tracking-opens=no")
    ),
    "mailjet": Provider(MAILJET, ('"TrackClicks": "disabled"', '"TrackOpens": "disabled"')),
    "mailtrap": Provider({"success": True, "message_ids": ["m1"]}),
    "mandrill": Provider(
        [{"email": TO, "status": "sent", "_id": "m1", "reject_reason": None}],
        ('"track_clicks": false', '"track_opens": false'),
    ),
    "postal": Provider(
        {"status": "success", "data": {"messages": {TO: {"id": 1, "token": "t"}}}}, gives_ids_back=False
    ),
    "postmark": Provider(
        {"To": TO, "SubmittedAt": "2026-11-22", "MessageID": "m1", "ErrorCode": 0, "Message": "OK"},
        ('"TrackLinks": "None"', '"TrackOpens": false'),
    ),
    "resend": Provider({"id": "m1"}, has_key=True),
    "scaleway": Provider({"emails": [{"mail_rcpt": TO, "id": "m1", "status": "sending"}]}),
    "sendgrid": Provider(
        None, ('"click_tracking": {"enable": false}', '"open_tracking": {"enable": false}'), good_status=202
    ),
    "sparkpost": Provider(SPARKPOST, ('"click_tracking": false', '"open_tracking": false'), has_key=True),
    "unisender_go": Provider(UNISENDER, ('"track_links": 0', '"track_read": 0')),
}


@dataclass
class Wire:
    """Takes what would go out, and answers as it is told, one answer after the other; the last one stays."""

    answers: list[Callable[[], requests.Response]] = field(default_factory=list)
    taken: list[requests.PreparedRequest] = field(default_factory=list)

    def send(self, _adapter: HTTPAdapter, request: requests.PreparedRequest, **_: Any) -> requests.Response:
        self.taken.append(request)
        made = (self.answers.pop(0) if len(self.answers) > 1 else self.answers[0])()
        made.request, made.url = request, str(request.url)
        return made

    @property
    def body(self) -> str:
        body = self.taken[-1].body or b""
        return body.decode() if isinstance(body, bytes) else body


def answer(status: int, body: Any = None, **headers: str) -> Callable[[], requests.Response]:
    def make() -> requests.Response:
        made = requests.Response()
        made.status_code = status
        made._content = body if isinstance(body, bytes) else b"" if body is None else json.dumps(body).encode()
        made.headers.update({"Content-Type": "application/json"} | {k.replace("_", "-"): v for k, v in headers.items()})
        return made

    return make


def breaks(error: Exception) -> Callable[[], requests.Response]:
    def make() -> requests.Response:
        raise error

    return make


@pytest.fixture(autouse=True)
def _account(settings: Settings, monkeypatch: pytest.MonkeyPatch) -> None:
    settings.ANYMAIL = ACCOUNT
    monkeypatch.setattr(providers, "PAUSES", (0.0, 0.0, 0.0))


@pytest.fixture
def wire(monkeypatch: pytest.MonkeyPatch) -> Wire:
    wire = Wire()
    monkeypatch.setattr(HTTPAdapter, "send", lambda adapter, request, **how: wire.send(adapter, request, **how))
    return wire


def good(name: str) -> Callable[[], requests.Response]:
    return answer(PROVIDERS[name].good_status, PROVIDERS[name].good, x_message_id="m1")


def hand_over(
    name: str, generation: int = 0, lease: float = 60, timeout: float = 5, way: ProviderConnection | None = None
) -> Outcome:
    """By a connection of its own, or by one that stays open."""

    async def call() -> Outcome:
        used = way or ProviderConnection(f"anymail.backends.{name}.EmailBackend", timeout)
        deadline = asyncio.get_running_loop().time() + lease
        sender = return_path(SKELETON, DELIVERY, generation)
        outcome = await used.hand_over(sender, TO.encode(), render({"first name": "Zoë"}), deadline)
        if way is None:
            await used.close()
        return outcome

    return asyncio.run(call())


def test_every_backend_that_anymail_ships_is_tried() -> None:
    shipped = {module.name for module in pkgutil.iter_modules(anymail.backends.__path__)}
    assert shipped - NOT_PROVIDERS - ELSEWHERE == PROVIDERS.keys()


@pytest.mark.parametrize("name", PROVIDERS)
def test_one_message_goes_to_one_person_untracked_and_with_our_ids(wire: Wire, name: str) -> None:
    provider, wire.answers = PROVIDERS[name], [good(name)]
    outcome = hand_over(name, generation=2)
    assert outcome.kind is Kind.HANDED_OVER, outcome
    assert outcome.remote_id, "by it the provider can be asked"
    assert len(wire.taken) == 1
    body = unquote(wire.body)
    assert set(re.findall(r"[\w.]+@example\.com", body)) == {TO}
    for words in provider.untracked:
        assert words in body, body
    assert (f'"{DELIVERY}"' in body.replace("\\", "") or f"={DELIVERY}" in body) is provider.gives_ids_back, body
    assert (wire.taken[0].headers.get("Idempotency-Key") == f"{DELIVERY}.2") is provider.has_key


def test_brackets_of_a_tracker_are_switched_off_where_metadata_is_not_known(wire: Wire) -> None:
    """One wish that a provider has no word for does not take the others with it."""
    wire.answers = [good("mailersend")]
    hand_over("mailersend")
    assert json.loads(wire.body)["settings"] == {"track_clicks": False, "track_opens": False}


def lost(reason: Exception) -> requests.ConnectionError:
    return requests.ConnectionError(MaxRetryError(None, "/", reason))  # type: ignore[arg-type]


BODIES = [answer(200, b"<html>a proxy says hello"), answer(200, {"unheard": "of"})]
CLASSES = [
    (answer(400, {"message": "no"}), Kind.REFUSED),
    (answer(422, {"message": "no"}), Kind.REFUSED),
    (answer(401, {"message": "who"}), Kind.RETRY_WAIT),
    (answer(429, {"message": "slow"}, Retry_After="40"), Kind.RETRY_WAIT),
    (answer(408), Kind.UNKNOWN),
    (answer(409, {"message": "again"}), Kind.UNKNOWN),
    (answer(500), Kind.UNKNOWN),
    (answer(503), Kind.UNKNOWN),
    *((made, Kind.UNKNOWN) for made in BODIES),
    (answer(302, Location="https://elsewhere.example/"), Kind.UNKNOWN),
    (breaks(requests.ReadTimeout()), Kind.UNKNOWN),
    (breaks(lost(ProtocolError("reset"))), Kind.UNKNOWN),
    (breaks(requests.ConnectTimeout()), Kind.NOT_SENT),
    (breaks(lost(NewConnectionError(None, "refused"))), Kind.NOT_SENT),  # type: ignore[arg-type]
    (breaks(requests.exceptions.SSLError()), Kind.UNKNOWN),
]
# Its 202 has no body, so Anymail reads none of its 2xx.
ANY_BODY = {"sendgrid"}


@pytest.mark.parametrize("name", PROVIDERS)
def test_each_answer_is_taken_for_what_it_is(wire: Wire, name: str) -> None:
    for made, kind in CLASSES:
        wire.answers, wire.taken[:] = [made], []
        outcome = hand_over(name)
        assert len(wire.taken) == 1 or (PROVIDERS[name].has_key and kind is Kind.UNKNOWN), "not by its own session"
        assert outcome.kind is kind or (name in ANY_BODY and made in BODIES), (name, outcome)
        assert outcome.kind in (kind, Kind.HANDED_OVER)


def test_a_provider_that_asks_for_patience_gets_it(wire: Wire) -> None:
    wire.answers = [answer(429, Retry_After="40")]
    assert hand_over("postmark").wait == 40
    moment = format_datetime(datetime.now(UTC) + timedelta(seconds=90), usegmt=True)
    wire.answers = [answer(429, Retry_After=moment)]
    assert 60 < (hand_over("postmark").wait or 0) <= 90
    wire.answers = [answer(429, Retry_After="soon")]
    assert hand_over("postmark").wait is None
    wire.answers = [answer(429, Retry_After="999999999999")]
    assert hand_over("postmark").wait == 4 * 3600


def test_a_short_wait_is_waited_for_at_once(wire: Wire) -> None:
    wire.answers = [answer(429, Retry_After="1"), good("postmark")]
    assert hand_over("postmark").kind is Kind.HANDED_OVER
    assert len(wire.taken) == 2


@pytest.mark.parametrize("name", ["resend", "sparkpost"])
def test_a_call_in_doubt_is_repeated_with_the_same_key(wire: Wire, name: str) -> None:
    wire.answers = [breaks(requests.ReadTimeout()), answer(409, {"code": "1601"}), answer(503), good(name)]
    assert hand_over(name, generation=1).kind is Kind.HANDED_OVER
    assert [request.headers["Idempotency-Key"] for request in wire.taken] == [f"{DELIVERY}.1"] * 4
    assert len({request.body for request in wire.taken}) == 1, "else the provider would not know it again"


@pytest.mark.parametrize("later", [answer(422), answer(429), answer(401), breaks(requests.ConnectTimeout())])
def test_only_a_yes_clears_a_doubt(wire: Wire, later: Callable[[], requests.Response]) -> None:
    """The first call may have been heard; that the second was refused says nothing about it."""
    wire.answers = [answer(500), later]
    assert hand_over("resend").kind is Kind.UNKNOWN


@pytest.mark.parametrize("name", sorted(PROVIDERS.keys() - {"resend", "sparkpost"}))
def test_without_a_key_nothing_in_doubt_is_repeated(wire: Wire, name: str) -> None:
    wire.answers = [answer(500), good(name)]
    assert hand_over(name).kind is Kind.UNKNOWN
    assert len(wire.taken) == 1


def test_no_repetition_begins_after_the_deadline(wire: Wire, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(providers, "PAUSES", (0.3, 0.3, 0.3))
    wire.answers = [answer(500), good("resend")]
    assert hand_over("resend", lease=0.2).kind is Kind.UNKNOWN
    assert len(wire.taken) == 1


def test_a_key_is_for_one_sending_of_one_delivery(wire: Wire) -> None:
    wire.answers = [good("resend")]
    hand_over("resend")
    hand_over("resend", generation=1)
    assert [request.headers["Idempotency-Key"] for request in wire.taken] == [f"{DELIVERY}.0", f"{DELIVERY}.1"]
    assert UUID(wire.taken[0].headers["Idempotency-Key"].partition(".")[0]) == DELIVERY
