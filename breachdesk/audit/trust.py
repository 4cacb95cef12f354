"""The trust file: which keys to believe, as somebody got them from elsewhere. It is the trust.json of a bundle."""

from pathlib import Path
from typing import Any

from breachdesk.audit.canonical import NotCanonicalError, base64url, from_base64url, parse
from breachdesk.audit.note import PublicKey

KEY_BYTES = 32


class TrustUnreadable(Exception):
    """The message says what is wrong with the file."""


def read_trust(path: Path) -> list[PublicKey]:
    try:
        content = parse(path.read_bytes())
        if content["v"] != 1 or not content["keys"]:
            raise TrustUnreadable(f"{path} names no key in a form that is known here.")
        return [_key(content["origin"], key) for key in content["keys"]]
    except OSError as error:
        raise TrustUnreadable(f"{path} cannot be read: {error.strerror}.") from error
    except (NotCanonicalError, ValueError, KeyError, TypeError, AttributeError) as error:
        raise TrustUnreadable(f"{path} is not a trust file: {error}.") from error


def _key(origin: str, key: dict[str, Any]) -> PublicKey:
    raw = from_base64url(key["public"])
    if (
        key["algorithm"] != "ed25519"
        or key["name"] != origin
        or len(raw) != KEY_BYTES
        or base64url(raw) != key["public"]
    ):
        raise ValueError("a key in it is not an Ed25519 key of its log")
    return PublicKey(origin, raw)
