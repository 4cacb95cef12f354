"""What the mail catcher keeps: each address and message id as a hash, and the messages themselves up to a limit.

Two files that only grow. `hashes`: 32 bytes for each accepted recipient (16 of the address in small letters, 16 of the
Message-ID). `messages`: for each message kept whole a header (time, length of the recipients, length of the message),
the recipients, the message. What a crash left half-written at an end is cut off at the next start.
"""

import os
import re
import struct
from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, datetime
from email import message_from_bytes, policy
from email.message import EmailMessage
from functools import cached_property, lru_cache
from hashlib import blake2b
from pathlib import Path

HASH_SIZE = 16
PAIR_SIZE = 2 * HASH_SIZE
HEADER = struct.Struct(">dII")
MESSAGE_ID, SUBJECT = (
    re.compile(rb"(?im)^" + name + rb":((?:[^\r\n]|\r\n[ \t])*)") for name in (b"message-id", b"subject")
)
KEPT_PER_SUBJECT = 200
KNOWN_SUBJECTS = 10_000


def hash_address(address: str | bytes) -> bytes:
    text = address.encode() if isinstance(address, str) else address
    return blake2b(text.lower(), digest_size=HASH_SIZE).digest()


class CatcherStore:
    """Writes; one process at a time. A message is on its way to disk before `add` returns."""

    def __init__(self, folder: Path, *, keep_all: bool) -> None:
        folder.mkdir(mode=0o700, parents=True, exist_ok=True)
        self.keep_all = keep_all
        self._kept: Counter[bytes] = Counter()
        self._hashes = _open_to_append(folder / "hashes", _whole_pairs(folder / "hashes"))
        self._messages = _open_to_append(folder / "messages", _whole_messages(folder / "messages"))

    def add(self, recipients: list[bytes], message: bytes, at: float) -> None:
        identity = blake2b(_value_of(MESSAGE_ID, message), digest_size=HASH_SIZE).digest()
        if self.keep_all or self._is_among_first(message):
            to = b"\n".join(recipients)
            os.write(self._messages, HEADER.pack(at, len(to), len(message)) + to + message)
        os.write(self._hashes, b"".join(hash_address(recipient) + identity for recipient in recipients))

    def _is_among_first(self, message: bytes) -> bool:
        """Counted for each subject: a large send must not crowd out the mail to our own staff."""
        subject = _value_of(SUBJECT, message)
        if subject not in self._kept and len(self._kept) >= KNOWN_SUBJECTS:
            subject = b""
        self._kept[subject] += 1
        return self._kept[subject] <= KEPT_PER_SUBJECT

    def close(self) -> None:
        os.close(self._hashes)
        os.close(self._messages)


def _value_of(header: re.Pattern[bytes], message: bytes) -> bytes:
    """The header's value, found without parsing the message."""
    end = message.find(b"\r\n\r\n")
    found = header.search(message, 0, end if end >= 0 else len(message))
    return b"".join(found[1].split(b"\r\n")).strip() if found else b""


def _open_to_append(path: Path, length: int) -> int:
    descriptor = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_APPEND, 0o600)
    os.ftruncate(descriptor, length)
    return descriptor


def _whole_pairs(path: Path) -> int:
    return path.stat().st_size // PAIR_SIZE * PAIR_SIZE if path.exists() else 0


def _whole_messages(path: Path) -> int:
    places = list(_places(path)) if path.exists() else []
    return places[-1].end if places else 0


@dataclass(frozen=True)
class _Place:
    """Where a message lies in the file."""

    start: int
    at: float
    to_length: int
    length: int

    @property
    def end(self) -> int:
        return self.start + HEADER.size + self.to_length + self.length


def _places(path: Path) -> Iterator[_Place]:
    """Reads the headers alone."""
    with path.open("rb") as file:
        size = os.fstat(file.fileno()).st_size
        start = 0
        while start + HEADER.size <= size:
            place = _Place(start, *HEADER.unpack(os.pread(file.fileno(), HEADER.size, start)))
            if place.end > size:
                return
            yield place
            start = place.end


@dataclass(frozen=True)
class CaughtMessage:
    number: int
    at: datetime
    recipients: tuple[str, ...]
    raw: bytes

    @cached_property
    def parsed(self) -> EmailMessage:
        return message_from_bytes(self.raw, policy=policy.default)

    @property
    def subject(self) -> str:
        return str(self.parsed["subject"] or "")

    @property
    def plain(self) -> str:
        return self.body("plain")

    @property
    def headers(self) -> str:
        return self.raw.partition(b"\r\n\r\n")[0].decode(errors="replace")

    def body(self, kind: str) -> str:
        """The text of the first part of that kind ("plain" or "html"); empty when there is none."""
        part = self.parsed.get_body(preferencelist=(kind,))
        return str(part.get_content()) if part is not None else ""


@dataclass(frozen=True)
class Counts:
    accepted: int
    addresses: int
    addresses_more_than_once: int
    same_message_twice: int
    kept: int


class CaughtMail:
    """Reads what a catcher keeps, also while it writes. Numbers begin at 1, in the order of arrival."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder

    def __len__(self) -> int:
        return len(self._places())

    def messages(self, first: int = 1, last: int | None = None) -> list[CaughtMessage]:
        places = self._places()
        numbers = range(max(first, 1), min(last or len(places), len(places)) + 1)
        return [self._read(number, places[number - 1]) for number in numbers]

    def message(self, number: int) -> CaughtMessage | None:
        return next(iter(self.messages(number, number)), None) if number >= 1 else None

    def received(self, address: str) -> int:
        """How often this address was written to, whether the messages were kept or not."""
        return self._hashes_of_addresses()[hash_address(address)]

    def counts(self) -> Counts:
        path = self.folder / "hashes"
        whole = _whole_pairs(path)
        return Counts(**_count_pairs(path, whole) if whole else _NOTHING, kept=len(self))

    def _hashes_of_addresses(self) -> Counter[bytes]:
        path = self.folder / "hashes"
        return Counter(pair[:HASH_SIZE] for pair in _pairs(path, _whole_pairs(path)))

    def _places(self) -> list[_Place]:
        path = self.folder / "messages"
        return list(_places(path)) if path.exists() else []

    def _read(self, number: int, place: _Place) -> CaughtMessage:
        with (self.folder / "messages").open("rb") as file:
            file.seek(place.start + HEADER.size)
            recipients = file.read(place.to_length).decode(errors="replace").split("\n")
            raw = file.read(place.length)
        return CaughtMessage(number, datetime.fromtimestamp(place.at, UTC), tuple(recipients), raw)


_NOTHING = {"accepted": 0, "addresses": 0, "addresses_more_than_once": 0, "same_message_twice": 0}


def _pairs(path: Path, whole: int) -> list[bytes]:
    content = path.read_bytes()[:whole] if whole else b""
    return [content[start : start + PAIR_SIZE] for start in range(0, len(content), PAIR_SIZE)]


@lru_cache(maxsize=1)
def _count_pairs(path: Path, whole: int) -> dict[str, int]:
    """Remembered until the file grows: the page asks again and again."""
    pairs = _pairs(path, whole)
    addresses = Counter(pair[:HASH_SIZE] for pair in pairs)
    more_than_once = sum(times > 1 for times in addresses.values())
    return {
        "accepted": len(pairs),
        "addresses": len(addresses),
        "addresses_more_than_once": more_than_once,
        "same_message_twice": len(pairs) - len(set(pairs)),
    }
