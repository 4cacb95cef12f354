"""A long log in a short time: events by COPY with the product's own bytes, and a signer for it."""

import os
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, datetime, timedelta
from hashlib import sha256
from os import urandom
from pathlib import Path
from typing import Any
from uuid import UUID, uuid4

INCIDENTS = 100
SEALED_EVERY = 10


def copy_events(number: int) -> None:
    """`number` events that wait for the sequencer: heartbeats, batches of 100 incidents, every tenth with a reason."""
    from django.db import transaction

    from breachdesk.vault.sealing import cipher_for, create_key

    # The keys are the bench's own; their guard is not what is measured.
    with transaction.atomic(), _as_replica():
        scopes = [create_key(uuid4()).scope for _ in range(INCIDENTS)]
    ciphers = {scope: cipher_for(scope) for scope in scopes}
    now = datetime.now(UTC)
    for first in range(0, number, 50_000):
        chosen = range(first, min(first + 50_000, number))
        with transaction.atomic():
            _copy(_made(n, scopes, ciphers, now) for n in chosen)


@contextmanager
def _as_replica() -> Iterator[None]:
    from django.db import connection

    with connection.cursor() as cursor:
        cursor.execute("SET session_replication_role = replica")
        yield
        cursor.execute("SET session_replication_role = origin")


def _made(n: int, scopes: list[UUID], ciphers: dict[UUID, Any], now: datetime) -> tuple[Any, Any]:
    from breachdesk.audit.canonical import base64url, time_text
    from breachdesk.audit.record import PRIVATE_TABLE, commitment

    incident = scopes[n % INCIDENTS] if n % 2 else None
    event_id, at, is_sealed = uuid4(), now + timedelta(microseconds=n), bool(incident) and n % SEALED_EVERY == 1
    kind, data = ("upload.accepted", {"people": n}) if incident else ("heartbeat", {"log_size": n})
    if is_sealed:
        kind, data = "person.released", {}
    salt, value = urandom(32), f"Reason number {n} in somebody's words.".encode()
    body = _canonical(
        {
            "v": 1,
            "id": str(event_id),
            "type": kind,
            "at": time_text(at),
            "actor": {"id": None, "kind": "system", "session": None},
            "incident": str(incident) if incident else None,
            "object": None,
            "data": data,
            "priv": {"reason": base64url(commitment("reason", salt, value))} if is_sealed else {},
            "request": None,
        }
    )
    sealed = None
    if is_sealed and incident:
        value_enc = ciphers[incident].seal(value, table=PRIVATE_TABLE, column="reason", row=event_id)
        sealed = (event_id, "reason", salt, value_enc)
    return (event_id, kind, incident, body, sha256(body).digest(), at), sealed


def _canonical(value: dict[str, Any]) -> bytes:
    """As RFC 8785 writes these plain keys and values, and twenty times as fast."""
    import json

    return json.dumps(value, sort_keys=True, ensure_ascii=False, separators=(",", ":")).encode()


def _copy(rows: Iterator[tuple[Any, Any]]) -> None:
    from django.db import connection

    values = []
    with connection.cursor() as cursor:
        statement = "COPY audit_event (event_id, type, incident, body, body_sha256, at) FROM STDIN"
        with cursor.copy(statement) as copy:
            for event, sealed in rows:
                copy.write_row(event)
                if sealed:
                    values.append(sealed)
        with cursor.copy("COPY audit_private (event_id, field, salt, value_enc) FROM STDIN") as copy:
            for value in values:
                copy.write_row(value)


def sign_the_log(folder: Path) -> None:
    """A key, and one checkpoint over everything that is linked."""
    import time

    from breachdesk.audit.entries import log_size
    from breachdesk.audit.models import Checkpoint
    from breachdesk.audit.sequencer import sequence_everything

    _manage("make_signing_key")
    sequence_everything()
    size = log_size()
    with signer(folder):
        deadline = time.monotonic() + 120
        while not Checkpoint.objects.filter(size__gte=size).exists():
            assert time.monotonic() < deadline, "the signer made no checkpoint within two minutes"
            time.sleep(0.1)


@contextmanager
def signer(folder: Path) -> Iterator[None]:
    running = subprocess.Popen([sys.executable, "manage.py", "run_signer"], stdout=subprocess.DEVNULL, env=os.environ)
    try:
        yield
    finally:
        running.terminate()
        running.wait()


def _manage(*words: str) -> None:
    subprocess.run([sys.executable, "manage.py", *words], check=True, stdout=subprocess.DEVNULL)
