"""Rulebook: the part of the catalogue that obligations_of() reads: laws by version, authorities, names of places."""

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from datetime import date
from functools import cached_property

from regulators.catalogue.loading import Catalogue
from regulators.catalogue.rules import Regime, Supervisor

# A law of one trade does not make its country one we have looked at: the people who live there have no answer by it.
NOT_FOR_EVERYBODY = {"in_sector", "by_contract"}


@dataclass(frozen=True)
class Rulebook:
    regimes: tuple[Regime, ...]
    """Every version of every law."""
    supervisors: Mapping[str, Supervisor] = field(default_factory=dict)
    place_names: Mapping[str, str] = field(default_factory=dict)

    @cached_property
    def laws(self) -> dict[str, tuple[Regime, ...]]:
        """The versions of each law by its id, the earliest first; laws in the order of their ids."""
        found: dict[str, list[Regime]] = {}
        for regime in sorted(self.regimes, key=lambda one: (one.id, _began(one), one.in_force.until or date.max)):
            found.setdefault(regime.id, []).append(regime)
        return {name: tuple(versions) for name, versions in found.items()}

    @cached_property
    def _looked_at(self) -> frozenset[str]:
        general = (r for r in self.regimes if r.reaches_us.basis not in NOT_FOR_EVERYBODY)
        return frozenset(place for regime in general for place in regime.places)

    @cached_property
    def _countries_with_parts(self) -> frozenset[str]:
        return frozenset(place[:2] for place in self._looked_at if "-" in place)

    def has_laws_of_parts(self, country: str) -> bool:
        return country in self._countries_with_parts

    def knows(self, place: str) -> bool:
        """Whether the catalogue has an entry for people living there: the place, its country, or parts of it."""
        return place in self._looked_at or place[:2] in self._looked_at or place in self._countries_with_parts

    def supervisors_of(self, regime: Regime, place: str) -> list[Supervisor]:
        """The regime's authorities in that place, its parts or the country it is a part of, in the regime's order."""
        named = (self.supervisors[key] for key in regime.authorities if key in self.supervisors)
        return [one for one in named if not place or (one.place[:2] == place[:2] and _overlap(one.place, place))]


def version_on(versions: Iterable[Regime], day: date) -> Regime | None:
    """The one in force on that day; of several the one that began last."""
    in_force = [regime for regime in versions if regime.in_force.counts_on(day)]
    return max(in_force, key=_began, default=None)


def began_between(versions: Iterable[Regime], after: date, until: date) -> Iterator[Regime]:
    return (regime for regime in versions if regime.in_force.is_dated and after < _began(regime) <= until)


def _overlap(one: str, other: str) -> bool:
    return one == other or one.startswith(f"{other}-") or other.startswith(f"{one}-")


def _began(regime: Regime) -> date:
    return regime.in_force.since or date.min


def rulebook_of(catalogue: Catalogue) -> Rulebook:
    """The laws of the catalogue. An organisation's own rules come with the facts, so that they are told apart."""
    ours = (regime for law, versions in catalogue.regimes.items() if law not in catalogue.own for regime in versions)
    names = {code: place.name for code, place in catalogue.known.places.items()}
    return Rulebook(tuple(ours), catalogue.known.supervisors, names)
