"""SMTP's lines and replies over one socket, with a clock that breaks the connection when a reply stays away."""

import asyncio
import os
import re
from collections import deque
from hashlib import sha256
from typing import NamedTuple

from notifications.transport import Kind, Outcome, Phase

# How a line of a reply may begin: its code, and whether another line follows.
BEGINNINGS = {b"%d%b" % (code, mark): (code, mark == b"-") for code in range(200, 600) for mark in (b"", b" ", b"-")}
LOOK_BENEATH = 0.005
_ENHANCED = re.compile(rb"([245]\.\d{1,3}\.\d{1,3})\b")


class Reply(NamedTuple):
    code: int
    text: bytes

    @property
    def enhanced(self) -> str:
        found = _ENHANCED.match(self.text)
        return found[1].decode() if found else ""

    def outcome(self, kind: Kind, phase: Phase) -> Outcome:
        return Outcome(kind, phase, self.code, self.enhanced, sha256(b"%d %b" % (self.code, self.text)).digest())


class BrokenConnection(Exception):
    """Closed, silent for too long, or talking something that is not SMTP."""


class Wire(asyncio.Protocol):
    """Lines in, replies out. One waiter at a time; a clock breaks the connection when a reply stays away."""

    MAX_REPLY = 64_000

    def __init__(self) -> None:
        self.loop = asyncio.get_running_loop()
        self.transport: asyncio.Transport | None = None
        self.beneath: asyncio.WriteTransport | None = None  # with TLS: what its bytes leave by
        self.socket: int | None = None  # where nothing stands between it and us: without TLS
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
        self.speak_by(transport)
        if self.clock is None:
            self._tick()

    def speak_by(self, transport: asyncio.Transport) -> None:
        self.transport = transport
        is_protected = transport.get_extra_info("sslcontext") is not None
        self.beneath = _beneath(transport) if is_protected else None
        self.socket = None if is_protected else transport.get_extra_info("socket").fileno()

    def data_received(self, data: bytes) -> None:
        *lines, self.buffer = (self.buffer + data).split(b"\n")
        for line in lines:
            if self.error:
                return  # after nonsense, no later line may be taken for the answer that is missing
            self._take(line.rstrip(b"\r"))
        if len(self.buffer) > self.MAX_REPLY or len(self.lines) > 200:
            self.fail("it sends endless replies")
        if self.replies:
            self._wake()

    def _take(self, line: bytes) -> None:
        beginning = BEGINNINGS.get(line[:4])
        if beginning is None:
            self.fail("it does not speak SMTP")
            return
        code, goes_on = beginning
        self.lines.append(line[4:])
        if not goes_on:
            self.replies.append(Reply(code, b"\n".join(self.lines)))
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

    def write_at_once(self, data: bytes) -> bytes:
        """What of it could not leave this process now; nothing of that will leave by itself."""
        if self.error:
            raise self.error
        assert self.transport is not None
        if self.socket is None or self.transport.get_write_buffer_size():
            return data
        try:
            return data[os.write(self.socket, data) :]
        except BlockingIOError:
            return data

    async def flush(self, timeout: float) -> None:
        """Returns once everything written so far has left this process."""
        assert self.transport is not None
        if not self._unsent():
            return
        self.transport.set_write_buffer_limits(high=0)
        self.deadline = self.loop.time() + timeout
        while self._unsent() and self.error is None:
            if self.transport.get_write_buffer_size():
                self.drained = self.loop.create_future()
                await self.drained
            else:
                await asyncio.sleep(LOOK_BENEATH)  # nobody tells when that has left
        self.deadline = 0.0
        if self.error:
            raise self.error

    def _unsent(self) -> int:
        """Also what TLS has made its own bytes of: 64 KiB and more, of which its transport says nothing."""
        assert self.transport is not None
        return self.transport.get_write_buffer_size() + (self.beneath.get_write_buffer_size() if self.beneath else 0)


def _beneath(protected: asyncio.Transport) -> asyncio.WriteTransport:
    """asyncio gives it to nobody by another name."""
    beneath: asyncio.WriteTransport = protected._ssl_protocol._transport  # type: ignore[attr-defined]  # noqa: SLF001
    return beneath
