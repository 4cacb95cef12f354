"""How long it takes to say who must be told, for people in 60 jurisdictions with the whole catalogue loaded.

    python -m tests.bench.obligations [--asks N] [--keep]

430,000 people in 40 countries and 20 US states, a controller established in the United Kingdom that sells everywhere,
names and contact details taken by an attacker. Each answer is worked out afresh; the time that 95 of 100 need is
judged. Beside it, in the same process and taking turns:

- plain: every test of the same laws at the same places answered with yes or no alone, as a JsonLogic engine does it: no
  reasons, no third value, nothing about reach, authorities or versions. The ratio is what all of that costs.
- load: reading and checking the catalogue's files, which a process does once.
"""

import argparse
import json
import os
import time
from collections.abc import Callable
from datetime import UTC, datetime
from statistics import median
from typing import Any

from regulators.catalogue import FOLDER
from regulators.catalogue.conditions import AllOfTests, AnyOfTests, IncludesAny, IsOneOf, IsTrue, NotTest, Reaches, Test
from regulators.catalogue.loading import Catalogue, read_catalogue
from regulators.catalogue.rules import Regime, Start
from regulators.facts import Facts, Stated
from regulators.obligations import Answer, obligations_of
from regulators.rulebook import Rulebook, rulebook_of
from tests.bench.measuring import keep

_COUNTRIES = (
    "GB AT BE BG HR CY CZ DK EE FI FR DE GR HU IE IT LV LT LU MT NL PL PT RO SK SI ES SE IS NO "
    "CH CA AU NZ JP KR SG IN BR ZA"
)
_STATES = "AL AZ CA CO CT FL GA IL IN LA MA MD MI NC NJ NY OH TX VA WA"
COUNTRIES, STATES = _COUNTRIES.split(), [f"US-{state}" for state in _STATES.split()]
MOST_MS = 50
MOMENT = datetime(2026, 11, 1, 12, 0, tzinfo=UTC)


def main(asks: int, is_kept: bool) -> int:
    began = time.perf_counter()
    catalogue = read_catalogue(FOLDER)
    loaded = time.perf_counter() - began
    rules, facts = rulebook_of(catalogue), case()
    answer = obligations_of(facts, rules, MOMENT)
    ours, plain = _taking_turns(asks, lambda: obligations_of(facts, rules, MOMENT), lambda: plainly(facts, rules))
    results = {
        **_described(answer, catalogue),
        "p50_ms": _ms(median(ours)),
        "p95_ms": _ms(sorted(ours)[int(len(ours) * 0.95)]),
        "plain_p50_ms": _ms(median(plain)),
        "ratio": round(median(ours) / median(plain), 1),
        "load_ms": _ms(loaded),
        "load": round(os.getloadavg()[0], 1),
    }
    print(json.dumps(results))
    if is_kept:
        keep("obligations-60", results)
    return 0 if results["p95_ms"] < MOST_MS else 1


def case() -> Facts:
    """A few more people in each place than in the one before it, and a fifth of all at home."""
    people = {place: 100 + 195 * number for number, place in enumerate([*COUNTRIES[1:], *STATES])}
    people |= {"GB": 86_000, "US": sum(people[state] for state in STATES)}
    return Facts(
        role="controller",
        kinds=frozenset({"name", "email", "phone", "postal_address"}),
        known={"breach.is_attack": True, "data.unreadable": False, "risk.level": "risk"},
        residents=people,
        people_all=sum(count for place, count in people.items() if "-" not in place),
        established_in=frozenset({"GB"}),
        targets=frozenset(COUNTRIES) | {"US"},
        sectors=frozenset(),
        starts={Start.AWARENESS: Stated(datetime(2026, 10, 31, 9, 0, tzinfo=UTC))},
    )


def _described(answer: Answer, catalogue: Catalogue) -> dict[str, Any]:
    return {
        "jurisdictions": len(COUNTRIES) + len(STATES),
        "laws": len(catalogue.regimes),
        "duties": len(answer.obligations),
        "verdicts": {verdict: len(answer.with_verdict(verdict)) for verdict in ("owed", "undecided", "not_owed")},
        "reasons": sum(len(one.reasons) for one in answer.obligations),
    }


def _taking_turns(asks: int, *works: Callable[[], object]) -> list[list[float]]:
    times: list[list[float]] = [[] for _ in works]
    for _ in range(asks):
        for work, taken in zip(works, times, strict=True):
            began = time.perf_counter()
            work()
            taken.append(time.perf_counter() - began)
    return times


def _ms(seconds: float) -> float:
    return round(seconds * 1000, 1)


# The peer


def plainly(facts: Facts, rules: Rulebook) -> list[bool]:
    """What is not known counts as no."""
    return [
        all(_holds(test, facts, place) for test in _tests(regime))
        for regime in rules.regimes
        for place in regime.places
        if place in facts.residents
    ]


def _tests(regime: Regime) -> list[Test]:
    return [test for _, test in regime.tests()]


def _holds(test: Test, facts: Facts, place: str) -> bool:
    match test:
        case AllOfTests():
            return all(_holds(part, facts, place) for part in test.all)
        case AnyOfTests():
            return any(_holds(part, facts, place) for part in test.any)
        case NotTest():
            return not _holds(test.not_, facts, place)
        case IncludesAny():
            return not facts.kinds.isdisjoint(test.includes_any)
        case IsOneOf():
            return facts.known.get(test.fact) in test.is_one_of
        case IsTrue():
            return facts.known.get(test.fact) is test.is_
        case Reaches():
            return _compares(test, int(facts.residents[place]))


def _compares(test: Reaches, people: int) -> bool:
    if test.at_least is not None:
        return people >= test.at_least
    return people > test.more_than if test.more_than is not None else people < (test.fewer_than or 0)


if __name__ == "__main__":
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--asks", type=int, default=200)
    parser.add_argument("--keep", action="store_true")
    arguments = parser.parse_args()
    raise SystemExit(main(arguments.asks, arguments.keep))
