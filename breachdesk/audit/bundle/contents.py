"""What the log holds of one case, member by member. Memory does not grow with the log or with the rows."""

from collections.abc import Iterator
from dataclasses import dataclass
from itertools import groupby
from operator import itemgetter
from typing import Any, BinaryIO, NamedTuple
from uuid import UUID

from django.db import connection

from breachdesk.audit.bundle.folder import Folder, line_of
from breachdesk.audit.canonical import base64url
from breachdesk.audit.models import Checkpoint, Entry, Event, PrivateValue
from breachdesk.audit.proofs import inclusion_proofs
from breachdesk.audit.record import PRIVATE_TABLE
from breachdesk.audit.sections import Row, collect_delivery_rows
from breachdesk.vault.sealing import Cipher

PAGE = 1000
PIECE = 1 << 20
# Entries without an incident that every bundle needs: whose signatures count, and which clock was wrong when.
OF_THE_LOG = ["signing_key.made", "key.rotated", "clock.anomaly"]


@dataclass(frozen=True)
class Scope:
    """What a bundle is about. `cipher` opens the case's sealed values; None when they are not wanted or gone."""

    incident: UUID
    head: Entry
    checkpoint: Checkpoint
    whole: bool
    is_private: bool
    cipher: Cipher | None


class Stored(NamedTuple):
    idx: int
    event_id: UUID
    incident: UUID | None
    entry: bytes
    body: bytes | None


class Stretch(NamedTuple):
    """Where the lines of one batch lie in the scratch file, and the position of its event in the log."""

    n: int
    start: int
    size: int


def write_entries(folder: Folder, scope: Scope) -> int:
    with folder.open("entries.jsonl") as member:
        for page in _pages(scope):
            for line in _entry_lines(page, scope):
                member.line(line)
        return member.lines


def _entry_lines(page: list[Stored], scope: Scope) -> Iterator[dict[str, Any]]:
    """A whole log needs no proofs: its root is computed from all its entries."""
    size = scope.checkpoint.size
    paths = None if scope.whole else inclusion_proofs([stored.idx for stored in page], size)
    for place, stored in enumerate(page):
        is_withheld = stored.body is None or stored.incident not in (None, scope.incident)
        yield {
            "n": stored.idx,
            "entry": _text(stored.entry),
            "body": None if is_withheld else _text(stored.body or b""),
            "proof": None if paths is None else [base64url(step) for step in paths[place]],
        }


def _text(stored: bytes) -> str:
    """Bytes that are no text were changed by somebody; they come through so that a verifier says so."""
    return bytes(stored).decode(errors="replace")


def write_openings(folder: Folder, scope: Scope) -> None:
    """The case's sealed values, in order of their events' positions, then of the fields' names."""
    with folder.open("private.jsonl") as member:
        if scope.cipher is None:
            return
        for page in _in_pages(_positions_of_case(scope)):
            events = list(Entry.objects.filter(idx__in=page).order_by("idx").values_list("event_id", flat=True))
            place = {event_id: number for number, event_id in enumerate(events)}
            values = PrivateValue.objects.filter(event__event_id__in=events).select_related("event")
            for value in sorted(values, key=lambda value: (place[value.event.event_id], value.field)):
                member.line(_opening_line(value, scope.cipher))


def _opening_line(value: PrivateValue, cipher: Cipher) -> dict[str, Any]:
    event_id = value.event.event_id
    opened = cipher.unseal(bytes(value.value_enc), table=PRIVATE_TABLE, column=value.field, row=event_id)
    salt = base64url(bytes(value.salt))
    return {"event": str(event_id), "field": value.field, "salt": salt, "value": opened.decode()}


def write_deliveries(folder: Folder, scope: Scope) -> int:
    """Rows of the batches settled before the head. They come batch by batch, in any order of the batches, so they are
    laid down first and then copied in the order of the batches' events."""
    scratch = folder.scratch("deliveries")
    with scratch.open("wb") as file:
        stretches, rows = _lay_down(file, scope)
    with folder.open("deliveries.jsonl") as member, scratch.open("rb") as file:
        for stretch in sorted(stretches):
            for piece in _pieces(file, stretch):
                member.write(piece)
    scratch.unlink()
    return rows


def _lay_down(file: BinaryIO, scope: Scope) -> tuple[list[Stretch], int]:
    settled, stretches, written = _settled_batches(scope), [], 0
    for batch, rows in groupby(collect_delivery_rows(scope.incident), key=itemgetter(0)):
        n = settled.pop(batch, None)
        if n is None:
            continue
        start = file.tell()
        for row in rows:
            file.write(_row_line(row, n))
            written += 1
        stretches.append(Stretch(n, start, file.tell() - start))
    return stretches, written


def _row_line(row: Row, n: int) -> bytes:
    batch, number, line = row
    return line_of({"batch": str(batch), "n": n, "row": number, "line": line})


def _pieces(file: BinaryIO, stretch: Stretch) -> Iterator[bytes]:
    file.seek(stretch.start)
    left = stretch.size
    while left and (piece := file.read(min(left, PIECE))):
        left -= len(piece)
        yield piece


def _settled_batches(scope: Scope) -> dict[UUID, int]:
    """Each batch of the case with the position of the event that settled it."""
    found = {}
    for page in _in_pages(_positions_of_case(scope)):
        ids = dict(Entry.objects.filter(idx__in=page).values_list("event_id", "idx"))
        for event in Event.objects.filter(event_id__in=ids).of_type("delivery.batch_settled"):
            found[UUID(event.content["data"]["batch"])] = ids[event.event_id]
    return found


def _positions_of_case(scope: Scope) -> list[int]:
    entries = Entry.objects.filter(incident=scope.incident, idx__lte=scope.head.idx)
    return list(entries.order_by("idx").values_list("idx", flat=True))


def _positions_of_log(scope: Scope) -> list[int]:
    with connection.cursor() as cursor:
        cursor.execute(
            """SELECT idx FROM audit_event AS event JOIN audit_entry AS entry USING (event_id)
               WHERE event.type = ANY (%s) AND entry.incident IS NULL AND idx < %s""",
            [OF_THE_LOG, scope.checkpoint.size],
        )
        return [idx for (idx,) in cursor.fetchall()]


def _pages(scope: Scope) -> Iterator[list[Stored]]:
    if scope.whole:
        for start in range(0, scope.checkpoint.size, PAGE):
            yield _stored(list(range(start, min(start + PAGE, scope.checkpoint.size))))
    else:
        for page in _in_pages(sorted(_positions_of_case(scope) + _positions_of_log(scope))):
            yield _stored(page)


def _in_pages(positions: list[int]) -> Iterator[list[int]]:
    for start in range(0, len(positions), PAGE):
        yield positions[start : start + PAGE]


def _stored(positions: list[int]) -> list[Stored]:
    with connection.cursor() as cursor:
        cursor.execute(
            """SELECT idx, event_id, entry.incident, entry.entry, event.body
               FROM audit_entry AS entry LEFT JOIN audit_event AS event USING (event_id)
               WHERE idx = ANY (%s) ORDER BY idx""",
            [positions],
        )
        return [Stored(*row) for row in cursor.fetchall()]
