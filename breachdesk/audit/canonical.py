"""Canonical bytes: one object, one byte string.

RFC 8785 (JSON Canonicalization Scheme) in UTF-8, narrowed: strings in Unicode form NFC without lone surrogates,
integers below 2**53 in size, no other numbers. Times are text, "2026-11-21T09:30:00.000000Z"; bytes are base64url
without padding (RFC 4648 section 5).
"""

import json
from base64 import urlsafe_b64decode
from binascii import b2a_base64
from datetime import UTC, datetime
from typing import Any, NoReturn
from unicodedata import normalize

import rfc8785

LARGEST_INTEGER = 2**53 - 1
UTC_OFFSET = "+00:00"
_URL_SAFE = bytes.maketrans(b"+/", b"-_")
# Where the whole text is ASCII, its keys sort the same by letters and by UTF-16 units, every string is in form NFC, and
# this encoder writes what RFC 8785 demands, several times as fast as the library. A test holds the two together.
_encoder = json.JSONEncoder(ensure_ascii=False, sort_keys=True, separators=(",", ":"), check_circular=False)


class NotCanonicalError(ValueError):
    """The value, or the bytes, have no place in the trail. The message says why."""


def canonical(value: Any) -> bytes:
    """Raises NotCanonicalError for floats, integers of 2**53 or more, lone surrogates and types JSON does not know."""
    try:
        narrowed = _narrowed(value)
        text = _encoder.encode(narrowed)
        return text.encode() if text.isascii() else rfc8785.dumps(narrowed)
    except rfc8785.CanonicalizationError as error:
        raise NotCanonicalError(f"This cannot be written as canonical JSON: {error}.") from error


def parse(stored: bytes) -> dict[str, Any]:
    """The object in canonical bytes. Raises NotCanonicalError unless encoding it again gives the very same bytes."""
    try:
        text = stored.decode()
        value = _decoder.decode(text)
        is_canonical = _encoder.encode(value) == text if text.isascii() else canonical(value) == stored
    except (ValueError, RecursionError) as error:
        raise NotCanonicalError(f"These bytes are not JSON as the trail writes it: {error}.") from error
    if not isinstance(value, dict) or not is_canonical:
        raise NotCanonicalError("These bytes are not in canonical form.")
    return value


def _refuse_number(text: str) -> NoReturn:
    raise NotCanonicalError(f"{text} is not an integer")


def _integer(text: str) -> int:
    value = int(text)
    if abs(value) > LARGEST_INTEGER:
        raise NotCanonicalError(f"{text} is too large for the trail")
    return value


_decoder = json.JSONDecoder(parse_int=_integer, parse_float=_refuse_number, parse_constant=_refuse_number)


def _narrowed(value: Any) -> Any:
    match value:
        case None | bool():
            return value
        case int():
            if abs(value) > LARGEST_INTEGER:
                raise NotCanonicalError(f"{value} is too large for the trail: give numbers from 2**53 on as text.")
            return value
        case str():
            return normalize("NFC", value)
        case list() | tuple():
            return [_narrowed(item) for item in value]
        case dict():
            return {normalize("NFC", key): _narrowed(item) for key, item in value.items()}
        case _:
            raise NotCanonicalError(f"A {type(value).__name__} has no canonical form: give text, an integer or a list.")


def time_text(moment: datetime) -> str:
    return moment.astimezone(UTC).isoformat(timespec="microseconds").removesuffix(UTC_OFFSET) + "Z"


def time_of(text: str) -> datetime:
    """Raises ValueError for every other way to write the same moment."""
    moment = datetime.fromisoformat(text)
    if moment.tzinfo is not UTC or time_text(moment) != text:
        raise ValueError(f"{text!r} is not a time as the trail writes it.")
    return moment


def base64url(value: bytes) -> str:
    return b2a_base64(value, newline=False).translate(_URL_SAFE, b"=").decode("ascii")


def from_base64url(text: str) -> bytes:
    return urlsafe_b64decode(text + "=" * (-len(text) % 4))
