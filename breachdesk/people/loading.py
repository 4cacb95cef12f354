"""Clean rows to sealed rows by COPY, rejected rows to sealed rows beside them, all in the caller's one transaction.

Memory holds one batch of rejected rows and 16 bytes for each person of the incident, never the file. Two rows about one
person have the same identity index; the first one stays. `rows = people + repeated + rejected` holds after every row.
"""

import json
import time
from collections import Counter
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from itertools import islice
from typing import Any
from uuid import uuid4

from django.db import connection
from psycopg import Copy

from breachdesk.people import personal
from breachdesk.people.models import Person, Upload
from breachdesk.people.reading import BadRow, CleanRow
from breachdesk.vault.sealing import Cipher

BATCH = 20_000
TELL_EVERY = 0.5  # seconds
REJECTED_TABLE = "people_rejectedrow"

_PEOPLE = """
    COPY people_person (id, incident_id, upload_id, row_number, row_checksum, sealed, email_index, identity_index,
    reference_index, country, state, language, kinds, minor, vulnerable, deceased, has_email, has_post, held, withdrawn,
    version) FROM STDIN (FORMAT BINARY)"""
_PEOPLE_TYPES = ["uuid"] * 3 + ["int4"] + ["bytea"] * 5 + ["varchar"] * 3 + ["varchar[]"] + ["bool"] * 7 + ["int4"]
_REJECTED = f'COPY {REJECTED_TABLE} (id, upload_id, row_number, "column", reason, sealed) FROM STDIN (FORMAT BINARY)'
_REJECTED_TYPES = ["uuid", "uuid", "int4", "varchar", "varchar", "bytea"]


@dataclass
class Counts:
    rows: int = 0
    people: int = 0
    repeated: int = 0
    rejected: int = 0
    without_email: int = 0
    minors: int = 0
    countries: Counter[str] = field(default_factory=Counter)
    languages: Counter[str] = field(default_factory=Counter)

    def add(self, row: CleanRow) -> None:
        self.people += 1
        self.without_email += not row.email
        self.minors += row.is_minor
        self.countries[row.country] += 1
        self.languages[row.language] += 1

    def summary(self) -> dict[str, Any]:
        return {
            "without_email": self.without_email,
            "minors": self.minors,
            "countries": self.countries,
            "languages": self.languages,
        }


class Loader:
    """Loads the rows of one upload; `tell` hears the counts twice a second."""

    def __init__(self, upload: Upload, cipher: Cipher, tell: Callable[[Counts], None]) -> None:
        self.upload, self.cipher, self.tell = upload, cipher, tell
        self.counts = Counts()
        self._known = _known_identities(upload)
        self._rejected: list[BadRow] = []
        self._told_at = time.monotonic()

    def load(self, rows: Iterator[CleanRow | BadRow]) -> Counts:
        before = -1
        while before != self.counts.rows:
            before = self.counts.rows
            self._load_batch(islice(rows, BATCH))
            self._store_rejected()
        return self.counts

    def _load_batch(self, rows: Iterator[CleanRow | BadRow]) -> None:
        with connection.cursor() as cursor, cursor.copy(_PEOPLE) as copy:
            copy.set_types(_PEOPLE_TYPES)
            for row in rows:
                self._take(row, copy)
                if not self.counts.rows % 500:
                    self._tell_now_and_then()

    def _take(self, row: CleanRow | BadRow, copy: Copy) -> None:
        counts = self.counts
        counts.rows += 1
        if isinstance(row, BadRow):
            counts.rejected += 1
            self._rejected.append(row)
            return
        identity = personal.identity_index(self.cipher, row.identity)
        if identity in self._known:
            counts.repeated += 1
            return
        self._known.add(identity)
        counts.add(row)
        copy.write_row(self._sealed(row, identity))

    def _sealed(self, row: CleanRow, identity: bytes) -> tuple[object, ...]:
        cipher, person_id = self.cipher, uuid4()
        return (
            person_id,
            self.upload.incident_id,
            self.upload.pk,
            row.number,
            b"",
            personal.seal_personal(cipher, row.personal, person_id),
            personal.email_index(cipher, row.email) if row.email else None,
            identity,
            personal.reference_index(cipher, row.reference) if row.reference else None,
            row.country,
            row.state,
            row.language,
            row.kinds,
            row.is_minor,
            False,
            False,
            bool(row.email),
            "street" in row.personal,
            False,
            False,
            1,
        )

    def _store_rejected(self) -> None:
        with connection.cursor() as cursor, cursor.copy(_REJECTED) as copy:
            copy.set_types(_REJECTED_TYPES)
            for row in self._rejected:
                row_id = uuid4()
                original = json.dumps(row.original, ensure_ascii=False).encode()
                sealed = self.cipher.seal(original, table=REJECTED_TABLE, column="sealed", row=row_id)
                copy.write_row((row_id, self.upload.pk, row.number, row.column, row.reason, sealed))
        self._rejected.clear()

    def _tell_now_and_then(self) -> None:
        if time.monotonic() - self._told_at >= TELL_EVERY:
            self.tell(self.counts)
            self._told_at = time.monotonic()


def _known_identities(upload: Upload) -> set[bytes]:
    known = Person.objects.filter(incident=upload.incident).values_list("identity_index", flat=True)
    return {bytes(index) for index in known.iterator(chunk_size=20_000)}
