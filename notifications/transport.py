"""The wire. A connection knows in which phase a hand-over broke, because the exception never tells.

Between "the server may have taken it" and "it certainly has not" lies one write: the final dot. It is written by
itself, after the body has left this process; what fails before it is definite, what fails after it is unknown.
"""

import asyncio
import base64
import re
import ssl
from collections import deque
from dataclasses import dataclass
from enum import StrEnum
from hashlib import sha256
from typing import Literal, Protocol


class Kind(StrEnum):
    HANDED_OVER = "handed_over"
    RETRY_WAIT = "retry_wait"
    REFUSED = "refused"
    UNKNOWN = "unknown"
    NOT_SENT = "not_sent"


class Phase(StrEnum):
    CONNECT = "connect"
    MAIL = "mail"
    RCPT = "rcpt"
    DATA = "data"
    BODY = "body"
    DOT = "dot"


@dataclass(frozen=True, slots=True)
class Outcome:
    """What became of one hand-over. The reply's words may name the person, so only their digest is kept."""

    kind: Kind
    phase: Phase
    code: int | None = None
    enhanced: str = ""
    reply_sha256: bytes | None = None
    remote_id: str = ""


Envelope = tuple[bytes, bytes]  # return path and recipient


class RouteDown(Exception):
    """No connection could be made, or none that is protected as required. Nothing was sent. The message says why."""


@dataclass(frozen=True)
class Relay:
    """Where mail goes, and how long to wait for it."""

    host: str
    port: int
    security: Literal["none", "starttls", "tls"] = "starttls"
    user: str = ""
    password: str = ""
    short_timeout: float = 30.0
    dot_timeout: float = 60.0
    our_name: str = "localhost"


class Connection(Protocol):
    """One way out: hands over one message at a time and is never used by two at once."""

    broken: bool

    async def hand_over(
        self, sender: bytes, to: bytes, message: bytes, deadline: float, following: Envelope | None = None
    ) -> Outcome: ...

    async def close(self) -> None: ...


@dataclass(frozen=True, slots=True)
class Reply:
    code: int
    text: bytes

    @property
    def enhanced(self) -> str:
        found = re.match(rb"([245]\.\d{1,3}\.\d{1,3})\b", self.text)
        return found[1].decode() if found else ""

    def outcome(self, kind: Kind, phase: Phase) -> Outcome:
        return Outcome(kind, phase, self.code, self.enhanced, sha256(b"%d %b" % (self.code, self.text)).digest())


class BrokenConnection(Exception):
    """Closed, silent for too long, or talking something that is not SMTP."""


class _Wire(asyncio.Protocol):
    """Lines in, replies out. One waiter at a time; a clock breaks the connection when a reply stays away."""

    MAX_REPLY = 64_000

    def __init__(self) -> None:
        self.loop = asyncio.get_running_loop()
        self.transport: asyncio.Transport | None = None
        self.buffer = b""
        self.lines: list[bytes] = []
        self.replies: deque[Reply] = deque()
        self.error: BrokenConnection | None = None
        self.waiter: asyncio.Future[None] | None = None
        self.drained: asyncio.Future[None] | None = None
        self.paused = False
        self.deadline = 0.0
        self.clock: asyncio.TimerHandle | None = None

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        assert isinstance(transport, asyncio.Transport)
        self.transport = transport
        if self.clock is None:
            self._tick()

    def data_received(self, data: bytes) -> None:
        buffer = self.buffer + data if self.buffer else data
        *lines, self.buffer = buffer.split(b"\n")
        for line in lines:
            if self.error:
                return  # after nonsense, no later line may be taken for the answer that is missing
            self._take(line.rstrip(b"\r"))
        if len(self.buffer) > self.MAX_REPLY or len(self.lines) > 200:
            self.fail("it sends endless replies")
        if self.replies:
            self._wake()

    def _take(self, line: bytes) -> None:
        if not (line[:3].isdigit() and b"2" <= line[:1] <= b"5" and line[3:4] in (b"", b" ", b"-")):
            self.fail("it does not speak SMTP")
            return
        self.lines.append(line[4:])
        if line[3:4] != b"-":
            self.replies.append(Reply(int(line[:3]), b"\n".join(self.lines)))
            self.lines = []

    def connection_lost(self, error: Exception | None) -> None:
        self.fail("it closed the connection")

    def pause_writing(self) -> None:
        self.paused = True

    def resume_writing(self) -> None:
        self.paused = False
        if self.drained and not self.drained.done():
            self.drained.set_result(None)

    def fail(self, why: str) -> None:
        """The first reason counts; replies that came whole before it still do."""
        if self.error is None:
            self.error = BrokenConnection(why)
        if self.clock:
            self.clock.cancel()
        if self.transport:
            self.transport.abort()
        self._wake()
        if self.drained and not self.drained.done():
            self.drained.set_result(None)

    def _wake(self) -> None:
        if self.waiter and not self.waiter.done():
            self.waiter.set_result(None)

    def _tick(self) -> None:
        if self.deadline and self.loop.time() > self.deadline:
            self.fail("it did not answer in time")
        elif self.error is None:
            self.clock = self.loop.call_later(0.25, self._tick)

    async def reply(self, timeout: float) -> Reply:
        """The next reply; raises BrokenConnection when there will be none."""
        if not self.replies:
            await self._wait_until(timeout)
        if self.replies:
            return self.replies.popleft()
        raise self.error or BrokenConnection("it was interrupted")

    async def _wait_until(self, timeout: float) -> None:
        self.deadline = self.loop.time() + timeout
        while not self.replies and self.error is None:
            self.waiter = self.loop.create_future()
            await self.waiter
        self.deadline = 0.0

    def write(self, data: bytes) -> None:
        if self.error:
            raise self.error
        assert self.transport is not None
        self.transport.write(data)

    async def flush(self, timeout: float) -> None:
        """Returns once everything written so far has left this process."""
        assert self.transport is not None
        if not self.transport.get_write_buffer_size():
            return
        self.transport.set_write_buffer_limits(high=0)
        self.deadline = self.loop.time() + timeout
        while self.transport.get_write_buffer_size() and self.error is None:
            self.drained = self.loop.create_future()
            await self.drained
        self.deadline = 0.0
        if self.error:
            raise self.error


class SmtpConnection:
    """RFC 5321 with PIPELINING (RFC 2920) where offered. `connect` first; then one `hand_over` after another."""

    def __init__(self, relay: Relay) -> None:
        self.relay = relay
        self.broken = True
        self.pipelining = False
        self._phase = Phase.CONNECT
        self._ahead: Envelope | None = None
        self._wire: _Wire

    async def connect(self) -> "SmtpConnection":
        """Raises RouteDown with a sentence; then nothing has been sent."""
        try:
            async with asyncio.timeout(self.relay.short_timeout * 2):
                await self._open()
        except (OSError, BrokenConnection, TimeoutError) as error:
            why = str(error) or "it is silent"
            raise RouteDown(f"The mail relay {self.relay.host}:{self.relay.port} cannot be used: {why}.") from error
        self.broken = False
        return self

    async def _open(self) -> None:
        loop, relay = asyncio.get_running_loop(), self.relay
        context = ssl.create_default_context() if relay.security != "none" else None
        at_once = context if relay.security == "tls" else None
        _, self._wire = await loop.create_connection(_Wire, relay.host, relay.port, ssl=at_once)
        self._expect(await self._wire.reply(relay.short_timeout), 220)
        offers = await self._hello()
        if relay.security == "starttls":
            await self._start_tls(offers, context)
            offers = await self._hello()
        if relay.user:
            await self._sign_in(offers)
        self.pipelining = "PIPELINING" in offers

    async def _hello(self) -> dict[str, str]:
        reply = self._expect(await self._command(b"EHLO " + self.relay.our_name.encode()), 250)
        lines = [line.decode("ascii", "replace").upper() for line in reply.text.split(b"\n")[1:]]
        return {line.partition(" ")[0]: line.partition(" ")[2] for line in lines}

    async def _start_tls(self, offers: dict[str, str], context: ssl.SSLContext | None) -> None:
        if "STARTTLS" not in offers:
            raise BrokenConnection("it offers no STARTTLS, and unprotected mail is not allowed here")
        self._expect(await self._command(b"STARTTLS"), 220)
        wire, loop = self._wire, asyncio.get_running_loop()
        if wire.buffer or wire.replies or wire.lines:
            raise BrokenConnection("somebody wrote into the connection before it was protected")
        assert wire.transport is not None
        assert context is not None
        transport = await loop.start_tls(wire.transport, wire, context, server_hostname=self.relay.host)
        assert transport is not None
        wire.transport = transport

    async def _sign_in(self, offers: dict[str, str]) -> None:
        user, password = self.relay.user.encode(), self.relay.password.encode()
        ways = offers.get("AUTH", "").split()
        if "PLAIN" in ways:
            reply = await self._command(b"AUTH PLAIN " + base64.b64encode(b"\0" + user + b"\0" + password))
        elif "LOGIN" in ways:
            await self._command(b"AUTH LOGIN")
            await self._command(base64.b64encode(user))
            reply = await self._command(base64.b64encode(password))
        else:
            raise BrokenConnection("it offers neither AUTH PLAIN nor AUTH LOGIN, but a user name is set")
        if reply.code != 235:
            raise BrokenConnection(f"it refused our user name and password ({reply.code})")

    async def _command(self, line: bytes) -> Reply:
        self._wire.write(line + b"\r\n")
        return await self._wire.reply(self.relay.short_timeout)

    def _expect(self, reply: Reply, code: int) -> Reply:
        if reply.code != code:
            raise BrokenConnection(f"it answered {reply.code} where {code} was needed")
        return reply

    async def hand_over(
        self, sender: bytes, to: bytes, message: bytes, deadline: float, following: Envelope | None = None
    ) -> Outcome:
        """Hand over one message with CRLF line ends. No dot is written after `deadline` (of this loop's clock).

        `following` is the envelope of the next call: where the server allows it, it travels right behind the dot, so
        that one message costs one wait. It may not be left out afterwards.
        """
        try:
            if refusal := await self._envelope(sender, to):
                return refusal
            self._phase = Phase.BODY
            self._wire.write(stuffed(message))
            await self._wire.flush(self.relay.short_timeout)
            if asyncio.get_running_loop().time() > deadline:
                raise BrokenConnection("our lease was over")
            self._phase = Phase.DOT
            self._ahead = following if self.pipelining else None
            self._wire.write(b".\r\n" + b"".join(_commands(*self._ahead)) if self._ahead else b".\r\n")
            return self._final(await self._wire.reply(self.relay.dot_timeout))
        except (BrokenConnection, OSError):
            self._break()
            return Outcome(_KIND_OF_BREAK.get(self._phase, Kind.RETRY_WAIT), self._phase)

    async def _envelope(self, sender: bytes, to: bytes) -> Outcome | None:
        """MAIL, RCPT and DATA. None when the server waits for the message."""
        self._phase = Phase.MAIL
        commands = _commands(sender, to)
        if self._ahead not in (None, (sender, to)):
            raise BrokenConnection("another message was announced to it")
        if self.pipelining and self._ahead is None:
            self._wire.write(b"".join(commands))
        self._ahead = None
        replies: list[tuple[Phase, Reply]] = []
        for command, phase in zip(commands, (Phase.MAIL, Phase.RCPT, Phase.DATA), strict=True):
            if not self.pipelining:
                if _first_refusal(replies):
                    break
                self._wire.write(command)
            self._phase = phase
            replies.append((phase, await self._wire.reply(self.relay.short_timeout)))
        refused = _first_refusal(replies)
        if refused is None:
            return None
        await self._reset(replies[-1])
        return _refusal(*refused)

    async def _reset(self, last: tuple[Phase, Reply]) -> None:
        """A server that waits for a message although it refused somebody would take what we write next as its body."""
        if last[0] is Phase.DATA and last[1].code == 354:
            self._break()
            return
        try:
            if (await self._command(b"RSET")).code != 250:
                self._break()
        except (BrokenConnection, OSError):
            self._break()

    def _final(self, reply: Reply) -> Outcome:
        if 400 <= reply.code < 600:
            self.broken = self.broken or reply.code == 421
            return _refusal(Phase.DOT, reply)
        if 200 <= reply.code < 300:
            return reply.outcome(Kind.HANDED_OVER, Phase.DOT)
        self._break()
        return reply.outcome(Kind.UNKNOWN, Phase.DOT)

    def _break(self) -> None:
        self.broken, self._ahead = True, None
        self._wire.fail("it is no longer used")

    async def close(self) -> None:
        """Say goodbye, briefly. Nothing that goes wrong here changes anything."""
        if self.broken or self._ahead:  # after an announced message it would take our goodbye for its first line
            self._break()
            return
        self.broken = True
        try:
            self._wire.write(b"QUIT\r\n")
            await self._wire.reply(1.0)
        except (BrokenConnection, OSError):
            pass
        self._wire.fail("it is no longer used")


# A break at MAIL says nothing about this person's mail; one between it and the dot may be caused by it: a counted try.
_KIND_OF_BREAK = {Phase.MAIL: Kind.NOT_SENT, Phase.DOT: Kind.UNKNOWN}


def _commands(sender: bytes, to: bytes) -> tuple[bytes, bytes, bytes]:
    return b"MAIL FROM:<%b>\r\n" % sender, b"RCPT TO:<%b>\r\n" % to, b"DATA\r\n"


def _first_refusal(replies: list[tuple[Phase, Reply]]) -> tuple[Phase, Reply] | None:
    for phase, reply in replies:
        if not (reply.code == 354 if phase is Phase.DATA else 200 <= reply.code < 300):
            return phase, reply
    return None


def _refusal(phase: Phase, reply: Reply) -> Outcome:
    """Before the message was taken, any strange answer is a reason to try again; only 5xx is a refusal."""
    return reply.outcome(Kind.REFUSED if reply.code >= 500 else Kind.RETRY_WAIT, phase)


def stuffed(message: bytes) -> bytes:
    """RFC 5321 section 4.5.2: a line that begins with a dot gets another; the message ends with a line end."""
    if b"\n." in message or message.startswith(b"."):
        message = (b"." if message.startswith(b".") else b"") + message.replace(b"\n.", b"\n..")
    return message if message.endswith(b"\r\n") else message + b"\r\n"
