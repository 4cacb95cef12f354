"""An entry: the bytes of one leaf of the log. It holds no personal data, so every entry may be handed out."""

from collections.abc import Iterable
from datetime import datetime
from uuid import UUID

from django.db import connection

from breachdesk.audit.canonical import base64url, time_text
from breachdesk.audit.models import Entry
from breachdesk.audit.tree import Frontier

ENTRY_VERSION = 1


class LogDamagedError(Exception):
    """Stored parts of the log are missing, so it cannot be continued or proved."""


def entry_bytes(
    *, log: str, n: int, seq_at: datetime, incident: UUID | None, inc_n: int | None, inc_prev: bytes | None, body: bytes
) -> bytes:
    """`inc_prev` is the leaf of the incident's entry before; `body` is the SHA-256 of the event's body."""
    return entry_of_texts(
        log=log,
        n=n,
        seq_at=time_text(seq_at),
        incident=str(incident) if incident else None,
        inc_n=inc_n,
        inc_prev=base64url(inc_prev) if inc_prev is not None else None,
        body=base64url(body),
    )


def entry_of_texts(
    *, log: str, n: int, seq_at: str, incident: str | None, inc_n: int | None, inc_prev: str | None, body: str
) -> bytes:
    """The canonical bytes, put together without an encoder: no part needs an escape, and the keys are in order."""
    return (
        f'{{"body":"{body}","inc_n":{_number(inc_n)},"inc_prev":{_text(inc_prev)},"incident":{_text(incident)},'
        f'"log":"{log}","n":{n},"seq_at":"{seq_at}","v":{ENTRY_VERSION}}}'
    ).encode()


def _text(value: str | None) -> str:
    return "null" if value is None else f'"{value}"'


def _number(value: int | None) -> str:
    return "null" if value is None else str(value)


def log_size() -> int:
    last = Entry.objects.order_by("-idx").values_list("idx", flat=True).first()
    return 0 if last is None else last + 1


def stored_nodes(places: Iterable[tuple[int, int]]) -> dict[tuple[int, int], bytes]:
    """The hashes of complete subtrees, leaves (level 0) included; places that are not stored are left out."""
    places = list(places)
    with connection.cursor() as cursor:
        cursor.execute(
            """SELECT level, pos, hash FROM audit_node
               JOIN unnest(%(levels)s::smallint[], %(positions)s::bigint[]) AS wanted (level, pos) USING (level, pos)
               UNION ALL SELECT 0, idx, leaf FROM audit_entry WHERE idx = ANY (%(leaves)s::bigint[])""",
            {
                "levels": [level for level, _ in places],
                "positions": [pos for _, pos in places],
                "leaves": [pos for level, pos in places if level == 0],
            },
        )
        return {(level, pos): bytes(digest) for level, pos, digest in cursor.fetchall()}


def stored_node(level: int, pos: int) -> bytes:
    """One node for tree.inclusion_proof and tree.consistency_proof."""
    found = stored_nodes([(level, pos)])
    if not found:
        raise LogDamagedError(f"Node {pos} of level {level} is missing from the log. Run verify_audit.")
    return found[level, pos]


def stored_nodes_between(ranges: Iterable[tuple[int, int, int]]) -> dict[tuple[int, int], bytes]:
    """Nodes from level 1 up, by (level, first pos, last pos): a page's worth in one query."""
    levels, firsts, lasts = zip(*ranges, strict=True)
    with connection.cursor() as cursor:
        cursor.execute(
            """SELECT node.level, node.pos, node.hash
               FROM unnest(%s::smallint[], %s::bigint[], %s::bigint[]) AS wanted (level, first, last)
               JOIN audit_node AS node ON node.level = wanted.level AND node.pos BETWEEN first AND last""",
            [list(levels), list(firsts), list(lasts)],
        )
        return {(level, pos): digest for level, pos, digest in cursor.fetchall()}


def stored_frontier(size: int) -> Frontier:
    places = Frontier.places(size)
    found = stored_nodes(places)
    if missing := [place for place in places if place not in found]:
        level, pos = missing[0]
        raise LogDamagedError(f"Node {pos} of level {level} is missing from the log. Run verify_audit.")
    return Frontier(size, [found[place] for place in places])
