"""Which rows are about somebody who is known already: decided batch by batch.

Two rows are about one person when address and name are the same, or when the customer number is and the names share a
word. The first row about a person is the one that counts; of each further one only kinds of data and marks are added.
In a file that brings newer data, the first row about a known person gives all of the person's values, never some.

Nothing is remembered from batch to batch but a filter of constant size (seen.py), which tells of nearly all rows that
nobody like them came before. The others are looked up, those that earlier batches brought in the database too: so
memory does not depend on how many people there are. No other file of the incident is between reading and decision
meanwhile, so what is found stays as it is until this one is taken in.
"""

import re
import unicodedata
from collections.abc import Iterable, Sequence
from typing import Any, NamedTuple
from uuid import UUID

import psycopg
from django.db import connection

from breachdesk.people.models import PersonMatch, Upload
from breachdesk.people.personal import full_name, unseal_personal
from breachdesk.people.preparing import Prepared, original_of
from breachdesk.people.reading import BadRow
from breachdesk.people.reading.fields import label_of
from breachdesk.people.seen import Seen
from breachdesk.vault.sealing import Cipher

KEYS_AT_ONCE = 5_000
MARKS = ("minor", "vulnerable", "deceased")
REFERENCE_OF_ANOTHER, UNKNOWN_PERSON = "reference_of_another", "unknown_person"

_PERSON = "SELECT id, upload_id, identity_index, reference_index, withdrawn, kinds, minor, vulnerable, deceased"
# One key at a time, and the incident as a value that the planner does not know. As far as it knows this incident has
# no people yet, so it would take any index that begins with the incident, and go through all of them for each batch.
_KNOWN = f"""
SELECT person.* FROM unnest(%(identities)b::bytea[]) AS key, LATERAL (
    {_PERSON} FROM people_person WHERE incident_id = (SELECT %(incident)s::uuid) AND identity_index = key OFFSET 0
) AS person
UNION ALL
SELECT person.* FROM unnest(%(references)b::bytea[]) AS key, LATERAL (
    {_PERSON} FROM people_person WHERE incident_id = (SELECT %(incident)s::uuid) AND reference_index = key OFFSET 0
) AS person
"""  # noqa: S608 texts of our own
_THESE = f"{_PERSON} FROM people_person WHERE id = ANY (%(people)b)"
# What earlier rows of this very file make of people who were known before.
_CLAIMED = """
SELECT claim.* FROM unnest(%(identities)b::bytea[]) AS key, LATERAL (
    SELECT person_id, identity_index, reference_index FROM people_personmatch
    WHERE upload_id = (SELECT %(upload)s::uuid) AND identity_index = key OFFSET 0
) AS claim
UNION ALL
SELECT claim.* FROM unnest(%(references)b::bytea[]) AS key, LATERAL (
    SELECT person_id, identity_index, reference_index FROM people_personmatch
    WHERE upload_id = (SELECT %(upload)s::uuid) AND reference_index = key OFFSET 0
) AS claim
"""
# All keys that could be found, also those that come back when a list is taken out meanwhile.
_KEYS = """
SELECT identity_index, reference_index FROM people_person WHERE incident_id = %(incident)s
UNION ALL
SELECT identity_index, reference_index FROM people_personmatch
WHERE upload_id IN (SELECT id FROM people_upload WHERE incident_id = %(incident)s) AND identity_index IS NOT NULL
"""
_GIVEN = """
SELECT person_id FROM people_personmatch
WHERE upload_id = %(upload)s AND person_id = ANY (%(people)b) AND sealed IS NOT NULL
"""
_SEALED = "SELECT id, sealed, row_checksum FROM people_person WHERE id = ANY (%(people)b)"


class Known:
    """Somebody a row can be about: in the database, or brought by an earlier row of the same batch."""

    __slots__ = ("id", "is_new", "kinds", "marks", "name", "reference", "was_given", "withdrawn")

    def __init__(
        self,
        person: UUID,
        is_new: bool,
        reference: bytes | None,
        kinds: Sequence[str],
        marks: tuple[bool, ...],
        *,
        withdrawn: bool = False,
        name: str | None = None,
    ) -> None:
        self.id, self.is_new, self.reference, self.kinds, self.marks = person, is_new, reference, kinds, marks
        self.withdrawn = withdrawn
        self.name = name  # asked for only when the customer number alone says who it is
        self.was_given = is_new  # its values come from a row of this file

    def add(self, row: Prepared) -> dict[str, Any]:
        """What the row says besides and nobody said before, as far as this batch knows."""
        said: dict[str, Any] = {}
        if new := [kind for kind in row.kinds if kind not in self.kinds]:
            said["kinds"] = new
            self.kinds = [*self.kinds, *new]
        marks = marks_of(row)
        if marks != self.marks:
            said |= {
                mark: True for mark, now, before in zip(MARKS, marks, self.marks, strict=True) if now and not before
            }
            self.marks = tuple(now or before for now, before in zip(marks, self.marks, strict=True))
        if row.deceased and not self.is_new:
            said["deceased"] = True  # said again, it is news to whoever answered it before
        return said


class Match(NamedTuple):
    """A row about somebody known, and what it changes; with `gives_values` all that the person is."""

    row: Prepared
    known: Known
    found_by: str
    changes: dict[str, Any]
    gives_values: bool


class Decided(NamedTuple):
    new: list[Prepared]
    matches: list[Match]
    bad: list[BadRow]


def keys_before(upload: Upload) -> Seen:
    """A filter of all keys by which a row of this file could be about somebody known."""
    seen = Seen()
    with psycopg.ServerCursor(connection.connection, "keys_before", row_factory=psycopg.rows.tuple_row) as cursor:
        cursor.execute(_KEYS, {"incident": upload.incident_id}, binary=True)
        while pairs := cursor.fetchmany(KEYS_AT_ONCE):
            seen.add([key for pair in pairs for key in pair if key])
    return seen


class Merger:
    def __init__(self, upload: Upload, cipher: Cipher) -> None:
        self.upload, self.cipher = upload, cipher
        self.withdraws = upload.purpose == Upload.Purpose.WITHDRAW
        self.updates = upload.purpose == Upload.Purpose.UPDATE

    def decide(self, rows: Sequence[Prepared]) -> Decided:
        """Of each row, in their order. Whoever is no suspect is new, and the first of the batch with these keys."""
        suspects = [row for row in rows if row.is_suspect]
        if not suspects and not self.withdraws:
            return Decided(list(rows), [], [])
        by_identity, by_reference = self._look_up(suspects)
        decided = Decided([], [], [])
        identities = {suspect.identity for suspect in suspects}
        references = {suspect.reference for suspect in suspects} - {None}
        for row in rows:
            same, numbered = by_identity.get(row.identity), by_reference.get(row.reference)
            if same is None and numbered is None and not self.withdraws:
                decided.new.append(row)
                if row.identity not in identities and row.reference not in references:
                    continue
                person = Known(UUID(bytes=row.id), True, row.reference, row.kinds, marks_of(row), name=row.name)
            elif reason := self._refusal(row, same, numbered):
                decided.bad.append(_bad(row, reason))
                continue
            else:
                match = self._match(row, same, numbered)
                decided.matches.append(match)
                if not match.gives_values:
                    continue
                person = match.known
            by_identity.setdefault(row.identity, person)
            if row.reference:
                by_reference.setdefault(row.reference, person)
        return decided

    def _refusal(self, row: Prepared, same: Known | None, numbered: Known | None) -> str:
        """A wrong join would leave somebody untold, so whatever is in doubt is a human's to decide."""
        if same is None and numbered is None:
            return UNKNOWN_PERSON
        if same is not None and numbered is not None:
            is_another = same is not numbered and same.reference != row.reference
            return REFERENCE_OF_ANOTHER if is_another else ""
        if numbered is not None and words(row.name).isdisjoint(words(self._name_of(numbered))):
            return REFERENCE_OF_ANOTHER
        return ""

    def _match(self, row: Prepared, same: Known | None, numbered: Known | None) -> Match:
        known = same or numbered
        assert known is not None
        found_by = PersonMatch.FoundBy.IDENTITY if same else PersonMatch.FoundBy.REFERENCE
        if self.withdraws:
            return Match(row, known, found_by, {}, False)
        changes = known.add(row)
        gives_values = self.updates and not known.was_given
        if gives_values:
            known.was_given = True
            changes |= plain_values(row)
        return Match(row, known, found_by, changes, gives_values)

    def _look_up(self, rows: Sequence[Prepared]) -> tuple[dict[bytes, Known], dict[bytes | None, Known]]:
        keys = {
            "incident": self.upload.incident_id,
            "upload": self.upload.pk,
            "identities": [row.identity for row in rows],
            "references": [row.reference for row in rows if row.reference],
        }
        people: dict[UUID, Known] = {}
        by_identity: dict[bytes, Known] = {}
        by_reference: dict[bytes | None, Known] = {}
        self._meet(_run(_KNOWN, keys), people, by_identity, by_reference)
        if self.updates:
            self._add_claims(keys, people, by_identity, by_reference)
        self._name(
            by_reference[row.reference]
            for row in rows
            if row.reference in by_reference and row.identity not in by_identity
        )
        return by_identity, by_reference

    def _meet(
        self,
        rows: Iterable[Any],
        people: dict[UUID, Known],
        by_identity: dict[bytes, Known],
        by_reference: dict[bytes | None, Known],
    ) -> None:
        for person_id, upload_id, identity, reference, withdrawn, kinds, *marks in rows:
            if person_id not in people:
                is_new = upload_id == self.upload.pk
                people[person_id] = Known(person_id, is_new, reference, kinds, tuple(marks), withdrawn=withdrawn)
            by_identity[identity] = people[person_id]
            if reference:
                by_reference.setdefault(reference, people[person_id])

    def _add_claims(
        self,
        keys: dict[str, Any],
        people: dict[UUID, Known],
        by_identity: dict[bytes, Known],
        by_reference: dict[bytes | None, Known],
    ) -> None:
        claims = _run(_CLAIMED, keys).fetchall()
        elsewhere = [person for person, _, _ in claims if person not in people]
        self._meet(_run(_THESE, {"people": elsewhere}), people, {}, {})
        for person, identity, reference in claims:
            by_identity.setdefault(identity, people[person])
            if reference:
                by_reference.setdefault(reference, people[person])
        for (person,) in _run(_GIVEN, {"upload": self.upload.pk, "people": list(people)}):
            people[person].was_given = True

    def _name_of(self, known: Known) -> str:
        if known.name is None:
            self._name([known])
        return known.name or ""

    def _name(self, people: Iterable[Known]) -> None:
        nameless = {known.id: known for known in people if known.name is None}
        if nameless:
            for person, sealed, checksum in _run(_SEALED, {"people": list(nameless)}):
                personal = unseal_personal(self.cipher, sealed, person, checksum)
                nameless[person].name = full_name(personal)


def marks_of(row: Prepared) -> tuple[bool, ...]:
    return row.is_minor, row.vulnerable, row.deceased


def plain_values(row: Prepared) -> dict[str, Any]:
    """Beside the sealed ones: with them they are all that one row says a person is."""
    return {
        "country": row.country,
        "state": row.state,
        "language": row.language,
        "has_email": bool(row.email),
        "has_post": row.has_post,
    }


def words(name: str) -> set[str]:
    return set(re.split(r"[\W_]+", unicodedata.normalize("NFKC", name).casefold())) - {""}


def _bad(row: Prepared, reason: str) -> BadRow:
    column = label_of("reference") if reason == REFERENCE_OF_ANOTHER else ""
    return BadRow(row.number, reason, column, original_of(row))


def _run(statement: str, parameters: dict[str, Any]) -> psycopg.Cursor[Any]:
    """Planned anew each time: the tables grow while they are asked. Values travel as bytes, not as text."""
    with connection.wrap_database_errors:
        return psycopg.Cursor(connection.connection, row_factory=psycopg.rows.tuple_row).execute(
            statement, parameters, prepare=False, binary=True
        )
