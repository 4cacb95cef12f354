"""What is wrong with a regime or an authority that its shape cannot know: the other files, time zones, holidays."""

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from datetime import date
from functools import cache
from itertools import pairwise
from zoneinfo import ZoneInfo

from regulators.catalogue.conditions import IncludesAny, IsOneOf, IsTrue, Reaches, comparisons_in
from regulators.catalogue.rules import Place, Regime, Supervisor
from regulators.catalogue.schema import Key, Strict, Text


class Values(Strict):
    """What a fact may be compared with."""

    one_of: tuple[Key, ...] = ()
    several_of: tuple[Key, ...] = ()


class Vocabulary(Strict):
    facts: dict[str, Values]
    kinds_of_law: dict[Key, Text]


@dataclass(frozen=True)
class Known:
    """What there is besides the regimes themselves."""

    facts: Mapping[str, str]
    values: Mapping[str, Values]
    kinds_of_law: Mapping[str, str]
    sectors: Mapping[str, str]
    places: Mapping[str, Place]
    forms: frozenset[str]
    supervisors: Mapping[str, Supervisor] = field(default_factory=dict)


def faults_of_regime(regime: Regime, known: Known) -> Iterator[tuple[str, str]]:
    """Key and reason of each."""
    if regime.kind not in known.kinds_of_law:
        yield "kind", f"rule_values.yaml has no kind of law {regime.kind}"
    if regime.reaches_us.sector and regime.reaches_us.sector not in known.sectors:
        yield "reaches_us.sector", f"sectors.yaml has no {regime.reaches_us.sector}"
    for place in regime.places:
        if place not in known.places:
            yield "places", f"places.yaml has no {place}"
    for authority in regime.authorities:
        yield from _faults_of_authority(authority, regime, known)
    for where, duty in regime.every_duty():
        if duty.form and duty.form not in known.forms:
            yield f"{where}.form", f"there is no form {duty.form}"
    for where, test in regime.tests():
        for compared in comparisons_in(test):
            yield from ((where, reason) for reason in _faults_of_comparison(compared, known))
    yield from faults_of_place(regime.zone, regime.calendar)


def _faults_of_authority(authority: str, regime: Regime, known: Known) -> Iterator[tuple[str, str]]:
    supervisor = known.supervisors.get(authority)
    if supervisor is None:
        yield "authorities", f"there is no authority {authority}"
    elif supervisor.place[:2] not in {place[:2] for place in regime.places}:
        yield "authorities", f"{authority} is in {supervisor.place}, where this law has no place"


def faults_of_supervisor(supervisor: Supervisor, known: Known) -> Iterator[tuple[str, str]]:
    if supervisor.place not in known.places:
        yield "place", f"places.yaml has no {supervisor.place}"
    if supervisor.form and supervisor.form not in known.forms:
        yield "form", f"there is no form {supervisor.form}"


def faults_of_place(zone: str, calendar: str | None) -> Iterator[tuple[str, str]]:
    if not _is_zone(zone):
        yield "zone", f"there is no time zone {zone}"
    if calendar and not _has_holidays(calendar):
        yield "calendar", f"the holidays library has no {calendar}"


def _faults_of_comparison(compared: IsTrue | IsOneOf | IncludesAny | Reaches, known: Known) -> Iterator[str]:
    if compared.fact not in known.facts:
        yield f"rule_facts.yaml has no {compared.fact}"
        return
    values = known.values.get(compared.fact, Values())
    match compared:
        case IsOneOf(is_one_of=named):
            yield from _not_among(named, values.one_of, compared.fact)
        case IncludesAny(includes_any=named):
            yield from _not_among(named, values.several_of, compared.fact)
        case Reaches() if not compared.fact.startswith("people."):
            yield f"{compared.fact} is not a number of people"
        case IsTrue() if values.one_of or values.several_of or compared.fact.startswith("people."):
            yield f"{compared.fact} is not a yes or a no"


def _not_among(named: Iterable[str], possible: tuple[str, ...], fact: str) -> Iterator[str]:
    if not possible:
        yield f"{fact} has no such values to compare with"
    else:
        yield from (f"{fact} has no value {value}" for value in named if value not in possible)


def faults_of_versions(versions: Iterable[Regime]) -> Iterator[tuple[Regime, str, str]]:
    """Of one law: on no day may two of its versions count. Names the later of two that do."""
    dated = [regime for regime in versions if regime.in_force.is_dated]
    dated.sort(key=lambda regime: regime.in_force.since or date.min)
    for earlier, later in pairwise(dated):
        if (later.in_force.since or date.min) <= (earlier.in_force.until or date.max):
            day = later.in_force.since or "its first day"
            yield later, "in_force", f"another version of {later.id} counts on {day} too"


def _is_zone(name: str) -> bool:
    try:
        ZoneInfo(name)
    except (OSError, ValueError):  # an unknown name is a KeyError only since the package tzdata is there to look in
        return False
    except KeyError:
        return False
    return True


def _has_holidays(calendar: str) -> bool:
    country, _, part = calendar.partition("-")
    parts = _calendars().get(country)
    return parts is not None and (not part or part in parts)


@cache
def _calendars() -> dict[str, list[str]]:
    import holidays  # as in regulators/calendars.py

    return holidays.list_supported_countries(include_aliases=False)
