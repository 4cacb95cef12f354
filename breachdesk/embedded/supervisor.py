"""Keeps several programs running under one roof, shows what they print, and leaves nothing behind.

One thread and one select loop: a child is always forked by the main thread, whose death Linux tells it about.
"""

import os
import selectors
import signal
import subprocess
import sys
import time
from contextlib import suppress
from dataclasses import dataclass, field
from types import FrameType
from typing import IO

from breachdesk.embedded.processes import Program, ask_to_stop, end_session, launch

STOP_SIGNALS = (signal.SIGINT, signal.SIGTERM, signal.SIGHUP)
LONGEST_PAUSE = 10.0
STEADY_AFTER = 30.0
MOST_READS_AT_END = 100
LONGEST_LINE = 8192


class Stopped(Exception):
    """Somebody asked us to stop."""


@dataclass
class Part:
    """A program that is to run until we say otherwise."""

    program: Program
    process: subprocess.Popen[bytes] | None = None
    started_at: float = 0.0
    start_again_at: float = 0.0
    failures: int = 0


@dataclass
class Supervisor:
    width: int = 9
    parts: list[Part] = field(default_factory=list)
    stop_requests: int = 0

    def __post_init__(self) -> None:
        self._selector = selectors.DefaultSelector()
        self._unfinished: dict[int, bytes] = {}

    def catch_signals(self) -> None:
        for number in STOP_SIGNALS:
            signal.signal(number, self._note_request)

    def _note_request(self, number: int, frame: FrameType | None) -> None:
        self.stop_requests += 1

    def say(self, name: str, text: str) -> None:
        # The terminal may be gone; that must not keep us from stopping the parts.
        with suppress(OSError, ValueError):
            sys.stdout.write(f"{name:<{self.width}} | {text}\n")
            sys.stdout.flush()

    def keep_running(self, program: Program) -> Part:
        part = Part(program)
        self.parts.append(part)
        self._start(part)
        return part

    def run(self, program: Program) -> int:
        """Runs a program to its end while the parts go on; raises Stopped when asked to stop meanwhile."""
        process = self._launch(program)
        try:
            while process.poll() is None:
                self.tend()
        finally:
            self._stop_program(program, process)
        return process.returncode

    def watch(self) -> None:
        """Returns by raising Stopped."""
        while True:
            self.tend()

    def tend(self, seconds: float = 0.2) -> None:
        """Shows what was printed, and starts again what has ended."""
        self._show_output(seconds)
        if self.stop_requests:
            raise Stopped
        for part in self.parts:
            if part.process is None:
                if time.monotonic() >= part.start_again_at:
                    self._start(part)
            elif part.process.poll() is not None:
                self._plan_restart(part, part.process)

    def are_running(self) -> bool:
        """Looked at while waiting for the parts just started: shows their output and notices a failed start."""
        self._show_output(0)
        if self.stop_requests:
            raise Stopped
        return all(part.process is not None and part.process.poll() is None for part in self.parts)

    def stop_all(self) -> None:
        """The last one started stops first. A second request to stop waits for nobody."""
        for part in reversed(self.parts):
            if part.process:
                self.say("demo", f"stopping {part.program.name}")
                self._stop_program(part.program, part.process)
        self.parts.clear()

    def _start(self, part: Part) -> None:
        part.started_at = time.monotonic()
        part.process = self._launch(part.program)

    def _launch(self, program: Program) -> subprocess.Popen[bytes]:
        process = launch(program, subprocess.PIPE)
        assert process.stdout is not None
        os.set_blocking(process.stdout.fileno(), False)
        self._selector.register(process.stdout, selectors.EVENT_READ, program)
        return process

    def _plan_restart(self, part: Part, process: subprocess.Popen[bytes]) -> None:
        end_session(process)
        lasted = time.monotonic() - part.started_at
        part.failures = 0 if lasted > STEADY_AFTER else part.failures + 1
        pause = min(LONGEST_PAUSE, 0.25 * 2**part.failures)
        part.process, part.start_again_at = None, time.monotonic() + pause
        self.say("demo", f"{part.program.name} {_ending(process.returncode)}; it starts again in {pause:.1f} s")

    def _stop_program(self, program: Program, process: subprocess.Popen[bytes]) -> None:
        ask_to_stop(program, process)
        deadline = time.monotonic() + program.stop_within
        while process.poll() is None and time.monotonic() < deadline and self.stop_requests < 2:
            self._show_output(0.05)
        end_session(process)
        self._show_what_is_left(process)

    def _show_what_is_left(self, process: subprocess.Popen[bytes]) -> None:
        """To the end of its output: a last line without a line break is shown once nothing can follow it."""
        for _ in range(MOST_READS_AT_END):
            if process.stdout is None or process.stdout.closed or not self._show_output(0):
                return

    def _show_output(self, seconds: float) -> bool:
        """Whether there was anything to read."""
        if not self._selector.get_map():
            time.sleep(seconds)
            return False
        ready = self._selector.select(seconds)
        for key, _ in ready:
            pipe = key.fileobj
            assert not isinstance(pipe, int)
            self._read(pipe, key.fd, key.data)  # type: ignore[arg-type]
        return bool(ready)

    def _read(self, pipe: IO[bytes], descriptor: int, program: Program) -> None:
        try:
            received = os.read(descriptor, 65536)
        except BlockingIOError:
            return
        *lines, rest = (self._unfinished.pop(descriptor, b"") + received).split(b"\n")
        if not received or len(rest) > LONGEST_LINE:
            lines, rest = [*lines, rest], b""
        for line in (text.decode(errors="replace").rstrip() for text in lines):
            if line and not (program.not_shown and program.not_shown in line):
                self.say(program.name, line)
        if received:
            self._unfinished[descriptor] = rest
        else:
            self._selector.unregister(pipe)
            pipe.close()


def _ending(code: int) -> str:
    return f"was ended by {signal.Signals(-code).name}" if code < 0 else f"ended with code {code}"
