"""Checkpoints as signed notes, after the specifications C2SP signed-note and tlog-checkpoint.

    origin                                          name of the log, also the name of its keys
    size                                            number of entries, decimal, no leading zero
    root                                            root of RFC 6962 over them, standard base64
                                                    (an empty line)
    — origin base64(key id (4 bytes) || Ed25519 signature over the three lines)

The key id is the first 4 bytes of SHA-256(name || 0x0A || 0x01 || public key). What the specifications leave open is
closed here: no extension lines, no signature by a key that is not expected, none twice. Pure functions on text.
"""

import binascii
import re
from base64 import b64decode, b64encode
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from hashlib import sha256

from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey, Ed25519PublicKey

ED25519 = b"\x01"
KEY_ID_BYTES, SIGNATURE_BYTES, ROOT_BYTES = 4, 64, 32
LONGEST = 16_000
SIGNED_BY = "— "

CONTROL = re.compile(r"[\x00-\x09\x0b-\x1f\x7f]")
NAME = re.compile(r"[^\s+]+")
SIZE = re.compile(r"0|[1-9][0-9]{0,17}")


class NoteMalformed(ValueError):
    """The text is not a checkpoint of ours, or not signed as it must be. The message says why."""


@dataclass(frozen=True)
class PublicKey:
    """Under which name a key signs, and its 32 bytes as RFC 8032 encodes them."""

    name: str
    raw: bytes

    @property
    def key_id(self) -> bytes:
        return sha256(self.name.encode() + b"\n" + ED25519 + self.raw).digest()[:KEY_ID_BYTES]

    @property
    def fingerprint(self) -> str:
        """Hexadecimal SHA-256 of the key, in groups of four, to be compared by eye."""
        digest = sha256(self.raw).hexdigest()
        return " ".join(digest[start : start + 4] for start in range(0, len(digest), 4))

    @property
    def verifier_key(self) -> str:
        """As other tools for signed notes take it: name+key id+base64(algorithm || key)."""
        return f"{self.name}+{self.key_id.hex()}+{b64encode(ED25519 + self.raw).decode()}"

    def has_signed(self, text: str, signature: bytes) -> bool:
        try:
            Ed25519PublicKey.from_public_bytes(self.raw).verify(signature, text.encode())
        except (InvalidSignature, ValueError):
            return False
        return True


@dataclass(frozen=True)
class Signature:
    name: str
    key_id: bytes
    signature: bytes


@dataclass(frozen=True)
class Note:
    """A note that was read. Whether its signatures are right is verify_note's question."""

    origin: str
    size: int
    root: bytes
    text: str
    signatures: tuple[Signature, ...]

    def is_signed_by(self, key: PublicKey) -> bool:
        return any(key.key_id == line.key_id and key.has_signed(self.text, line.signature) for line in self.signatures)


def checkpoint_text(origin: str, size: int, root: bytes) -> str:
    return f"{origin}\n{size}\n{b64encode(root).decode()}\n"


def public_key_of(name: str, private_key: Ed25519PrivateKey) -> PublicKey:
    return PublicKey(name, private_key.public_key().public_bytes_raw())


def sign_note(text: str, name: str, private_keys: Sequence[Ed25519PrivateKey]) -> str:
    """One signature line for each key, in their order."""
    lines = (_signature_line(text, name, private_key) for private_key in private_keys)
    return f"{text}\n{''.join(lines)}"


def _signature_line(text: str, name: str, private_key: Ed25519PrivateKey) -> str:
    signed = public_key_of(name, private_key).key_id + private_key.sign(text.encode())
    return f"{SIGNED_BY}{name} {b64encode(signed).decode()}\n"


def parse_note(note: str) -> Note:
    """Raises NoteMalformed for everything but the one way to write a checkpoint."""
    _refuse_foreign_characters(note)
    text, gap, rest = note.partition("\n\n")
    if not gap or not rest:
        raise NoteMalformed("The note has no signature below an empty line.")
    lines = text.split("\n")
    if len(lines) != 3:
        raise NoteMalformed(f"The note has {len(lines)} lines above its signatures; origin, size and root are three.")
    origin, size, root = lines
    if not NAME.fullmatch(origin):
        raise NoteMalformed("The first line of the note is not the name of a log.")
    if not SIZE.fullmatch(size):
        raise NoteMalformed("The second line of the note is not a number of entries.")
    return Note(origin, int(size), _decoded(root, ROOT_BYTES, "root"), f"{text}\n", tuple(_signatures(rest)))


def _refuse_foreign_characters(note: str) -> None:
    if len(note) > LONGEST:
        raise NoteMalformed(f"The note has {len(note):,} characters; no note of ours is longer than {LONGEST:,}.")
    if CONTROL.search(note):
        raise NoteMalformed("The note has a control character in it; its lines end with a line feed alone.")
    try:
        note.encode()
    except UnicodeEncodeError:
        raise NoteMalformed("The note cannot be written in UTF-8.") from None


def _signatures(rest: str) -> Iterable[Signature]:
    *lines, after = rest.split("\n")
    if after:
        raise NoteMalformed("The note does not end with the line feed of its last signature.")
    for line in lines:
        name, space, encoded = line.removeprefix(SIGNED_BY).partition(" ")
        if not line.startswith(SIGNED_BY) or not space or not NAME.fullmatch(name):
            raise NoteMalformed("A line below the empty line is not a signature: em dash, name, base64.")
        signed = _decoded(encoded, KEY_ID_BYTES + SIGNATURE_BYTES, "signature")
        yield Signature(name, signed[:KEY_ID_BYTES], signed[KEY_ID_BYTES:])


def _decoded(text: str, length: int, what: str) -> bytes:
    try:
        decoded = b64decode(text, validate=True)
    except (binascii.Error, ValueError):
        raise NoteMalformed(f"The {what} of the note is not standard base64.") from None
    if len(decoded) != length or b64encode(decoded).decode() != text:
        raise NoteMalformed(f"The {what} of the note is not the standard base64 of {length} bytes.")
    return decoded


def verify_note(note: str, keys: Iterable[PublicKey]) -> Note:
    """Every signature must be right, by a key of `keys` that bears the log's name, and none by the same key twice."""
    parsed = parse_note(note)
    trusted = {key.key_id: key for key in keys if key.name == parsed.origin}
    seen: set[bytes] = set()
    for line in parsed.signatures:
        key = trusted.get(line.key_id)
        if key is None or line.name != parsed.origin:
            raise NoteMalformed(f"The note is signed by {line.name} with a key ({line.key_id.hex()}) we do not trust.")
        if line.key_id in seen:
            raise NoteMalformed(f"The note carries two signatures by one key ({line.key_id.hex()}).")
        if not key.has_signed(parsed.text, line.signature):
            raise NoteMalformed(f"The signature by key {line.key_id.hex()} does not belong to this note.")
        seen.add(line.key_id)
    return parsed
