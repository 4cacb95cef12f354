"""The private key that signs the log: an Ed25519 key as PEM (PKCS #8), in a file that the signer alone may read.

Beside it lies, between the event of a rotation and the note that both keys sign, the next one: FILE.next.
"""

import stat
from pathlib import Path

from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from cryptography.hazmat.primitives.serialization import (
    Encoding,
    NoEncryption,
    PrivateFormat,
    load_pem_private_key,
)
from django.conf import settings

from breachdesk.audit.durable import move_durably, write_durably
from breachdesk.audit.note import PublicKey, public_key_of

MODE = 0o400
# Its group may read it, because secrets of containers come that way; nobody else may do anything with it.
TOO_OPEN = stat.S_IWGRP | stat.S_IXGRP | stat.S_IRWXO


class SigningKeyMissing(Exception):
    """The key cannot be used. `why` is the code for the trail; the message says what is wrong and what to do."""

    def __init__(self, why: str, sentence: str) -> None:
        super().__init__(sentence)
        self.why = why


def signing_key_path() -> Path:
    path: Path | None = settings.BREACHDESK.signing_key_file
    if path is None:
        raise SigningKeyMissing("key_missing", "BREACHDESK_SIGNING_KEY_FILE is not set, so the log cannot be signed.")
    return path


def next_key_path() -> Path:
    path = signing_key_path()
    return path.with_name(f"{path.name}.next")


def read_signing_key(path: Path | None = None) -> Ed25519PrivateKey:
    """Read afresh for every note, so that no process goes on with a key that was taken away."""
    path = path or signing_key_path()
    try:
        if path.stat().st_mode & TOO_OPEN:
            raise SigningKeyMissing("key_open", f"The signing key {path} is open to others: chmod 400 {path}")
        return _decoded(path.read_bytes(), path)
    except FileNotFoundError:
        raise SigningKeyMissing(
            "key_missing",
            f"The signing key {path} does not exist. Put the file back, or make the first one with make_signing_key.",
        ) from None
    except OSError as error:
        raise SigningKeyMissing("key_unreadable", f"The signing key {path} cannot be read: {error.strerror}.") from None


def _decoded(pem: bytes, path: Path) -> Ed25519PrivateKey:
    try:
        key = load_pem_private_key(pem, password=None)
    except (ValueError, TypeError):
        key = None
    if not isinstance(key, Ed25519PrivateKey):
        raise SigningKeyMissing("key_unreadable", f"{path} does not hold an Ed25519 key as PEM.")
    return key


def write_new_key(path: Path) -> Ed25519PrivateKey:
    """Only where nothing is: a signing key is never written over."""
    if path.exists():
        raise FileExistsError(path)
    key = Ed25519PrivateKey.generate()
    write_durably(path, key.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption()), MODE)
    return key


def next_key() -> Ed25519PrivateKey | None:
    path = next_key_path()
    return read_signing_key(path) if path.exists() else None


def put_next_key_in_place() -> None:
    """The old private key is gone after this; its public half stays in the log for ever."""
    move_durably(next_key_path(), signing_key_path())


def own_public_key(key: Ed25519PrivateKey) -> PublicKey:
    return public_key_of(settings.BREACHDESK.log_origin, key)
