"""decide(): a test of the catalogue on facts, with three answers, the reasons for it and what is missing.

Kleene's strong three-valued logic (S. C. Kleene, Introduction to Metamathematics, 1952, section 64): *all* is no as
soon as one part is no, *any* is yes as soon as one is yes, and otherwise what is undecided stays undecided. `True` is
yes, `False` no, `None` undecided. Nothing that is not known counts as no.

    a fact without a value        undecided
    a set without the value       no; undecided while the set is not certain or empty
    a number given as a range     undecided when the threshold lies inside it

Numbers are people; a threshold is compared as the rule words it (at_least, more_than, fewer_than). A fact no rule
may test raises KeyError: check_catalogue finds it before.
"""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from functools import cached_property
from typing import NamedTuple

from regulators import fact_words
from regulators.catalogue.conditions import AllOfTests, AnyOfTests, IncludesAny, IsOneOf, IsTrue, Reaches, Test
from regulators.facts import Count, Facts

Met = bool | None


class Reason(NamedTuple):
    """One fact beside one condition of a rule. `met`: it speaks for the duty (True), against it, or is undecided."""

    sentence: str
    met: Met
    fact: str
    part: str = ""
    """Of the rule: reach, role, definition, condition, exception, authority or law."""


@dataclass(frozen=True)
class Decision:
    met: Met
    reasons: tuple[Reason, ...]
    missing: tuple[str, ...] = ()
    """The facts that would decide it; empty unless `met` is None."""

    def of(self, part: str) -> "Decision":
        """For the part of a rule that it decides."""
        named = tuple(Reason(reason.sentence, reason.met, reason.fact, part) for reason in self.reasons)
        return Decision(self.met, named, self.missing)


def decided(sentence: str, met: Met, fact: str, missing: Iterable[str] | None = None) -> Decision:
    """By one fact. What is missing is that fact, unless others are named."""
    named = () if met is not None else (fact,) if missing is None else tuple(missing)
    return Decision(met, (Reason(sentence, met, fact),), named)


class People:
    """How many people live where, and how many more there may be: those without a country, or without a part of it."""

    def __init__(self, facts: Facts) -> None:
        self.facts = facts
        self.counts: Mapping[str, Count] = facts.people
        self.without_country = Count.of(facts.without_country)

    @cached_property
    def unplaced(self) -> dict[str, Count]:
        """By country: people known to live in it, not in which part."""
        placed: dict[str, Count] = {}
        for place, count in self.counts.items():
            if "-" in place:
                placed[place[:2]] = placed.get(place[:2], Count(0, 0)).plus(count)
        return {country: _difference(self.counts.get(country, Count(0, 0)), parts) for country, parts in placed.items()}

    def in_unknown_part(self, country: str) -> Count:
        return self.unplaced.get(country, self.counts.get(country, Count(0, 0)))

    def known_in(self, place: str) -> Count:
        """Without those whose country is not known."""
        here = self.counts.get(place, Count(0, 0))
        return here.and_perhaps(self.in_unknown_part(place[:2]).high) if "-" in place else here

    def in_any_of(self, places: Iterable[str]) -> Count:
        total = Count(0, 0)
        for place in places:
            total = total.plus(self.known_in(place))
        return total.and_perhaps(self.without_country.high)

    @cached_property
    def all(self) -> Count:
        """As stated, but never fewer than are known one by one."""
        listed = sum(count.low for place, count in self.counts.items() if "-" not in place)
        return Count.of(self.facts.people_all).at_least(listed)

    @cached_property
    def most_in_one_state(self) -> Count:
        states = [place for place in self.counts if place.startswith("US-")]
        low = max((self.counts[state].low for state in states), default=0)
        highs = [self.in_any_of([state]).high for state in states] or [self.in_any_of(["US"]).high]
        return Count(low, None if None in highs else max(high for high in highs if high is not None))


def _difference(whole: Count, parts: Count) -> Count:
    high = None if whole.high is None else max(0, whole.high - parts.low)
    return Count(0 if parts.high is None else max(0, whole.low - parts.high), high)


class Here:
    """The facts as they look from the place a duty is evaluated for."""

    def __init__(self, people: People, place: str, name: str, places: tuple[str, ...] = ()) -> None:
        """`place` is empty where a duty is evaluated for all `places` of a law at once."""
        self.facts = people.facts
        self.people = people
        self.place = place
        self.name = name
        self.places = places or (place,)

    @cached_property
    def residents(self) -> Count:
        return self.people.in_any_of(self.places)

    def number(self, fact: str) -> Count:
        facts = self.facts
        match fact:
            case "people.residents":
                return self.residents
            case "people.all":
                return self.people.all
            case "people.told":
                return Count.of(facts.told) if facts.told is not None else Count(0, self.people.all.high)
            case "people.told_there":
                told = facts.told_there.get(self.place)
                return Count.of(told) if told is not None else Count(0, self.residents.high)
            case "people.most_in_one_state":
                return self.people.most_in_one_state
            case "people.minors":
                return Count.of(facts.minors) if facts.minors is not None else Count(0, self.people.all.high)
            case "people.country_missing":
                return self.people.without_country
        raise KeyError(f"{fact} is not a number that a rule can test")

    def missing_for(self, fact: str) -> tuple[str, ...]:
        """What would narrow a range of people: where those without a place live, if they make it one."""
        if fact not in ("people.residents", "people.most_in_one_state"):
            return (fact,)
        found = ["people.country_missing"] if self.people.without_country.high != 0 else []
        if any("-" in place and self.people.in_unknown_part(place[:2]).high != 0 for place in self.places):
            found.append("people.part_missing")
        counts = (self.people.counts.get(place, Count(0, 0)) for place in self.places)
        return tuple(found) if found and all(count.low == count.high for count in counts) else (*found, fact)


def decide(test: Test, here: Here) -> Decision:
    if isinstance(test, Reaches):
        return _number(test, here)
    if isinstance(test, IncludesAny):
        return _includes(test, here)
    if isinstance(test, IsOneOf):
        return _one_of(test, here)
    if isinstance(test, IsTrue):
        return _yes_no(test, here)
    if isinstance(test, AllOfTests):
        return all_of([decide(part, here) for part in test.all])
    if isinstance(test, AnyOfTests):
        return any_of([decide(part, here) for part in test.any])
    return negated(decide(test.not_, here))


def all_of(parts: Iterable[Decision]) -> Decision:
    """No as soon as one is no: then only those parts are the reason."""
    return _joined(list(parts), False)


def any_of(parts: Iterable[Decision]) -> Decision:
    """Yes as soon as one is yes: then only those parts are the reason."""
    return _joined(list(parts), True)


def _joined(parts: list[Decision], decisive: bool) -> Decision:
    deciding = [part for part in parts if part.met is decisive]
    if deciding:
        return Decision(decisive, _reasons(deciding))
    undecided = [part for part in parts if part.met is None]
    missing = tuple(dict.fromkeys(fact for part in undecided for fact in part.missing))
    return Decision(None if undecided else not decisive, _reasons(parts), missing)


def _reasons(parts: Iterable[Decision]) -> tuple[Reason, ...]:
    return tuple(dict.fromkeys(reason for part in parts for reason in part.reasons))


def negated(decision: Decision) -> Decision:
    """Its reasons turn with it: what met an exception speaks against the duty."""

    def turned(met: Met) -> Met:
        return None if met is None else not met

    reasons = tuple(Reason(one.sentence, turned(one.met), one.fact, one.part) for one in decision.reasons)
    return Decision(turned(decision.met), reasons, decision.missing)


def _yes_no(test: IsTrue, here: Here) -> Decision:
    value = here.facts.known.get(test.fact)
    if value is None and test.fact == "breach.personal_data" and here.facts.kinds:
        value = True  # Every kind there is to state is one of personal data.
    stated = value if isinstance(value, bool) else None
    return decided(fact_words.yes_no(test.fact, stated), None if stated is None else stated == test.is_, test.fact)


def _number(test: Reaches, here: Here) -> Decision:
    count = here.number(test.fact)
    met, asked = _compared(test, count)
    sentence = f"{fact_words.number(test.fact, count, here.name)}; {asked}."
    return decided(sentence, met, test.fact, here.missing_for(test.fact) if met is None else ())


def _compared(test: Reaches, count: Count) -> tuple[Met, str]:
    if test.fewer_than is not None:
        reached = _reached(count, test.fewer_than)
        return None if reached is None else not reached, f"the rule is for fewer than {test.fewer_than:,}"
    if test.at_least is not None:
        return _reached(count, test.at_least), f"{test.at_least:,} or more are needed"
    more = test.more_than or 0
    return _reached(count, more + 1), f"more than {more:,} are needed"


def _reached(count: Count, threshold: int) -> Met:
    if count.low >= threshold:
        return True
    return None if count.high is None or count.high >= threshold else False


def _includes(test: IncludesAny, here: Here) -> Decision:
    is_kinds = test.fact == "data.kinds"
    value = here.facts.kinds if is_kinds else here.facts.known.get(test.fact)
    among = "among the data taken" if is_kinds else "among what is stated"
    if not isinstance(value, frozenset) or not value:
        return decided(f"Not stated yet: {fact_words.missing_words(test.fact)}.", None, test.fact)
    found = [fact_words.plain(key) for key in test.includes_any if key in value]
    if found:
        be = "was" if len(found) == 1 else "were"
        return decided(f"{fact_words.large(fact_words.listed(found))} {be} {among}.", True, test.fact)
    asked = fact_words.listed([fact_words.plain(key) for key in test.includes_any], "or")
    if is_kinds and here.facts.kinds_uncertain:
        return decided(f"It is not certain yet whether {asked} was {among}.", None, test.fact)
    none = "None of these was" if len(test.includes_any) > 1 else "This was not"
    return decided(f"{none} {among}: {asked}.", False, test.fact)


def _one_of(test: IsOneOf, here: Here) -> Decision:
    value = here.facts.role if test.fact == "role.is" else here.facts.known.get(test.fact)
    left = frozenset({value}) if isinstance(value, str) else value
    if not isinstance(left, frozenset) or not left:
        return decided(f"Not stated yet: {fact_words.missing_words(test.fact)}.", None, test.fact)
    sentence = fact_words.choice(test.fact, fact_words.listed([fact_words.value(one) for one in sorted(left)], "or"))
    met = True if left <= set(test.is_one_of) else None if left & set(test.is_one_of) else False
    return decided(sentence, met, test.fact)
