"""Sealed files: a stream of chunks, none of which can be changed, swapped, dropped or added unseen.

Layout: 4 bytes of magic, then chunks. A chunk is 64 KiB of content (the last one may be shorter, down to nothing),
sealed as nonce || ciphertext || tag. Its associated data name the file's id, the chunk's number and whether it is the
last, so a file cut short at a chunk's edge has no last chunk and is refused (the STREAM construction of Hoang,
Reyhanitabar, Rogaway and Vizar, 2015, with random nonces).
"""

import io
import os
from pathlib import Path
from types import TracebackType
from typing import BinaryIO, Self
from uuid import UUID

from breachdesk.vault.sealing import NONCE_BYTES, TAG_BYTES, Cipher, SealBroken

MAGIC = b"BDF1"
CHUNK_BYTES = 64 * 1024
SEALED_BYTES = NONCE_BYTES + CHUNK_BYTES + TAG_BYTES
TABLE = "sealed_file"
PARTIAL = ".partial"  # behind the name of a file that is not whole yet


def _place(number: int, *, last: bool) -> str:
    return f"{number} last" if last else str(number)


class SealedWriter:
    """Writes a new file, mode 0600. Without a clean end of the `with` block no file is left."""

    def __init__(self, path: Path, cipher: Cipher, file_id: UUID) -> None:
        self._path = path
        self._partial = path.with_name(path.name + PARTIAL)
        self._cipher = cipher
        self._file_id = file_id
        self._number = 0
        self._waiting = bytearray()
        self._file = os.fdopen(os.open(self._partial, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600), "wb")
        self._file.write(MAGIC)

    def write(self, content: bytes) -> int:
        self._waiting += content
        # The last chunk is only known at the end, so one full chunk may have to wait.
        while len(self._waiting) > CHUNK_BYTES:
            self._seal_chunk(bytes(self._waiting[:CHUNK_BYTES]), last=False)
            del self._waiting[:CHUNK_BYTES]
        return len(content)

    def close(self) -> None:
        """The file is whole, and on the disk, when this returns."""
        self._seal_chunk(bytes(self._waiting), last=True)
        self._file.flush()
        os.fsync(self._file.fileno())
        self._file.close()
        self._partial.rename(self._path)

    def discard(self) -> None:
        self._file.close()
        self._partial.unlink(missing_ok=True)

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        if kind is None:
            self.close()
        else:
            self.discard()

    def _seal_chunk(self, content: bytes, *, last: bool) -> None:
        place = _place(self._number, last=last)
        self._file.write(self._cipher.seal(content, table=TABLE, column=place, row=self._file_id))
        self._number += 1


class SealedReader(io.RawIOBase):
    """A readable file of the content, at any place. Raises SealBroken at the first wrong chunk it comes to.

    The size is known from the sealed file's own when it is opened, and so which chunk must be the last: a file that was
    cut, or grew, is refused where its end is reached, and seek() to the end opens the last chunk before it answers.
    Holds two chunks at most: one sealed, one open.
    """

    def __init__(self, path: Path, cipher: Cipher, file_id: UUID) -> None:
        self._path = path
        self._cipher = cipher
        self._file_id = file_id
        self._file: BinaryIO = path.open("rb", buffering=0)
        if self._file.read(len(MAGIC)) != MAGIC:
            self._file.close()
            raise SealBroken(f"{path} is not a sealed file.")
        sealed = max(os.fstat(self._file.fileno()).st_size - len(MAGIC), 0)
        self._last = max(-(-sealed // SEALED_BYTES) - 1, 0)
        self._size = sealed - (self._last + 1) * (NONCE_BYTES + TAG_BYTES)
        self._place = 0
        self._number = -1  # of the chunk that is open
        self._content = memoryview(b"")

    def readable(self) -> bool:
        return True

    def seekable(self) -> bool:
        return True

    def tell(self) -> int:
        return self._place

    def seek(self, offset: int, whence: int = io.SEEK_SET, /) -> int:
        start = {io.SEEK_SET: 0, io.SEEK_CUR: self._place}.get(whence)
        if start is None:
            self._open_chunk(self._last)  # proves that the file ends where it did
            start = self._size
        if start + offset < 0:
            raise ValueError("a place before the beginning of the file")
        self._place = start + offset
        return self._place

    def readinto(self, buffer: bytearray | memoryview) -> int:  # type: ignore[override]
        number, within = divmod(self._place, CHUNK_BYTES)
        # The place behind a full last chunk, and any behind it: that this is the end must be proved too.
        self._open_chunk(min(number, self._last))
        piece = self._content[within : within + len(buffer)] if number <= self._last else b""
        buffer[: len(piece)] = piece
        self._place += len(piece)
        return len(piece)

    def close(self) -> None:
        if not self.closed:
            self._file.close()
        super().close()

    def _open_chunk(self, number: int) -> None:
        if number == self._number:
            return
        self._file.seek(len(MAGIC) + number * SEALED_BYTES)
        sealed = self._file.read(SEALED_BYTES)
        place = _place(number, last=number == self._last)
        try:
            content = self._cipher.unseal(sealed, table=TABLE, column=place, row=self._file_id)
        except SealBroken:
            raise SealBroken(f"{self._path} was changed or cut short in chunk {number + 1}.") from None
        self._number, self._content = number, memoryview(content)
