"""A receipt on its way in: small, held in memory, and never on a disk before it is sealed."""

from io import BytesIO
from typing import Any

from django.core.exceptions import ValidationError
from django.core.files.uploadedfile import InMemoryUploadedFile
from django.core.files.uploadhandler import FileUploadHandler

RECEIPT_BYTES = 10 << 20
TOO_LARGE = f"The receipt is larger than {RECEIPT_BYTES >> 20} MB. Nothing was recorded."


class ReceiptUploadHandler(FileUploadHandler):
    """The files of one request are together no larger than a receipt may be."""

    def __init__(self) -> None:
        super().__init__()
        self._taken = 0

    def new_file(self, *args: Any, **kwargs: Any) -> None:
        super().new_file(*args, **kwargs)
        self._content = BytesIO()

    def receive_data_chunk(self, raw_data: bytes, start: int) -> None:
        self._taken += len(raw_data)
        if self._taken > RECEIPT_BYTES:
            raise ValidationError(TOO_LARGE)
        self._content.write(raw_data)

    def file_complete(self, file_size: int) -> InMemoryUploadedFile:
        self._content.seek(0)
        return InMemoryUploadedFile(
            self._content, self.field_name, self.file_name or "receipt", self.content_type, file_size, self.charset
        )
