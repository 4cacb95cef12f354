"""What the people's page shows, worked out only when the page asks for it."""

from dataclasses import dataclass
from functools import cached_property
from uuid import UUID

from breachdesk.incidents.models import Incident
from breachdesk.people.countries import country_name
from breachdesk.people.files import FileOnPage, numbered
from breachdesk.people.languages import language_name
from breachdesk.people.models import CountEntry, Person, Upload
from breachdesk.people.numbers import Numbers
from breachdesk.people.personal import (
    NOTHING_LEFT,
    cipher_while_it_lives,
    full_name,
    masked,
    masked_address,
    personal_of,
)
from breachdesk.vault.sealing import Cipher, SealBroken

State = Upload.State
TAMPERED = "Their sealed data was changed"


class Overview(Numbers):
    """The numbers of an incident's people, and the files they came in."""

    @cached_property
    def uploads(self) -> list[FileOnPage]:
        return numbered(Upload.objects.of(self.incident).with_colleagues().newest_first())

    @cached_property
    def under_way(self) -> list[FileOnPage]:
        return [entry for entry in self.uploads if entry.upload.is_under_way]

    @cached_property
    def undecided(self) -> list[FileOnPage]:
        """What somebody has to do next, the oldest first."""
        return self._in(State.CHECKED, State.RECEIVED)[::-1]

    @cached_property
    def done(self) -> list[FileOnPage]:
        return self._in(State.LOADED, State.FAILED, State.GONE)

    @cached_property
    def loaded(self) -> list[FileOnPage]:
        return self._in(State.LOADED)

    def _in(self, *states: str) -> list[FileOnPage]:
        return [entry for entry in self.uploads if entry.upload.state in states]

    @cached_property
    def has_counts(self) -> bool:
        return CountEntry.objects.of(self.incident).exists()

    @property
    def milestone(self) -> str:
        return " ".join(entry.milestone for entry in self.under_way)


@dataclass(frozen=True)
class MaskedPerson:
    person: Person
    name: str
    email: str
    reference: str
    country: str
    language: str

    @property
    def pk(self) -> UUID:
        return self.person.pk


def masked_people(incident: Incident, people: list[Person]) -> list[MaskedPerson]:
    """Without names once the incident's key is gone; who they are is then what country and language say."""
    cipher = cipher_while_it_lives(incident.pk)
    return [_masked_person(cipher, person) for person in people]


def _masked_person(cipher: Cipher | None, person: Person) -> MaskedPerson:
    try:
        words = _masked_words(personal_of(cipher, person)) if cipher else (NOTHING_LEFT,) * 3
    except SealBroken:  # one row that was changed behind our back must not hide all others of a list
        words = (TAMPERED, "", "")
    return MaskedPerson(person, *words, country_name(person.country), language_name(person.language))


def _masked_words(personal: dict[str, str]) -> tuple[str, str, str]:
    email, reference = personal.get("email", ""), personal.get("reference", "")
    return masked(full_name(personal)), masked_address(email), masked(reference)
