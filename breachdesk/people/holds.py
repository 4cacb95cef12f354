"""Holds as the screens show them, and what follows from them: who is held back, and why."""

from collections.abc import Collection, Iterable
from dataclasses import dataclass
from functools import cached_property
from uuid import UUID

from breachdesk.incidents.models import Incident
from breachdesk.people.in_use import answers_in_use
from breachdesk.people.models import Hold, Person, Tally, Upload
from breachdesk.people.models.holds import held_by_a_list_alone
from breachdesk.people.personal import NOTHING_LEFT, cipher_while_it_lives, full_name, masked, personal_of
from breachdesk.vault.sealing import Cipher

HOLD_TABLE = "people_hold"
MOST_MARKED = 50
MARKED = "A list marks them as deceased"


def lock_people(people: Collection[UUID]) -> list[Person]:
    """In one order, so that two who hold overlapping lists wait for each other instead of dying together."""
    rows = Person.objects.select_for_update(no_key=True, of=("self",)).select_related("incident", "upload")
    return list(rows.filter(pk__in=people).order_by("pk"))


def is_marked(person: Person) -> bool:
    """A list says that they have died, and no DPO has said otherwise."""
    return person.deceased and not person.holds.answers_to_a_list().exists()


def still_held(people: Collection[Person]) -> set[UUID]:
    """By an open hold or by the mark of a list, as the rows say it now."""
    holds = Hold.objects.on_people([person.pk for person in people])
    answered = set(holds.answers_to_a_list().values_list("person_id", flat=True))
    marked = {person.pk for person in people if person.deceased} - answered
    return marked | set(holds.open().values_list("person_id", flat=True))


def seal_text(cipher: Cipher, hold: Hold, column: str, text: str) -> bytes:
    return cipher.seal(text.strip().encode(), table=HOLD_TABLE, column=column, row=hold.pk)


def _unseal_text(cipher: Cipher | None, hold: Hold, column: str) -> str:
    sealed = getattr(hold, column)
    if cipher is None or not sealed:
        return ""
    return cipher.unseal(sealed, table=HOLD_TABLE, column=column, row=hold.pk).decode()


@answers_in_use
def why_held(upload: Upload) -> str:
    """Were the list undone and handed in again, its people would come back without their holds."""
    people = Hold.objects.on_people_of(upload).open().values("person").distinct().count()
    if not people:
        return ""
    return (
        f"{people:,} of its people {'is' if people == 1 else 'are'} on hold, which would be forgotten with them. End "
        "the holds first, or hand in a list of those who are no longer affected. Nothing was changed."
    )


@dataclass(frozen=True)
class ShownHold:
    """A hold with its sealed texts opened, for those who may see the case."""

    hold: Hold
    reason: str
    release: str


def shown_holds(incident: Incident, holds: Iterable[Hold]) -> list[ShownHold]:
    cipher = cipher_while_it_lives(incident.pk)
    return [
        ShownHold(hold, _unseal_text(cipher, hold, "sealed_reason"), _unseal_text(cipher, hold, "sealed_release"))
        for hold in holds
    ]


def holds_of(incident: Incident, person: Person) -> list[ShownHold]:
    holds = person.holds.newest_first().select_related("placed_by", "released_by")
    return shown_holds(incident, sorted(holds, key=lambda hold: not hold.is_open))


@dataclass(frozen=True)
class MaskedHold:
    shown: ShownHold
    name: str


def masked_holds(incident: Incident, holds: Iterable[Hold]) -> list[MaskedHold]:
    cipher = cipher_while_it_lives(incident.pk)
    return [MaskedHold(shown, _masked_name(cipher, shown.hold.person)) for shown in shown_holds(incident, holds)]


def marked_people(incident: Incident) -> list[tuple[Person, str]]:
    """The first of those whom no hold keeps, but a list that says they have died; with their masked names."""
    people = held_by_a_list_alone(Person.objects.known_in(incident)).in_order()[:MOST_MARKED]
    cipher = cipher_while_it_lives(incident.pk)
    return [(person, _masked_name(cipher, person)) for person in people]


def _masked_name(cipher: Cipher | None, person: Person) -> str:
    if cipher is None:
        return NOTHING_LEFT
    return masked(full_name(personal_of(cipher, person))) or "No name"


class HoldSummary:
    """Who is on hold in an incident, in numbers. Asked only when the page asks."""

    def __init__(self, incident: Incident, tally: Tally | None = None) -> None:
        self.incident = incident
        self._tally, self._open = tally, Hold.objects.of(incident).open()

    @cached_property
    def by_kind(self) -> list[tuple[str, int]]:
        """Somebody held for two reasons stands in two lines."""
        counted = self._open.people_by_kind()
        lines = [(str(kind.label), counted[kind.value]) for kind in Hold.Kind if kind.value in counted]
        return [*lines, (MARKED, self.by_a_list)] if self.by_a_list else lines

    @cached_property
    def by_a_list(self) -> int:
        return held_by_a_list_alone(Person.objects.known_in(self.incident)).count()

    @cached_property
    def people(self) -> int:
        return (self._tally or Tally.objects.of(self.incident)).held

    @cached_property
    def next_end(self) -> Hold | None:
        return self._open.with_an_end().first()
