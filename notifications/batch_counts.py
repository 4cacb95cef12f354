"""What became of each batch, as far as it is known now."""

from collections import Counter, defaultdict
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import timedelta
from uuid import UUID

from django.db import connection
from django.utils import timezone

from notifications.models import Batch, Delivery
from notifications.progress import FAILED, HANDED

State = Delivery.State
# By the index of tokens. Whoever was put off and taken again belongs to another batch now: their try is counted here.
COUNTS = """
SELECT d.token, d.state, count(*) FROM notifications_delivery AS d WHERE d.token = ANY(%(batches)s) GROUP BY 1, 2
UNION ALL
SELECT a.batch_id, 'again', count(DISTINCT a.delivery_id)
FROM notifications_attempt AS a JOIN notifications_delivery AS d ON d.id = a.delivery_id
WHERE a.batch_id = ANY(%(batches)s) AND d.token IS DISTINCT FROM a.batch_id GROUP BY 1
"""


@dataclass(frozen=True)
class BatchLine:
    batch: Batch
    counts: Counter[str]

    @property
    def people(self) -> int:
        return sum(self.counts.values())

    @property
    def handed(self) -> int:
        return sum(self.counts[state] for state in (*HANDED, State.DELIVERED))

    @property
    def failed(self) -> int:
        return sum(self.counts[state] for state in FAILED)

    @property
    def put_off(self) -> int:
        return self.counts[State.RETRY_WAIT] + self.counts["again"]

    @property
    def unknown(self) -> int:
        return self.counts[State.UNKNOWN]

    @property
    def blocked(self) -> int:
        return self.counts[State.BLOCKED]

    @property
    def took(self) -> timedelta:
        return (self.batch.settled_at or timezone.now()) - self.batch.opened_at

    @property
    def is_left_behind(self) -> bool:
        return self.batch.settled_at is None and self.batch.lease_until < timezone.now()


def with_counts(batches: Sequence[Batch]) -> list[BatchLine]:
    counts: dict[UUID, Counter[str]] = defaultdict(Counter)
    if batches:
        with connection.cursor() as cursor:
            cursor.execute(COUNTS, {"batches": [batch.pk for batch in batches]})
            for batch, state, number in cursor.fetchall():
                counts[batch][state] += number
    return [BatchLine(batch, counts[batch.pk]) for batch in batches]
