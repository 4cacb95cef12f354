"""What rows and trail must agree on: who decided, when the gate was closed, what was sealed, whom a yes was for."""

from collections import defaultdict
from collections.abc import Iterable, Iterator, Sequence
from datetime import datetime, timedelta
from typing import Any
from uuid import UUID

from django.db import connection

from breachdesk.audit.canonical import base64url
from breachdesk.audit.models import Event
from notifications.batches import SETTLED, root_of_rows, rows_of_batch
from notifications.freezing import recipients_of_plan
from notifications.invariants.findings import Finding, found
from notifications.models import Approval, Batch, DeliveryDecision, Edition

ASKED, DECIDED = "delivery.decision_asked", "delivery.decided"
CLOSED = ("edition.paused", "edition.cancelled", "edition.rate_changed", "edition.route_changed")
OUTCOMES = ("handed_over", "refused", "retry_wait", "unknown", "blocked")
AFTER_THE_GATE = """
SELECT d.id FROM notifications_batch AS b JOIN notifications_delivery AS d ON d.token = b.id
WHERE b.edition_id = %(edition)s AND b.epoch <= %(epoch)s AND d.handing_over_at > %(at)s
UNION
SELECT a.delivery_id FROM notifications_batch AS b JOIN notifications_attempt AS a ON a.batch_id = b.id
WHERE b.edition_id = %(edition)s AND b.epoch <= %(epoch)s AND a.opened_at > %(at)s
"""


def check(editions: Sequence[Edition], *, skew: float) -> list[Finding]:
    begun = [edition for edition in editions if edition.recipients_root is not None]
    return [
        *_check_decisions(editions),
        *found(9, "Hand-overs begun after their edition was stopped", _after_the_gate(begun, timedelta(seconds=skew))),
        *_check_batches(editions),
        *found(12, "Editions whose frozen list is not the one that was approved", _other_lists(begun)),
        *found(17, "Approvals of which the trail says nothing, or something else", _approvals_nobody_gave(begun)),
    ]


def _events(editions: Iterable[Edition], *types: str) -> Iterator[Event]:
    incidents = {edition.incident_id for edition in editions}
    return Event.objects.filter(incident__in=incidents).of_types(types).oldest_first().iterator(chunk_size=500)


def _check_decisions(editions: Sequence[Edition]) -> list[Finding]:
    """I6: the trail names who asked and who confirmed, and for a resend these are two."""
    said: dict[str, dict[str, str | None]] = defaultdict(dict)
    for event in _events(editions, ASKED, DECIDED):
        for name in event.names or []:
            label, _, rest = name.partition("/")
            if label == DeliveryDecision._meta.label_lower:
                said[rest.partition("/")[0]][event.type] = event.content["actor"]["id"]
    confirmed = DeliveryDecision.objects.filter(edition__in=editions, confirmed_at__isnull=False)
    wrong = [decision.pk for decision in confirmed if not _is_in_the_trail(decision, said[str(decision.pk)])]
    return found(6, "Decisions about deliveries that the trail does not say were made by these people", wrong)


def _is_in_the_trail(decision: DeliveryDecision, said: dict[str, str | None]) -> bool:
    if said.get(DECIDED) != str(decision.confirmed_by_id):
        return False
    if decision.kind != DeliveryDecision.Kind.RESEND:
        return True
    return said.get(ASKED) == str(decision.asked_by_id) != str(decision.confirmed_by_id)


def _after_the_gate(editions: Sequence[Edition], skew: timedelta) -> Iterator[UUID]:
    """What an epoch began after the event that ended it: the next epoch's batches are others."""
    known = {str(edition.pk) for edition in editions}
    for event in _events(editions, *CLOSED):
        content = event.content
        edition, epoch = str((content["object"] or {}).get("id")), content["data"].get("epoch")
        if edition in known and isinstance(epoch, int):
            last = epoch if event.type in CLOSED[:2] else epoch - 1  # a change on the way begins the new one itself
            yield from _ids(AFTER_THE_GATE, {"edition": edition, "epoch": last, "at": event.at + skew})


def _check_batches(editions: Sequence[Edition]) -> list[Finding]:
    """I11: every sealed batch is what its one event says, line for line."""
    events: dict[str, list[dict[str, Any]]] = defaultdict(list)
    ours = {str(edition.pk) for edition in editions}
    for event in _events(editions, SETTLED):
        content = event.content
        if content["data"]["edition"] in ours:
            events[str(content["object"]["id"])].append(content["data"])
    batches = Batch.objects.filter(edition__in=editions, settled_at__isnull=False)
    wrong, sealed = [], set()
    for batch in batches.iterator(chunk_size=500):
        sealed.add(str(batch.pk))
        if not _is_as_told(batch, events[str(batch.pk)]):
            wrong.append(batch.pk)
    return [
        *found(11, "Sealed batches whose rows are not those that their one event in the trail tells of", wrong),
        *found(11, "Batches that the trail says were sealed and that are not", events.keys() - sealed),
    ]


def _is_as_told(batch: Batch, events: Sequence[dict[str, Any]]) -> bool:
    rows = rows_of_batch(batch.pk)
    root = root_of_rows(rows)
    if len(events) != 1 or root != bytes(batch.rows_root or b"") or len(rows) != batch.rows:
        return False
    [told] = events
    counts = {outcome: sum(row.outcome == outcome for row in rows) for outcome in OUTCOMES}
    return (told["rows_root"], told["rows"]) == (base64url(root), len(rows)) and all(
        told[outcome] == number for outcome, number in counts.items()
    )


def _other_lists(editions: Iterable[Edition]) -> Iterator[UUID]:
    """Root and number of the frozen rows, made anew: nobody is missing, and nobody came unseen."""
    for edition in editions:
        if edition.state == Edition.State.CANCELLED and edition.started_at is None:
            continue  # its list was let go
        approved = bytes(edition.recipients_root or b""), edition.recipients_count
        if recipients_of_plan(edition) != approved:
            yield edition.pk


def _approvals_nobody_gave(editions: Sequence[Edition]) -> Iterator[UUID]:
    given = set()
    for event in _events(editions, "edition.approved"):
        content = event.content
        given.add((str((content["object"] or {}).get("id")), content["actor"]["id"], content["data"].get("digest")))
    for approval in Approval.objects.in_force().filter(edition__in=editions):
        who = str(approval.edition_id), str(approval.approver_id), base64url(bytes(approval.digest))
        if who not in given:
            yield approval.pk


def _ids(statement: str, parameters: dict[str, "str | int | datetime"]) -> list[UUID]:
    with connection.cursor() as cursor:
        cursor.execute(statement, parameters)
        return [row[0] for row in cursor.fetchall()]
