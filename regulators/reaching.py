"""Where a law is looked at for us, whether it reaches us there, and whose authority is told (the one-stop-shop).

Sources: GDPR Articles 3(1), 3(2), 4(16), 4(23), 55 and 56; EDPB Guidelines 9/2022 version 2.0, paragraph 73 (no
establishment in the Union: the authority of every member state where affected people live; a representative under
Article 27 does not change that); EDPB Opinion 04/2024 (a main establishment takes the decisions; where they are taken
outside the Union nothing is the lead). Iceland, Liechtenstein and Norway count as member states (EEA Joint Committee
Decision 154/2018).

A person's decision about a law (Facts.reach) wins over all that is worked out here. Without one: undecided, unless a
fact decides.
"""

from collections.abc import Iterable
from dataclasses import dataclass
from functools import cached_property

from regulators import fact_words
from regulators.catalogue.rules import Regime
from regulators.deciding import Decision, Here, Met, People, all_of, any_of, decided
from regulators.facts import COUNTED_AS, Facts
from regulators.rulebook import Rulebook

REGIME_WIDE = ""
"""The place of a duty that is looked at once for all places of a law."""


@dataclass(frozen=True)
class Spot:
    """One place a law is looked at for us."""

    here: Here
    reach: Decision
    tells: Decision | None
    """Under a one-stop-shop: whether this place's authority is the one to tell."""


@dataclass(frozen=True)
class Case:
    facts: Facts
    rules: Rulebook
    people: People

    @cached_property
    def _ours(self) -> frozenset[str]:
        return frozenset(COUNTED_AS.get(one, one) for one in self.facts.established_in or ())

    @cached_property
    def _countries_of_parts(self) -> frozenset[str]:
        return frozenset(one[:2] for one in self._ours if "-" in one)

    def is_established_in(self, place: str) -> Met:
        """An establishment in Bavaria is one in Germany; of one in Canada it is not known whether it is in Quebec."""
        if self.facts.established_in is None:
            return None
        if place in self._ours or place in self._countries_of_parts:
            return True
        country = place[:2]
        return None if country != place and country in self._ours - self._countries_of_parts else False

    def establishments_in(self, places: Iterable[str]) -> list[str]:
        """Of these places, where the main establishment was named counting as one."""
        return [p for p in places if self.is_established_in(p) or p == self.facts.main_establishment]

    def perhaps_lived_in(self, place: str) -> bool:
        return self.people.known_in(place).high != 0

    def name_of(self, place: str) -> str:
        return self.rules.place_names.get(place) or self.facts.place_names.get(place, place)

    def names_of(self, places: Iterable[str]) -> str:
        return fact_words.listed([self.name_of(place) for place in places])


def spots_of(regime: Regime, case: Case, *, is_own: bool = False) -> list[Spot]:
    """Empty: nothing ties us to a place of this law. In the order of the regime's places."""
    found = []
    for place in _places(regime, case, is_own):
        here = Here(case.people, place, case.name_of(place)) if place else regime_wide(regime, case)
        reach = _own(regime, case) if is_own else _reach(regime, place, here, case)
        tells = _tells(regime, place, here, case) if regime.one_stop_shop else None
        found.append(Spot(here, reach.of("reach"), tells.of("authority") if tells else None))
    return found


def regime_wide(regime: Regime, case: Case) -> Here:
    return Here(case.people, REGIME_WIDE, "the places of this law", regime.places)


def _places(regime: Regime, case: Case, is_own: bool) -> list[str]:
    lived_in = {place for place in regime.places if case.perhaps_lived_in(place)}
    if regime.reaches_us.basis == "residents":
        return [place for place in regime.places if place in lived_in]
    ours = set(case.establishments_in(regime.places))
    by_person = case.facts.reach.get(regime.id)
    if regime.reaches_us.basis in ("in_sector", "by_contract"):
        in_it = regime.reaches_us.sector in (case.facts.sectors or ())
        is_ours = is_own or regime.reaches_us.basis == "by_contract" or in_it or by_person
        return _once(regime, ours) if ours or lived_in or is_ours else []
    found = [place for place in regime.places if place in lived_in | ours]
    return found or (_once(regime, ours) if by_person or is_own else [])


def _once(regime: Regime, ours: set[str]) -> list[str]:
    """Where we are established; otherwise the law's one place, or all of its places together."""
    at_home = [place for place in regime.places if place in ours]
    return at_home or ([regime.places[0]] if len(regime.places) == 1 else [REGIME_WIDE])


# Whether it reaches us


def _own(regime: Regime, case: Case) -> Decision:
    by_person = case.facts.reach.get(regime.id)
    if by_person is not None:
        return _by_person(regime, by_person)
    return decided("We have bound ourselves to this rule.", True, f"reach.{regime.id}")


def _by_person(regime: Regime, reaches: bool) -> Decision:
    does = "reaches" if reaches else "does not reach"
    return decided(f"It was decided that this law {does} us.", reaches, f"reach.{regime.id}")


def _reach(regime: Regime, place: str, here: Here, case: Case) -> Decision:
    by_person = case.facts.reach.get(regime.id)
    if by_person is not None:
        return _by_person(regime, by_person)
    match regime.reaches_us.basis:
        case "residents":
            return _by_residents(place, here)
        case "established":
            return _by_establishment(regime, place, case)
        case "established_or_targets":
            return _with_people(any_of([_by_establishment(regime, place, case), _by_targets(place, case)]), here)
        case "in_sector":
            return _by_sector(regime, case)
        case "by_contract":
            return _open(regime)
    established = _by_establishment(regime, place, case)
    return _with_people(established if established.met else _open(regime), here)


def _by_residents(place: str, here: Here) -> Decision:
    known = here.people.known_in(place)
    sentence = f"{fact_words.number('people.residents', known, here.name)}; this law follows the people who live there."
    if known.low:
        return decided(sentence, True, "people.residents")
    return decided(sentence, None, "people.residents", _where_they_live(place, here))


def _where_they_live(place: str, here: Here) -> tuple[str, ...]:
    in_unknown_part = "-" in place and here.people.in_unknown_part(place[:2]).high != 0
    return ("people.part_missing",) if in_unknown_part else ("people.residents",)


def _with_people(decision: Decision, here: Here) -> Decision:
    """What ties us to a place besides: the people who live there. It decides nothing by itself."""
    known = here.people.known_in(here.place)
    if known == (0, 0):
        return decision
    sentence = f"{fact_words.number('people.residents', known, here.name)}."
    if known.low:
        return (
            all_of([decided(sentence, True, "people.residents"), decision]) if decision.met is not False else decision
        )
    return all_of([decided(sentence, None, "people.residents", _where_they_live(here.place, here)), decision])


def _by_establishment(regime: Regime, place: str, case: Case) -> Decision:
    """For a law of several countries an establishment in any of them counts (GDPR Article 3(1))."""
    fact = "us.established_in"
    places = [place] if regime.reaches_us.basis in ("established", "carries_on_business") else regime.places
    ours = case.establishments_in(places)
    if ours:
        return decided(
            f"We have an establishment in {case.names_of(ours)}: this law covers what it does, wherever people live.",
            True,
            fact,
        )
    if any(case.is_established_in(one) is None for one in places):
        return decided(f"Not stated yet: {fact_words.missing_words(fact)}.", None, fact)
    return decided(f"We have no establishment in {_there(places, case)}.", False, fact)


def _there(places: Iterable[str], case: Case) -> str:
    places = list(places)
    return case.names_of(places) if len(places) == 1 else "the places of this law"


def _by_targets(place: str, case: Case) -> Decision:
    fact, targets = "us.targets", case.facts.targets
    name = case.name_of(place)
    if targets is None:
        return decided(f"Not stated yet: whether we offer goods or services to people in {name}.", None, fact)
    if place in {COUNTED_AS.get(one, one) for one in targets}:
        return decided(f"We offer goods or services to people in {name}, or watch their behaviour.", True, fact)
    return decided(f"We neither offer goods or services to people in {name} nor watch their behaviour.", False, fact)


def _by_sector(regime: Regime, case: Case) -> Decision:
    sector, sectors = regime.reaches_us.sector or "", case.facts.sectors
    if sectors is None:
        return decided(f"Not stated yet: {fact_words.missing_words('us.sectors')}.", None, "us.sectors")
    if sector not in sectors:
        return decided(fact_words.in_trade(sector, False), False, "us.sectors")
    ours = decided(fact_words.in_trade(sector, True), True, "us.sectors")
    established = case.establishments_in(regime.places)
    if established:
        return all_of(
            [ours, decided(f"We have an establishment in {case.names_of(established)}.", True, "us.established_in")]
        )
    return all_of([ours, _open(regime)])


def _open(regime: Regime) -> Decision:
    return decided(
        f"Nobody has decided yet whether this law reaches us: {regime.reaches_us.text}", None, f"reach.{regime.id}"
    )


# Whose authority is told


def _tells(regime: Regime, place: str, here: Here, case: Case) -> Decision:
    facts, ours = case.facts, case.establishments_in(regime.places)
    main = facts.main_establishment
    if facts.established_in is None and not ours:
        return decided(
            "Not stated yet whether we have an establishment in the places of this law: with one, a single authority "
            "is told for all of them; without any, the authority of every place where affected people live.",
            None,
            "us.established_in",
        )
    if not ours:
        return all_of([_each_place(here), *_representative(regime, case)])
    if main in ours or (main is None and len(ours) == 1):
        return _lead(ours[0] if main is None else main, place, case)
    if main is not None and len(ours) > 1:
        return all_of([_decided_outside(main, case), _each_place(here)])
    return _undecided_lead(ours, place, here, case)


def _each_place(here: Here) -> Decision:
    count = here.people.known_in(here.place)
    sentence = "No authority takes the lead for us: that of every place where affected people live is told."
    return decided(sentence, True if count.low else None if count.high != 0 else False, "us.established_in")


def _representative(regime: Regime, case: Case) -> list[Decision]:
    where = [place for place in regime.places if place in case.facts.representative_in]
    if not where:
        return []
    sentence = f"Our representative in {case.names_of(where)} does not change that (GDPR Article 27)."
    return [decided(sentence, True, "us.representative_in")]


def _decided_outside(main: str, case: Case) -> Decision:
    sentence = f"The decisions are taken in {case.name_of(main)}, outside the places of this law."
    return decided(sentence, True, "us.main_establishment")


def _lead(lead: str, place: str, case: Case) -> Decision:
    name, fact = case.name_of(lead), "us.main_establishment"
    if place == lead:
        return decided(f"Our main establishment is in {name}: its authority is told for all places.", True, fact)
    return decided(f"Our main establishment is in {name}, and its authority is told for this place too.", False, fact)


def _undecided_lead(ours: list[str], place: str, here: Here, case: Case) -> Decision:
    """Several establishments and none named; or one alone, while decisions are taken outside: two readings."""
    fact, main = "us.main_establishment", case.facts.main_establishment
    if main is None:
        sentence = f"We have establishments in {case.names_of(ours)}, and nobody has said which takes the decisions."
        return decided(sentence, None, fact)
    sentence = (
        f"Our only establishment is in {case.names_of(ours)}, and the decisions are taken in {case.name_of(main)}: by "
        f"GDPR Article 56 the single one leads, by EDPB Opinion 04/2024 none does."
    )
    is_told_either_way = place in ours and here.people.known_in(place).low > 0
    return decided(sentence, True if is_told_either_way else None, fact)
