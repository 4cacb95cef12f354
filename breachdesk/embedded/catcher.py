"""A mail server that catches everything and sends nothing on, for the demo and the tests.

It speaks as much of RFC 5321 as a well-behaved sender uses, with PIPELINING (RFC 2920), 8BITMIME and SMTPUTF8, and
answers the final dot only after the message is with the store. Loopback only.
"""

import argparse
import asyncio
import re
import signal
import socket
import threading
import time
from collections.abc import Callable, Generator, Mapping
from contextlib import contextmanager
from pathlib import Path
from types import TracebackType
from typing import ClassVar, Self

from breachdesk.embedded.catcher_store import CatcherStore, CaughtMail

LONGEST_LINE = 4096
LARGEST_MESSAGE = 50 * 1024 * 1024
PATH = re.compile(rb"(?i)(?:FROM|TO):\s*<([^<>\r\n]*)>")
EXTENSIONS = b"250-catcher\r\n250-PIPELINING\r\n250-8BITMIME\r\n250-SMTPUTF8\r\n250 SIZE %d\r\n" % LARGEST_MESSAGE


class Conversation(asyncio.Protocol):
    """One connection. All commands that have arrived are answered with one write."""

    def __init__(self, store: CatcherStore) -> None:
        self.store = store
        self.received = bytearray()
        self.answers: list[bytes] = []
        self.searched = 0
        self.in_data = False
        self._forget_envelope()

    def _forget_envelope(self) -> None:
        self.has_sender = False
        self.recipients: list[bytes] = []

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        assert isinstance(transport, asyncio.Transport)
        self.transport = transport
        transport.write(b"220 catcher ready\r\n")

    def data_received(self, data: bytes) -> None:
        self.received += data
        while (self._take_message if self.in_data else self._take_command)():
            pass
        if self.answers:
            self.transport.write(b"".join(self.answers))
            self.answers.clear()

    def _take_command(self) -> bool:
        end = self.received.find(b"\r\n")
        if end < 0:
            if len(self.received) > LONGEST_LINE:
                self._end(b"500 5.5.6 That line is too long.\r\n")
            return False
        line = bytes(self.received[:end])
        del self.received[: end + 2]
        verb, _, rest = line.partition(b" ")
        action = self.COMMANDS.get(verb.upper())
        self.answers.append(action(self, rest) if action else b"500 5.5.1 The catcher does not know that command.\r\n")
        return not self.transport.is_closing()

    def _take_message(self) -> bool:
        if self.received.startswith(b".\r\n"):
            end, message = 3, b""
        else:
            dot = self.received.find(b"\r\n.\r\n", self.searched)
            if dot < 0:
                self.searched = max(0, len(self.received) - 4)
                if len(self.received) > LARGEST_MESSAGE:
                    self._end(b"552 5.3.4 That message is too large.\r\n")
                return False
            end, message = dot + 5, bytes(self.received[: dot + 2])
        del self.received[:end]
        self.searched, self.in_data = 0, False
        # Each line that begins with a dot was sent with one more (RFC 5321, 4.5.2).
        self.store.add(self.recipients, message.removeprefix(b".").replace(b"\r\n.", b"\r\n"), time.time())
        self._forget_envelope()
        self.answers.append(b"250 2.0.0 Caught.\r\n")
        return True

    def _end(self, answer: bytes) -> None:
        self.transport.write(b"".join([*self.answers, answer]))
        self.answers.clear()
        self.transport.close()

    def _greet(self, rest: bytes) -> bytes:
        self._forget_envelope()
        return b"250 catcher\r\n"

    def _greet_extended(self, rest: bytes) -> bytes:
        self._forget_envelope()
        return EXTENSIONS

    def _take_sender(self, rest: bytes) -> bytes:
        if not PATH.match(rest) or not rest.upper().startswith(b"FROM"):
            return b"501 5.5.4 Say MAIL FROM:<address>.\r\n"
        if self.has_sender:
            return b"503 5.5.1 One sender at a time.\r\n"
        self.has_sender = True
        return b"250 2.1.0 Sender ok.\r\n"

    def _take_recipient(self, rest: bytes) -> bytes:
        found = PATH.match(rest)
        if not found or not found[1] or not rest.upper().startswith(b"TO"):
            return b"501 5.5.4 Say RCPT TO:<address>.\r\n"
        if not self.has_sender:
            return b"503 5.5.1 MAIL first.\r\n"
        self.recipients.append(found[1])
        return b"250 2.1.5 Recipient ok.\r\n"

    def _begin_data(self, rest: bytes) -> bytes:
        if not self.recipients:
            return b"503 5.5.1 RCPT first.\r\n"
        self.in_data = True
        return b"354 End with a dot on a line of its own.\r\n"

    def _reset(self, rest: bytes) -> bytes:
        self._forget_envelope()
        return b"250 2.0.0 Forgotten.\r\n"

    def _do_nothing(self, rest: bytes) -> bytes:
        return b"250 2.0.0 Still here.\r\n"

    def _quit(self, rest: bytes) -> bytes:
        self.answers.append(b"221 2.0.0 Goodbye.\r\n")
        self._end(b"")
        return b""

    COMMANDS: ClassVar[Mapping[bytes, Callable[["Conversation", bytes], bytes]]] = {
        b"HELO": _greet,
        b"EHLO": _greet_extended,
        b"MAIL": _take_sender,
        b"RCPT": _take_recipient,
        b"DATA": _begin_data,
        b"RSET": _reset,
        b"NOOP": _do_nothing,
        b"QUIT": _quit,
    }


def listen_on_loopback(port: int = 0) -> socket.socket:
    """Port 0 is a free one. Queues a few hundred callers, so that none is turned away while the catcher restarts."""
    listener = socket.socket(socket.AF_INET, socket.SOCK_STREAM)
    listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
    listener.bind(("127.0.0.1", port))
    listener.listen(512)
    return listener


async def catch(listener: socket.socket, store: CatcherStore, until: asyncio.Event) -> None:
    server = await asyncio.get_running_loop().create_server(lambda: Conversation(store), sock=listener)
    try:
        await until.wait()
    finally:
        server.close()


class Catcher:
    """A catcher in a thread of its own: `with Catcher(folder) as catcher`, then `catcher.port` and `catcher.mail`."""

    def __init__(self, folder: Path, *, keep_all: bool = True) -> None:
        self.mail = CaughtMail(folder)
        self._store = CatcherStore(folder, keep_all=keep_all)
        self._listener = listen_on_loopback()
        self.port: int = self._listener.getsockname()[1]
        self._loop = asyncio.new_event_loop()
        self._stopped = asyncio.Event()
        self._thread = threading.Thread(target=self._run, name="catcher", daemon=True)

    def _run(self) -> None:
        asyncio.set_event_loop(self._loop)
        self._loop.run_until_complete(catch(self._listener, self._store, self._stopped))

    def __enter__(self) -> Self:
        self._thread.start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._loop.call_soon_threadsafe(self._stopped.set)
        self._thread.join()
        self._loop.close()
        self._store.close()


@contextmanager
def _store_of(folder: Path, *, keep_all: bool) -> Generator[CatcherStore]:
    store = CatcherStore(folder, keep_all=keep_all)
    try:
        yield store
    finally:
        store.close()


async def _run_until_told(listener: socket.socket, store: CatcherStore) -> None:
    until = asyncio.Event()
    for number in (signal.SIGTERM, signal.SIGINT):
        asyncio.get_running_loop().add_signal_handler(number, until.set)
    await catch(listener, store, until)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--folder", type=Path, required=True)
    parser.add_argument("--descriptor", type=int, required=True, help="a listening socket, opened by the supervisor")
    parser.add_argument("--keep-all", action="store_true", help="keep every message whole")
    options = parser.parse_args()
    listener = socket.socket(fileno=options.descriptor)
    with _store_of(options.folder, keep_all=options.keep_all) as store:
        asyncio.run(_run_until_told(listener, store))


if __name__ == "__main__":
    main()
