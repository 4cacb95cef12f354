"""Facts: what is known about one incident and about us, as obligations_of() asks for it. Frozen; made by the caller.

One Facts stands for one data set in one role. Everything not stated is None or missing, never False or 0: the engine
answers *undecided* for it and names it. Counts are numbers of people; places are ISO 3166 codes (`GB`, `US-TX`).
"""

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime
from typing import Literal, NamedTuple

from regulators.catalogue.rules import Regime, Start

Precision = Literal["minute", "hour", "day"]
Known = bool | str | frozenset[str]

# Parts of a country with a code of their own where its law is in force, and places that count as a part of another.
# French overseas regions and Saint-Martin: TFEU Articles 349 and 355(1); the Åland Islands: Article 355(4).
COUNTED_AS = {
    "GF": "FR", "GP": "FR", "MQ": "FR", "RE": "FR", "YT": "FR", "MF": "FR", "AX": "FI",
    "AS": "US-AS", "GU": "US-GU", "MP": "US-MP", "PR": "US-PR", "VI": "US-VI",
}  # fmt: skip


class Count(NamedTuple):
    """A number of people: at least `low`, at most `high`; None for `high` means that nobody can say."""

    low: int
    high: int | None

    @classmethod
    def of(cls, value: "Count | int | None") -> "Count":
        """An int is exact; None is any number, 0 included."""
        if value is None:
            return cls(0, None)
        return cls(value, value) if isinstance(value, int) else value

    def and_perhaps(self, more: int | None) -> "Count":
        """The same, with up to `more` people besides; None: with any number."""
        return Count(self.low, None if self.high is None or more is None else self.high + more)

    def at_least(self, low: int) -> "Count":
        return Count(max(self.low, low), None if self.high is None else max(self.high, low))

    def plus(self, other: "Count") -> "Count":
        high = None if self.high is None or other.high is None else self.high + other.high
        return Count(self.low + other.low, high)


@dataclass(frozen=True)
class Stated:
    """An instant somebody asserted: aware of its zone; how exactly it is known; who said so, and when."""

    at: datetime
    precision: Precision = "minute"
    by: str = ""
    stated_at: datetime | None = None

    def __post_init__(self) -> None:
        if self.at.tzinfo is None:
            raise ValueError("a stated instant needs its time zone")


@dataclass(frozen=True)
class Facts:
    """See rule_facts.yaml for the facts a rule may test; obligations.py says which field answers which."""

    role: Literal["controller", "joint", "processor"] | None = None
    kinds: frozenset[str] = frozenset()
    """Kinds of data taken, by their key. None at all: not known."""
    kinds_uncertain: bool = False
    known: Mapping[str, Known] = field(default_factory=dict)
    """Yes/no facts, choices and sets of choices by fact key. Without an entry: not stated.

    For a choice of one (`risk.level`) a set holds what is left, while it is not decided between them.
    """

    residents: Mapping[str, Count | int] = field(default_factory=dict)
    """Affected people by country and, where it is known, by part of it; a country's number includes its parts'."""
    without_country: Count | int = 0
    """Affected people who are not in residents: they may live anywhere. Before there is a list that is everybody."""
    people_all: Count | int | None = None
    minors: Count | int | None = None
    told: Count | int | None = None
    """People told; None: nobody has said yet, which leaves everything up to the number of those affected."""
    told_there: Mapping[str, Count | int] = field(default_factory=dict)

    established_in: frozenset[str] | None = None
    """Countries (or parts: DE-BY) with an establishment of ours; empty: none anywhere; None: not stated."""
    main_establishment: str | None = None
    """Where the decisions about this processing are taken (GDPR Article 4(16))."""
    representative_in: frozenset[str] = frozenset()
    """Countries with a representative under GDPR Article 27. It changes no duty, which the reasons then say."""
    targets: frozenset[str] | None = None
    """Countries to whose people we offer goods or services, or whose behaviour we watch (GDPR Article 3(2))."""
    sectors: frozenset[str] | None = None
    reach: Mapping[str, bool] = field(default_factory=dict)
    """A person's decision whether a regime reaches us, by its id. It wins over everything worked out."""
    supervisors: Mapping[str, str] = field(default_factory=dict)
    """A person's choice of authority (its id) by place, where a place has several."""

    starts: Mapping[Start, Stated] = field(default_factory=dict)
    own_rules: tuple[Regime, ...] = ()
    """What we have bound ourselves to: contracts, insurers, policies of our own. It never takes a law's place."""
    place_names: Mapping[str, str] = field(default_factory=dict)
    """How sentences call a place that the catalogue has no name for. Without an entry its code stands there."""

    @property
    def people(self) -> Mapping[str, Count]:
        """residents, with places that are counted as a part of another added there, and no country below its parts."""
        counted: dict[str, Count] = {}
        for place in sorted(self.residents):
            count, counted_as = Count.of(self.residents[place]), COUNTED_AS.get(place, place)
            for where in {counted_as, counted_as[:2]} if counted_as != place else {place}:
                counted[where] = counted.get(where, Count(0, 0)).plus(count)
        for country in {place[:2] for place in counted if "-" in place}:
            parts = [count for place, count in counted.items() if place.startswith(f"{country}-")]
            counted[country] = counted.get(country, Count(0, 0)).at_least(sum(part.low for part in parts))
        return counted
