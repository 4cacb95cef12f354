"""Clean rows to sealed rows by COPY, rejected rows and the rows about known people beside them, all in the caller's one
transaction.

Memory holds two batches of rows, never the file: one is read while the other is worked on.
`rows = people + repeated + rejected` holds after every batch.
"""

import json
import time
from collections import Counter
from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import Any
from uuid import UUID

from django.db import connection
from django.db.backends.utils import CursorWrapper

from breachdesk.people import copying, personal
from breachdesk.people.ahead import Ahead
from breachdesk.people.copying import of_boolean, of_bytes, of_digest, of_integer, of_json, of_text, of_texts
from breachdesk.people.gate import Watch
from breachdesk.people.merging import Found, Match, Merger
from breachdesk.people.models import Upload
from breachdesk.people.reading import BadRow, CleanRow
from breachdesk.vault.sealing import Cipher

BATCH = 2_000
TELL_EVERY = 0.5  # seconds
MOST_PLAIN = 50_000  # different combinations of plain columns that are kept ready
REJECTED_TABLE = "people_rejectedrow"

_PEOPLE = """
COPY people_person (id, incident_id, upload_id, row_number, row_checksum, sealed, email_index, identity_index,
reference_index, country, state, language, kinds, minor, vulnerable, deceased, has_email, has_post, held, withdrawn,
version) FROM STDIN (FORMAT BINARY)"""
_MATCHES = """
COPY people_personmatch (id, upload_id, person_id, row_number, row_checksum, found_by, sealed, email_index,
identity_index, reference_index, changes) FROM STDIN (FORMAT BINARY)"""
_REJECTED = f'COPY {REJECTED_TABLE} (id, upload_id, row_number, "column", reason, sealed) FROM STDIN (FORMAT BINARY)'
_FOREIGN_KEYS = """
SELECT string_agg(quote_ident(conname), ', ') FROM pg_constraint
WHERE contype = 'f' AND condeferrable AND conrelid = ANY (%s::regclass[])
"""
_TO_JSON = json.JSONEncoder(ensure_ascii=False, separators=(",", ":")).encode


@dataclass
class Counts:
    rows: int = 0
    people: int = 0
    repeated: int = 0
    rejected: int = 0
    about_withdrawn: int = 0
    without_email: int = 0
    minors: int = 0
    vulnerable: int = 0
    deceased: int = 0
    countries: Counter[str] = field(default_factory=Counter)
    languages: Counter[str] = field(default_factory=Counter)
    kinds: Counter[str] = field(default_factory=Counter)

    def add(self, people: Iterable[CleanRow]) -> None:
        """New people, once each."""
        for row in people:
            self.people += 1
            self.countries[row.country] += 1
            self.languages[row.language] += 1
            self.without_email += not row.email
            self.minors += row.is_minor
            self.vulnerable += row.vulnerable
            self.deceased += row.deceased
            self.kinds.update(row.kinds)

    def summary(self) -> dict[str, Any]:
        """Of the people whom the file would bring, and of its rows about people who are not affected any more."""
        names = (
            "without_email",
            "minors",
            "vulnerable",
            "deceased",
            "countries",
            "languages",
            "kinds",
            "about_withdrawn",
        )
        return {name: getattr(self, name) for name in names}


class Loader:
    """Loads the rows of one upload; `tell` hears the counts twice a second, `watch` every row that can be taken."""

    def __init__(self, upload: Upload, cipher: Cipher, watch: Watch, tell: Callable[[Counts], None]) -> None:
        self.upload, self.cipher, self.watch, self.tell = upload, cipher, watch, tell
        self.counts = Counts()
        self._merger = Merger(upload, cipher)
        self._place = of_digest(upload.incident_id.bytes) + of_digest(upload.pk.bytes)
        self._plain: dict[tuple[object, ...], bytes] = {}
        self._told_at = time.monotonic()

    def load(self, rows: Iterator[CleanRow | BadRow]) -> Counts:
        with connection.cursor() as cursor:
            # The tables were empty a moment ago, as far as the planner knows.
            cursor.execute("SET LOCAL enable_seqscan = off")
            with _foreign_keys_checked_at_once(cursor):
                self._ahead = Ahead(rows, BATCH)
                for batch in self._ahead:
                    self._load(batch)
                    self._tell_now_and_then()
            cursor.execute("SET LOCAL enable_seqscan = on")
        return self.counts

    def _load(self, batch: list[CleanRow | BadRow]) -> None:
        rows = [self._found(row) for row in batch if isinstance(row, CleanRow)]
        bad = [row for row in batch if isinstance(row, BadRow)]
        decided = self._merger.decide(rows, [UUID(bytes=one) for one in copying.random_ids(len(rows))])
        bad += decided.bad
        self._copy(_PEOPLE, (self._person(found, person) for found, person in decided.new))
        self._copy(_MATCHES, map(self._match, decided.matches, copying.random_ids(len(decided.matches))))
        self._copy(_REJECTED, map(self._bad, bad, copying.random_ids(len(bad))))
        self._count(decided.new, decided.matches, bad)

    def _found(self, row: CleanRow) -> Found:
        cipher = self.cipher
        reference = personal.reference_index(cipher, row.reference) if row.reference else None
        return Found(row, personal.identity_index(cipher, row.identity), reference)

    def _count(self, new: list[tuple[Found, UUID]], matches: list[Match], bad: list[BadRow]) -> None:
        counts, watch = self.counts, self.watch
        counts.rows += len(new) + len(matches) + len(bad)
        counts.repeated += len(matches)
        counts.rejected += len(bad)
        counts.about_withdrawn += sum(match.known.withdrawn for match in matches)
        counts.add(found.row for found, _ in new)
        for row in sorted([*(found.row for found, _ in new), *(match.found.row for match in matches)], key=_by_number):
            watch.add(row)
        for one in bad:
            watch.add_bad(one)

    def _person(self, found: Found, person: UUID) -> bytes:
        row, identity, reference = found
        sealed, checksum = self._sealed(row, person)
        return b"".join(
            (
                _COLUMNS_OF_PERSON,
                of_digest(person.bytes),
                self._place,
                of_integer(row.number),
                of_digest(checksum),
                of_bytes(sealed),
                of_digest(personal.email_index(self.cipher, row.email) if row.email else None),
                of_digest(identity),
                of_digest(reference),
                self._plain_of(row),
            )
        )

    def _sealed(self, row: CleanRow, person: UUID) -> tuple[bytes, bytes]:
        """The checksum is taken from what the reader gave, before anything else is done with it."""
        value = _TO_JSON(row.personal).encode()
        return personal.seal_value(self.cipher, value, person), personal.row_checksum(self.cipher, value)

    def _plain_of(self, row: CleanRow) -> bytes:
        key = (row.country, row.state, row.language, *row.kinds, *_marks(row))
        if (plain := self._plain.get(key)) is None:
            if len(self._plain) >= MOST_PLAIN:
                self._plain.clear()
            plain = self._plain[key] = _plain(row)
        return plain

    def _match(self, match: Match, match_id: bytes) -> bytes:
        (row, identity, reference), known, found_by, changes, gives_values = match
        sealed, checksum = self._sealed(row, known.id)
        values = copying.NULL * 4
        if gives_values:
            email = personal.email_index(self.cipher, row.email) if row.email else None
            values = of_bytes(sealed) + of_digest(email) + of_digest(identity) + of_digest(reference)
        return b"".join(
            (
                _COLUMNS_OF_MATCH,
                of_digest(match_id),
                of_digest(self.upload.pk.bytes),
                of_digest(known.id.bytes),
                of_integer(row.number),
                of_digest(checksum),
                of_text(found_by),
                values,
                of_json(_TO_JSON(changes).encode()),
            )
        )

    def _bad(self, row: BadRow, row_id: bytes) -> bytes:
        original = _TO_JSON(row.original).encode()
        sealed = self.cipher.seal(original, table=REJECTED_TABLE, column="sealed", row=UUID(bytes=row_id))
        return b"".join(
            (
                _COLUMNS_OF_BAD,
                of_digest(row_id),
                of_digest(self.upload.pk.bytes),
                of_integer(row.number),
                of_text(row.column),
                of_text(row.reason),
                of_bytes(sealed),
            )
        )

    def _copy(self, statement: str, rows: Iterable[bytes]) -> None:
        content = b"".join(rows)
        if content:
            with connection.cursor() as cursor, cursor.copy(statement) as copy:
                self._ahead.read_on()
                copy.write(copying.HEADER + content + copying.TRAILER)

    def _tell_now_and_then(self) -> None:
        if time.monotonic() - self._told_at >= TELL_EVERY:
            self.tell(self.counts)
            self._told_at = time.monotonic()


@contextmanager
def _foreign_keys_checked_at_once(cursor: CursorWrapper) -> Iterator[None]:
    """Batch by batch, while the next rows are read. Put off until the end, three checks of every row would wait in the
    server's memory, and then in everybody's way."""
    cursor.execute(_FOREIGN_KEYS, [["people_person", "people_personmatch", REJECTED_TABLE]])
    names = cursor.fetchone()[0]
    cursor.execute(f"SET CONSTRAINTS {names} IMMEDIATE")
    yield
    cursor.execute(f"SET CONSTRAINTS {names} DEFERRED")


_COLUMNS_OF_PERSON, _COLUMNS_OF_MATCH, _COLUMNS_OF_BAD = map(copying.columns, (21, 11, 6))


def _by_number(row: CleanRow) -> int:
    return row.number


def _marks(row: CleanRow) -> tuple[bool, ...]:
    return row.is_minor, row.vulnerable, row.deceased, bool(row.email), row.has_post


def _plain(row: CleanRow) -> bytes:
    """The columns from `country` on, in the order of _PEOPLE. Whoever has died is on hold from the beginning."""
    texts = map(of_text, (row.country, row.state, row.language))
    marks = map(of_boolean, (*_marks(row), row.deceased, False))
    return b"".join((*texts, of_texts(row.kinds), *marks, of_integer(1)))
