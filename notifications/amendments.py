"""Who came to a frozen list since, and whose row changed: numbers, rows and the root that binds them.

A row of an amendment is `blocked` until somebody else approves it; then it is planned like every other.
"""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from functools import lru_cache
from hashlib import sha256
from typing import Any
from uuid import UUID, uuid4

from django.db import connection

from breachdesk.audit.canonical import base64url, canonical
from breachdesk.audit.tree import Frontier, leaf_of
from breachdesk.people.models import PersonQuerySet
from notifications import verification_codes
from notifications.delivery import IS_FOR_OTHERS
from notifications.models import Amendment, Delivery, Edition
from notifications.recipients import last_event, recipients_of

FORMAT = "breachdesk-amendment-v1"
CHUNK = 10_000

# Rows that nothing was sent of, in no worker's hand, whose person is not as the approval has them. Who changed once
# more after an amendment was approved stays blocked: nobody is asked about the same row twice.
DIFFERS = """
FROM notifications_delivery AS d JOIN people_person AS p ON p.id = d.person_id
LEFT JOIN notifications_amendment AS a ON a.id = d.amendment_id
WHERE d.edition_id = %(edition)s AND d.state IN ('planned', 'retry_wait', 'blocked') AND d.frozen IS NOT NULL
  AND (a.id IS NULL OR a.voided_at IS NOT NULL) AND p.has_email AND NOT ({is_for_others})
  AND notifications_frozen_row(p) IS DISTINCT FROM d.frozen
  AND NOT EXISTS (SELECT FROM notifications_batch AS b WHERE b.id = d.token AND b.settled_at IS NULL)
""".replace("{is_for_others}", IS_FOR_OTHERS)
COUNT_CHANGED = "SELECT count(*)" + DIFFERS
FIND_CHANGED = "SELECT d.id, p.id, notifications_frozen_row(p)" + DIFFERS + "FOR UPDATE OF d SKIP LOCKED"
FIND_ADDED = "SELECT p.id, notifications_frozen_row(p) FROM people_person AS p WHERE p.id = ANY(%(people)s)"
CHANGE = """
UPDATE notifications_delivery AS d SET state = 'blocked', token = NULL, next_at = NULL, amendment_id = %(amendment)s,
    amended = notifications_frozen_row(p)
FROM people_person AS p WHERE d.id = ANY(%(rows)s) AND p.id = d.person_id
"""
ADD = """
INSERT INTO notifications_delivery (id, notice_id, edition_id, person_id, state, tries, generation, verification,
    amendment_id, amended)
SELECT new.id, %(notice)s, %(edition)s, new.person, 'blocked', 0, 0, new.verification, %(amendment)s,
    notifications_frozen_row(p)
FROM unnest(%(ids)s::uuid[], %(people)s::uuid[], %(verifications)s::bytea[]) AS new (id, person, verification)
JOIN people_person AS p ON p.id = new.person
ON CONFLICT (notice_id, person_id) DO NOTHING
"""
# Whoever was told all the same, by what a relay or a provider said, stays: nothing is sent to them again.
LET_GO = """
UPDATE notifications_delivery AS d SET state = 'planned', next_at = now(), settled_at = NULL
WHERE d.edition_id = %(edition)s AND d.amendment_id = %(amendment)s AND d.state = 'blocked'
  AND NOT EXISTS (SELECT FROM notifications_mailevent AS m
      WHERE m.delivery_id = d.id AND coalesce(m.generation, 0) >= d.generation
        AND m.kind IN ('accepted', 'delivered', 'bounced', 'complained', 'delayed'))
"""
# Whoever was added goes off the list again and may be asked about anew; nothing was ever sent to them.
TAKE_OFF = """
DELETE FROM notifications_delivery
WHERE edition_id = %(edition)s AND amendment_id = %(amendment)s AND state = 'blocked' AND frozen IS NULL
"""
FORGET = """
DELETE FROM notifications_delivery
WHERE edition_id = %(edition)s AND amendment_id IS NOT NULL AND state = 'blocked' AND tries = 0
"""


@dataclass(frozen=True)
class Since:
    """How many people came to the list of an edition since it was frozen, and how many of it changed."""

    added: int
    changed: int

    def __bool__(self) -> bool:
        return bool(self.added or self.changed)


@dataclass(frozen=True)
class Found:
    """The same, row by row: people and their rows as they are now; `rows` are the deliveries of those who changed."""

    added: Mapping[UUID, bytes]
    changed: Mapping[UUID, bytes]
    rows: Sequence[UUID]

    @property
    def root(self) -> bytes:
        return _root({**self.added, **self.changed}.items())[0]


def since(edition: Edition) -> Since:
    """Counted once, until something happens in the case."""
    return _remembered(edition.pk, last_event(edition.notice.incident))


@lru_cache(maxsize=16)
def _remembered(edition_id: UUID, _last_event: int) -> Since:
    edition = Edition.objects.with_incident().get(pk=edition_id)
    [[changed]] = _rows(COUNT_CHANGED, {"edition": edition.pk})
    return Since(newcomers(edition).count(), changed)


def newcomers(edition: Edition) -> PersonQuerySet:
    """People this edition is for who have no row yet."""
    return recipients_of(edition).exclude(deliveries__edition=edition)


def find(edition: Edition) -> Found:
    people = list(newcomers(edition).order_by().values_list("pk", flat=True))
    added = {person: bytes(row) for person, row in _rows(FIND_ADDED, {"people": people})}
    changed = _rows(FIND_CHANGED, {"edition": edition.pk})
    return Found(added, {person: bytes(row) for _, person, row in changed}, [row[0] for row in changed])


def put_on_the_list(amendment: Amendment, found: Found) -> None:
    """All of them wait, blocked, under the amendment."""
    named = {
        "notice": amendment.edition.notice_id,
        "edition": amendment.edition_id,
        "amendment": amendment.pk,
    }
    added = list(found.added)
    for first in range(0, len(added), CHUNK):
        people = added[first : first + CHUNK]
        ids = [uuid4() for _ in people]
        rows = {"ids": ids, "people": people, "verifications": verification_codes.indexes_of(ids)}
        _run(ADD, named | rows)
    _run(CHANGE, named | {"rows": list(found.rows)})


def let_go(amendment: Amendment) -> int:
    return _run(LET_GO, {"edition": amendment.edition_id, "amendment": amendment.pk})


def take_off(amendment: Amendment) -> int:
    return _run(TAKE_OFF, {"edition": amendment.edition_id, "amendment": amendment.pk})


def forget(edition: Edition) -> int:
    """Of an edition that becomes a draft again: its list is free."""
    return _run(FORGET, {"edition": edition.pk})


def digest_of(amendment: Amendment) -> bytes:
    """SHA-256 (32 bytes) over what was approved and what is to be added to it."""
    return sha256(
        canonical(
            {
                "format": FORMAT,
                "edition": base64url(bytes(amendment.edition.digest or b"")),
                "rows_root": base64url(bytes(amendment.rows_root)),
                "added": amendment.added,
                "changed": amendment.changed,
            }
        )
    ).digest()


def holds(amendment: Amendment) -> bool:
    """Whether its rows and its digest are still those that were asked about."""
    rows = Delivery.objects.filter(edition=amendment.edition_id, amendment=amendment).values_list("person", "amended")
    root, size = _root((person, bytes(row or b"")) for person, row in rows)
    stands = size == amendment.added + amendment.changed and root == bytes(amendment.rows_root)
    return stands and digest_of(amendment) == bytes(amendment.digest)


def _root(rows: Iterable[tuple[UUID, bytes]]) -> tuple[bytes, int]:
    """RFC 6962 over (person id, person's row), in the order of ids; and how many."""
    tree = Frontier()
    for person, row in sorted(rows):
        tree.add(leaf_of(person.bytes + row))
    return tree.root(), tree.size


def _rows(statement: str, parameters: Mapping[str, Any]) -> list[Any]:
    with connection.cursor() as cursor:
        cursor.execute(statement, parameters)
        return list(cursor.fetchall())


def _run(statement: str, parameters: Mapping[str, Any]) -> int:
    with connection.cursor() as cursor:
        cursor.execute(statement, parameters)
        return int(cursor.rowcount)
