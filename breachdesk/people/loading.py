"""Prepared rows to the database by COPY, rejected rows and the rows about known people beside them, all in the caller's
one transaction.

Memory holds a batch of rows, never the file.
`rows = people + repeated + rejected` holds after every batch.
"""

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
from breachdesk.people.copying import of_bytes, of_digest, of_integer, of_json, of_text
from breachdesk.people.gate import Watch
from breachdesk.people.merging import Match, Merger
from breachdesk.people.models import Upload
from breachdesk.people.preparing import COPY_PEOPLE, TO_JSON, Prepared
from breachdesk.people.reading import BadRow
from breachdesk.vault.sealing import Cipher

TELL_EVERY = 0.5  # seconds
REJECTED_TABLE = "people_rejectedrow"

_MATCHES = """
COPY people_personmatch (id, upload_id, person_id, row_number, row_checksum, found_by, sealed, email_index,
identity_index, reference_index, changes) FROM STDIN (FORMAT BINARY)"""
_REJECTED = f'COPY {REJECTED_TABLE} (id, upload_id, row_number, "column", reason, sealed) FROM STDIN (FORMAT BINARY)'
_FOREIGN_KEYS = """
SELECT string_agg(quote_ident(conname), ', ') FROM pg_constraint
WHERE contype = 'f' AND condeferrable AND conrelid = ANY (%s::regclass[])
"""


Batch = tuple[int, list[Any], list[Any]]  # how far the file is read, in bytes; the fields of Prepared; of BadRow


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

    def add(self, people: Iterable[Prepared]) -> None:
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

    def __init__(self, upload: Upload, cipher: Cipher, watch: Watch, tell: Callable[[Counts, int], None]) -> None:
        self.upload, self.cipher, self.watch, self.tell = upload, cipher, watch, tell
        self.counts = Counts()
        self._merger = Merger(upload, cipher)
        self._told_at = time.monotonic()

    def load(self, batches: Iterable[Batch]) -> Counts:
        with connection.cursor() as cursor:
            # The tables were empty a moment ago, as far as the planner knows.
            cursor.execute("SET LOCAL enable_seqscan = off")
            with _foreign_keys_checked_at_once(cursor):
                for bytes_read, rows, bad in batches:
                    self._load(list(map(Prepared._make, rows)), list(map(BadRow._make, bad)))
                    self._tell_now_and_then(bytes_read)
            cursor.execute("SET LOCAL enable_seqscan = on")
        return self.counts

    def _load(self, rows: list[Prepared], bad: list[BadRow]) -> None:
        decided = self._merger.decide(rows)
        bad += decided.bad
        _copy(COPY_PEOPLE, (row.line for row in decided.new))
        _copy(_MATCHES, map(self._match, decided.matches, copying.random_ids(len(decided.matches))))
        _copy(_REJECTED, map(self._bad, bad, copying.random_ids(len(bad))))
        self._count(decided.new, decided.matches, bad)

    def _count(self, new: list[Prepared], matches: list[Match], bad: list[BadRow]) -> None:
        counts, watch = self.counts, self.watch
        counts.rows += len(new) + len(matches) + len(bad)
        counts.repeated += len(matches)
        counts.rejected += len(bad)
        counts.about_withdrawn += sum(match.known.withdrawn for match in matches)
        counts.add(new)
        for row in sorted([*new, *(match.row for match in matches)], key=_by_number):
            watch.add(row)
        for one in bad:
            watch.add_bad(one)

    def _match(self, match: Match, match_id: bytes) -> bytes:
        row, known, found_by, changes, gives_values = match
        values = copying.NULL * 4
        if gives_values:
            sealed = personal.seal_value(self.cipher, row.value, known.id)
            email = personal.email_index(self.cipher, row.email) if row.email else None
            values = of_bytes(sealed) + of_digest(email) + of_digest(row.identity) + of_digest(row.reference)
        return b"".join(
            (
                _COLUMNS_OF_MATCH,
                of_digest(match_id),
                of_digest(self.upload.pk.bytes),
                of_digest(known.id.bytes),
                of_integer(row.number),
                of_digest(personal.row_checksum(self.cipher, row.value)),
                of_text(found_by),
                values,
                of_json(TO_JSON(changes).encode()),
            )
        )

    def _bad(self, row: BadRow, row_id: bytes) -> bytes:
        original = TO_JSON(row.original).encode()
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

    def _tell_now_and_then(self, bytes_read: int) -> None:
        if time.monotonic() - self._told_at >= TELL_EVERY:
            self.tell(self.counts, bytes_read)
            self._told_at = time.monotonic()


def _copy(statement: str, lines: Iterable[bytes]) -> None:
    content = b"".join(lines)
    if content:
        with connection.cursor() as cursor, cursor.copy(statement) as copy:
            copy.write(copying.HEADER + content + copying.TRAILER)


@contextmanager
def _foreign_keys_checked_at_once(cursor: CursorWrapper) -> Iterator[None]:
    """Batch by batch, while the next rows are read. Put off until the end, three checks of every row would wait in the
    server's memory, and then in everybody's way."""
    cursor.execute(_FOREIGN_KEYS, [["people_person", "people_personmatch", REJECTED_TABLE]])
    names = cursor.fetchone()[0]
    cursor.execute(f"SET CONSTRAINTS {names} IMMEDIATE")
    yield
    cursor.execute(f"SET CONSTRAINTS {names} DEFERRED")


_COLUMNS_OF_MATCH, _COLUMNS_OF_BAD = map(copying.columns, (11, 6))


def _by_number(row: Prepared) -> int:
    return row.number
