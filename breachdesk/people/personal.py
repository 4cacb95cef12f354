"""What we know about one person, sealed as one value, and the exact look-up that needs no unsealing.

The value is a JSON object of texts. Its names are those of columns.FIELDS: reference, given_name, family_name,
full_name, email, phone, street, street_2, city, postcode, state, born_on; what the file did not give is left out.
Country, language, kinds of data and the mark for minors stand beside it in the clear.
"""

import json
from uuid import UUID

from breachdesk.people.addresses import address_key, checked_address
from breachdesk.people.models import Person
from breachdesk.vault.sealing import Cipher

PERSON_TABLE = "people_person"
MASK = "•"
SHORTEST_SHOWN = 3


def seal_personal(cipher: Cipher, personal: dict[str, str], person_id: UUID) -> bytes:
    value = json.dumps(personal, ensure_ascii=False, separators=(",", ":")).encode()
    return cipher.seal(value, table=PERSON_TABLE, column="sealed", row=person_id)


def unseal_personal(cipher: Cipher, sealed: bytes, person_id: UUID) -> dict[str, str]:
    personal: dict[str, str] = json.loads(cipher.unseal(sealed, table=PERSON_TABLE, column="sealed", row=person_id))
    return personal


def personal_of(cipher: Cipher, person: Person) -> dict[str, str]:
    return unseal_personal(cipher, bytes(person.sealed), person.pk)


def identity_index(cipher: Cipher, identity: str) -> bytes:
    return cipher.blind_index(identity, purpose="identity")


def email_index(cipher: Cipher, email: str) -> bytes:
    """`email` in the form that address_key() gives."""
    return cipher.blind_index(email, purpose="email")


def reference_index(cipher: Cipher, reference: str) -> bytes:
    return cipher.blind_index(reference.strip().casefold(), purpose="reference")


def email_index_of_typed(cipher: Cipher, typed: str) -> bytes | None:
    """None when what was typed is no address."""
    address = checked_address(typed.strip())
    return email_index(cipher, address_key(address)) if address else None


def full_name(personal: dict[str, str]) -> str:
    parts = (personal.get("given_name", ""), personal.get("family_name", ""))
    return personal.get("full_name") or " ".join(filter(None, parts))


def masked(text: str) -> str:
    """A•••• P••••: the first letter, and dots that do not tell the length. A short word, such as 王, is dots alone."""
    return " ".join((word[0] if len(word) >= SHORTEST_SHOWN else "") + MASK * 4 for word in text.split())


def masked_address(email: str) -> str:
    """a••••@e••••.com"""
    local, _, domain = email.rpartition("@")
    return f"{masked(local)}@{masked(domain)}.{domain.rpartition('.')[2]}" if local else ""
