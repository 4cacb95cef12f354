"""Members in the making: each is written once, from front to back, in a folder that is gone afterwards."""

import json
from collections.abc import Iterator
from contextlib import contextmanager
from hashlib import sha256
from pathlib import Path
from typing import Any
from zlib import crc32

from breachdesk.audit.bundle.archive import Member
from breachdesk.audit.canonical import canonical

# Made once: making one takes longer than encoding a line with it.
_ENCODER = json.JSONEncoder(ensure_ascii=False, separators=(",", ":"), sort_keys=True)


class Writer:
    """A member that is open: counts and hashes what goes through."""

    def __init__(self, path: Path) -> None:
        self._file = path.open("xb")
        self._sha256 = sha256()
        self.size = self.crc = self.lines = 0

    def write(self, piece: bytes) -> None:
        self._file.write(piece)
        self._sha256.update(piece)
        self.crc = crc32(piece, self.crc)
        self.size += len(piece)

    def line(self, value: dict[str, Any]) -> None:
        self.write(line_of(value))
        self.lines += 1

    def finish(self) -> bytes:
        self._file.close()
        return self._sha256.digest()


class Folder:
    def __init__(self, root: Path) -> None:
        self.root = root
        self.members: dict[str, Member] = {}

    @contextmanager
    def open(self, name: str) -> Iterator[Writer]:
        path = self.root / f"member-{len(self.members)}"
        writer = Writer(path)
        try:
            yield writer
        finally:
            digest = writer.finish()
        self.members[name] = Member(name, path, writer.size, writer.crc, digest)

    def add(self, name: str, content: bytes) -> None:
        with self.open(name) as member:
            member.write(content)

    def add_object(self, name: str, value: dict[str, Any]) -> None:
        self.add(name, canonical(value))

    def scratch(self, name: str) -> Path:
        """A place for something that will not be a member."""
        return self.root / f"scratch-{name}"


def line_of(value: dict[str, Any]) -> bytes:
    """RFC 8785 for flat objects of text, whole numbers and null with ASCII keys; stored text is not touched."""
    return _ENCODER.encode(value).encode() + b"\n"
