"""deliveries.jsonl: in the order of the log, whatever order the batches come in, and nothing from behind the head."""

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any
from uuid import UUID, uuid4

import pytest
from django.db import transaction

from breachdesk.audit import sections
from breachdesk.audit.bundle.contents import Scope, write_deliveries
from breachdesk.audit.bundle.folder import Folder
from breachdesk.audit.bundle.pinning import Patience, pin_head
from breachdesk.audit.record import record
from breachdesk.audit.sections import Row
from breachdesk.audit.sequencer import sequence_everything

pytestmark = pytest.mark.django_db


def settle(case: UUID) -> UUID:
    batch = uuid4()
    counts = {"handed_over": 3, "refused": 0, "retry_wait": 0, "unknown": 0, "blocked": 0}
    with transaction.atomic():
        record("delivery.batch_settled", by=None, incident=case, batch=batch, rows=3, **counts)
    assert sequence_everything()
    return batch


def test_rows_are_in_the_order_of_their_batches_events(
    case: UUID, signing: Any, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    first, second = settle(case), settle(case)
    head = pin_head(case, Patience.of(10))
    behind = settle(case)

    def backwards(incident_id: UUID) -> Iterator[Row]:
        for batch in (behind, second, first):
            for number in range(3):
                yield batch, number, f"{number} of {batch}"

    assert list(sections.collect_delivery_rows(uuid4())) == []  # the product's own source of rows is found before
    monkeypatch.setattr(sections, "_rows", [backwards])
    folder = Folder(tmp_path)
    scope = Scope(case, head, signing.sign(), whole=False, is_private=False, cipher=None)
    assert write_deliveries(folder, scope) == 6
    lines = [json.loads(line) for line in folder.members["deliveries.jsonl"].path.read_text().splitlines()]
    assert [(line["batch"], line["row"]) for line in lines] == [
        (str(batch), number) for batch in (first, second) for number in range(3)
    ]
    assert lines == sorted(lines, key=lambda line: (line["n"], line["row"]))
    assert lines[4]["line"] == f"1 of {second}"
