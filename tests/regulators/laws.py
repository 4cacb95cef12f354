"""The laws as they ship, asked one by one: what one duty says to a set of facts."""

from dataclasses import replace
from datetime import UTC, datetime
from functools import lru_cache
from typing import Any

from regulators.catalogue import the_catalogue
from regulators.catalogue.rules import Regime, Start
from regulators.facts import Facts, Stated
from regulators.obligations import Answer, Obligation, obligations_of
from regulators.rulebook import Rulebook

NOW = datetime(2026, 11, 23, 9, tzinfo=UTC)


@lru_cache
def versions() -> dict[str, tuple[Regime, ...]]:
    return the_catalogue().regimes


@lru_cache
def book(*laws: str) -> Rulebook:
    """Those laws; without any named, all of them."""
    known = the_catalogue().known
    chosen = tuple(one for law in laws or versions() for one in versions()[law])
    return Rulebook(chosen, known.supervisors, {code: place.name for code, place in known.places.items()})


def law(name: str) -> Regime:
    """Its newest version."""
    return versions()[name][-1]


def in_state(state: str, people: int, **more: Any) -> Facts:
    """A readable theft of names and national numbers by an attacker; nobody is affected elsewhere."""
    known = {"data.unreadable": False, "data.on_paper": False, "breach.is_attack": True, "harm.misuse_likely": True}
    facts = Facts(
        role="controller",
        kinds=frozenset({"name", "national_number"}),
        known=known,
        residents={f"US-{state}": people},
        people_all=people,
        established_in=frozenset(),
        targets=frozenset({"US"}),
        sectors=frozenset(),
    )
    return replace(facts, **more)


def knowing(facts: Facts, **known: bool | str) -> Facts:
    """`data__unreadable=True` states the fact data.unreadable."""
    stated = {key.replace("__", "."): value for key, value in known.items()}
    return replace(facts, known={**facts.known, **stated})


def answer(facts: Facts, *laws: str, moment: datetime = NOW) -> Answer:
    return obligations_of(facts, book(*laws), moment)


def verdicts(facts: Facts, *laws: str, moment: datetime = NOW) -> dict[str, str]:
    """By duty, for facts of one place and one law; what does not apply is left out."""
    found = answer(facts, *laws, moment=moment).obligations
    return {one.duty.id: one.verdict.value for one in found if one.verdict != "not_owed"}


def owed(facts: Facts, *laws: str, moment: datetime = NOW) -> set[str]:
    return {duty for duty, verdict in verdicts(facts, *laws, moment=moment).items() if verdict == "owed"}


def the(facts: Facts, regime: str, duty: str) -> Obligation:
    return next(one for one in answer(facts, regime).obligations if one.duty.id == duty)


def stated(at: datetime, *starts: Start) -> dict[Start, Stated]:
    return {start: Stated(at) for start in starts}
