"""slice_of(): fifty people of a list, found by an index however deep in the list they stand.

A page is named by the person before or after it, never counted off from the start: OFFSET 400,000 reads 400,000 rows.
The order is that of the identity index, a keyed hash: it says nothing about the people, and an address of a page holds
a person's id alone.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from uuid import UUID

from breachdesk.people.models import Person, PersonQuerySet

SIZE = 50


@dataclass(frozen=True)
class Slice:
    """`first` is the place of its first person, as the links counted it on the way here."""

    people: list[Person]
    first: int
    total: int
    has_before: bool
    has_after: bool

    @property
    def last(self) -> int:
        return self.first + len(self.people) - 1

    @property
    def before(self) -> str:
        return f"before={self.people[0].pk}&place={self.first}"

    @property
    def after(self) -> str:
        return f"after={self.people[-1].pk}&place={self.last}"


def slice_of(people: PersonQuerySet, asked: Mapping[str, str], *, total: int) -> Slice:
    """What is asked for in the address: ?after=ID, ?before=ID or ?from=end; nonsense gives the beginning."""
    place = _place(asked.get("place", ""), total)
    if asked.get("from") == "end":
        return _backwards(people, None, total + 1, total)
    if person := _person(people, asked.get("before", "")):
        return _backwards(people, person, place, total)
    person = _person(people, asked.get("after", ""))
    found = list(people.after(person)[: SIZE + 1])
    first = place + 1 if person else 1
    return Slice(found[:SIZE], first, total, has_before=person is not None, has_after=len(found) > SIZE)


def _backwards(people: PersonQuerySet, person: Person | None, place: int, total: int) -> Slice:
    found = list(people.before(person)[: SIZE + 1])
    shown = found[:SIZE][::-1]
    first = max(1, place - len(shown))
    return Slice(shown, first, total, has_before=len(found) > SIZE, has_after=person is not None)


def _person(people: PersonQuerySet, typed: str) -> Person | None:
    try:
        return people.filter(pk=UUID(typed)).only("identity_index").first()
    except ValueError:
        return None


def _place(typed: str, total: int) -> int:
    return min(int(typed), total) if typed.isascii() and typed.isdigit() and len(typed) < 12 else 0
