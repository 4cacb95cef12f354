"""Which laws a notice answers to. The app above knows the laws; it registers here, in its `notice_laws.py`, how.

Of what is registered, a notice looks at the laws of the places where people of its own list live.
"""

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, replace

from django.utils.module_loading import autodiscover_modules

from breachdesk.incidents.models import Incident
from notifications.lint.law import Law


@dataclass(frozen=True)
class Told:
    """A law that may have people told of this case, and the places it holds for."""

    law: Law
    places: frozenset[str]


@dataclass(frozen=True)
class Laws:
    told: tuple[Told, ...] = ()
    authority_told: bool = True


Answer = Callable[[Incident], Laws]
_answers: list[Answer] = []


def answers_laws(answer: Answer) -> Answer:
    """Registers the one app that knows the laws."""
    _answers[:] = [answer]
    return answer


def laws_of(incident: Incident) -> Laws:
    autodiscover_modules("notice_laws")
    return _answers[0](incident) if _answers else Laws()


def laws_for(laws: Laws, residents: Mapping[str, int]) -> list[Law]:
    """Those of the places where people of a list live, the surely owed ones first. Each law once."""
    found: dict[str, Law] = {}
    for told in laws.told:
        people = sum(residents.get(place, 0) for place in told.places)
        if people and told.law.parts:
            had = found.get(told.law.key)
            owed = told.law.is_owed or bool(had and had.is_owed)
            found[told.law.key] = replace(told.law, is_owed=owed, people=people + (had.people if had else 0))
    return sorted(found.values(), key=lambda law: (not law.is_owed, law.key))


def places_of(rows: Iterable[tuple[str, str, int]]) -> dict[str, int]:
    """(country, part, people) → people by country, and by part: US-CA."""
    residents: dict[str, int] = {}
    for country, part, people in rows:
        for place in {country, f"{country}-{part}" if part else country}:
            residents[place] = residents.get(place, 0) + people
    return residents
