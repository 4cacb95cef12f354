"""What we know about one person, sealed as one value, and the exact look-up that needs no unsealing.

The value is a JSON object of texts. Its names are those of columns.FIELDS: reference, given_name, family_name,
full_name, email, phone, street, street_2, city, postcode, state, born_on; what the file did not give is left out.
Country, language, kinds of data and the mark for minors stand beside it in the clear.
"""

import json
from collections.abc import Mapping, Sequence
from uuid import UUID

from breachdesk.people.addresses import address_key, checked_address
from breachdesk.people.models import Person
from breachdesk.vault.sealing import Cipher, IndexCipher, KeyDestroyed, SealBroken, cipher_for

PERSON_TABLE = "people_person"
MASK = "•"
NOTHING_LEFT = MASK * 4
SHORTEST_SHOWN = 3
_read_json = json.JSONDecoder().raw_decode  # loads() first guesses an encoding, and takes twice as long


def seal_personal(cipher: Cipher, personal: dict[str, str], person_id: UUID) -> bytes:
    return seal_value(cipher, json.dumps(personal, ensure_ascii=False, separators=(",", ":")).encode(), person_id)


def seal_value(cipher: Cipher, value: bytes, person_id: UUID) -> bytes:
    return cipher.seal(value, table=PERSON_TABLE, column="sealed", row=person_id)


def seal_values(cipher: Cipher, values: Sequence[bytes], person_ids: Sequence[bytes]) -> list[bytes]:
    return cipher.seal_all(values, table=PERSON_TABLE, column="sealed", rows=person_ids)


def row_checksums(cipher: Cipher, values: Sequence[bytes]) -> list[bytes]:
    return cipher.fingerprints(values, purpose="row")


def row_checksum(cipher: Cipher, value: bytes) -> bytes:
    """Of all that one record of a file says about a person. It can neither be guessed nor made without the key."""
    return cipher.fingerprint(value, purpose="row")


def unseal_personal(cipher: Cipher, sealed: bytes, person_id: UUID, checksum: bytes) -> dict[str, str]:
    """Raises SealBroken unless these are the values of one record, all of them, as it was read.

    `checksum` is empty for people who were loaded before rows had one.
    """
    value = cipher.unseal(sealed, table=PERSON_TABLE, column="sealed", row=person_id)
    if checksum and row_checksum(cipher, value) != bytes(checksum):
        raise SealBroken(f"The values of person {person_id} are not those of the row that they came from.")
    personal: dict[str, str] = _read_json(value.decode())[0]
    return personal


def personal_of(cipher: Cipher, person: Person) -> dict[str, str]:
    return unseal_personal(cipher, bytes(person.sealed), person.pk, bytes(person.row_checksum))


def identity_index(cipher: IndexCipher, identity: str) -> bytes:
    return cipher.blind_index(identity, purpose="identity")


def email_index(cipher: IndexCipher, email: str) -> bytes:
    """`email` in the form that address_key() gives."""
    return cipher.blind_index(email, purpose="email")


def reference_index(cipher: IndexCipher, reference: str) -> bytes:
    return cipher.blind_index(reference.strip().casefold(), purpose="reference")


def indexes(cipher: IndexCipher, values: Sequence[str], *, purpose: str) -> list[bytes | None]:
    """Of many at once, with None for a blank: identities, emails or references as the functions above take them."""
    found = iter(cipher.blind_indexes(filter(None, values), purpose=purpose))
    return [next(found) if value else None for value in values]


def email_index_of_typed(cipher: IndexCipher, typed: str) -> bytes | None:
    """None when what was typed is no address."""
    address = checked_address(typed.strip())
    return email_index(cipher, address_key(address)) if address else None


def full_name(personal: Mapping[str, str]) -> str:
    parts = (personal.get("given_name", ""), personal.get("family_name", ""))
    return personal.get("full_name") or " ".join(filter(None, parts))


def cipher_while_it_lives(scope: UUID) -> Cipher | None:
    """None once the incident's data key is destroyed: then a list shows dots where a name stood."""
    try:
        return cipher_for(scope)
    except KeyDestroyed:
        return None


def masked(text: str) -> str:
    """A•••• P••••: the first letter, and dots that do not tell the length. A short word, such as 王, is dots alone."""
    return " ".join((word[0] if len(word) >= SHORTEST_SHOWN else "") + MASK * 4 for word in text.split())


def masked_address(email: str) -> str:
    """a••••@e••••.com"""
    local, _, domain = email.rpartition("@")
    return f"{masked(local)}@{masked(domain)}.{domain.rpartition('.')[2]}" if local else ""
