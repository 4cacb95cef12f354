"""Sealing of values and blind indexes for exact look-up.

Each scope has two independent random 256-bit keys, which die separately. Each is wrapped with AES-256-GCM (NIST SP
800-38D) under a key of its own: HKDF-SHA-256 (RFC 5869) of the master key with the key's share as salt (shares.py).
Keys made before there were shares are wrapped by the master key alone until share_key() has been there.

The data key opens:
- Sealed value: nonce (12 bytes) || ciphertext || tag (16 bytes), AES-256-GCM under the scope's data key. Associated
  data name table, column and row, so a sealed value opens only in its own place. Nonces are random: SP 800-38D
  section 8.3 allows 2**32 values per key, a thousand times the largest incident.
- Fingerprint: the first 16 bytes of HMAC-SHA-256 (RFC 2104) under a key derived from the data key, over purpose and
  value. It tells whether sealed values still belong together. That is of use only while they can be opened, so it must
  not be testable any longer than they are: hence the data key, not the index key.

The index key lives until nobody can go to court any more, and answers one question: did you write to this address?
- Blind index: the first 16 bytes of HMAC-SHA-256 under the index key, over purpose and value. Equal values of one scope
  and purpose match; nothing else can be learned from it without the key. With the key every guess can be tested: until
  it dies, these hashes are personal data.
- Derived salt: 32 bytes of HMAC-SHA-256 under the index key, over 0xFFFF, purpose and place. A blind index has the
  length of its purpose where this has 0xFFFF, and no purpose is that long: so neither can pass for the other. A salt
  need not be stored, and dies with the key: what was committed to with it can then neither be opened nor guessed. Its
  one use is the commitment to the address a message went to, which is the proof behind the answer to that same
  question; and it shows nothing that the blind index of the address would not. So it belongs to the index key.
"""

import hmac
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime
from functools import partial
from hashlib import sha256
from os import urandom
from typing import Any
from uuid import UUID

from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.ciphers.aead import AESGCM
from cryptography.hazmat.primitives.hashes import SHA256
from cryptography.hazmat.primitives.kdf.hkdf import HKDF
from django.db import transaction
from django.db.models import F
from django.utils import timezone

from breachdesk.prepared import run
from breachdesk.vault.master_key import KEY_BYTES, MasterKeyMissing, read_master_key
from breachdesk.vault.models import DataKey
from breachdesk.vault.shares import DATA, INDEX, destroy_shares, find_or_make_share, read_share, share_path
from breachdesk.web import Gone

NONCE_BYTES = 12
TAG_BYTES = 16
BLOCK_BYTES = 64  # of SHA-256
INDEX_BYTES = 16
SALTS = b"\xff\xff"
WRAPPING = b"breachdesk wrapping key"
FINGERPRINTS = b"breachdesk fingerprints"


class KeyMissing(Exception):
    """No data key was ever made for this scope."""


class KeyDestroyed(Gone):
    """The scope's data key was shredded: what it sealed cannot be read by anybody again."""


class IndexDestroyed(KeyDestroyed):
    """The scope's index key was shredded too: nothing can be looked up by its value again."""


class SealBroken(Exception):
    """The bytes were changed, moved to another place, or sealed under another key."""


def _associated(table: str, column: str, row: UUID) -> bytes:
    """Each name with its length in front (two bytes), so that no two places share their bytes."""
    return _with_length(table) + _with_length(column) + row.bytes


_INNER_PAD, _OUTER_PAD = (bytes(byte ^ pad for byte in range(256)) for pad in (0x36, 0x5C))


def _with_length(text: str) -> bytes:
    encoded = text.encode()
    return len(encoded).to_bytes(2, "big") + encoded


class _Keyed:
    """HMAC-SHA-256 under one key of at most 64 bytes: H(K ^ opad, H(K ^ ipad, text)), RFC 2104 section 2.

    The states behind the padded key and each purpose are kept, as its section 4 suggests: it is asked for millions of
    values, and the hmac module takes four times as long for each.
    """

    __slots__ = ("_begun", "_inner", "_mark", "_outer")

    def __init__(self, key: bytes, mark: bytes = b"") -> None:
        padded = key.ljust(BLOCK_BYTES, b"\0")
        self._inner, self._outer = sha256(padded.translate(_INNER_PAD)), sha256(padded.translate(_OUTER_PAD))
        self._mark = mark
        self._begun: dict[str, Any] = {}

    def digest(self, value: bytes, purpose: str) -> bytes:
        inner = (self._begun.get(purpose) or self._begin(purpose)).copy()
        inner.update(value)
        outer = self._outer.copy()
        outer.update(inner.digest())
        return outer.digest()

    def digests(self, values: Iterable[bytes], purpose: str) -> list[bytes]:
        """As digest() for each, without a call for each."""
        begun, outer = (self._begun.get(purpose) or self._begin(purpose)).copy, self._outer.copy
        digests = []
        for value in values:
            inner, whole = begun(), outer()
            inner.update(value)
            whole.update(inner.digest())
            digests.append(whole.digest())
        return digests

    def _begin(self, purpose: str) -> Any:
        begun = self._begun[purpose] = self._inner.copy()
        begun.update(self._mark + _with_length(purpose))
        return begun


class IndexCipher:
    """The open index key of one scope: what is left when its data key is gone. It opens nothing; it finds."""

    __slots__ = ("_indexes", "_salts", "scope")

    def __init__(self, scope: UUID, index_key: bytes) -> None:
        self.scope = scope
        self._indexes = _Keyed(index_key)
        self._salts = _Keyed(index_key, SALTS)

    def blind_index(self, value: str, *, purpose: str) -> bytes:
        """16 bytes. The caller decides what counts as equal (case, spaces) and brings the value into that form."""
        return self._indexes.digest(value.encode(), purpose)[:INDEX_BYTES]

    def blind_indexes(self, values: Iterable[str], *, purpose: str) -> list[bytes]:
        digests = self._indexes.digests((value.encode() for value in values), purpose)
        return [digest[:INDEX_BYTES] for digest in digests]

    def derived_salt(self, place: bytes, *, purpose: str) -> bytes:
        """32 bytes, the same for ever while the key lives. `place` is to be used for one commitment only."""
        return self._salts.digest(place, purpose)


class Cipher(IndexCipher):
    """The open keys of one scope. Make one for a piece of work and let it go: a shred does not reach it meanwhile."""

    __slots__ = ("_aead", "_fingerprints", "_places")

    def __init__(self, scope: UUID, data_key: bytes, index_key: bytes) -> None:
        super().__init__(scope, index_key)
        self._aead = AESGCM(data_key)
        self._fingerprints = _Keyed(hmac.digest(data_key, FINGERPRINTS, sha256))
        self._places: dict[tuple[str, str], bytes] = {}

    def seal(self, value: bytes, *, table: str, column: str, row: UUID) -> bytes:
        nonce = urandom(NONCE_BYTES)
        return nonce + self._aead.encrypt(nonce, value, self._place(table, column) + row.bytes)

    def seal_all(self, values: Sequence[bytes], *, table: str, column: str, rows: Sequence[bytes]) -> list[bytes]:
        """As seal() for each; `rows` are the 16 bytes of their ids. The nonces are drawn together: that is quicker."""
        place, encrypt, noise = self._place(table, column), self._aead.encrypt, urandom(NONCE_BYTES * len(values))
        nonces = (noise[start : start + NONCE_BYTES] for start in range(0, len(noise), NONCE_BYTES))
        return [
            nonce + encrypt(nonce, value, place + row) for nonce, value, row in zip(nonces, values, rows, strict=True)
        ]

    def unseal(self, sealed: bytes, *, table: str, column: str, row: UUID) -> bytes:
        """Raises SealBroken unless these very bytes were sealed for this place under this scope's key."""
        sealed = bytes(sealed)
        try:
            return self._aead.decrypt(
                sealed[:NONCE_BYTES], sealed[NONCE_BYTES:], self._place(table, column) + row.bytes
            )
        except (InvalidTag, ValueError):
            raise SealBroken(f"A sealed value in {table}.{column}, row {row}, was changed or moved.") from None

    def fingerprint(self, value: bytes, *, purpose: str) -> bytes:
        """16 bytes that tell whether sealed values are still the same ones, for as long as these can be opened."""
        return self._fingerprints.digest(value, purpose)[:INDEX_BYTES]

    def fingerprints(self, values: Iterable[bytes], *, purpose: str) -> list[bytes]:
        return [digest[:INDEX_BYTES] for digest in self._fingerprints.digests(values, purpose)]

    def _place(self, table: str, column: str) -> bytes:
        place = self._places.get((table, column))
        if place is None:
            place = self._places[table, column] = _with_length(table) + _with_length(column)
        return place


@dataclass(frozen=True)
class _Wrapping:
    """AES-256-GCM; the associated data say whose key it is and which of the two."""

    key: bytes
    scope: UUID
    which: str

    def wrap(self, key: bytes) -> bytes:
        nonce = urandom(NONCE_BYTES)
        return nonce + AESGCM(self.key).encrypt(nonce, key, self._whose)

    def unwrap(self, wrapped: bytes) -> bytes:
        try:
            return AESGCM(self.key).decrypt(wrapped[:NONCE_BYTES], wrapped[NONCE_BYTES:], self._whose)
        except InvalidTag:
            raise MasterKeyMissing(
                f"The master key does not open the {self.which} key of {self.scope}: it is not the key this database "
                f"was written with, or {share_path(self.scope, self.which)} is another key's share. Put the right "
                "files in place."
            ) from None

    @property
    def _whose(self) -> bytes:
        return _associated("vault_data_key", self.which, self.scope)


def _wrapping(scope: UUID, which: str, share: bytes | None) -> _Wrapping:
    """Without a share by the master key alone, as it was before there were any."""
    master = read_master_key()
    if share is not None:
        master = HKDF(SHA256(), KEY_BYTES, salt=share, info=WRAPPING).derive(master)
    return _Wrapping(master, scope, which)


def _shared_wrapping(scope: UUID, which: str) -> _Wrapping:
    return _wrapping(scope, which, find_or_make_share(scope, which))


def create_key(scope: UUID) -> DataKey:
    """Makes the scope's key once; a second call returns the first key, and a destroyed one is refused."""
    return find_or_create_key(scope)[0]


def find_or_create_key(scope: UUID) -> tuple[DataKey, bool]:
    """As create_key(), and whether it was made just now: that must leave an event."""
    key, is_new = DataKey.objects.filter(scope=scope).first(), False
    if key is None:
        wrapped = {
            f"wrapped_{which}": _shared_wrapping(scope, which).wrap(urandom(KEY_BYTES)) for which in (DATA, INDEX)
        }
        key, is_new = DataKey.objects.get_or_create(scope=scope, defaults={**wrapped, "shared_at": timezone.now()})
    _refuse_destroyed(key.scope, key.destroyed_at)
    return key, is_new


def has_key(scope: UUID) -> bool:
    """Whether one was ever made, even if it was destroyed since."""
    return DataKey.objects.filter(scope=scope).exists()


KEY_OF = """
SELECT wrapped_data, wrapped_index, shared_at, destroyed_at, index_destroyed_at FROM vault_data_key
WHERE scope = %(scope)s
"""


def cipher_for(scope: UUID) -> Cipher:
    """One query. Raises KeyMissing, KeyDestroyed or MasterKeyMissing, each with a sentence.

    It never makes a key: an incident's is made when the incident is opened, the organisation's by its first event.
    """
    wrapped_data, wrapped_index, shared_at, destroyed_at, _ = _stored_key(scope)
    _refuse_destroyed(scope, destroyed_at)
    data_key = _unwrap(scope, DATA, wrapped_data, shared_at)
    return Cipher(scope, data_key, _unwrap(scope, INDEX, wrapped_index, shared_at))


def index_cipher_for(scope: UUID) -> IndexCipher:
    """As cipher_for(), with the index key alone: also after the data key was destroyed. Raises IndexDestroyed."""
    _, wrapped_index, shared_at, _, index_destroyed_at = _stored_key(scope)
    _refuse_destroyed_index(scope, index_destroyed_at)
    return IndexCipher(scope, _unwrap(scope, INDEX, wrapped_index, shared_at))


def _stored_key(scope: UUID) -> Any:
    found = run(KEY_OF, {"scope": scope}).fetchone()
    if found is None:
        raise KeyMissing(f"There is no data key for {scope}. It is made when the incident is opened.")
    return found


def _unwrap(scope: UUID, which: str, wrapped: bytes, shared_at: datetime | None) -> bytes:
    share = read_share(scope, which) if shared_at else None
    return _wrapping(scope, which, share).unwrap(wrapped)


def _refuse_destroyed(scope: UUID, destroyed_at: datetime | None) -> None:
    if destroyed_at is not None:
        raise KeyDestroyed(
            f"The data key of {scope} was destroyed on {destroyed_at:%d %B %Y}: its personal data cannot be read again."
        )


def _refuse_destroyed_index(scope: UUID, destroyed_at: datetime | None) -> None:
    if destroyed_at is not None:
        raise IndexDestroyed(
            f"The index key of {scope} was destroyed on {destroyed_at:%d %B %Y}: whether an address was written to "
            "cannot be told again."
        )


def share_key(scope: UUID) -> DataKey | None:
    """Gives a key from before there were shares its own; None if it has one, or is gone. That must leave an event.

    What is sealed stays as it is. Copies of the database made before this still open with the master key alone.
    """
    key = DataKey.objects.select_for_update().filter(scope=scope, shared_at=None).first()
    if key is None or key.index_destroyed_at:
        return None
    key.wrapped_index = _rewrapped(scope, INDEX, key.wrapped_index)
    key.wrapped_data = _rewrapped(scope, DATA, key.wrapped_data)
    key.shared_at, key.version = timezone.now(), key.version + 1
    key.save(update_fields=["wrapped_data", "wrapped_index", "shared_at", "version"])
    return key


def _rewrapped(scope: UUID, which: str, wrapped: bytes | memoryview | None) -> bytes | None:
    if wrapped is None:
        return None
    return _shared_wrapping(scope, which).wrap(_wrapping(scope, which, None).unwrap(bytes(wrapped)))


def shred(scope: UUID) -> bool:
    """Destroys the data key for ever; everything sealed under it is gone. False when it was gone before.

    The index key lives on. Once this is committed the share goes too, so that no dump of the database brings it back;
    what a crash leaves of that is done by destroy_dead_shares().
    """
    return _destroy(scope, DATA, destroyed_at=None)


def shred_index(scope: UUID) -> bool:
    """Destroys the index key for ever: no hash made with it can be tested again. False while the data key lives."""
    return _destroy(scope, INDEX, index_destroyed_at=None, destroyed_at__isnull=False)


def _destroy(scope: UUID, which: str, **still_there: Any) -> bool:
    moment = "destroyed_at" if which == DATA else "index_destroyed_at"
    changes = {f"wrapped_{which}": None, moment: timezone.now(), "version": F("version") + 1}
    if not DataKey.objects.filter(scope=scope, **still_there).update(**changes):
        return False
    transaction.on_commit(partial(destroy_shares, [(scope, which)]), robust=True)
    return True


def destroy_dead_shares() -> int:
    """Shares of keys that the database says are destroyed, as after a crash or a restore. How many were there."""
    return destroy_shares(dead_keys())


def dead_keys() -> list[tuple[UUID, str]]:
    dead = [(scope, DATA) for scope in DataKey.objects.data_destroyed()]
    return [*dead, *((scope, INDEX) for scope in DataKey.objects.index_destroyed())]


def seal(scope: UUID, value: bytes, *, table: str, column: str, row: UUID) -> bytes:
    return cipher_for(scope).seal(value, table=table, column=column, row=row)


def unseal(scope: UUID, sealed: bytes, *, table: str, column: str, row: UUID) -> bytes:
    return cipher_for(scope).unseal(sealed, table=table, column=column, row=row)


def blind_index(scope: UUID, value: str, *, purpose: str) -> bytes:
    return cipher_for(scope).blind_index(value, purpose=purpose)
