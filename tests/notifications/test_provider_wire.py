"""Providers down to the socket: what a call is when the server reads it and hangs up, and Amazon's own client, which
would repeat it. The server is ours, on this machine."""

import base64
import json
import socket
import ssl
import threading
from collections.abc import Generator
from contextlib import closing, suppress
from dataclasses import dataclass, field
from itertools import takewhile
from pathlib import Path
from typing import Any

import pytest
from pytest_django import Settings

from notifications import providers
from notifications.providers import ProviderConnection
from notifications.transport import Kind
from tests.notifications.test_every_provider import ACCOUNT, DELIVERY, PROVIDERS, hand_over
from tests.notifications.test_transport import certificate, server_side  # noqa: F401

TAKEN = 200, {"MessageId": "0100-m1"}, ""


@dataclass
class Server:
    """Reads each request whole, and answers it as it is told: with a status, a body and a name, or with bytes, after
    which it hangs up."""

    answer: tuple[int, Any, str] | bytes = TAKEN
    taken: list[tuple[str, bytes]] = field(default_factory=list)
    tls: ssl.SSLContext | None = None
    garbage: bytes = b""  # written beside TLS, when the request was read

    def __post_init__(self) -> None:
        self.listener = socket.create_server(("127.0.0.1", 0))
        self.port = self.listener.getsockname()[1]
        self.thread = threading.Thread(target=self._serve, daemon=True)
        self.thread.start()

    def _serve(self) -> None:
        with suppress(OSError):  # closed: the test is over
            while True:
                connection = self.listener.accept()[0]
                threading.Thread(target=self._talk, args=[connection], daemon=True).start()

    def _talk(self, connection: socket.socket) -> None:
        with closing(connection), suppress(OSError):
            self._answer_on(connection)

    def _answer_on(self, connection: socket.socket) -> None:
        wire = self.tls.wrap_socket(connection, server_side=True) if self.tls else connection
        reader = wire.makefile("rb")
        while head := b"".join(takewhile(bytes.strip, iter(reader.readline, b""))):
            length = int(head.lower().partition(b"content-length:")[2].split(b"\r\n")[0])
            self.taken.append((head.decode(), reader.read(length)))
            if self.garbage:
                socket.socket(fileno=wire.detach()).sendall(self.garbage)
                return
            if isinstance(self.answer, bytes):
                wire.sendall(self.answer)
                wire.close()
                return
            wire.sendall(reply(*self.answer))


def reply(status: int, body: Any, name: str) -> bytes:
    words = json.dumps(body).encode()
    of = f"x-amzn-errortype: {name}\r\n" if name else ""
    head = f"HTTP/1.1 {status} X\r\nContent-Type: application/json\r\n{of}Content-Length: {len(words)}\r\n\r\n"
    return head.encode() + words


@pytest.fixture
def server(settings: Settings, monkeypatch: pytest.MonkeyPatch) -> Generator[Server]:
    server = Server()
    monkeypatch.setattr(providers, "PAUSES", (0.0, 0.0, 0.0))
    monkeypatch.setenv("AWS_EC2_METADATA_DISABLED", "true")
    monkeypatch.setenv("AWS_MAX_ATTEMPTS", "5")
    monkeypatch.setenv("AWS_CONFIG_FILE", "/nonexistent")
    monkeypatch.setenv("AWS_SHARED_CREDENTIALS_FILE", "/nonexistent")
    at = f"http://127.0.0.1:{server.port}"
    settings.ANYMAIL = ACCOUNT | {
        "POSTMARK_API_URL": f"{at}/",
        "AMAZON_SES_SESSION_PARAMS": {
            "aws_access_key_id": "AKID",
            "aws_secret_access_key": "s",
            "region_name": "eu-x-1",
        },
        # What an administrator may have set, and must not hold here.
        "AMAZON_SES_CLIENT_PARAMS": {"endpoint_url": at, "config": {"retries": {"max_attempts": 4, "mode": "legacy"}}},
    }
    yield server
    server.listener.close()


def test_amazon_gets_one_signed_call_for_one_person_with_our_ids(server: Server) -> None:
    outcome = hand_over("amazon_ses", generation=2)
    assert (outcome.kind, outcome.remote_id) == (Kind.HANDED_OVER, "0100-m1")
    [(head, body)] = server.taken
    assert head.startswith("POST /v2/email/outbound-emails ")
    assert "Authorization: AWS4-HMAC-SHA256 Credential=AKID/" in head
    asked = json.loads(body)
    assert asked["Destination"] == {"ToAddresses": ["ana@example.com"]}
    assert asked.keys() == {"Destination", "Content"}, "no copy, no template, no list"
    message = base64.b64decode(asked["Content"]["Raw"]["Data"]).decode()
    assert f'X-Metadata: {{"delivery": "{DELIVERY}", "generation": "2"}}' in message.replace("\n ", " ")
    assert "boss@example.com" not in message


# By Amazon's reference of SendEmail in the API's second version, and its list of errors common to all calls.
SAID = [
    ((400, {"message": "illegal address"}, "BadRequestException"), Kind.REFUSED, None),
    ((429, {"message": "slow"}, "TooManyRequestsException"), Kind.RETRY_WAIT, None),
    ((400, {"message": "rate exceeded"}, "ThrottlingException"), Kind.RETRY_WAIT, None),
    ((400, {"message": "not verified"}, "MessageRejected"), Kind.RETRY_WAIT, 300),
    ((400, {"message": "paused"}, "SendingPausedException"), Kind.RETRY_WAIT, 300),
    ((404, {"message": "no such set"}, "NotFoundException"), Kind.RETRY_WAIT, 300),
    ((403, {"message": "who"}, "InvalidClientTokenId"), Kind.RETRY_WAIT, 300),
    ((408, {"message": "late"}, "RequestTimeout"), Kind.UNKNOWN, None),
    ((500, {"message": "oh"}, "InternalFailure"), Kind.UNKNOWN, None),
    ((503, {"message": "oh"}, "ServiceUnavailable"), Kind.UNKNOWN, None),
    ((200, {"unheard": "of"}, ""), Kind.UNKNOWN, None),
    (b"", Kind.UNKNOWN, None),  # it read the request and hung up
    (b"HTTP/1.1 200 OK\r\nContent-Length: 100\r\n\r\n{", Kind.UNKNOWN, None),
    (b"garbage\r\n\r\n", Kind.UNKNOWN, None),
]


def test_an_id_with_signs_that_no_database_takes_is_noted_without_them(server: Server) -> None:
    server.answer = 200, {"MessageId": "0100\0\ud800-m1\n"}, ""
    outcome = hand_over("amazon_ses")
    assert (outcome.kind, outcome.remote_id) == (Kind.HANDED_OVER, "0100-m1")


def test_amazons_answers_are_taken_for_what_they_are_and_nothing_is_called_twice(server: Server) -> None:
    """Its client would call five times here: the account's settings and the environment both say so."""
    way = ProviderConnection("anymail.backends.amazon_ses.EmailBackend", 5)
    for said, kind, wait in SAID:
        server.answer, server.taken[:] = said, []
        outcome = hand_over("amazon_ses", way=way)
        assert (outcome.kind, outcome.wait) == (kind, wait), (said, outcome)
        assert len(server.taken) == 1, said


def test_amazon_that_is_not_there_took_nothing(server: Server, settings: Settings) -> None:
    server.listener.shutdown(socket.SHUT_RDWR)
    assert hand_over("amazon_ses").kind is Kind.NOT_SENT
    settings.ANYMAIL = settings.ANYMAIL | {"AMAZON_SES_SESSION_PARAMS": {}}
    assert hand_over("amazon_ses").kind is Kind.NOT_SENT, "no region"
    settings.ANYMAIL = settings.ANYMAIL | {"AMAZON_SES_SESSION_PARAMS": {"region_name": "eu-x-1"}}
    assert hand_over("amazon_ses").kind is Kind.NOT_SENT, "no keys"


def test_amazon_that_says_nothing_is_waited_for_once(server: Server, settings: Settings) -> None:
    gate = threading.Event()
    server._talk = lambda connection: (server.taken.append(("", b"")), gate.wait(10))  # type: ignore[method-assign]
    assert hand_over("amazon_ses", timeout=0.5).kind is Kind.UNKNOWN
    gate.set()
    assert len(server.taken) == 1


def test_no_other_provider_is_called_twice_either(server: Server) -> None:
    server.answer = b""
    assert hand_over("postmark").kind is Kind.UNKNOWN
    assert len(server.taken) == 1


def test_tls_that_breaks_in_the_handshake_sent_nothing_and_later_nobody_knows(
    server: Server,
    settings: Settings,
    certificate: Path,  # noqa: F811
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """To the caller both are the same exception."""
    server.tls, server.garbage = server_side(certificate), b"\x15\x03\x03\x00\x02\x02\x50"
    at = f"https://127.0.0.1:{server.port}"
    settings.ANYMAIL = settings.ANYMAIL | {
        "POSTMARK_API_URL": f"{at}/",
        "AMAZON_SES_CLIENT_PARAMS": {"endpoint_url": at},
    }
    for name in ("postmark", "amazon_ses"):
        server.taken.clear()
        assert hand_over(name).kind is Kind.NOT_SENT, "nobody vouches for it"
        assert not server.taken
        with monkeypatch.context() as trusting:
            trusting.setenv("REQUESTS_CA_BUNDLE", str(certificate))
            trusting.setenv("AWS_CA_BUNDLE", str(certificate))
            assert hand_over(name).kind is Kind.UNKNOWN
        assert len(server.taken) == 1


def test_the_good_answer_of_a_real_server(server: Server) -> None:
    server.answer = 200, PROVIDERS["postmark"].good, ""
    assert hand_over("postmark").kind is Kind.HANDED_OVER
