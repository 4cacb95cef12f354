"""The short code in each message, by which anybody can ask whether we sent it.

A code is 40 bits of HMAC-SHA-256 over the delivery's id, under the organisation's index key, as eight characters of
Crockford's base 32 (no I, L, O, U: nothing that is misread). Whoever has the key can make it again, so a worker prints
it and nobody keeps it: beside the delivery stands a blind index of it, which without the key cannot be tested.

The key is the organisation's and not the case's: it is there for as long as people may ask. Two of n messages share
a code by chance with probability n^2 / 2^41 (430,000: 8 in 100); then an answer shows both.
"""

from collections.abc import Iterable, Sequence
from uuid import UUID

from breachdesk.audit.record import organisation_cipher
from breachdesk.vault import ORGANISATION
from breachdesk.vault.sealing import IndexCipher, KeyMissing, index_cipher_for

ALPHABET = "0123456789ABCDEFGHJKMNPQRSTVWXYZ"
LENGTH = 8
SAMPLE = "7HTM-2WKD"  # in previews: of no message
_PAIRS = [first + second for first in ALPHABET for second in ALPHABET]  # of each ten bits
_CODE, _INDEX = "code in a message", "index of codes in messages"
_READ_AS = str.maketrans("OILU", "011V")
# Typed with a phone: a long dash, or any space.
_BETWEEN = dict.fromkeys(map(ord, " \u00a0\u2009\u202f-\u2010\u2011\u2012\u2013\u2014_.\t\r\n"))


def code_of(cipher: IndexCipher, delivery: UUID) -> str:
    """As it is printed: 4F7K-9QXM."""
    number = int.from_bytes(cipher.derived_salt(delivery.bytes, purpose=_CODE)[:5], "big")
    first, second = divmod(number >> 20, len(_PAIRS))
    third, fourth = divmod(number & 0xFFFFF, len(_PAIRS))
    return f"{_PAIRS[first]}{_PAIRS[second]}-{_PAIRS[third]}{_PAIRS[fourth]}"


def normal_code(typed: str) -> str:
    """What somebody typed, in the form that is hashed: letters that look like digits are read as those."""
    return typed.translate(_BETWEEN).upper().translate(_READ_AS)


def is_a_code(normal: str) -> bool:
    return len(normal) == LENGTH and all(character in ALPHABET for character in normal)


def shown(normal: str) -> str:
    return f"{normal[:4]}-{normal[4:]}"


def indexes_of(deliveries: Sequence[UUID]) -> list[bytes]:
    """What is kept of each one's code. The organisation's key is made if this is its first use."""
    cipher = organisation_cipher()
    codes: Iterable[str] = (normal_code(code_of(cipher, delivery)) for delivery in deliveries)
    return cipher.blind_indexes(codes, purpose=_INDEX)


def index_of_typed(typed: str) -> bytes:
    """The same work for every text; before anything was ever sent there is no key, and nothing to find."""
    try:
        cipher = index_cipher_for(ORGANISATION)
    except KeyMissing:
        return bytes(16)
    return cipher.blind_index(normal_code(typed)[: 2 * LENGTH], purpose=_INDEX)


def printer() -> IndexCipher:
    """The key with which a worker prints codes; it was made when the list was frozen."""
    return index_cipher_for(ORGANISATION)
