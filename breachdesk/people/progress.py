"""How far a load is, told over a second connection while the load's own transaction is still open."""

from datetime import timedelta
from types import TracebackType
from typing import Self

from django.db import connection
from django.utils import timezone

from breachdesk.people.loading import Counts
from breachdesk.people.models import Upload


class Progress:
    """Nothing it writes counts as loaded; each sign of life renews the lease."""

    def __init__(self, upload: Upload, lease: timedelta) -> None:
        self._upload, self._lease = upload, lease
        self._connection = connection.copy()

    def tell(self, counts: Counts, bytes_read: int) -> None:
        now = timezone.now()
        with self._connection.cursor() as cursor:
            cursor.execute(
                """UPDATE people_reading SET rows = %s, repeated = %s, rejected = %s, bytes_read = %s, lease_until = %s
                WHERE upload_id = %s AND starts = %s""",
                [
                    counts.rows,
                    counts.repeated,
                    counts.rejected,
                    bytes_read,
                    now + self._lease,
                    self._upload.pk,
                    self._upload.starts,
                ],
            )

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._connection.close()
