"""What a killed worker left behind, settled from its journal: at once, and with at most one doubt per connection.

A batch that cannot be settled now keeps no other back: it is tried at each look, until its lease is over and the
sweeper calls it unknown.
"""

from collections import Counter
from dataclasses import dataclass, field
from typing import Any
from uuid import UUID

from breachdesk.audit.record import record
from notifications import delivery, journal, pace
from notifications.batches import close_batch
from notifications.journal import Notes
from notifications.models import Batch, Delivery
from notifications.one_by_one import apart_from_others
from notifications.transport import Kind, Outcome


@dataclass
class Recovered:
    """How many deliveries, by what the journal said of them."""

    returned: int = 0
    settled: int = 0
    unknown: int = 0
    editions: set[UUID] = field(default_factory=set)

    def add(self, edition_id: UUID, returned: int, outcomes: list[Outcome]) -> None:
        unknown = sum(outcome.kind is Kind.UNKNOWN for outcome in outcomes)
        self.returned += returned
        self.unknown += unknown
        self.settled += len(outcomes) - unknown
        self.editions.add(edition_id)


def recover() -> Recovered:
    """Settle what the journals of dead workers tell of. Running it again changes nothing.

    A journal goes once no open batch names it: a transaction that its worker had begun may still be committing.
    """
    found = Recovered()
    with journal.of_the_dead() as all_notes:
        for notes in all_notes:
            for token in Batch.objects.left_by(notes.id).values_list("pk", flat=True):
                with apart_from_others(f"Batch {token}"):
                    _recover_batch(token, notes, found)
            if not Batch.objects.left_by(notes.id).exists():
                notes.forget()
    return found


def _recover_batch(token: UUID, notes: Notes, found: Recovered) -> None:
    batch = Batch.objects.select_related("edition__notice").select_for_update(of=("self",)).filter(pk=token).first()
    if batch is None or batch.settled_at is not None:
        return
    heard = notes.of(list(Delivery.objects.begun_in(token).values_list("pk", "tries")))
    outcomes = [(row, tries - 1, outcome) for (row, tries), outcome in heard.items() if outcome]
    never_sent = [row for (row, _), outcome in heard.items() if outcome is None]
    returned = pace.give_back(token) + pace.take_back(token, never_sent)
    if outcomes:
        delivery.settle(token, outcomes)
    _tell(batch, returned, [outcome for _, _, outcome in outcomes])
    found.add(batch.edition_id, returned, [outcome for _, _, outcome in outcomes])
    close_batch(token)


def _tell(batch: Batch, returned: int, outcomes: list[Outcome]) -> None:
    counts = Counter(str(outcome.kind) for outcome in outcomes)
    told: dict[str, Any] = {kind: counts[kind] for kind in ("handed_over", "refused", "retry_wait", "unknown")}
    record(
        "delivery.recovered",
        by=None,
        on=batch,
        incident=batch.edition.incident_id,
        edition=batch.edition_id,
        batch=batch.pk,
        returned=returned,
        **told,
    )
