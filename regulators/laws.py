"""laws_listed(): the catalogue's laws, a line each, as its page and its command list them."""

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import date
from enum import StrEnum

from regulators.catalogue import Catalogue
from regulators.catalogue.rules import Duty, Recipient, Regime
from regulators.law_words import RECIPIENTS, days_of, shortly


class When(StrEnum):
    """Which versions of laws are listed, seen from a day."""

    IN_FORCE = "in_force"
    LATER = "later"
    ENDED = "ended"
    EVERY = "every"


@dataclass(frozen=True)
class Wanted:
    on: date
    when: When = When.IN_FORCE
    place: str = ""
    tell: str = ""
    kind: str = ""
    text: str = ""


@dataclass(frozen=True)
class DutyLine:
    duty: Duty
    tell: str
    title: str
    """Only where two duties of the law tell the same."""
    clock: str
    expected: str
    place: str = ""
    """Where the duty is so by that place's own act."""

    @property
    def key(self) -> str:
        return f"{self.duty.id}-{self.place}" if self.place else self.duty.id


@dataclass(frozen=True)
class Law:
    """One version of a law, with what a list says of it."""

    regime: Regime
    places: str
    in_force: str
    is_in_force: bool
    is_own: bool
    duties: tuple[DutyLine, ...]
    national: tuple[DutyLine, ...]
    """What the acts of single places make of it."""
    acts: tuple[tuple[str, str], ...]
    """By place, what else its act changes: who hears the reports, and since when it counts."""


SHOWN = 3
"""Places of a law that a list names; of more it says how many they are."""


def laws_listed(catalogue: Catalogue, wanted: Wanted) -> list[Law]:
    """By the name of their place, then by their own."""
    versions = (one for law in catalogue.regimes.values() for one in law)
    laws = [law_of(catalogue, one, wanted.on) for one in versions if _is_wanted(catalogue, one, wanted)]
    return sorted(laws, key=lambda law: _order(catalogue, law))


def law_of(catalogue: Catalogue, regime: Regime, on: date) -> Law:
    return Law(
        regime,
        places=", ".join(_places(catalogue, regime)),
        in_force=days_of(regime.in_force, on),
        is_in_force=regime.in_force.counts_on(on),
        is_own=regime.id in catalogue.own,
        duties=tuple(lines_of(catalogue, regime)),
        national=tuple(_national_lines(catalogue, regime)),
        acts=tuple(_acts(catalogue, regime, on)),
    )


def lines_of(catalogue: Catalogue, regime: Regime) -> Iterator[DutyLine]:
    told = [duty.whom or _recipient(catalogue, regime, duty) for duty in regime.duties]
    for duty, tell in zip(regime.duties, told, strict=True):
        title = duty.title if told.count(tell) > 1 else ""
        yield DutyLine(duty, tell, title, shortly(duty.clock), shortly(duty.expected) if duty.expected else "")


def _national_lines(catalogue: Catalogue, regime: Regime) -> Iterator[DutyLine]:
    for place, act in regime.national.items():
        name = catalogue.known.places[place].name
        for duty in act.duties:
            expected = shortly(duty.expected) if duty.expected else ""
            told = duty.whom or _recipient(catalogue, regime, duty)
            yield DutyLine(duty, told, duty.title, shortly(duty.clock), expected, name)


def _acts(catalogue: Catalogue, regime: Regime, on: date) -> Iterator[tuple[str, str]]:
    for place, act in regime.national.items():
        said = [act.whom, days_of(act.in_force, on) if act.in_force else ""]
        if any(said):
            yield catalogue.known.places[place].name, ". ".join(filter(None, said))


def _recipient(catalogue: Catalogue, regime: Regime, duty: Duty) -> str:
    if duty.tell == Recipient.AUTHORITY and len(regime.authorities) == 1:
        return catalogue.known.supervisors[regime.authorities[0]].short_name
    return RECIPIENTS[duty.tell]


def places_of(catalogue: Catalogue) -> list[tuple[str, str]]:
    """Every place a law is about, by name."""
    codes = {code for law in catalogue.regimes.values() for one in law for code in one.places}
    return [(code, ": ".join(_path(catalogue, code))) for code in sorted(codes, key=lambda one: _path(catalogue, one))]


def _is_wanted(catalogue: Catalogue, regime: Regime, wanted: Wanted) -> bool:
    return (
        _is_at(regime, wanted)
        and (not wanted.place or any(_overlap(wanted.place, place) for place in regime.places))
        and (not wanted.tell or any(duty.tell == wanted.tell for duty in regime.duties))
        and (not wanted.kind or regime.kind == wanted.kind)
        and all(word in _text_of(catalogue, regime) for word in wanted.text.casefold().split())
    )


def _is_at(regime: Regime, wanted: Wanted) -> bool:
    counts, since = regime.in_force.counts_on(wanted.on), regime.in_force.since
    match wanted.when:
        case When.IN_FORCE:
            return counts
        case When.LATER:
            return not counts and (
                regime.in_force.state in ("not_yet", "suspended") or bool(since and since > wanted.on)
            )
        case When.ENDED:
            return bool(regime.in_force.until and regime.in_force.until < wanted.on)
    return True


def _overlap(one: str, other: str) -> bool:
    """A place is asked for with the country it is a part of, and a country with its parts."""
    return one == other or one.startswith(f"{other}-") or other.startswith(f"{one}-")


def _text_of(catalogue: Catalogue, regime: Regime) -> str:
    authorities = (catalogue.known.supervisors[key] for key in regime.authorities)
    words = [regime.id, regime.name, regime.law, regime.notes, regime.reaches_us.text, *_places(catalogue, regime)]
    words += [f"{one.name} {one.short_name} {one.name_local}" for one in authorities]
    words += [f"{duty.title} {duty.whom} {duty.article} {duty.note} {duty.clock.reading}" for duty in regime.duties]
    words += [catalogue.known.places[code].name for code in regime.places]
    return " ".join(words).casefold()


def _places(catalogue: Catalogue, regime: Regime) -> Iterator[str]:
    if len(regime.places) > SHOWN:
        yield f"{len(regime.places)} countries"
    else:
        yield from (", ".join(reversed(_path(catalogue, code))) for code in regime.places)


def _order(catalogue: Catalogue, law: Law) -> tuple[list[str], str, str]:
    """A country's own laws before those of its parts; laws of many countries under the European Union's name."""
    code = "EU" if len(law.regime.places) > SHOWN else law.regime.places[0]
    return _path(catalogue, code), law.regime.name, law.in_force


def _path(catalogue: Catalogue, code: str) -> list[str]:
    """A country's name, and that of its part."""
    country = catalogue.known.places[code[:2]].name
    return [country] if code == code[:2] else [country, catalogue.known.places[code].name]
