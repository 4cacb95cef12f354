"""The catalogue, read and checked once: laws, authorities, forms. Data and its readers; it imports nothing of ours.

An organisation's own rules and contract clauses lie in a folder of their own, in the same shape, and are read together
with ours. They can add and never change: an id that is in both is a fault.
"""

from datetime import date
from functools import lru_cache
from pathlib import Path

from django.conf import settings

from regulators.catalogue.loading import Catalogue, read_catalogue
from regulators.catalogue.reading import Fault
from regulators.catalogue.rules import Place, Regime, Supervisor
from regulators.catalogue.schema import Form

__all__ = [
    "FOLDER",
    "Catalogue",
    "CatalogueError",
    "Fault",
    "all_forms",
    "get_form",
    "get_place",
    "get_regime",
    "get_supervisor",
    "later_versions",
    "read_catalogue",
    "regimes_in_force",
    "supervisors_of",
    "the_catalogue",
]

FOLDER = Path(__file__).parent


class CatalogueError(Exception):
    """A file of the catalogue cannot be used. The message names file, key and reason of every fault."""


def the_catalogue() -> Catalogue:
    """Ours and the organisation's own. Raises CatalogueError if any file has a fault."""
    return _sound(settings.BREACHDESK.own_rules_dir)


@lru_cache(maxsize=1)
def _sound(own: Path | None) -> Catalogue:
    catalogue = read_catalogue(FOLDER, own)
    if catalogue.faults:
        raise CatalogueError("The catalogue has faults.\n" + "\n".join(map(str, catalogue.faults)))
    return catalogue


def get_form(form: str, version: int | None = None) -> Form:
    """The form in that version, or its newest. Raises KeyError when there is none, CatalogueError on faulty files."""
    forms = the_catalogue().forms
    return forms[form, version or max((v for name, v in forms if name == form), default=0)]


def all_forms() -> list[Form]:
    """The newest version of each."""
    return [get_form(name) for name in sorted({name for name, _ in the_catalogue().forms})]


def get_regime(regime: str, on: date | None = None) -> Regime:
    """The version that counts on that day; without a day, the one in force when the catalogue was written.

    Raises KeyError when there is no such law, or none that counts on that day.
    """
    versions = the_catalogue().regimes[regime]
    if on is None:
        current = [one for one in versions if one.in_force.state in ("in_force", "partly")]
        return (current or versions)[-1]
    counting = [one for one in versions if one.in_force.counts_on(on)]
    if not counting:
        raise KeyError(f"{regime} has no version that counts on {on}")
    return counting[0]


def regimes_in_force(on: date) -> list[Regime]:
    """One version of each law that counts on that day, by id."""
    versions = (one for law in the_catalogue().regimes.values() for one in law)
    return sorted((one for one in versions if one.in_force.counts_on(on)), key=lambda one: one.id)


def later_versions(on: date) -> list[Regime]:
    """What is known to come after that day: dated later, or made and not yet dated. Offered, never swapped in."""
    versions = [one for law in the_catalogue().regimes.values() for one in law]
    later = [one for one in versions if (one.in_force.since or date.min) > on or one.in_force.state == "not_yet"]
    return sorted((one for one in later if not one.in_force.counts_on(on)), key=lambda one: one.id)


def get_supervisor(supervisor: str) -> Supervisor:
    return the_catalogue().known.supervisors[supervisor]


def supervisors_of(place: str) -> list[Supervisor]:
    """The authorities of a place and of its parts, by id."""
    every = the_catalogue().known.supervisors.values()
    return [one for one in every if one.place == place or one.place.startswith(f"{place}-")]


def get_place(place: str) -> Place:
    return the_catalogue().known.places[place]
