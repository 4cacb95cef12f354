"""Every comparison of every rule that ships decides something, to the person, and is asked for when it is not known."""

from collections.abc import Iterator
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from itertools import pairwise

from regulators.catalogue.conditions import Reaches
from regulators.catalogue.rules import Clock, Duty, InForce, Regime, Start, Unit
from regulators.clocks import due_of
from regulators.facts import Facts, Stated
from regulators.obligations import Obligation, obligations_of
from regulators.rulebook import Rulebook
from tests.regulators.laws import NOW, versions
from tests.regulators.pivots import Pivot, pivots_of

BEGAN = datetime(2026, 3, 2, 9, tzinfo=UTC)


def every_duty() -> Iterator[tuple[Regime, Duty]]:
    """Each as if its law were in force, and owed where it is only advised: here it is about the tests.

    Where a place's own act differs, that place is looked at as a law of its own.
    """
    for law in versions().values():
        for version in law:
            alone = [version.model_copy(update={"places": (place,)}) for place in version.national]
            for whole in (version, *alone):
                place = whole.places[0] if whole is not version else ""
                duties = tuple(duty.model_copy(update={"recommended": False}) for duty in version.duties_at(place))
                regime = whole.model_copy(update={"duties": duties, "in_force": InForce(), "national": {}})
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


def test_every_comparison_of_a_single_end_decides_whether_it_counts() -> None:
    faults, ends = [], 0
    for regime, duty in every_duty():
        anybody = regime.model_copy(update={"concerns": None})
        for number, limit in enumerate(duty.clock.limits):
            asked = duty.model_copy(update={"when": limit.when, "unless": None})
            alone = anybody.model_copy(update={"duties": (asked,)})
            for pivot in pivots_of(alone, asked) if limit.when else ():
                ends += 1
                cases = (pivot.met, pivot.not_met, pivot.unknown)
                met, not_met, unknown = (obligation(anybody, duty, facts).limits[number] for facts in cases)
                if {met, not_met} != {True, False} or unknown is not None:
                    faults.append(f"{regime.id} {duty.id} {number}: {pivot.comparison}")
    assert faults == []
    assert ends > 15


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


# Every five hours through a change of the clocks and over Christmas and New Year.
MANY = [datetime(2026, 10, 23, tzinfo=UTC) + timedelta(hours=5 * n) for n in range(24)]
MANY += [datetime(2026, 12, 23, tzinfo=UTC) + timedelta(hours=5 * n) for n in range(60)]


def test_of_no_clock_a_later_start_gives_an_earlier_date() -> None:
    """But for hours that move off closed days: an end at 00:30 on a Monday is before the noon a Sunday's moves to."""
    faults, moved = [], set()
    clocks = {(duty.clock, regime.zone, regime.calendar): (regime.id, duty) for regime, duty in every_duty()}
    for (clock, zone, calendar), (law, duty) in clocks.items():
        for conditions in {limit.when is None or None for limit in clock.limits}:
            place = {"zone": zone, "calendar": calendar, "applies": lambda _, met=conditions is None: met}
            dues = [due_of(clock, dict.fromkeys(Start, Stated(at)), **place).at for at in MANY]
            assert None not in dues
            if any(later < earlier for earlier, later in pairwise(dues)):  # type: ignore[operator]
                has_hours = any(one.unit == Unit.HOURS and one.moves_off_closed_days for one in clock.limits)
                moved.add(law) if has_hours else faults.append(f"{law} {duty.id}")
    assert (faults, moved) == ([], {"eu_dora"})
    assert len(clocks) > 150
