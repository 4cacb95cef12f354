"""groups_of(): many duties in short, place by place, the place with the nearest open end first.

What most of them rest on is said once, above; each line keeps what is true of it alone.
"""

from collections import Counter
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from math import inf

from breachdesk.people.countries import COUNTRIES
from regulators.catalogue import the_catalogue
from regulators.fact_words import large, listed, missing_words
from regulators.facts import Count, Facts
from regulators.obligations import Verdict
from regulators.standing import Duty

NAMED = 2  # missing facts a line names; the page of the duty has them all
OF_THE_PLACE = {"reach", "authority"}  # parts of a rule that are the same for every duty of a place


@dataclass(frozen=True)
class Line:
    duty: Duty
    why: str


@dataclass(frozen=True)
class Group:
    """The duties of one place, or of a law that asks once for all of its places. `people` live there."""

    name: str
    people: int
    lines: tuple[Line, ...]

    @property
    def order(self) -> tuple[float, int, str]:
        ends = (line.duty.due.at for line in self.lines if line.duty.is_open)
        nearest = min((end.timestamp() for end in ends if end), default=inf)
        return nearest, -self.people, self.name


@dataclass(frozen=True)
class Listing:
    count: int
    shared: tuple[str, ...]
    groups: tuple[Group, ...]

    @property
    def next(self) -> Duty | None:
        """The open one that ends first."""
        duties = [line.duty for group in self.groups for line in group.lines if line.duty.is_open and line.duty.due.at]
        return duties[0] if duties else None


def listing_of(duties: Sequence[Duty], facts: Facts) -> Listing:
    """`duties` of one verdict. Each place keeps their order."""
    shared = _shared(duties)
    by_place: dict[str, list[Duty]] = {}
    for duty in duties:
        by_place.setdefault(duty.obligation.place or duty.obligation.regime.name, []).append(duty)
    groups = (_group(place, ones, shared, facts) for place, ones in by_place.items())
    return Listing(len(duties), shared, tuple(sorted(groups, key=lambda group: group.order)))


def _group(place: str, duties: Iterable[Duty], shared: tuple[str, ...], facts: Facts) -> Group:
    people = Count.of(facts.people.get(place, 0)).low
    return Group(name_of(place), people, tuple(Line(duty, _why(duty, shared)) for duty in duties))


def name_of(place: str) -> str:
    """Of a place by its code; whatever is no code is its own name."""
    known = the_catalogue().known.places.get(place)
    return known.name if known else COUNTRIES.get(place, place)


def _shared(duties: Sequence[Duty]) -> tuple[str, ...]:
    """What at least half of the owed ones rest on, in the order of the first that says it."""
    owed = [duty for duty in duties if duty.obligation.verdict == Verdict.OWED]
    said = Counter(sentence for duty in owed for sentence in dict.fromkeys(_reasons(duty)))
    return tuple(sentence for sentence, times in said.items() if len(owed) > 1 and times * 2 >= len(owed))


def _reasons(duty: Duty) -> Iterator[str]:
    for reason in duty.obligation.reasons:
        if reason.met is True and reason.part not in OF_THE_PLACE:
            yield reason.sentence


def _why(duty: Duty, shared: tuple[str, ...]) -> str:
    one = duty.obligation
    if one.verdict == Verdict.NOT_OWED:
        return one.because
    if one.verdict == Verdict.OWED:
        return " ".join(sentence for sentence in dict.fromkeys(_reasons(duty)) if sentence not in shared)
    words = [missing_words(fact, "this law") for fact in one.missing]
    more = [f"{len(words) - NAMED} more"] if len(words) > NAMED else []
    return large(f"{listed([*words[:NAMED], *more])}.")
