"""Rows for COPY in PostgreSQL's binary format, put together from bytes: at 430,000 rows nothing may be done per value
that can be done once.

Format: https://www.postgresql.org/docs/current/sql-copy.html, "Binary Format": a field is its length in four bytes and
its content; a length of -1 is NULL. An array is its number of dimensions, a flag for NULLs, its element type, and for
each dimension its size and lower bound, then its fields.
"""

from collections.abc import Iterable, Sequence
from os import urandom
from struct import Struct

HEADER = b"PGCOPY\n\xff\r\n\x00" + bytes(8)
TRAILER = b"\xff\xff"
NULL = b"\xff\xff\xff\xff"
OF_16 = b"\x00\x00\x00\x10"
TRUE, FALSE = b"\x00\x00\x00\x01\x01", b"\x00\x00\x00\x01\x00"
VARCHAR = 1043

_COUNT = Struct(">h")
_LENGTH = Struct(">i")
_INTEGER = Struct(">ii")
_ARRAY = Struct(">iiiii")


def columns(number: int) -> bytes:
    """What stands before the fields of each row."""
    return _COUNT.pack(number)


def of_bytes(value: bytes) -> bytes:
    return _LENGTH.pack(len(value)) + value


def of_text(value: str) -> bytes:
    return of_bytes(value.encode())


def of_integer(value: int) -> bytes:
    return _INTEGER.pack(4, value)


def of_digest(value: bytes | None) -> bytes:
    """A uuid or a blind index: 16 bytes or NULL."""
    return OF_16 + value if value else NULL


def of_boolean(value: bool) -> bytes:
    return TRUE if value else FALSE


def of_texts(values: Sequence[str]) -> bytes:
    if not values:
        return of_bytes(_ARRAY.pack(0, 0, VARCHAR, 0, 0)[:12])
    return of_bytes(_ARRAY.pack(1, 0, VARCHAR, len(values), 1) + b"".join(map(of_text, values)))


def of_json(value: bytes) -> bytes:
    return of_bytes(b"\x01" + value)  # jsonb, version 1


_VERSION = bytes(0x40 | byte & 0x0F for byte in range(256))
_VARIANT = bytes(0x80 | byte & 0x3F for byte in range(256))


def random_ids(number: int) -> Iterable[bytes]:
    """UUIDs of version 4 (RFC 9562), each as its 16 bytes."""
    noise = bytearray(urandom(16 * number))
    noise[6::16] = noise[6::16].translate(_VERSION)
    noise[8::16] = noise[8::16].translate(_VARIANT)
    ids = bytes(noise)
    return [ids[start : start + 16] for start in range(0, 16 * number, 16)]
