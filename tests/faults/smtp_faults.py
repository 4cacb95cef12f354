"""A mail server that breaks at every verb and in every phase, and that knows for certain what it took.

    python -m tests.faults.smtp_faults SOCKET PLAN

SOCKET is the number of an open one that listens. PLAN is a JSON file that is read again on SIGHUP: `log`, where each
accepted message gets a line that is on the disk before it is answered for; `doubts`, where each message gets one whose
answer the client cannot have understood; `seed`; `delay`, seconds that each message takes; and `faults`, of each "phase
act" how many of a thousand messages it meets.

A line says when its envelope came and when the message was there whole, by a clock that only goes forward (`begun`,
`ended`), and for how long this process had stood still itself in the second before (`lag`): what arrived meanwhile
looks as if it had come together.
"""

import asyncio
import json
import os
import random
import re
import signal
import socket
import sys
import time
from collections import deque
from contextlib import suppress
from dataclasses import dataclass, field
from hashlib import sha256
from pathlib import Path
from typing import Any

DATE = re.compile(rb"(?m)^Date: [^\r\n]*\r\n")
# What may happen, by phase; an act that is a number is an answer. "take" means that the message was accepted.
FAULTS = (
    *(f"banner {act}" for act in ("421", "drop", "silence", "garbage")),
    *(f"ehlo {act}" for act in ("502", "drop", "garbage")),
    *(f"mail {act}" for act in ("451", "drop", "silence", "garbage")),
    *(f"rcpt {act}" for act in ("450", "550", "421", "drop", "slow")),
    *(f"data {act}" for act in ("451", "554", "drop", "garbage")),
    *(f"body {act}" for act in ("cut", "silence")),
    *(f"dot {act}" for act in ("451", "554", "421", "drop", "silence")),
    *(f"dot take_and_{act}" for act in ("drop", "silence", "garbage", "slow", "reset")),
)
# At the verbs around messages. Where STARTTLS is among them it is offered, and never granted.
VERBS = (
    *(f"auth {act}" for act in ("454", "535", "drop", "garbage")),
    *(f"starttls {act}" for act in ("454", "drop", "garbage")),
    *(f"rset {act}" for act in ("451", "drop", "silence", "garbage")),
    *(f"quit {act}" for act in ("drop", "silence", "garbage")),
)
# After these the client cannot know whether the message was taken.
DOUBTFUL = {"drop", "silence", "take_and_drop", "take_and_silence", "take_and_garbage", "take_and_reset"}
SILENCE = 20.0
TICK, REMEMBERED = 0.02, 50  # seconds; ticks of a second
NONSENSE = b"\x16\x03\x01 what?\r\n"


class Broken(Exception):
    """The connection ends here, by a fault."""


@dataclass
class Log:
    """Lines of many messages reach the disk together; whoever wrote one waits until it is there."""

    path: Path
    waiting: list[tuple[bytes, "asyncio.Future[None]"]] = field(default_factory=list)
    writing: "asyncio.Task[None] | None" = None

    async def write(self, line: dict[str, Any]) -> None:
        done: asyncio.Future[None] = asyncio.get_running_loop().create_future()
        self.waiting.append((json.dumps(line).encode() + b"\n", done))
        if self.writing is None:
            self.writing = asyncio.create_task(self._write_all())
        await done

    async def _write_all(self) -> None:
        while self.waiting:
            lines, self.waiting = self.waiting, []
            await asyncio.get_running_loop().run_in_executor(None, self._sync, b"".join(line for line, _ in lines))
            for _, done in lines:
                if not done.cancelled():
                    done.set_result(None)
        self.writing = None

    def _sync(self, lines: bytes) -> None:
        file = os.open(self.path, os.O_WRONLY | os.O_CREAT | os.O_APPEND, 0o600)
        os.write(file, lines)
        os.fsync(file)
        os.close(file)


class Server:
    def __init__(self, plan: Path) -> None:
        self.plan_file = plan
        self.lags = deque([0.0], REMEMBERED)
        self.read_plan()

    def read_plan(self) -> None:
        plan = json.loads(self.plan_file.read_text())
        self.delay = float(plan["delay"])
        self.faults: dict[tuple[str, str], float] = {}
        for name, per_thousand in plan["faults"].items():
            at, _, act = name.partition(" ")
            self.faults[at, act] = float(per_thousand)
        self.chance = random.Random(plan["seed"])
        self.log, self.doubts = Log(Path(plan["log"])), Path(plan["doubts"])

    def fault(self, phase: str) -> str:
        for (at, act), per_thousand in self.faults.items():
            if at == phase and self.chance.random() * 1000 < per_thousand:
                return act
        return ""

    async def watch_itself(self) -> None:
        while True:
            before = time.monotonic()
            await asyncio.sleep(TICK)
            self.lags.append(time.monotonic() - before - TICK)

    async def serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        with suppress(OSError, asyncio.IncompleteReadError, asyncio.LimitOverrunError, Broken):
            await Conversation(self, reader, writer).run()
        writer.transport.abort()


class Conversation:
    def __init__(self, server: Server, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        self.server, self.reader, self.writer = server, reader, writer
        self.sender = self.to = ""
        self.begun = 0.0

    async def run(self) -> None:
        await self._answer("banner", "220 sink")
        while line := (await self.reader.readline()).decode("latin-1").strip():
            verb = line[:4].upper()
            if verb == "QUIT":
                await self._answer("quit", "221 bye")
                return
            await getattr(self, f"_{verb.lower()}", self._other)(line)

    async def _ehlo(self, line: str) -> None:
        tls = "250-STARTTLS\r\n" if any(at == "starttls" for at, _ in self.server.faults) else ""
        await self._answer("ehlo", f"250-sink\r\n{tls}250-AUTH PLAIN\r\n250 PIPELINING")

    async def _auth(self, line: str) -> None:
        await self._answer("auth", "235 welcome")

    async def _star(self, line: str) -> None:
        await self._answer("starttls", "454 not now")

    async def _rset(self, line: str) -> None:
        await self._answer("rset", "250 ok")

    async def _mail(self, line: str) -> None:
        self.begun = time.monotonic()
        self.sender, self.to = (line[11:-1], "") if await self._answer("mail", "250 ok") else ("", "")

    async def _rcpt(self, line: str) -> None:
        if not self.sender:
            await self._say(b"503 no sender\r\n")
        else:
            self.to = line[9:-1] if await self._answer("rcpt", "250 ok") else ""

    async def _data(self, line: str) -> None:
        if not self.to:
            await self._say(b"554 no valid recipients\r\n")
        elif await self._answer("data", "354 go on"):
            await self._take()

    async def _other(self, line: str) -> None:
        await self._say(b"250 ok\r\n")

    async def _take(self) -> None:
        act = self.server.fault("body")
        if act:  # the rest of it and the dot may be on their way already, so the client cannot know
            self._note_doubt(f"body {act}")
            await self.reader.readexactly(200)
            await asyncio.sleep(SILENCE if act == "silence" else 0)
            raise Broken
        message = (await self.reader.readuntil(b"\r\n.\r\n"))[:-3].replace(b"\r\n..", b"\r\n.")
        await asyncio.sleep(self.server.delay)
        act = self.server.fault("dot")
        if act in DOUBTFUL:
            self._note_doubt(act)
        if not act or act.startswith("take"):
            await self.server.log.write(self._line(sha256(DATE.sub(b"", message, count=1)).hexdigest()))
        await self._end(act.removeprefix("take_and_"))

    def _line(self, digest: str) -> dict[str, Any]:
        moments = {"at": time.time(), "begun": self.begun, "ended": time.monotonic(), "lag": max(self.server.lags)}
        return {"from": self.sender, "to": self.to, "sha256": digest, **moments}

    def _note_doubt(self, act: str) -> None:
        with self.server.doubts.open("a") as doubts:
            doubts.write(f"{self.sender} {act}\n")

    async def _end(self, act: str) -> None:
        if act == "slow":
            await asyncio.sleep(self.server.chance.uniform(0.5, 3))
        await self._act(act, "250 2.0.0 queued" if act in ("", "slow", "reset") else f"{act} 4.0.0 no")
        if act == "reset":
            raise Broken

    async def _answer(self, phase: str, usual: str) -> bool:
        """True when the usual answer was given."""
        act = self.server.fault(phase)
        if act == "slow":
            await asyncio.sleep(self.server.chance.uniform(0.2, 1.5))
            act = ""
        await self._act(act, f"{act} no" if act else usual)
        return not act

    async def _act(self, act: str, words: str) -> None:
        if act == "drop":
            raise Broken
        if act == "silence":
            await asyncio.sleep(SILENCE)
            raise Broken
        await self._say(NONSENSE if act == "garbage" else words.encode() + b"\r\n")
        if act in ("garbage", "421"):
            raise Broken

    async def _say(self, words: bytes) -> None:
        self.writer.write(words)
        await self.writer.drain()


async def main(descriptor: int, plan: Path) -> None:
    server = Server(plan)
    asyncio.get_running_loop().add_signal_handler(signal.SIGHUP, server.read_plan)
    listener = socket.socket(fileno=descriptor)
    listening = await asyncio.start_server(server.serve, sock=listener, limit=1_000_000)
    await asyncio.gather(listening.serve_forever(), server.watch_itself())


if __name__ == "__main__":
    asyncio.run(main(int(sys.argv[1]), Path(sys.argv[2])))
