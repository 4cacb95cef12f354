"""Who came to a frozen list since, and whose row changed: numbers, rows and the root that binds them.

A row of an amendment is `blocked` until somebody else approves it; then it is planned like every other.
"""

from dataclasses import dataclass
from functools import lru_cache
from hashlib import sha256
from uuid import UUID, uuid4

from django.db import connection

from breachdesk.audit.canonical import base64url, canonical
from breachdesk.audit.tree import Frontier, leaf_of
from breachdesk.people.models import PersonQuerySet
from notifications import verification_codes
from notifications.models import Amendment, Delivery, Edition
from notifications.recipients import last_event, recipients_of

FORMAT = "breachdesk-amendment-v1"
CHUNK = 10_000
ADDED_AT_ONCE = 20_000

# Rows that nothing was sent of and whose person is not as the approval, or the amendment, has them.
DIFFERS = """
FROM notifications_delivery AS d JOIN people_person AS p ON p.id = d.person_id
LEFT JOIN notifications_amendment AS a ON a.id = d.amendment_id
WHERE d.edition_id = %(edition)s AND d.state IN ('planned', 'retry_wait', 'blocked') AND NOT p.withdrawn
  AND d.frozen IS NOT NULL AND (a.id IS NULL OR a.voided_at IS NOT NULL) AND p.has_email
  AND notifications_frozen_row(p) IS DISTINCT FROM d.frozen
"""
COUNT_CHANGED = "SELECT count(*)" + DIFFERS
CHANGE = (
    """
UPDATE notifications_delivery AS t SET state = 'blocked', token = NULL, next_at = NULL, amendment_id = %(amendment)s,
    amended = found.row
FROM (SELECT d.id, notifications_frozen_row(p) AS row"""
    + DIFFERS
    + ") AS found WHERE t.id = found.id"
)
ADD = """
INSERT INTO notifications_delivery (id, notice_id, edition_id, person_id, state, tries, generation, verification,
    amendment_id, amended)
SELECT new.id, %(notice)s, %(edition)s, new.person, 'blocked', 0, 0, new.verification, %(amendment)s,
    notifications_frozen_row(p)
FROM unnest(%(ids)s::uuid[], %(people)s::uuid[], %(verifications)s::bytea[]) AS new (id, person, verification)
JOIN people_person AS p ON p.id = new.person
ON CONFLICT (notice_id, person_id) DO NOTHING
"""
LET_GO = """
UPDATE notifications_delivery SET state = 'planned', next_at = now(), settled_at = NULL
WHERE edition_id = %s AND amendment_id = %s AND state = 'blocked'
"""
# Whoever was added goes off the list again and may be asked about anew; nothing was ever sent to them.
TAKE_OFF = """
DELETE FROM notifications_delivery WHERE edition_id = %s AND amendment_id = %s AND state = 'blocked' AND frozen IS NULL
"""
FORGET = """
DELETE FROM notifications_delivery
WHERE edition_id = %s AND amendment_id IS NOT NULL AND state = 'blocked' AND tries = 0
"""


@dataclass(frozen=True)
class Since:
    """How many people came to the list of an edition since it was frozen, and how many of it changed."""

    added: int
    changed: int

    def __bool__(self) -> bool:
        return bool(self.added or self.changed)


def since(edition: Edition) -> Since:
    """Counted once, until something happens in the case."""
    return _remembered(edition.pk, last_event(edition.notice.incident))


@lru_cache(maxsize=16)
def _remembered(edition_id: UUID, _last_event: int) -> Since:
    edition = Edition.objects.with_incident().get(pk=edition_id)
    return Since(newcomers(edition).count(), count_changed(edition))


def newcomers(edition: Edition) -> PersonQuerySet:
    """People this edition is for who have no row yet."""
    return recipients_of(edition).exclude(deliveries__edition=edition)


def count_changed(edition: Edition) -> int:
    with connection.cursor() as cursor:
        cursor.execute(COUNT_CHANGED, {"edition": edition.pk})
        return int(cursor.fetchone()[0])


def add_rows(amendment: Amendment) -> int:
    edition, added = amendment.edition, 0
    people = list(newcomers(edition).order_by("pk").values_list("pk", flat=True))
    with connection.cursor() as cursor:
        for first in range(0, len(people), ADDED_AT_ONCE):
            some = people[first : first + ADDED_AT_ONCE]
            ids = [uuid4() for _ in some]
            named = {"notice": edition.notice_id, "edition": edition.pk, "amendment": amendment.pk}
            rows = {"ids": ids, "people": some, "verifications": verification_codes.indexes_of(ids)}
            cursor.execute(ADD, named | rows)
            added += int(cursor.rowcount)
    return added


def change_rows(amendment: Amendment) -> int:
    return _run(CHANGE, {"edition": amendment.edition_id, "amendment": amendment.pk})


def let_go(amendment: Amendment) -> int:
    return _run(LET_GO, [amendment.edition_id, amendment.pk])


def take_off(amendment: Amendment) -> int:
    return _run(TAKE_OFF, [amendment.edition_id, amendment.pk])


def forget(edition: Edition) -> int:
    """Of an edition that becomes a draft again: its list is free."""
    return _run(FORGET, [edition.pk])


def _run(statement: str, parameters: object) -> int:
    with connection.cursor() as cursor:
        cursor.execute(statement, parameters)
        return int(cursor.rowcount)


def root_of_rows(amendment: Amendment) -> tuple[bytes, int]:
    """RFC 6962 over (person id, person's row as it was amended), in the order of ids; and how many."""
    tree = Frontier()
    rows = Delivery.objects.filter(edition=amendment.edition_id, amendment=amendment).order_by("person")
    for person, row in rows.values_list("person", "amended").iterator(chunk_size=CHUNK):
        tree.add(leaf_of(person.bytes + bytes(row)))
    return tree.root(), tree.size


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
    root, size = root_of_rows(amendment)
    stands = size == amendment.added + amendment.changed and root == bytes(amendment.rows_root)
    return stands and digest_of(amendment) == bytes(amendment.digest)
