"""A mail server that breaks on request, at any verb, before or after it took the message."""

import asyncio
import base64
import socket
import ssl
import threading
import time
from collections import Counter
from collections.abc import Iterable
from dataclasses import dataclass, field
from types import TracebackType

LONGEST = 2**24  # bytes of a message


@dataclass
class Fault:
    """What happens at `at` (banner, ehlo, mail, rcpt, data, body, dot) for recipients whose address begins with `who`.

    `act` is a reply, or drop, silence, garbage, take_and_drop, take_and_silence, answer_and_drop; at the body drop, or
    a pause.
    """

    at: str
    act: str
    who: str = ""
    times: int = 1_000_000


@dataclass
class Caught:
    sender: str
    to: str
    message: bytes
    at: float = field(default_factory=time.monotonic)


@dataclass
class Sink:
    faults: list[Fault] = field(default_factory=list)
    pipelining: bool = True
    offers: tuple[str, ...] = ()
    tls: ssl.SSLContext | None = None
    tls_at_once: bool = False
    before_tls: bytes = b""
    account: tuple[str, str] | None = None
    delay: float = 0
    slow: tuple[str, float] = ("", 0)  # a domain whose mail takes so long to be answered
    open_now: Counter[str] = field(default_factory=Counter)
    most_at_once: Counter[str] = field(default_factory=Counter)
    caught: list[Caught] = field(default_factory=list)
    connections: int = 0

    def __enter__(self) -> "Sink":
        self.loop = asyncio.new_event_loop()
        self.server = self.loop.run_until_complete(self._listen())
        self.port = self.server.sockets[0].getsockname()[1]
        self.thread = threading.Thread(target=self.loop.run_forever, daemon=True)
        self.thread.start()
        return self

    async def _listen(self) -> asyncio.Server:
        tls = self.tls if self.tls_at_once else None
        server = await asyncio.start_server(self._serve, "127.0.0.1", 0, ssl=tls, limit=LONGEST)
        server.sockets[0].setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 65_536)  # so that what is not read shows
        return server

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.loop.call_soon_threadsafe(self._stop)
        self.thread.join(5)

    def _stop(self) -> None:
        self.server.close()
        talking = asyncio.all_tasks(self.loop)
        for task in talking:
            task.cancel()
        self.loop.create_task(self._hang_up(talking))

    async def _hang_up(self, talking: Iterable[asyncio.Task[None]]) -> None:
        await asyncio.gather(*talking, return_exceptions=True)
        self.loop.stop()

    def times(self) -> Counter[str]:
        return Counter(caught.to for caught in self.caught)

    def _fault(self, at: str, to: str = "") -> str | None:
        for fault in self.faults:
            if fault.at == at and fault.times > 0 and to.startswith(fault.who):
                fault.times -= 1
                return fault.act
        return None

    async def _serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        self.connections += 1
        try:
            await self._talk(reader, writer)
        except (OSError, asyncio.IncompleteReadError, asyncio.CancelledError):
            pass
        finally:
            writer.transport.abort()

    async def _answer(self, writer: asyncio.StreamWriter, at: str, usual: str, to: str = "") -> bool:
        """True when the usual answer was given."""
        act = self._fault(at, to)
        if act == "drop":
            raise ConnectionResetError
        if act == "silence":
            await asyncio.sleep(3600)
        writer.write((act or usual).encode() + b"\r\n")
        await writer.drain()
        return act is None

    async def _talk(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        sender = to = ""
        await self._answer(writer, "banner", "220 sink")
        while line := (await reader.readline()).decode().strip():
            verb = line[:4].upper()
            if verb == "EHLO":
                offers = ["sink", *(["PIPELINING"] if self.pipelining else []), *self.offers]
                await self._answer(
                    writer, "ehlo", "\r\n".join([*(f"250-{o}" for o in offers[:-1]), f"250 {offers[-1]}"])
                )
            elif verb == "MAIL":
                sender, to = line[11:-1], ""
                # The fault at MAIL belongs to the recipient that follows, which a pipelining client has sent already.
                await self._answer(writer, "mail", "250 ok")
            elif verb == "RCPT":
                to = line[9:-1] if await self._answer(writer, "rcpt", "250 ok", line[9:-1]) else ""
            elif verb == "DATA" and to:
                if await self._answer(writer, "data", "354 go", to):
                    await self._take(reader, writer, sender, to)
            elif verb == "DATA":
                writer.write(b"554 no valid recipients\r\n")
            elif verb == "STAR" and self.tls:
                writer.write(b"220 go ahead\r\n" + self.before_tls)
                await writer.start_tls(self.tls)
            elif verb == "AUTH":
                await self._sign_in(line, reader, writer)
            elif verb == "QUIT":
                writer.write(b"221 bye\r\n")
                return
            else:
                writer.write(b"250 ok\r\n")

    async def _sign_in(self, line: str, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        if line.startswith("AUTH PLAIN"):
            _, user, password = base64.b64decode(line.split()[2]).decode().split("\0")
        else:
            said = []
            for asked in (b"VXNlcm5hbWU6", b"UGFzc3dvcmQ6"):
                writer.write(b"334 " + asked + b"\r\n")
                said.append(base64.b64decode(await reader.readline()).decode())
            user, password = said
        writer.write(b"235 welcome\r\n" if (user, password) == self.account else b"535 no\r\n")

    async def _take(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter, sender: str, to: str) -> None:
        act = self._fault("body", to)
        if act in ("drop", "pause"):
            writer.transport.pause_reading()  # type: ignore[attr-defined]
            await asyncio.sleep(0.3)
            writer.transport.resume_reading()  # type: ignore[attr-defined]
        if act == "drop":
            raise ConnectionResetError
        domain = to.partition("@")[2]
        message = (await reader.readuntil(b"\r\n.\r\n"))[:-3]  # one that was announced and never came is none
        self.open_now[domain] += 1
        self.most_at_once[domain] = max(self.most_at_once[domain], self.open_now[domain])
        try:
            await asyncio.sleep(self.slow[1] if domain == self.slow[0] else self.delay)
        finally:
            self.open_now[domain] -= 1
        act = self._fault("dot", to)
        if act in ("drop", "silence"):
            await (asyncio.sleep(3600) if act == "silence" else asyncio.sleep(0))
            raise ConnectionResetError
        if act is None or act.startswith(("take", "answer", "2")):
            self.caught.append(Caught(sender, to, message.replace(b"\r\n..", b"\r\n.")))
        if act == "take_and_drop":
            raise ConnectionResetError
        if act == "take_and_silence":
            await asyncio.sleep(3600)
        usual = f"250 2.0.0 queued as {len(self.caught)}"
        writer.write((usual if act in (None, "answer_and_drop") else act).encode() + b"\r\n")
        await writer.drain()
        if act == "answer_and_drop":
            writer.close()
            raise ConnectionResetError
