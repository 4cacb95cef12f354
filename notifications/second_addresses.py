"""Who of those that email did not reach has a second address. It is sealed: so the few who are asked about are opened.

An address counts if a message may go to it and it is not the one that failed. Nothing personal is kept.
"""

from collections.abc import Mapping
from functools import lru_cache
from uuid import UUID

from django.db.models import Exists, OuterRef, Q

from breachdesk.people.addresses import address_key
from breachdesk.people.models import Person
from breachdesk.people.personal import unseal_personal
from breachdesk.vault.sealing import Cipher, KeyDestroyed, SealBroken, cipher_for
from notifications.models import Batch, Delivery, Edition, Letter
from notifications.placeholders import ValueRefused
from notifications.recipients import address_on, last_event
from notifications.rendering import checked_address

CHUNK = 2_000
FAILED = (Delivery.State.REFUSED, Delivery.State.BOUNCED)


def with_a_second_address(edition: Edition) -> list[UUID]:
    """Deliveries that failed at the first address and may go to a second. Opens each of these people once."""
    cipher = cipher_for(edition.incident_id)
    letter = Letter.objects.filter(notice=OuterRef("notice"), person=OuterRef("person"), voided_at=None)
    is_for_them = Q(person__held=False, person__withdrawn="affected" in edition.notice.audience)
    failed = Delivery.objects.filter(is_for_them, edition=edition, state__in=FAILED, rung=0)
    in_hand = Batch.objects.filter(pk=OuterRef("token"), settled_at=None)
    rows = list(failed.filter(~Exists(letter), ~Exists(in_hand)).values_list("pk", "person"))
    # Whole and without sealed rows: read through a cursor PostgreSQL planned for its first rows, 200 times as slow.
    found: list[UUID] = []
    for start in range(0, len(rows), CHUNK):
        some = {person: delivery for delivery, person in rows[start : start + CHUNK]}
        people = Person.objects.filter(pk__in=some).values_list("pk", "sealed", "row_checksum")
        found += [
            some[person]
            for person, sealed, checksum in people
            if has_a_second(_opened(cipher, bytes(sealed), person, bytes(checksum)))
        ]
    return sorted(found)


def _opened(cipher: Cipher, sealed: bytes, person: UUID, checksum: bytes) -> Mapping[str, str]:
    """Nothing of a row that was changed behind our back: a message to it would be stopped for that too."""
    try:
        return unseal_personal(cipher, sealed, person, checksum)
    except SealBroken:
        return {}


def has_a_second(personal: Mapping[str, str]) -> bool:
    second = address_on(1, personal).strip()
    try:
        checked_address(second)
    except ValueRefused:
        return False
    return address_key(second) != address_key(address_on(0, personal))


def number_with_a_second_address(edition: Edition) -> int:
    """The same, counted once per event of the case; nobody once its key is destroyed."""
    return _counted(edition.pk, last_event(edition.notice.incident, messages=True))


@lru_cache(maxsize=64)
def _counted(edition_id: UUID, _last_event: int) -> int:
    try:
        return len(with_a_second_address(Edition.objects.with_incident().get(pk=edition_id)))
    except KeyDestroyed:
        return 0
