"""Rows as they are read to rows as they are stored: indexed, sealed, and as lines for COPY.

A row is prepared as that of somebody new, with an id of its own, for nearly all are; whoever merges has the rest of
what a row needs that turns out to be about somebody known. Nothing here asks the database, so that it can be done in a
process apart, and what comes out is tuples, which pass to the other process quickly.
"""

import json
import marshal
from collections.abc import Iterator
from functools import lru_cache
from json.encoder import encode_basestring
from typing import Any, NamedTuple

from breachdesk.people import copying, personal
from breachdesk.people.copying import OF_16, of_boolean, of_bytes, of_digest, of_integer, of_text, of_texts
from breachdesk.people.models import Upload
from breachdesk.people.reading import BadRow, CleanRow
from breachdesk.people.seen import Seen
from breachdesk.vault.sealing import Cipher

MOST_CHARACTERS = 1_000_000  # of the rows of one batch, however few they are then
MOST_PLAIN = 50_000  # different combinations of plain columns that are kept ready

COPY_PEOPLE = """
COPY people_person (id, incident_id, upload_id, row_number, row_checksum, sealed, email_index, identity_index,
reference_index, country, state, language, kinds, minor, vulnerable, deceased, has_email, has_post, held, withdrawn,
version) FROM STDIN (FORMAT BINARY)"""
_COLUMNS = copying.columns(21)

TO_JSON = json.JSONEncoder(ensure_ascii=False, separators=(",", ":")).encode


class Prepared(NamedTuple):
    """A row that can be taken, ready to be stored as a new person."""

    number: int
    is_suspect: bool  # somebody with its identity or its reference may have come before
    id: bytes
    identity: bytes
    reference: bytes | None
    line: bytes  # for COPY_PEOPLE, under this id
    value: bytes  # what is sealed in it, of a suspect
    original: bytes  # the record, packed, where somebody may ask for it: see original_of()
    name: str  # from here on as CleanRow has it
    email: str
    street: str
    postcode: str
    country: str
    state: str
    language: str
    kinds: tuple[str, ...]
    is_minor: bool
    vulnerable: bool
    deceased: bool
    has_post: bool


def as_json(texts: dict[str, str]) -> bytes:
    """As json.dumps() without spaces; that makes an encoder for each call, which takes longer than its work."""
    return ("{" + ",".join([_name(name) + encode_basestring(text) for name, text in texts.items()]) + "}").encode()


@lru_cache(maxsize=1024)
def _name(name: str) -> str:
    return encode_basestring(name) + ":"


def original_of(row: Prepared) -> list[str]:
    """The record as the file has it, for whoever finds that the row cannot be taken."""
    return list(marshal.loads(row.original))  # noqa: S302 our own process wrote it


class Preparer:
    def __init__(self, upload: Upload, cipher: Cipher, seen: Seen) -> None:
        self._cipher, self._seen = cipher, seen
        self._withdraws = upload.purpose == Upload.Purpose.WITHDRAW  # then whoever is no suspect is refused
        self._place = of_digest(upload.incident_id.bytes) + of_digest(upload.pk.bytes)
        self._plain: dict[tuple[object, ...], tuple[bytes, tuple[str, ...]]] = {}

    def batches(self, rows: Iterator[CleanRow | BadRow], size: int) -> Iterator[tuple[list[Any], list[Any]]]:
        """Those that can be taken, as the fields of Prepared, and those of BadRow, so many together at most."""
        for batch in batches(rows, size):
            clean = [row for row in batch if isinstance(row, CleanRow)]
            yield self._prepared(clean), [tuple(row) for row in batch if isinstance(row, BadRow)]

    def _prepared(self, rows: list[CleanRow]) -> list[tuple[object, ...]]:
        """Column by column, for what is done for all rows together is done twice as quickly."""
        cipher = self._cipher
        values = [as_json(row.personal) for row in rows]
        ids = list(copying.random_ids(len(rows)))
        sealed = personal.seal_values(cipher, values, ids)
        checksums = personal.row_checksums(cipher, values)
        emails = personal.indexes(cipher, [row.email for row in rows], purpose="email")
        identities = personal.indexes(cipher, [row.identity for row in rows], purpose="identity")
        references = personal.indexes(cipher, [row.reference.strip() for row in rows], purpose="reference")
        suspects = self._suspects(identities, references)
        columns = (rows, suspects, ids, identities, references, values, sealed, checksums, emails)
        return [self._row(*one) for one in zip(*columns, strict=True)]

    def _suspects(self, identities: list[Any], references: list[Any]) -> list[bool]:
        same = self._seen.add(identities)
        numbered = iter(self._seen.add([key for key in references if key]))
        return [bool(key and next(numbered)) or told for key, told in zip(references, same, strict=True)]

    def _row(
        self,
        row: CleanRow,
        is_suspect: bool,
        person: bytes,
        identity: bytes,
        reference: bytes | None,
        value: bytes,
        sealed: bytes,
        checksum: bytes,
        email: bytes | None,
    ) -> tuple[object, ...]:
        plain, kinds = self._plain_of(row)
        line = b"".join(
            (
                _COLUMNS,
                OF_16,
                person,
                self._place,
                of_integer(row.number),
                OF_16,
                checksum,
                of_bytes(sealed),
                of_digest(email),
                OF_16,
                identity,
                of_digest(reference),
                plain,
            )
        )
        value, original = (value, marshal.dumps(list(row.original))) if is_suspect or self._withdraws else (b"", b"")
        street, postcode = row.personal.get("street", ""), row.personal.get("postcode", "")
        return (
            row.number, is_suspect, person, identity, reference, line, value, original, row.name, row.email, street,
            postcode, *row[5:8], kinds, *row[9:13],
        )  # fmt: skip

    def _plain_of(self, row: CleanRow) -> tuple[bytes, tuple[str, ...]]:
        """The plain columns of the line, and the kinds: one object for all rows of the same ones."""
        key = (row.country, row.state, row.language, *row.kinds, *_marks(row))
        if (plain := self._plain.get(key)) is None:
            if len(self._plain) >= MOST_PLAIN:
                self._plain.clear()
            plain = self._plain[key] = _plain(row), tuple(row.kinds)
        return plain


def batches(rows: Iterator[CleanRow | BadRow], size: int) -> Iterator[list[CleanRow | BadRow]]:
    """In their order; fewer at a time where they are long, so that memory does not depend on what is in them."""
    batch: list[CleanRow | BadRow] = []
    characters = 0
    for row in rows:
        batch.append(row)
        characters += sum(map(len, row.original))
        if len(batch) >= size or characters > MOST_CHARACTERS:
            yield batch
            batch, characters = [], 0
    if batch:
        yield batch


def _marks(row: CleanRow) -> tuple[bool, ...]:
    return row.is_minor, row.vulnerable, row.deceased, bool(row.email), row.has_post


def _plain(row: CleanRow) -> bytes:
    """The columns from `country` on, in the order of COPY_PEOPLE. Whoever has died is on hold from the beginning."""
    texts = map(of_text, (row.country, row.state, row.language))
    marks = map(of_boolean, (*_marks(row), row.deceased, False))
    return b"".join((*texts, of_texts(row.kinds), *marks, of_integer(1)))
