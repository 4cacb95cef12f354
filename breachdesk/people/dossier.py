"""One person as the page shows them: what the files gave, from which rows it came, and who looked or held."""

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime

from breachdesk.audit.models import Event
from breachdesk.audit.timeline import describe
from breachdesk.people.exports import COLUMNS
from breachdesk.people.models import Person, PersonMatch, Upload
from breachdesk.people.personal import masked, masked_address

ADDRESSES = {"email", "email_2", "guardian_email"}
LOOKS = {
    "people.revealed": "looked at this person",
    "person.held": "put this person on hold",
    "person.released": "ended a hold",
    "caller.noted": "noted what this person said on the telephone",
}
MOST_LOOKS = 20
EXTRA = "extra:"


@dataclass(frozen=True)
class Source:
    """A row of a file that spoke of this person."""

    upload: Upload
    row: int
    how: str


def fields_of(personal: dict[str, str], *, clear: bool) -> list[tuple[str, str]]:
    """Labels and values, in the order of what can be exported and then of the file; masked unless `clear`."""
    names = [*(name for name in COLUMNS if name in personal), *(name for name in personal if name not in COLUMNS)]
    return [(_label(name), personal[name] if clear else _masked(name, personal[name])) for name in names]


def _label(name: str) -> str:
    return COLUMNS.get(name) or name.removeprefix(EXTRA).replace("_", " ").capitalize()


def _masked(name: str, text: str) -> str:
    return masked_address(text) if name in ADDRESSES else masked(text)


def sources_of(person: Person) -> list[Source]:
    """The row that brought them first, then each further one that was taken in."""
    return [Source(person.upload, person.row_number, "First seen here"), *_further(person)]


def _further(person: Person) -> Iterator[Source]:
    for match in person.matches.select_related("upload").order_by("upload__received_at", "row_number"):
        if match.upload.state == Upload.State.LOADED:
            yield Source(match.upload, match.row_number, PersonMatch.FoundBy(match.found_by).label)


@dataclass(frozen=True)
class Look:
    who: str
    did: str
    at: datetime


def looks_at(person: Person) -> list[Look]:
    """The last times somebody looked at them or decided about their notices, newest first."""
    events = Event.objects.of_incident(person.incident_id).of_types(LOOKS).on_objects([str(person.pk)])
    lines = describe(events.newest_first()[:MOST_LOOKS], private=False)
    return [Look(line.actor, LOOKS[line.event.type], line.at) for line in lines]
