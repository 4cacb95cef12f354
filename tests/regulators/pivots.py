"""For one comparison in a rule: facts under which it alone decides.

pivots_of() walks a test down to each of its comparisons, asks of everything beside the way what leaves the answer open
(the other parts of an *all* met, those of an *any* not met), and builds facts that give exactly that.
"""

from collections.abc import Iterator
from dataclasses import dataclass, field, replace
from itertools import islice, product
from typing import Any

from regulators.catalogue.conditions import (
    AllOfTests,
    AnyOfTests,
    IncludesAny,
    IsOneOf,
    IsTrue,
    NotTest,
    Reaches,
    Test,
    comparisons_in,
)
from regulators.catalogue.rules import Duty, Regime
from regulators.facts import Count, Facts

Comparison = IsTrue | IsOneOf | IncludesAny | Reaches
Demand = tuple[Comparison, bool]
MANY = 10**8
CHOICES = {"risk.level": ("unlikely", "risk", "high"), "role.is": ("controller", "joint", "processor")}
FIELDS = {"people.all": "people_all", "people.minors": "minors", "people.told": "told"}
UNRELATED = "orders"  # a kind of data that no law asks about, so that the kinds are known


@dataclass(frozen=True)
class Pivot:
    comparison: Comparison
    met: Facts
    not_met: Facts
    unknown: Facts


class Contradiction(Exception):
    """No facts can give all of this at once."""


def whole_test(regime: Regime, duty: Duty) -> Test | None:
    parts: list[Any] = [regime.concerns, duty.when, NotTest(not_=duty.unless) if duty.unless else None]
    asked = tuple(part for part in parts if part)
    return AllOfTests(all=asked) if asked else None


def pivots_of(regime: Regime, duty: Duty) -> Iterator[Pivot]:
    """One for each comparison, in the order they are written; those of the law's definition with its first duty only.

    Raises Contradiction where one can never decide alone: nobody would notice if it were taken away.
    """
    test, shared = whole_test(regime, duty), regime.concerns if duty != regime.duties[0] else None
    ways_down = _ways_down(test) if test else iter(())
    for comparison, ways in islice(ways_down, len(list(comparisons_in(shared))) if shared else 0, None):
        yield _first(comparison, islice(ways, 500), regime.places[0], duty.role[0])


def _first(comparison: Comparison, ways: Iterator[list[Demand]], place: str, role: str) -> Pivot:
    for demands in ways:
        try:
            return _pivot(comparison, demands, place, role)
        except Contradiction:
            continue
    raise Contradiction(f"{comparison} decides nothing")


def _pivot(comparison: Comparison, demands: list[Demand], place: str, role: str) -> Pivot:
    met, not_met = (_facts([*demands, (comparison, wanted)], place, role) for wanted in (True, False))
    return Pivot(comparison, met, not_met, _without(comparison.fact, met, place))


def _ways_down(test: Test) -> Iterator[tuple[Comparison, Iterator[list[Demand]]]]:
    match test:
        case AllOfTests(all=parts) | AnyOfTests(any=parts):
            open_if = isinstance(test, AllOfTests)
            for number, part in enumerate(parts):
                others = [one for place, one in enumerate(parts) if place != number]
                for comparison, ways in _ways_down(part):
                    yield comparison, _joined(ways, others, open_if)
        case NotTest(not_=part):
            yield from _ways_down(part)
        case _:
            yield test, iter([[]])


def _joined(ways: Iterator[list[Demand]], others: list[Test], wanted: bool) -> Iterator[list[Demand]]:
    for way in ways:
        for rest in product(*(list(_wanting(other, wanted)) for other in others)):
            yield [*way, *(demand for part in rest for demand in part)]


def _wanting(test: Test, wanted: bool) -> Iterator[list[Demand]]:
    """Every way to that answer."""
    match test:
        case NotTest(not_=part):
            yield from _wanting(part, not wanted)
        case AllOfTests(all=parts) | AnyOfTests(any=parts):
            if isinstance(test, AllOfTests) == wanted:
                for ways in product(*(list(_wanting(part, wanted)) for part in parts)):
                    yield [demand for way in ways for demand in way]
            else:
                for part in parts:
                    yield from _wanting(part, wanted)
        case _:
            yield [(test, wanted)]


@dataclass
class _Sheet:
    """What is asked of each fact."""

    known: dict[str, Any] = field(default_factory=dict)
    choices: dict[str, set[str]] = field(default_factory=dict)
    needed: dict[str, list[tuple[str, ...]]] = field(default_factory=dict)
    avoided: dict[str, set[str]] = field(default_factory=dict)
    numbers: dict[str, tuple[int, int]] = field(default_factory=dict)

    def ask(self, one: Comparison, wanted: bool) -> None:
        match one:
            case IsTrue():
                if self.known.setdefault(one.fact, one.is_ == wanted) != (one.is_ == wanted):
                    raise Contradiction(one.fact)
            case IsOneOf():
                left = self.choices.setdefault(one.fact, set(CHOICES[one.fact]))
                named = set(one.is_one_of)
                left &= named if wanted else left - named
                if not left:
                    raise Contradiction(one.fact)
            case IncludesAny() if wanted:
                self.needed.setdefault(one.fact, []).append(one.includes_any)
            case IncludesAny():
                self.avoided.setdefault(one.fact, set()).update(one.includes_any)
            case Reaches():
                self._narrow(one, wanted)

    def _narrow(self, one: Reaches, wanted: bool) -> None:
        """The two ends are a person apart, so that the closest number on either side is the one that is tried."""
        low, high = self.numbers.get(one.fact, (0, MANY))
        least = _least(one)
        above = wanted == (one.fewer_than is None)
        low, high = (max(low, least), high) if above else (low, min(high, least - 1))
        if low > high:
            raise Contradiction(one.fact)
        self.numbers[one.fact] = low, high

    def values_of(self, fact: str) -> frozenset[str]:
        avoided = self.avoided.get(fact, set())
        chosen = set()
        for named in self.needed.get(fact, []):
            fitting = [value for value in named if value not in avoided]
            if not fitting:
                raise Contradiction(fact)
            chosen.add(next((value for value in fitting if value in chosen), fitting[0]))
        return frozenset(chosen)


def _least(one: Reaches) -> int:
    """The smallest number on the upper side of the threshold."""
    return one.more_than + 1 if one.more_than is not None else (one.at_least or one.fewer_than or 0)


def _facts(demands: list[Demand], place: str, role: str) -> Facts:
    sheet = _Sheet()
    for comparison, wanted in demands:
        sheet.ask(comparison, wanted)
    known = sheet.known | {fact: sorted(left)[0] for fact, left in sheet.choices.items()}
    facts = Facts(
        role=known.pop("role.is", role),
        kinds=sheet.values_of("data.kinds") | {UNRELATED},
        known=known | ({"breach.kinds": sheet.values_of("breach.kinds")} if "breach.kinds" in sheet.needed else {}),
        established_in=frozenset(),
    )
    # The last comparison is the one that is moved: the number closest to its threshold.
    last = demands[-1][0] if demands else None
    numbers = {fact: _closest(fact, ends, last) for fact, ends in sheet.numbers.items()}
    return _with_people(facts, numbers, place)


def _closest(fact: str, ends: tuple[int, int], last: Comparison | None) -> int:
    low, high = ends
    if isinstance(last, Reaches) and last.fact == fact:
        return low if low >= _least(last) else high
    return low if low else min(high, 1)


def _with_people(facts: Facts, numbers: dict[str, int], place: str) -> Facts:
    there = numbers.get("people.residents", 1)
    residents: dict[str, Count | int] = {place: there}
    if "people.most_in_one_state" in numbers:
        residents = {"US-OH": numbers["people.most_in_one_state"]}
    everybody = numbers.get("people.all", max(there, numbers.get("people.told", 0)))
    if everybody < there:
        raise Contradiction("people.all")
    given = {FIELDS[fact]: number for fact, number in numbers.items() if fact in FIELDS}
    return replace(facts, **{"residents": residents, "people_all": everybody, "told": 0, "minors": 0, **given})


def _without(fact: str, facts: Facts, place: str) -> Facts:
    """The same, and that one fact not stated."""
    match fact:
        case "role.is":
            return replace(facts, role=None)
        case "data.kinds":
            return replace(facts, kinds=frozenset())
        case "people.residents":
            return replace(facts, residents={place: Count(0, None)}, people_all=None)
        case "people.most_in_one_state":
            return replace(facts, residents={"US-OH": Count(0, None)}, people_all=None)
        case "people.told":
            return replace(facts, told=None, people_all=None)
        case "people.minors":
            return replace(facts, minors=None, people_all=None)
        case "people.all":
            return replace(facts, people_all=None)
    left = replace(facts, known={key: value for key, value in facts.known.items() if key != fact})
    # Kinds of data say by themselves that personal data is affected.
    return replace(left, kinds=frozenset()) if fact == "breach.personal_data" else left
