"""record(): the one way an event comes into being."""

from datetime import datetime
from hashlib import sha256 as sha256_of
from os import urandom
from typing import Any
from unicodedata import normalize
from uuid import UUID, uuid4

from django.contrib.auth.base_user import AbstractBaseUser
from django.db import connection, models
from django.utils import timezone

from breachdesk.audit.canonical import base64url, canonical, time_text
from breachdesk.audit.context import current_origin
from breachdesk.audit.events import checked_type, refuse_free_text
from breachdesk.audit.models import Event, PrivateValue
from breachdesk.vault import ORGANISATION
from breachdesk.vault.sealing import cipher_for

BODY_VERSION = 1
SALT_BYTES = 32
PRIVATE_TABLE = "audit_private"

Datum = int | str | bool | None | UUID | datetime | bytes | list[Any]


class NoTransactionError(RuntimeError):
    """An event that could stay while its change is undone, or the other way round."""


def record(
    event: str,
    *,
    by: AbstractBaseUser | None,
    on: models.Model | None = None,
    incident: UUID | None = None,
    private: dict[str, str] | None = None,
    sha256: bytes | None = None,
    **data: Datum,
) -> Event:
    """Adds one event to the caller's own transaction: both stay or both go.

    `by` is None for what the product does by itself. `on` is the object, after its change; `sha256` is the digest of
    its content. `data` takes codes, counts, ids, times and hashes; whatever a human typed or names a person goes into
    `private`, sealed under the incident's key.
    """
    if not connection.in_atomic_block:
        raise NoTransactionError(f"{event} must be recorded inside the transaction of the change it speaks of.")
    plain = {key: _plain(value) for key, value in data.items()}
    openings = {field: _opening(value) for field, value in (private or {}).items()}
    checked_type(event, data=plain, private=openings)
    refuse_free_text(event, plain)
    event_id, at = uuid4(), timezone.now()
    incident = incident or getattr(on, "incident_id", None)
    body = canonical(
        {
            "v": BODY_VERSION,
            "id": str(event_id),
            "type": event,
            "at": time_text(at),
            "actor": _actor(by),
            "incident": str(incident) if incident else None,
            "object": _object(on, sha256),
            "data": plain,
            "priv": {field: base64url(commitment(field, *opening)) for field, opening in openings.items()},
            "request": current_origin().request,
        }
    )
    row = Event(event_id=event_id, type=event, incident=incident, body=body, at=at)
    return _insert(row, openings)


def _insert(row: Event, openings: dict[str, tuple[bytes, bytes]]) -> Event:
    row.body_sha256 = sha256_of(row.body).digest()
    row.save(force_insert=True)
    if openings:
        _keep_private(row, openings)
    return row


def commitment(field: str, salt: bytes, value: bytes) -> bytes:
    """SHA-256(0x02 || salt || length of field (2 bytes) || field || value). Without the salt no guess can be tested."""
    name = field.encode()
    return sha256_of(b"\x02" + salt + len(name).to_bytes(2, "big") + name + value).digest()


def _opening(value: str) -> tuple[bytes, bytes]:
    return urandom(SALT_BYTES), normalize("NFC", value).encode()


def _keep_private(event: Event, openings: dict[str, tuple[bytes, bytes]]) -> None:
    cipher = cipher_for(event.incident or ORGANISATION)
    PrivateValue.objects.bulk_create(
        PrivateValue(
            event=event,
            field=field,
            salt=salt,
            value_enc=cipher.seal(value, table=PRIVATE_TABLE, column=field, row=event.event_id),
        )
        for field, (salt, value) in openings.items()
    )


def _actor(by: AbstractBaseUser | None) -> dict[str, str | None]:
    if by is None:
        return {"id": None, "kind": "system", "session": None}
    assert by.pk is not None, "only a user with an account can act"
    return {"id": str(by.pk), "kind": "user", "session": current_origin().session_hash}


def _object(on: models.Model | None, digest: bytes | None) -> dict[str, Any] | None:
    if on is None:
        return None
    return {
        "kind": on._meta.label_lower,
        "id": str(on.pk),
        "version": getattr(on, "version", 0),
        "sha256": base64url(digest) if digest is not None else None,
    }


def _plain(value: Datum) -> Any:
    match value:
        case UUID():
            return str(value)
        case datetime():
            return time_text(value)
        case bytes() | memoryview():
            return base64url(bytes(value))
        case list():
            return [_plain(item) for item in value]
        case _:
            return value
