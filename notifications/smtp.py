"""The wire. A connection knows in which phase a hand-over broke, because the exception never tells.

Between "the server may have taken it" and "it certainly has not" lies one moment: that at which the final dot leaves
this process. A dot never waits in a buffer: it leaves at the moment it was looked whether it still may, behind the
message in one write where the kernel has room for all of it, or by itself once the message has left. What fails before
that is definite, what fails after it is unknown.
"""

import asyncio
import base64
import re
import ssl

from notifications.failpoints import reach
from notifications.smtp_wire import BrokenConnection, Reply, Wire
from notifications.transport import BeforeDot, Envelope, Kind, Outcome, Phase, Relay, RouteDown, unnoted

ABOUT_THE_CONNECTION = (421, 454)  # the server closes it, or cannot do what protects it
DOT = b".\r\n"
_LINE_WITH_DOT = re.compile(rb"\n\.")  # a third of the time that `in` takes


class SmtpConnection:
    """RFC 5321 with PIPELINING (RFC 2920) where offered. `connect` first; then one `hand_over` after another."""

    def __init__(self, relay: Relay) -> None:
        self.relay = relay
        self.broken = True
        self.pipelining = False
        self._phase = Phase.CONNECT
        self.announced: Envelope | None = None
        self._wire: Wire

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
        _, self._wire = await loop.create_connection(Wire, relay.host, relay.port, ssl=at_once)
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
        wire.speak_by(transport)

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
        self,
        sender: bytes,
        to: bytes,
        message: bytes,
        deadline: float,
        following: Envelope | None = None,
        before_dot: BeforeDot = unnoted,
    ) -> Outcome:
        """Hand over one message with CRLF line ends. No dot is written after `deadline` (of this loop's clock).

        `following` is the envelope of the next call: where the server allows it, it travels right behind the dot, so
        that one message costs one wait. It may not be left out afterwards.
        """
        try:
            if refusal := await self._envelope(sender, to):
                return refusal
            self._phase = Phase.BODY
            if self._wire.replies:
                raise BrokenConnection("it answers what nobody asked")
            reach("G6")
            self._note(before_dot)
            reach("G10")
            await self._write_message(stuffed(message), following if self.pipelining else None, deadline)
            reach("G7")
            return self._final(await self._wire.reply(self.relay.dot_timeout))
        except (BrokenConnection, OSError):
            self._break()
            return Outcome(_KIND_OF_BREAK.get(self._phase, Kind.RETRY_WAIT), self._phase)

    async def _write_message(self, body: bytes, following: Envelope | None, deadline: float) -> None:
        """Body, dot and what follows in one write. What the kernel has no room for is not the dot: that waits here."""
        ending = DOT + b"".join(_commands(*following)) if following else DOT
        self._demand_lease(deadline)
        unsent = self._wire.write_at_once(body + ending)
        if len(unsent) >= len(ending):
            self._wire.write(unsent[: -len(ending)])
            await self._wire.flush(self.relay.short_timeout)
            self._demand_lease(deadline)
            unsent = ending
        self._phase, self.announced = Phase.DOT, following
        if unsent:
            self._wire.write(unsent)

    def _demand_lease(self, deadline: float) -> None:
        if asyncio.get_running_loop().time() > deadline:
            raise BrokenConnection("our lease was over")

    def _note(self, before_dot: BeforeDot) -> None:
        """A connection that waits for the rest of a message takes no other."""
        try:
            before_dot()
        except Exception:
            self._break()
            raise

    async def _envelope(self, sender: bytes, to: bytes) -> Outcome | None:
        """MAIL, RCPT and DATA. None when the server waits for the message."""
        self._phase = Phase.MAIL
        if self.announced not in (None, (sender, to)):
            raise BrokenConnection("another message was announced to it")
        commands = _commands(sender, to)
        if self.pipelining and self.announced is None:
            self._wire.write(b"".join(commands))
        self.announced, refused = None, None
        for command, phase in zip(commands, _ENVELOPE, strict=True):
            if not self.pipelining:
                if refused:
                    break
                self._wire.write(command)
            self._phase = phase
            reply = await self._wire.reply(self.relay.short_timeout)
            if not _is_as_hoped(phase, reply):
                refused = refused or (phase, reply)
        if refused is None:
            return None
        if refused[1].code in ABOUT_THE_CONNECTION:
            self._break()
        else:
            await self._reset(self._phase, reply)
        return _refusal(*refused)

    async def _reset(self, phase: Phase, last: Reply) -> None:
        """A server that waits for a message although it refused somebody would take what we write next as its body."""
        if phase is Phase.DATA and last.code == 354:
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
        self.broken, self.announced = True, None
        self._wire.fail("it is no longer used")

    async def close(self) -> None:
        """Say goodbye, briefly. Nothing that goes wrong here changes anything."""
        if self.broken or self.announced:  # after an announced message it would take our goodbye for its first line
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
_ENVELOPE = (Phase.MAIL, Phase.RCPT, Phase.DATA)


def _commands(sender: bytes, to: bytes) -> tuple[bytes, bytes, bytes]:
    return b"MAIL FROM:<%b>\r\n" % sender, b"RCPT TO:<%b>\r\n" % to, b"DATA\r\n"


def _is_as_hoped(phase: Phase, reply: Reply) -> bool:
    return reply.code == 354 if phase is Phase.DATA else 200 <= reply.code < 300


def _refusal(phase: Phase, reply: Reply) -> Outcome:
    """Before the message was taken, any strange answer is a reason to try again; only 5xx is a refusal.

    Before anybody was named, 421 and 454 are about the connection: nothing was tried.
    """
    if phase is Phase.MAIL and reply.code in ABOUT_THE_CONNECTION:
        return reply.outcome(Kind.NOT_SENT, phase)
    return reply.outcome(Kind.REFUSED if reply.code >= 500 else Kind.RETRY_WAIT, phase)


def stuffed(message: bytes) -> bytes:
    """RFC 5321 section 4.5.2: a line that begins with a dot gets another; the message ends with a line end."""
    if _LINE_WITH_DOT.search(message) or message.startswith(b"."):
        message = (b"." if message.startswith(b".") else b"") + message.replace(b"\n.", b"\n..")
    return message if message.endswith(b"\r\n") else message + b"\r\n"
