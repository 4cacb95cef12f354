"""Every comparison of every rule that ships decides something, to the person, and is asked for when it is not known."""

from collections.abc import Iterator
from dataclasses import replace
from datetime import UTC, datetime, timedelta

from regulators.catalogue.rules import Clock, Duty, InForce, Reaches, Regime, Start
from regulators.clocks import due_of
from regulators.facts import Facts, Stated
from regulators.obligations import Obligation, obligations_of
from regulators.rulebook import Rulebook
from tests.regulators.laws import NOW, versions
from tests.regulators.pivots import Pivot, pivots_of

BEGAN = datetime(2026, 3, 2, 9, tzinfo=UTC)


def every_duty() -> Iterator[tuple[Regime, Duty]]:
    """Each as if its law were in force, and owed where it is only advised: here it is about the tests."""
    for law in versions().values():
        for version in law:
            duties = tuple(duty.model_copy(update={"recommended": False}) for duty in version.duties)
            regime = version.model_copy(update={"duties": duties, "in_force": InForce()})
            yield from ((regime, duty) for duty in duties)


def obligation(regime: Regime, duty: Duty, facts: Facts) -> Obligation:
    alone = regime.model_copy(update={"duties": (duty,)})
    reached = replace(facts, reach={regime.id: True})
    found = obligations_of(reached, Rulebook((alone,)), NOW).obligations
    return next(one for one in found if one.place in ("", regime.places[0]))


def test_every_comparison_decides_and_is_missed() -> None:
    faults, thresholds = [], 0
    for regime, duty in every_duty():
        for pivot in pivots_of(regime, duty):
            thresholds += isinstance(pivot.comparison, Reaches)
            faults += [f"{regime.id} {duty.id}: {fault}" for fault in faults_of(pivot, regime, duty)]
    assert faults == []
    assert thresholds > 80


def faults_of(pivot: Pivot, regime: Regime, duty: Duty) -> Iterator[str]:
    fact = pivot.comparison.fact
    met, not_met, unknown = (obligation(regime, duty, one) for one in (pivot.met, pivot.not_met, pivot.unknown))
    if {met.verdict, not_met.verdict} != {"owed", "not_owed"}:
        yield f"{pivot.comparison} makes it {not_met.verdict} and {met.verdict}"
    if unknown.verdict != "undecided" or fact not in unknown.missing:
        yield f"without {fact} it is {unknown.verdict}, missing {unknown.missing}"
    if not (met.because and not_met.because and unknown.because):
        yield f"no reason is given by {fact}"


def _starts(clock: Clock) -> list[Start]:
    """What has to be stated for each end: the end of the year follows from the discovery."""
    named = (limit.starts for limit in clock.limits)
    return list(dict.fromkeys(Start.DISCOVERY if one == Start.END_OF_YEAR else one for one in named))


def test_every_start_is_needed_and_none_is_made_up() -> None:
    faults, clocks = [], 0
    for regime, duty in every_duty():
        for clock in (duty.clock, duty.expected):
            starts = _starts(clock) if clock else []
            if not clock or not starts:
                continue
            clocks += 1
            kwargs = {"zone": regime.zone, "calendar": regime.calendar, "applies": lambda test: True}
            said = {start: Stated(BEGAN + timedelta(days=number)) for number, start in enumerate(starts)}
            where = f"{regime.id} {duty.id}"
            if due_of(clock, said, **kwargs).at is None or due_of(clock, said, **kwargs).missing:
                faults.append(f"{where}: no date with every start")
            if due_of(clock, {}, **kwargs).at is not None or set(due_of(clock, {}, **kwargs).missing) != set(starts):
                faults.append(f"{where}: a date, or nothing missing, without any start")
            for start in starts:
                left = {one: at for one, at in said.items() if one != start}
                if start not in due_of(clock, left, **kwargs).missing:
                    faults.append(f"{where}: {start} is not missed")
    assert faults == []
    assert clocks > 150
