"""What one worker does on the wire, noted on its own disk: a line before each final dot, and one after each answer.

So that whoever comes after a killed worker knows of each message of its windows whether it may have left. The lines are
in the page cache once they are written: they outlive the process, and not the machine. A journal counts only if

- its worker is dead: the exclusive lock on the file (flock, which a process holds as long as it lives) can be taken;
- this is the machine, and the start of it, on which it was written: the same boot id.

A line is `. delivery try` before the dot, and `= delivery try kind phase code enhanced reply remote-id` after the
answer, with `-` for what there is not. Nothing in it names a person.
"""

import fcntl
import os
import re
from base64 import urlsafe_b64decode, urlsafe_b64encode
from collections.abc import Collection, Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from uuid import UUID, uuid4

from django.conf import settings

from notifications.transport import Kind, Outcome, Phase

BOOT_ID = Path("/proc/sys/kernel/random/boot_id")
NOTHING = "-"
Try = tuple[UUID, int]
# A line that was cut off by a full disk is none: before its dot nothing was sent, and an answer is then not known.
LINE = re.compile(r"([.=]) ([0-9a-f]{32}) (\d{1,5})((?: [^ ]+){6})?")
LONGEST_LINE = 4096


class JournalFailed(Exception):
    """A line could not be written, so nothing may be sent. The message says why."""


def folder() -> Path:
    return Path(settings.BREACHDESK.state_dir) / "journals"


def boot_id() -> str:
    """Of this start of this machine; empty where the system does not say, and then no journal counts."""
    try:
        return BOOT_ID.read_text().strip()
    except OSError:
        return ""


class Journal:
    """Open and locked for as long as its worker works. Raises JournalFailed where it cannot be written."""

    def __init__(self) -> None:
        self.id = uuid4()
        self.failure = ""
        self.path = folder() / f"{self.id}.journal"
        unborn = self.path.with_suffix(".unborn")  # nobody may find it before it is locked
        try:
            folder().mkdir(mode=0o700, exist_ok=True)
            self._file = os.open(unborn, os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_APPEND | os.O_CLOEXEC, 0o600)
            self._begin(unborn)
        except OSError as error:
            raise JournalFailed(f"No journal can be written to {folder()}: {error.strerror}.") from error

    def _begin(self, unborn: Path) -> None:
        """While a disk is full each drain comes by here: what cannot be begun is not left open."""
        try:
            fcntl.flock(self._file, fcntl.LOCK_EX)
            self._write(f"{boot_id()}\n".encode())
            unborn.rename(self.path)
        except (OSError, JournalFailed):
            os.close(self._file)
            unborn.unlink(missing_ok=True)
            raise

    def dot(self, delivery: UUID, number: int) -> None:
        """Before the final dot of try `number`: from here on it may have left. After one failure it always fails."""
        if self.failure:
            raise JournalFailed(self.failure)
        self._write(b". %b %d\n" % (delivery.hex.encode(), number))

    def answered(self, delivery: UUID, number: int, outcome: Outcome) -> None:
        """What the answer was. If this fails the answer is still told to the database."""
        with suppress(JournalFailed):
            new_line = "\n" if self.failure else ""  # the line before may have no end
            self._write(f"{new_line}= {delivery.hex} {number} {_words(outcome)}\n".encode())

    def _write(self, line: bytes) -> None:
        try:
            written, why = os.write(self._file, line), "the disk is full"
        except OSError as error:
            written, why = 0, error.strerror or "it is not writable"
        if written < len(line):
            self.failure = f"The journal in {folder()} cannot be written: {why}."
            raise JournalFailed(self.failure)

    def end(self, *, is_settled: bool) -> None:
        """Its worker is done. What the database could not be told stays noted, for the sweeper."""
        if is_settled:
            self.path.unlink(missing_ok=True)
        os.close(self._file)


@dataclass(frozen=True)
class Notes:
    """A dead worker's journal. A drain may have written a hundred megabytes: it is read line by line, and what is kept
    of it is about those who are asked about."""

    id: UUID
    path: Path

    def of(self, asked: Collection[Try]) -> dict[Try, Outcome | None]:
        """What is known of each try: its answer, that it may have left, or (None) that it never did."""
        known: dict[Try, Outcome | None] = dict.fromkeys(asked)
        for attempt, answer in self._lines({row.hex.encode() for row, _ in asked}):
            # A dot takes an answer back: a try that never left counts for none, and the next has the same number.
            if attempt in known:
                known[attempt] = answer or Outcome(Kind.UNKNOWN, Phase.DOT)
        return known

    def _lines(self, rows: Collection[bytes]) -> Iterator[tuple[Try, Outcome | None]]:
        """Each dot, and each answer that can be read, of these deliveries."""
        with self.path.open("rb") as file:
            for line in iter(partial(file.readline, LONGEST_LINE), b""):
                if line[2:34] not in rows:
                    continue
                if found := LINE.fullmatch(line.decode("ascii", "replace").rstrip("\n")):
                    answer = _outcome(found[4]) if found[4] else None
                    if answer or found[1] == ".":
                        yield (UUID(found[2]), int(found[3])), answer

    def forget(self) -> None:
        self.path.unlink(missing_ok=True)


@contextmanager
def of_the_dead() -> Iterator[list[Notes]]:
    """The journals of workers that are proven dead, kept from everybody else for as long as this lasts."""
    taken: list[tuple[int, Notes]] = []
    try:
        for path in sorted(folder().glob("*.journal")):
            file = _taken_over(path)
            if file is not None:
                taken.append((file, Notes(UUID(path.stem), path)))
        yield [notes for _, notes in taken]
    finally:
        for file, _ in taken:
            os.close(file)


def _taken_over(path: Path) -> int | None:
    """Its lock; None while its worker lives, where somebody else is at it, where it tells of another start, and for a
    file that no worker named."""
    try:
        UUID(path.stem)
        file = os.open(path, os.O_RDONLY | os.O_CLOEXEC)
    except (OSError, ValueError):
        return None
    with suppress(OSError):
        fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
        boot = os.read(file, 100).partition(b"\n")[0].decode("ascii", "replace")
        if boot and boot == boot_id() and path.exists():
            return file
    os.close(file)
    return None


def _words(outcome: Outcome) -> str:
    code = str(outcome.code) if outcome.code else NOTHING
    reply = outcome.reply_sha256.hex() if outcome.reply_sha256 else NOTHING
    remote = urlsafe_b64encode(outcome.remote_id.encode()).decode() if outcome.remote_id else NOTHING
    return " ".join((outcome.kind, outcome.phase, code, outcome.enhanced or NOTHING, reply, remote))


def _outcome(words: str) -> Outcome | None:
    """None for what no worker of this version wrote: then its answer is not known."""
    kind, phase, code, enhanced, reply, remote = words.split()
    try:
        return Outcome(
            Kind(kind),
            Phase(phase),
            None if code == NOTHING else int(code),
            "" if enhanced == NOTHING else enhanced,
            None if reply == NOTHING else bytes.fromhex(reply),
            "" if remote == NOTHING else urlsafe_b64decode(remote).decode(),
        )
    except ValueError:
        return None
