"""record(): the one way an event comes into being."""

from collections.abc import Iterable, Mapping
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
from breachdesk.audit.context import current_origin, remember_to_prove
from breachdesk.audit.events import PROVEN_AT_ONCE, checked_type, refuse_free_text
from breachdesk.audit.models import Event
from breachdesk.prepared import run
from breachdesk.vault import ORGANISATION
from breachdesk.vault.sealing import Cipher, KeyDestroyed, cipher_for, find_or_create_key, has_key

BODY_VERSION = 1
SALT_BYTES = 32
PRIVATE_TABLE = "audit_private"

WRITE = """
INSERT INTO audit_event (event_id, type, incident, body, body_sha256, at)
VALUES (%(event_id)s, %(type)s, %(incident)s, %(body)s, %(body_sha256)s, %(at)s) RETURNING id
"""
# Only where there is something to seal: the sequencer and the signer write events, and may not touch sealed values.
WRITE_SEALED = """
WITH written AS (
    INSERT INTO audit_event (event_id, type, incident, body, body_sha256, at)
    VALUES (%(event_id)s, %(type)s, %(incident)s, %(body)s, %(body_sha256)s, %(at)s) RETURNING id, event_id
), sealed AS (
    INSERT INTO audit_private (event_id, field, salt, value_enc)
    SELECT written.event_id, opening.* FROM written,
        unnest(%(fields)s::text[], %(salts)s::bytea[], %(sealed)s::bytea[]) AS opening
)
SELECT id FROM written
"""

Datum = int | str | bool | None | UUID | datetime | bytes | list[Any]


class NoTransactionError(RuntimeError):
    """An event that could stay while its change is undone, or the other way round."""


def record(
    event: str,
    *,
    by: AbstractBaseUser | None,
    on: models.Model | None = None,
    also: Iterable[models.Model] = (),
    batches: Iterable[tuple[str, object]] = (),
    incident: UUID | None = None,
    private: dict[str, str] | None = None,
    sha256: bytes | None = None,
    **data: Datum,
) -> Event:
    """Adds one event to the caller's own transaction: both stay or both go.

    `by` is None for what the product does by itself. `on` is the object, `also` others, after their change; `batches`
    are tables, each with the batch of rows that changed: guarded rows that are not named so cannot be committed.
    `sha256` is the digest of the object's content. `data` takes codes, counts, ids, times and hashes; whatever a human
    typed or names a person goes into `private`, sealed under the incident's key.
    """
    if not connection.in_atomic_block:
        raise NoTransactionError(f"{event} must be recorded inside the transaction of the change it speaks of.")
    openings = {field: _opening(value) for field, value in (private or {}).items()}
    plain = _checked(event, {**data, **_names(also, batches)}, openings)
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
    return _insert(Event(event_id=event_id, type=event, incident=incident, body=body, at=at), openings)


def _checked(event: str, data: Mapping[str, Datum], openings: Mapping[str, object]) -> dict[str, Any]:
    plain = {key: _plain(value) for key, value in data.items()}
    checked_type(event, data=plain, private=openings)
    refuse_free_text(event, plain)
    return plain


def _insert(row: Event, openings: dict[str, tuple[bytes, bytes]]) -> Event:
    """Event and sealed values in one statement: an action waits for the database once."""
    row.body_sha256 = sha256_of(row.body).digest()
    columns = {name: getattr(row, name) for name in ("event_id", "type", "incident", "body", "body_sha256", "at")}
    if openings:
        fields, salts, sealed = map(list, zip(*_sealed(row, openings), strict=True))
        columns |= {"fields": fields, "salts": salts, "sealed": sealed}
    [row.pk] = run(WRITE_SEALED if openings else WRITE, columns).fetchone() or [None]
    if row.type in PROVEN_AT_ONCE:
        remember_to_prove(row.event_id)
    return row


def commitment(field: str, salt: bytes, value: bytes) -> bytes:
    """SHA-256(0x02 || salt || length of field (2 bytes) || field || value). Without the salt no guess can be tested."""
    name = field.encode()
    return sha256_of(b"\x02" + salt + len(name).to_bytes(2, "big") + name + value).digest()


def _opening(value: str) -> tuple[bytes, bytes]:
    return urandom(SALT_BYTES), normalize("NFC", value).encode()


def organisation_cipher() -> Cipher:
    """The organisation's own keys, made at their first use."""
    return _cipher_of(ORGANISATION)


def _cipher_of(scope: UUID) -> Cipher:
    """The organisation's own key is made at its first use, here, where that can leave its event.

    What is typed about a case after its data key was destroyed is sealed under the organisation's.
    """
    if scope == ORGANISATION and not has_key(scope):
        key, is_new = find_or_create_key(scope)
        if is_new:
            record("key.created", by=None, on=key)
    try:
        return cipher_for(scope)
    except KeyDestroyed:
        if scope == ORGANISATION:
            raise
        return _cipher_of(ORGANISATION)


def _sealed(event: Event, openings: dict[str, tuple[bytes, bytes]]) -> list[tuple[str, bytes, bytes]]:
    cipher = _cipher_of(event.incident or ORGANISATION)
    return [
        (field, salt, cipher.seal(value, table=PRIVATE_TABLE, column=field, row=event.event_id))
        for field, (salt, value) in openings.items()
    ]


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


def _names(also: Iterable[models.Model], batches: Iterable[tuple[str, object]]) -> dict[str, list[Any]]:
    objects = sorted(f"{thing._meta.label_lower}/{thing.pk}/{getattr(thing, 'version', 0)}" for thing in also)
    named = {"also": objects, "batches": sorted(f"{table}/{batch}" for table, batch in batches)}
    return {key: names for key, names in named.items() if names}


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
