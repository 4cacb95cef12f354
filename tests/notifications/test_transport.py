"""The wire: which break is definite and which is not. What the sink took is never called refused."""

import asyncio
import ssl
from contextlib import suppress
from datetime import UTC, datetime, timedelta
from ipaddress import ip_address
from pathlib import Path
from typing import Any

import pytest
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec

from notifications.smtp import SmtpConnection, stuffed
from notifications.smtp_wire import BrokenConnection, Reply, Wire
from notifications.transport import Kind, Outcome, Phase, Relay, RouteDown
from tests.notifications.sink import Fault, Sink

SOON = {"short_timeout": 0.6, "dot_timeout": 0.6}  # where a server keeps silent; a busy machine answers later
MESSAGE = b"Subject: x\r\n\r\n.a dot\r\nwords\r\n"
LONG = MESSAGE + b"more words on a line\r\n" * 100


def relay(sink: Sink, **changes: object) -> Relay:
    usual: dict[str, Any] = {"security": "none", "short_timeout": 30, "dot_timeout": 30}
    return Relay("127.0.0.1", sink.port, **{**usual, **changes})


def hand_over(
    sink: Sink, *addresses: str, message: bytes = LONG, lease: float = 60, **changes: object
) -> list[Outcome]:
    async def talk() -> list[Outcome]:
        way = await SmtpConnection(relay(sink, **changes)).connect()
        outcomes = []
        envelopes = [(b"b@example.com", address.encode()) for address in addresses or ("ana@example.com",)]
        for number, envelope in enumerate(envelopes):
            if way.broken:
                way = await SmtpConnection(relay(sink, **changes)).connect()
            deadline = asyncio.get_running_loop().time() + lease
            following = envelopes[number + 1] if number + 1 < len(envelopes) else None
            outcomes.append(await way.hand_over(*envelope, message, deadline, following))
        await way.close()
        return outcomes

    return asyncio.run(talk())


@pytest.mark.parametrize("pipelining", [True, False])
def test_it_hands_over_several_on_one_connection(pipelining: bool) -> None:
    with Sink(pipelining=pipelining) as sink:
        outcomes = hand_over(sink, "ana@example.com", "ben@example.com", message=MESSAGE)
    assert [o.kind for o in outcomes] == [Kind.HANDED_OVER] * 2
    assert (outcomes[0].code, outcomes[0].enhanced, len(outcomes[0].reply_sha256 or b"")) == (250, "2.0.0", 32)
    assert [(c.sender, c.to, c.message) for c in sink.caught] == [
        ("b@example.com", "ana@example.com", MESSAGE),
        ("b@example.com", "ben@example.com", MESSAGE),
    ]
    assert sink.connections == 1


@pytest.mark.parametrize("pipelining", [True, False])
@pytest.mark.parametrize(
    ("at", "act", "kind", "phase"),
    [
        ("mail", "451 later", Kind.RETRY_WAIT, Phase.MAIL),
        ("mail", "550 no", Kind.REFUSED, Phase.MAIL),
        ("rcpt", "450 greylisted", Kind.RETRY_WAIT, Phase.RCPT),
        ("rcpt", "550 5.1.1 nobody", Kind.REFUSED, Phase.RCPT),
        ("data", "451 later", Kind.RETRY_WAIT, Phase.DATA),
        ("data", "554 no", Kind.REFUSED, Phase.DATA),
        ("dot", "451 later", Kind.RETRY_WAIT, Phase.DOT),
        ("dot", "552 too large", Kind.REFUSED, Phase.DOT),
        ("mail", "drop", Kind.NOT_SENT, Phase.MAIL),
        ("rcpt", "silence", Kind.RETRY_WAIT, Phase.RCPT),
        ("data", "drop", Kind.RETRY_WAIT, Phase.DATA),
        ("data", "354 go on\r\n250 taken already", Kind.RETRY_WAIT, Phase.BODY),
        ("dot", "drop", Kind.UNKNOWN, Phase.DOT),
        ("dot", "silence", Kind.UNKNOWN, Phase.DOT),
        ("dot", "take_and_drop", Kind.UNKNOWN, Phase.DOT),
        ("dot", "take_and_silence", Kind.UNKNOWN, Phase.DOT),
        ("dot", "what is SMTP?", Kind.UNKNOWN, Phase.DOT),
        ("dot", "354 go on", Kind.UNKNOWN, Phase.DOT),
        ("dot", "what is SMTP?\r\n250 ok", Kind.UNKNOWN, Phase.DOT),
        ("dot", "421 4.3.2 closing", Kind.RETRY_WAIT, Phase.DOT),
    ],
)
def test_it_names_what_became_of_a_message(pipelining: bool, at: str, act: str, kind: Kind, phase: Phase) -> None:
    with Sink([Fault(at, act, times=1)], pipelining=pipelining) as sink:
        first, second = hand_over(sink, "ana@example.com", "ben@example.com", **(SOON if "silence" in act else {}))
    assert (first.kind, first.phase) == (kind, phase)
    assert second.kind is Kind.HANDED_OVER, "the next message is not harmed by what happened to this one"
    assert sink.times()["ben@example.com"] == 1
    if kind is not Kind.UNKNOWN:
        assert sink.times()["ana@example.com"] == 0


@pytest.mark.parametrize("pipelining", [True, False])
@pytest.mark.parametrize("act", ["250 2.0.0 ok\r\nwhat is SMTP?", "250 2.0.0 ok\r\n421 closing", "answer_and_drop"])
def test_an_answer_counts_whatever_follows_it(pipelining: bool, act: str) -> None:
    with Sink([Fault("dot", act, times=1)], pipelining=pipelining) as sink:
        first, second = hand_over(sink, "ana@example.com", "ben@example.com")
    assert (first.kind, second.kind) == (Kind.HANDED_OVER, Kind.NOT_SENT)
    assert sink.times() == {"ana@example.com": 1}


def test_an_announced_message_that_does_not_come_is_not_taken() -> None:
    async def talk(sink: Sink) -> Outcome:
        way = await SmtpConnection(relay(sink)).connect()
        await way.hand_over(b"b@example.com", b"ana@example.com", MESSAGE, 1e12, (b"b@example.com", b"ben@example.com"))
        other = await way.hand_over(b"b@example.com", b"cas@example.com", MESSAGE, 1e12)
        await way.close()
        return other

    with Sink() as sink:
        assert asyncio.run(talk(sink)).kind is Kind.NOT_SENT
    assert [c.to for c in sink.caught] == ["ana@example.com"]


HUGE = MESSAGE + b"x" * 76 * 1000 * 100  # more than a kernel takes at once


def test_a_break_in_the_body_is_definite() -> None:
    with Sink([Fault("body", "drop")]) as sink:
        [outcome] = hand_over(sink, message=HUGE)
    assert (outcome.kind, outcome.phase) == (Kind.RETRY_WAIT, Phase.BODY)


@pytest.mark.parametrize(("lease", "kind"), [(0.2, Kind.RETRY_WAIT), (60, Kind.HANDED_OVER)])
def test_a_dot_whose_message_was_long_in_leaving_is_looked_at_again(lease: float, kind: Kind) -> None:
    with Sink([Fault("body", "pause")]) as sink:
        first, second = hand_over(
            sink, "ana@example.com", "ben@example.com", message=HUGE, lease=lease, short_timeout=30, dot_timeout=30
        )
    assert [first.kind, second.kind] == [kind, kind]
    assert len(sink.caught) == (2 if kind is Kind.HANDED_OVER else 0)


REPLIES = b"250 2.0.0 queued\r\n550-5.1.1 nobody\r\n550 5.1.1 here\n250 ok\r\n354 go\r\n421\r\n"


@pytest.mark.parametrize("size", [1, 2, 3, 5, 7, 18, 19, 20, 1000])
def test_replies_are_the_same_in_whatever_pieces_they_come(size: int) -> None:
    async def read() -> list[Reply]:
        wire = Wire()
        for start in range(0, len(REPLIES), size):
            wire.data_received(REPLIES[start : start + size])
        return list(wire.replies)

    assert asyncio.run(read()) == [
        (250, b"2.0.0 queued"), (550, b"5.1.1 nobody\n5.1.1 here"), (250, b"ok"), (354, b"go"), (421, b"")
    ]  # fmt: skip


def test_no_dot_is_written_after_the_deadline() -> None:
    with Sink() as sink:
        [outcome] = hand_over(sink, lease=-1)
    assert (outcome.kind, outcome.phase) == (Kind.RETRY_WAIT, Phase.BODY)
    assert sink.caught == []


def test_a_server_that_waits_for_a_refused_persons_message_gets_none() -> None:
    with Sink([Fault("rcpt", "550 5.1.1 nobody\r\n354 go on anyway", times=1)]) as sink:
        first, second = hand_over(sink, "ana@example.com", "ben@example.com")
    assert (first.kind, second.kind) == (Kind.REFUSED, Kind.HANDED_OVER)
    assert [c.to for c in sink.caught] == ["ben@example.com"]


@pytest.mark.parametrize(
    ("fault", "why"),
    [
        (Fault("banner", "421 busy"), "421"),
        (Fault("banner", "silence"), "in time"),
        (Fault("banner", "drop"), "closed"),
        (Fault("banner", "hello there"), "speak SMTP"),
        (Fault("ehlo", "502 what"), "502"),
    ],
)
def test_a_route_that_cannot_be_used_says_why(fault: Fault, why: str) -> None:
    with Sink([fault]) as sink, pytest.raises(RouteDown, match=why):
        hand_over(sink, **(SOON if fault.act == "silence" else {}))


def test_it_never_goes_on_without_the_protection_that_is_set() -> None:
    with Sink() as sink:
        with pytest.raises(RouteDown, match="no STARTTLS"):
            hand_over(sink, security="starttls")
        with pytest.raises(RouteDown):
            hand_over(sink, security="tls")
    assert sink.caught == []


@pytest.fixture
def certificate(tmp_path: Path) -> Path:
    """Key and certificate of 127.0.0.1, signed by itself."""
    key = ec.generate_private_key(ec.SECP256R1())
    name = x509.Name([x509.NameAttribute(x509.NameOID.COMMON_NAME, "sink")])
    made = (
        x509.CertificateBuilder(name, name, key.public_key(), x509.random_serial_number())
        .not_valid_before(datetime.now(UTC) - timedelta(days=1))
        .not_valid_after(datetime.now(UTC) + timedelta(days=1))
        .add_extension(x509.SubjectAlternativeName([x509.IPAddress(ip_address("127.0.0.1"))]), critical=False)
        .sign(key, hashes.SHA256())
    )
    private = key.private_bytes(
        serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption()
    )
    path = tmp_path / "sink.pem"
    path.write_bytes(private + made.public_bytes(serialization.Encoding.PEM))
    return path


def server_side(certificate: Path) -> ssl.SSLContext:
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(certificate)
    return context


def test_what_tls_has_made_its_own_bytes_of_counts_as_not_sent(certificate: Path) -> None:
    """Of a server that reads nothing: a dot behind it would wait in a buffer, and leave when its lease is long over."""

    async def talk() -> list[int]:
        server = await asyncio.start_server(lambda *_: None, "127.0.0.1", 0, ssl=server_side(certificate), limit=1)
        port, unsent = server.sockets[0].getsockname()[1], []
        trusted = ssl.create_default_context(cafile=certificate)
        _, wire = await asyncio.get_running_loop().create_connection(Wire, "127.0.0.1", port, ssl=trusted)
        assert wire.beneath
        with suppress(BrokenConnection):
            while len(unsent) < 5_000:
                wire.write(b"x" * 16_000)
                await wire.flush(0.6)
                unsent.append(wire.beneath.get_write_buffer_size())
        server.close()
        return unsent

    unsent = asyncio.run(talk())
    assert 3 < len(unsent) < 5_000, "at last it took no more"
    assert set(unsent) == {0}


@pytest.mark.parametrize("security", ["starttls", "tls"])
def test_a_certificate_must_be_one_we_trust(security: str, certificate: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    protected = {"tls": server_side(certificate), "tls_at_once": security == "tls", "offers": ("STARTTLS",)}
    with Sink(**protected) as sink:  # type: ignore[arg-type]
        with pytest.raises(RouteDown, match="certificate"):
            hand_over(sink, security=security)
        monkeypatch.setenv("SSL_CERT_FILE", str(certificate))
        [outcome] = hand_over(sink, security=security)
    assert outcome.kind is Kind.HANDED_OVER
    assert len(sink.caught) == 1


def test_words_written_before_protection_are_refused(certificate: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("SSL_CERT_FILE", str(certificate))
    tricked = Sink(tls=server_side(certificate), offers=("STARTTLS",), before_tls=b"250 you are signed in\r\n")
    with tricked as sink, pytest.raises(RouteDown, match="before it was protected"):
        hand_over(sink, security="starttls")


@pytest.mark.parametrize("ways", ["AUTH PLAIN LOGIN", "AUTH LOGIN"])
def test_it_signs_in(ways: str) -> None:
    with Sink(offers=(ways,), account=("us", "secret")) as sink:
        assert hand_over(sink, user="us", password="secret")[0].kind is Kind.HANDED_OVER
        with pytest.raises(RouteDown, match="refused our user name"):
            hand_over(sink, user="us", password="wrong")


def test_a_relay_that_cannot_sign_us_in_is_not_used() -> None:
    with Sink() as sink, pytest.raises(RouteDown, match="neither AUTH"):
        hand_over(sink, user="us", password="secret")


def test_where_nobody_listens_is_a_route_that_is_down() -> None:
    with Sink() as sink:
        pass
    with pytest.raises(RouteDown, match="cannot be used"):
        hand_over(sink)


@pytest.mark.parametrize(
    ("message", "stuffed_message"),
    [
        (b"a\r\n", b"a\r\n"),
        (b"a", b"a\r\n"),
        (b".a\r\n.\r\nb\r\n", b"..a\r\n..\r\nb\r\n"),
        (b"a\r\n..\r\n", b"a\r\n...\r\n"),
    ],
)
def test_dots_are_doubled(message: bytes, stuffed_message: bytes) -> None:
    assert stuffed(message) == stuffed_message
