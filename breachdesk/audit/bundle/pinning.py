"""The end of a case's history in a bundle: an incident.head that a signed checkpoint covers.

The head says how many entries the case had before it and which one was the last. So nobody can leave some out at the
end without it showing. It must directly follow the entry it names: when another event comes between, the next head is
recorded, and the one before stays in the log as what it is, true and out of date.
"""

import time
from dataclasses import dataclass
from uuid import UUID

from django.db import ProgrammingError, transaction

from breachdesk.audit.checkpoints import checkpoint_covering
from breachdesk.audit.models import Checkpoint, Entry
from breachdesk.audit.record import record
from breachdesk.audit.sequencer import sequence_pending

LOOK_EVERY = 0.1


class BundleRefused(Exception):
    """Nothing was written. The message says why and what to do."""


@dataclass(frozen=True)
class Patience:
    """How long an export may wait for the sequencer and the signer, both of which may be down."""

    until: float

    @classmethod
    def of(cls, seconds: float) -> "Patience":
        return cls(time.monotonic() + seconds)

    def wait_or(self, sentence: str) -> None:
        if time.monotonic() >= self.until:
            raise BundleRefused(sentence)
        time.sleep(LOOK_EVERY)


def pin_head(incident: UUID, patience: Patience) -> Entry:
    """The linked incident.head that directly follows the entry it names."""
    while True:
        last = Entry.objects.filter(incident=incident).order_by("-inc_n").first()
        if last is None or last.inc_n is None:
            raise BundleRefused("The log holds no entry of this incident: there is nothing to export.")
        with transaction.atomic():
            event = record("incident.head", by=None, incident=incident, inc_n=last.inc_n, inc_leaf=bytes(last.leaf))
        head = wait_until_linked(event.event_id, patience)
        if head.inc_n == last.inc_n + 1:
            return head
        patience.wait_or(
            "So much happens in this case just now that its history could not be pinned in time. Export it again, "
            "with a longer --wait. Nothing was written."
        )


def wait_until_linked(event_id: UUID, patience: Patience) -> Entry:
    """Links by itself when no sequencer is at work."""
    while True:
        if entry := Entry.objects.filter(event_id=event_id).first():
            return entry
        if _link() == 0:
            patience.wait_or(
                "The export was recorded but not linked into the log in time. Start the sequencer "
                "(manage.py run_sequencer), look at manage.py audit_status, and export again. Nothing was written."
            )


def wait_for_checkpoint(head: Entry, patience: Patience) -> Checkpoint:
    while True:
        if checkpoint := checkpoint_covering(head.idx):
            return checkpoint
        patience.wait_or(
            f"No signed checkpoint covers entry {head.idx:,}, with which this case's history ends. Start the signer "
            "(manage.py run_signer), look at manage.py audit_status, and export again. Nothing was written."
        )


def _link() -> int:
    """A database role that may not link leaves it to the sequencer."""
    try:
        return sequence_pending()
    except ProgrammingError:
        return 0
