"""Sealing of values and blind indexes for exact look-up.

Each scope has two independent random 256-bit keys, wrapped by the master key with AES-256-GCM (NIST SP 800-38D).

- Sealed value: nonce (12 bytes) || ciphertext || tag (16 bytes), AES-256-GCM under the scope's data key. Associated
  data name table, column and row, so a sealed value opens only in its own place. Nonces are random: SP 800-38D
  section 8.3 allows 2**32 values per key, a thousand times the largest incident.
- Blind index: the first 16 bytes of HMAC-SHA-256 (RFC 2104) under the scope's index key, over purpose and value. Equal
  values of one scope and purpose match; nothing else can be learned from it without the key.
- Derived salt: 32 bytes of HMAC-SHA-256 under the same key, over 0xFFFF, purpose and place. A blind index has the
  length of its purpose where this has 0xFFFF, and no purpose is that long: so neither can pass for the other. A salt
  need not be stored, and dies with the key: what was committed to with it can then neither be opened nor guessed.
"""

import hmac
from dataclasses import dataclass
from datetime import datetime
from hashlib import sha256
from os import urandom
from uuid import UUID

from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.ciphers.aead import AESGCM
from django.db.models import F
from django.utils import timezone

from breachdesk.prepared import run
from breachdesk.vault.master_key import KEY_BYTES, MasterKeyMissing, read_master_key
from breachdesk.vault.models import DataKey

NONCE_BYTES = 12
TAG_BYTES = 16
INDEX_BYTES = 16
SALTS = b"\xff\xff"


class KeyMissing(Exception):
    """No data key was ever made for this scope."""


class KeyDestroyed(Exception):
    """The scope's data key was shredded: what it sealed cannot be read by anybody again."""


class SealBroken(Exception):
    """The bytes were changed, moved to another place, or sealed under another key."""


def _associated(table: str, column: str, row: UUID) -> bytes:
    """Each name with its length in front (two bytes), so that no two places share their bytes."""
    return _with_length(table) + _with_length(column) + row.bytes


def _with_length(text: str) -> bytes:
    encoded = text.encode()
    return len(encoded).to_bytes(2, "big") + encoded


class Cipher:
    """The open keys of one scope. Make one for a piece of work and let it go: a shred does not reach it meanwhile."""

    __slots__ = ("_aead", "_index", "_places", "_purposes", "_salted", "scope")

    def __init__(self, scope: UUID, data_key: bytes, index_key: bytes) -> None:
        self.scope = scope
        self._aead = AESGCM(data_key)
        self._index = hmac.new(index_key, digestmod=sha256)
        self._places: dict[tuple[str, str], bytes] = {}
        self._purposes: dict[str, hmac.HMAC] = {}
        self._salted: dict[str, hmac.HMAC] = {}

    def seal(self, value: bytes, *, table: str, column: str, row: UUID) -> bytes:
        nonce = urandom(NONCE_BYTES)
        return nonce + self._aead.encrypt(nonce, value, self._place(table, column) + row.bytes)

    def unseal(self, sealed: bytes, *, table: str, column: str, row: UUID) -> bytes:
        """Raises SealBroken unless these very bytes were sealed for this place under this scope's key."""
        sealed = bytes(sealed)
        try:
            return self._aead.decrypt(
                sealed[:NONCE_BYTES], sealed[NONCE_BYTES:], self._place(table, column) + row.bytes
            )
        except (InvalidTag, ValueError):
            raise SealBroken(f"A sealed value in {table}.{column}, row {row}, was changed or moved.") from None

    def blind_index(self, value: str, *, purpose: str) -> bytes:
        """16 bytes. The caller decides what counts as equal (case, spaces) and brings the value into that form."""
        index = self._purpose(purpose).copy()
        index.update(value.encode())
        return index.digest()[:INDEX_BYTES]

    def derived_salt(self, place: bytes, *, purpose: str) -> bytes:
        """32 bytes, the same for ever while the key lives. `place` is to be used for one commitment only."""
        salt = self._salts(purpose).copy()
        salt.update(place)
        return salt.digest()

    def _place(self, table: str, column: str) -> bytes:
        place = self._places.get((table, column))
        if place is None:
            place = self._places[table, column] = _with_length(table) + _with_length(column)
        return place

    def _purpose(self, purpose: str) -> hmac.HMAC:
        prepared = self._purposes.get(purpose)
        if prepared is None:
            prepared = self._purposes[purpose] = self._index.copy()
            prepared.update(_with_length(purpose))
        return prepared

    def _salts(self, purpose: str) -> hmac.HMAC:
        prepared = self._salted.get(purpose)
        if prepared is None:
            prepared = self._salted[purpose] = self._index.copy()
            prepared.update(SALTS + _with_length(purpose))
        return prepared


@dataclass(frozen=True)
class _Wrapping:
    """AES-256-GCM under the master key; the associated data say whose key it is and which of the two."""

    aead: AESGCM
    scope: UUID

    def wrap(self, key: bytes, which: str) -> bytes:
        nonce = urandom(NONCE_BYTES)
        return nonce + self.aead.encrypt(nonce, key, _associated("vault_data_key", which, self.scope))

    def unwrap(self, wrapped: bytes, which: str) -> bytes:
        try:
            return self.aead.decrypt(
                wrapped[:NONCE_BYTES], wrapped[NONCE_BYTES:], _associated("vault_data_key", which, self.scope)
            )
        except InvalidTag:
            raise MasterKeyMissing(
                f"The master key does not open the data key of {self.scope}: it is not the key this database was "
                "written with. Put the right key file in place."
            ) from None


def _wrapping(scope: UUID) -> _Wrapping:
    return _Wrapping(AESGCM(read_master_key()), scope)


def create_key(scope: UUID) -> DataKey:
    """Makes the scope's key once; a second call returns the first key, and a destroyed one is refused."""
    return find_or_create_key(scope)[0]


def find_or_create_key(scope: UUID) -> tuple[DataKey, bool]:
    """As create_key(), and whether it was made just now: that must leave an event."""
    wrapping = _wrapping(scope)
    key, is_new = DataKey.objects.get_or_create(
        scope=scope,
        defaults={
            "wrapped_data": wrapping.wrap(urandom(KEY_BYTES), "data"),
            "wrapped_index": wrapping.wrap(urandom(KEY_BYTES), "index"),
        },
    )
    _refuse_destroyed(key.scope, key.destroyed_at)
    return key, is_new


def has_key(scope: UUID) -> bool:
    """Whether one was ever made, even if it was destroyed since."""
    return DataKey.objects.filter(scope=scope).exists()


KEY_OF = "SELECT wrapped_data, wrapped_index, destroyed_at FROM vault_data_key WHERE scope = %(scope)s"


def cipher_for(scope: UUID) -> Cipher:
    """One query. Raises KeyMissing, KeyDestroyed or MasterKeyMissing, each with a sentence.

    It never makes a key: an incident's is made when the incident is opened, the organisation's by its first event.
    """
    found = run(KEY_OF, {"scope": scope}).fetchone()
    if found is None:
        raise KeyMissing(f"There is no data key for {scope}. It is made when the incident is opened.")
    wrapped_data, wrapped_index, destroyed_at = found
    _refuse_destroyed(scope, destroyed_at)
    wrapping = _wrapping(scope)
    return Cipher(scope, wrapping.unwrap(wrapped_data, "data"), wrapping.unwrap(wrapped_index, "index"))


def _refuse_destroyed(scope: UUID, destroyed_at: datetime | None) -> None:
    if destroyed_at is not None:
        raise KeyDestroyed(
            f"The data key of {scope} was destroyed on {destroyed_at:%d %B %Y}: its personal data cannot be read again."
        )


def shred(scope: UUID) -> bool:
    """Destroys both keys for ever; everything sealed under them is gone. False when they were gone before.

    The wrapped keys also live in backups of the database's keys, which must be shredded after their own term.
    """
    return bool(
        DataKey.objects.filter(scope=scope, destroyed_at__isnull=True).update(
            wrapped_data=None, wrapped_index=None, destroyed_at=timezone.now(), version=F("version") + 1
        )
    )


def seal(scope: UUID, value: bytes, *, table: str, column: str, row: UUID) -> bytes:
    return cipher_for(scope).seal(value, table=table, column=column, row=row)


def unseal(scope: UUID, sealed: bytes, *, table: str, column: str, row: UUID) -> bytes:
    return cipher_for(scope).unseal(sealed, table=table, column=column, row=row)


def blind_index(scope: UUID, value: str, *, purpose: str) -> bytes:
    return cipher_for(scope).blind_index(value, purpose=purpose)
