"""A pasted list of exact email addresses and customer numbers, one a line: whom it names. It is kept nowhere."""

from collections.abc import Iterator
from dataclasses import dataclass
from uuid import UUID

from django.core.exceptions import ValidationError

from breachdesk.incidents.models import Incident
from breachdesk.people.models import Person
from breachdesk.people.personal import email_index_of_typed, reference_index
from breachdesk.vault.sealing import Cipher, cipher_for

MOST_LINES = 5_000
AT_ONCE = 1_000


@dataclass(frozen=True)
class Pasted:
    lines: int
    people: set[UUID]
    unknown: list[int]  # numbers of the lines that name nobody, from 1


@dataclass(frozen=True)
class _Line:
    number: int
    indexes: frozenset[bytes]


def find_pasted(incident: Incident, text: str) -> Pasted:
    """People of the incident, even those no longer affected. Blank lines count as lines and name nobody wrongly."""
    written = [(number, line.strip()) for number, line in enumerate(text.splitlines(), 1) if line.strip()]
    if len(written) > MOST_LINES:
        raise ValidationError(
            {"pasted": f"These are {len(written):,} lines. Paste up to {MOST_LINES:,} at a time. Nobody was held."}
        )
    cipher = cipher_for(incident.pk)
    lines = [_Line(number, _indexes_of(cipher, line)) for number, line in written]
    found = dict(_found(incident, lines))
    known = {index for indexes in found.values() for index in indexes}
    return Pasted(len(lines), set(found), [line.number for line in lines if not line.indexes & known])


def _indexes_of(cipher: Cipher, line: str) -> frozenset[bytes]:
    """An address may be somebody's customer number, too."""
    email = email_index_of_typed(cipher, line)
    return frozenset(filter(None, [email, reference_index(cipher, line)]))


def _found(incident: Incident, lines: list[_Line]) -> Iterator[tuple[UUID, set[bytes]]]:
    wanted = sorted({index for line in lines for index in line.indexes})
    for start in range(0, len(wanted), AT_ONCE):
        people = Person.objects.known_in(incident).with_any_index(wanted[start : start + AT_ONCE])
        for pk, email, reference in people.values_list("pk", "email_index", "reference_index"):
            yield pk, {bytes(index) for index in (email, reference) if index}
