"""Files on their way in: sealed chunk by chunk as they arrive, so that no disk ever sees a name.

Django would keep a large upload in the clear in the temporary folder; SealingUploadHandler takes its place.
"""

from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import datetime
from hashlib import sha256
from pathlib import Path
from typing import Any
from uuid import UUID, uuid4

from django.core.exceptions import ValidationError
from django.core.files.uploadedfile import UploadedFile
from django.core.files.uploadhandler import FileUploadHandler, SkipFile

from breachdesk.people.models import Upload
from breachdesk.vault.files import SealedReader, SealedWriter
from breachdesk.vault.folders import SealedFolder
from breachdesk.vault.sealing import Cipher, cipher_for

FOLDER = SealedFolder("uploads")
LARGEST_FILE = 2 * 1024**3
ROOM_FOR_THE_FORM = 64 * 1024
TOO_LARGE = "The file is larger than 2 GB. Nobody was added. Cut it into several files; repeated people are merged."


@dataclass(frozen=True)
class SealedFile:
    """A file that lies sealed in the state folder, not yet known to the database."""

    id: UUID
    name: str
    size: int
    sha256: bytes

    @property
    def path(self) -> Path:
        return sealed_path(self.id)


def sealed_path(upload_id: UUID) -> Path:
    return FOLDER.path_of(upload_id)


def discard_file(upload_id: UUID) -> None:
    FOLDER.discard(upload_id)


def discard_forgotten(before: datetime) -> int:
    return FOLDER.discard_forgotten(before, Upload.objects.with_file().values_list("pk", flat=True))


class Sealing:
    """Takes chunks, and gives a SealedFile at the end."""

    def __init__(self, incident_id: UUID, name: str) -> None:
        self.id, self.name = uuid4(), name
        self._writer = SealedWriter(sealed_path(self.id), cipher_for(incident_id), self.id)
        self._digest, self._size = sha256(), 0

    def take(self, chunk: bytes) -> None:
        self._size += len(chunk)
        if self._size > LARGEST_FILE:
            raise ValidationError(TOO_LARGE)
        self._digest.update(chunk)
        self._writer.write(chunk)

    def close(self) -> SealedFile:
        self._writer.close()
        return SealedFile(self.id, self.name[:255], self._size, self._digest.digest())

    def discard(self) -> None:
        self._writer.discard()


def seal_chunks(incident_id: UUID, name: str, chunks: Iterable[bytes]) -> SealedFile:
    sealing = Sealing(incident_id, name)
    try:
        for chunk in chunks:
            sealing.take(chunk)
        return sealing.close()
    except BaseException:
        sealing.discard()
        raise


class SealedUpload(UploadedFile):  # type: ignore[type-arg]
    """What a form sees in place of the file: its name, its size, and where it lies sealed."""

    def __init__(self, sealed: SealedFile) -> None:
        super().__init__(name=sealed.name, size=sealed.size)
        self.sealed = sealed


class SealingUploadHandler(FileUploadHandler):
    """The only handler of a request that brings a list of people: nothing behind it ever sees a chunk."""

    def __init__(self, incident_id: UUID) -> None:
        super().__init__()
        self.incident_id = incident_id
        self._sealing: Sealing | None = None
        self._finished: list[SealedFile] = []

    def handle_raw_input(
        self,
        input_data: Any,
        META: Any,  # noqa: N803
        content_length: int,
        boundary: Any,
        encoding: Any = None,
    ) -> None:
        if content_length > LARGEST_FILE + ROOM_FOR_THE_FORM:
            raise ValidationError(TOO_LARGE)

    def new_file(self, *args: Any, **kwargs: Any) -> None:
        super().new_file(*args, **kwargs)
        self._sealing = Sealing(self.incident_id, self.file_name or "list.csv")

    def receive_data_chunk(self, raw_data: bytes, start: int) -> None:
        assert self._sealing is not None
        self._sealing.take(raw_data)

    def file_complete(self, file_size: int) -> SealedUpload:
        assert self._sealing is not None
        sealed, self._sealing = self._sealing.close(), None
        self._finished.append(sealed)
        return SealedUpload(sealed)

    def upload_interrupted(self) -> None:
        self.discard()

    def discard(self) -> None:
        """Removes what no upload has taken over."""
        if self._sealing is not None:
            self._sealing.discard()
            self._sealing = None
        for sealed in self._finished:
            if not Upload.objects.has(sealed.id):
                discard_file(sealed.id)


class NoUploads(FileUploadHandler):
    """Every other request: a file that nobody asked for is not kept anywhere, not even for a moment."""

    def new_file(self, *args: Any, **kwargs: Any) -> None:
        raise SkipFile

    def receive_data_chunk(self, raw_data: bytes, start: int) -> None:
        """Never called: the file is skipped."""

    def file_complete(self, file_size: int) -> None:
        """Never called: the file is skipped."""


class MeasuredReader(SealedReader):
    """Knows how many bytes of content it has given out."""

    given = 0

    def readinto(self, buffer: bytearray | memoryview) -> int:  # type: ignore[override]
        size = super().readinto(buffer)
        self.given += size
        return size


@contextmanager
def opened(upload: Upload, cipher: Cipher) -> Iterator[MeasuredReader]:
    reader = MeasuredReader(sealed_path(upload.pk), cipher, upload.pk)
    try:
        yield reader
    finally:
        reader.close()
