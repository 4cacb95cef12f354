"""The return path of a message: it names the delivery and its sending, with a short keyed code against forgers.

Variable envelope return paths (VERP): whatever a mail system sends back is addressed to the one message it is about.
"""

import functools
import re
from dataclasses import dataclass
from hashlib import blake2b, sha256
from uuid import UUID

from django.conf import settings
from django.utils.crypto import constant_time_compare

# `search`: a forwarder's own return path (SRS, BATV) carries ours inside.
_FORM = re.compile(r"(?<![a-z0-9])b\+([0-9a-f]{32})-(\d{1,5})-([0-9a-f]{16})(?![0-9a-f])", re.IGNORECASE)


@dataclass(frozen=True, slots=True)
class Sending:
    """One sending of a delivery: the generation grows when a person has it sent again."""

    delivery: UUID
    generation: int | None


class ForgedReturnPath(Exception):
    """It has the form of ours, and not our code."""


def return_path_of(delivery: UUID, generation: int, domain: str) -> bytes:
    return b"b+%b-%d-%b@%b" % (
        delivery.hex.encode(),
        generation,
        _code(delivery, generation, settings.SECRET_KEY).encode(),
        domain.encode(),
    )


def read_return_path(address: str) -> Sending | None:
    """The sending that an address names; None if it has another form."""
    found = _FORM.search(address)
    if found is None:
        return None
    delivery, generation = UUID(found[1]), int(found[2])
    # Mail that left under an earlier key comes back for days and weeks after the change.
    for secret in (settings.SECRET_KEY, *settings.SECRET_KEY_FALLBACKS):
        if constant_time_compare(found[3].lower(), _code(delivery, generation, secret)):
            return Sending(delivery, generation)
    raise ForgedReturnPath


def _code(delivery: UUID, generation: int, secret: str) -> str:
    return blake2b(delivery.bytes + b"%d" % generation, digest_size=8, key=_key(secret)).hexdigest()


@functools.cache
def _key(secret: str) -> bytes:
    return sha256(b"return path of a delivery" + secret.encode()).digest()
