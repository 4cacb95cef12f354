"""obligations_of(): who must be told, why, what is undecided and which fact decides it, and what does not apply.

A pure function of facts, laws and a moment: it reads no clock, no database and no setting, and gives the same answer in
the same order whatever order its inputs have. Counts are numbers of affected people; moments are aware of their zone.

What a duty is made of, in the order in which its reasons stand. All parts have to be met; one that is not takes the
duty away, and one that is undecided leaves the whole duty undecided (Kleene; see deciding.py). Of a law that is not in
force or does not reach us nothing more is looked at:

    law         a version of it was in force on the day of awareness, in the law's own zone
    reach       it reaches us (reaching.py; GDPR Article 3)
    authority   under a one-stop-shop, this place's authority is the one to tell (GDPR Articles 55 and 56)
    role        the duty falls on what we are (a processor tells its controller: GDPR Article 33(2))
    definition  what the law protects and calls a breach (Regime.concerns)
    condition   Duty.when; and, of telling people, that somebody affected lives at this place and not all at others
    exception   Duty.unless, turned round

Where a fact comes from: `role.is` Facts.role; `data.kinds` Facts.kinds; `people.*` Facts.residents, without_country,
people_all, minors, told and told_there; everything else Facts.known by its key. People whose country (or part of it) is
not known may live in any: they make every count there a range, so that a threshold inside it is undecided. What is
missing is named by the fact's key, or by `us.established_in`, `us.main_establishment`, `us.targets`, `us.sectors`,
`reach.<law>` and `supervisor.<place>`.

Raises ValueError for a moment without a zone, and KeyError for a rule that tests a number there is none of.
"""

from collections.abc import Iterator
from dataclasses import dataclass, replace
from datetime import date, datetime
from enum import StrEnum
from functools import lru_cache
from zoneinfo import ZoneInfo

from regulators import fact_words
from regulators.catalogue.rules import Clock, Duty, InForce, Recipient, Regime, Start, Supervisor
from regulators.deciding import Decision, Here, Met, People, Reason, all_of, decide, decided, negated
from regulators.facts import Count, Facts
from regulators.reaching import Case, Spot, regime_wide, spots_of
from regulators.rulebook import Rulebook, began_between, version_on

# Told once, not for every place where people live; under a law of several places, at the place REGIME_WIDE.
TOLD_ONCE = {Recipient.CONTROLLER, Recipient.CONTRACT_PARTNER}
# For the people who live at the place itself.
TOLD_AT_HOME = {Recipient.PEOPLE, Recipient.CREDIT_AGENCIES, Recipient.MEDIA}


class Verdict(StrEnum):
    OWED = "owed"
    UNDECIDED = "undecided"
    NOT_OWED = "not_owed"


@dataclass(frozen=True)
class Obligation:
    """One duty of one law at one place (empty: for all of the law's places at once)."""

    regime: Regime
    duty: Duty
    place: str
    verdict: Verdict
    reasons: tuple[Reason, ...]
    missing: tuple[str, ...]
    """The facts that would decide it, by key. An owed duty may still miss which of several authorities hears us."""
    because: str
    supervisor: Supervisor | None = None
    candidates: tuple[Supervisor, ...] = ()
    """Authorities to choose from, where nothing says which of them is ours."""
    is_own: bool = False
    is_advised: bool = False
    """No law demands it, an authority asks for it, and nothing else speaks against it."""
    reaches_us: Met = True
    """Whether its law does. A duty may be undecided for that alone."""
    limits: tuple[Met, ...] = ()
    """Whether each end of the clock counts, in the order of duty.clock.limits (Limit.when)."""


@dataclass(frozen=True)
class Looked:
    """A law of a place that asks nothing of anybody."""

    regime: Regime
    place: str
    sentence: str


@dataclass(frozen=True)
class Later:
    """A version that came into force after awareness: offered, never swapped in."""

    regime: Regime
    since: date
    sentence: str


@dataclass(frozen=True)
class Answer:
    obligations: tuple[Obligation, ...]
    nothing_asked: tuple[Looked, ...]
    not_in_catalogue: tuple[tuple[str, Count], ...]
    """Places where affected people live, of whose law the catalogue says nothing."""
    without_country: Count
    without_part: tuple[tuple[str, Count], ...]
    """By country whose parts have laws of their own: people of whom the part is not known."""
    later_versions: tuple[Later, ...]
    rules_of: date
    """The day whose law this is, in UTC: of awareness, or, while that is not stated, of the moment asked at."""

    def with_verdict(self, verdict: Verdict) -> tuple[Obligation, ...]:
        return tuple(one for one in self.obligations if one.verdict == verdict)


def obligations_of(facts: Facts, rules: Rulebook, moment: datetime) -> Answer:
    """Laws in the order of their ids, own rules after them; places as the law lists them; duties as it lists them."""
    if moment.tzinfo is None:
        raise ValueError("the moment needs its time zone")
    case = Case(facts, rules, People(facts))
    aware = facts.starts.get(Start.AWARENESS)
    day_of = aware.at if aware else moment
    found: list[Obligation] = []
    looked: list[Looked] = []
    later: list[Later] = []
    ours = Rulebook(facts.own_rules).laws.values()
    for versions, is_own in [*((law, False) for law in rules.laws.values()), *((law, True) for law in ours)]:
        on, today = _day(day_of, versions[-1]), _day(moment, versions[-1])
        regime = version_on(versions, on) or versions[-1]
        spots = spots_of(regime, case, is_own=is_own)
        if any(spot.reach.met is not False for spot in spots):
            later.extend(_later(one) for one in began_between(versions, on, today))
        looked.extend(Looked(regime, spot.here.place, regime.no_duty) for spot in spots if regime.no_duty)
        found.extend(replace(one, is_own=is_own) for one in _of_regime(regime, spots, on, case))
    return Answer(
        tuple(found),
        tuple(looked),
        tuple((place, count) for place, count in sorted(case.people.counts.items()) if not _known(place, count, rules)),
        case.people.without_country,
        tuple(_without_part(case)),
        tuple(later),
        day_of.astimezone(ZoneInfo("UTC")).date(),
    )


def _day(moment: datetime, regime: Regime) -> date:
    return moment.astimezone(_zone(regime.zone)).date()


@lru_cache
def _zone(name: str) -> ZoneInfo:
    """ZoneInfo's own cache lets go of them while there are as many zones as laws."""
    return ZoneInfo(name)


def _later(regime: Regime) -> Later:
    since = regime.in_force.since or date.min
    return Later(regime, since, f"{regime.name} has another version since {_written(since)}, after we became aware.")


def _written(day: date) -> str:
    return f"{day.day} {day:%B %Y}"


def _known(place: str, count: Count, rules: Rulebook) -> bool:
    return count.high == 0 or rules.knows(place)


def _without_part(case: Case) -> Iterator[tuple[str, Count]]:
    for country in sorted(case.people.counts):
        unplaced = case.people.in_unknown_part(country)
        if "-" not in country and unplaced.high != 0 and case.rules.has_laws_of_parts(country):
            yield country, unplaced


# One law


def _of_regime(regime: Regime, spots: list[Spot], on: date, case: Case) -> Iterator[Obligation]:
    everywhere = _everywhere(regime, spots, case)
    for spot in (*spots, *everywhere):
        once = spot in everywhere
        law = _in_force(regime.in_force_at(spot.here.place), on)
        ties = [law, spot.reach] if law else [spot.reach]
        is_ours = all(tie.met is not False for tie in ties)
        concerns = [decide(regime.concerns, spot.here).of("definition")] if regime.concerns and is_ours else []
        for duty in regime.duties_at(spot.here.place):
            if len(regime.places) == 1 or (duty.tell in TOLD_ONCE) == once:
                rest = [*_whose(duty, spot), _role(case.facts.role, duty.role), *concerns, *_tests(duty, spot.here)]
                rest += _of_nobody(spot, spots, case) if duty.tell in TOLD_AT_HOME else []
                yield _obligation(regime, duty, spot, ties + rest if is_ours else ties, case)


def _everywhere(regime: Regime, spots: list[Spot], case: Case) -> list[Spot]:
    """Of a law of several places: all of them at once, reaching us as surely as at any of them."""
    if not spots or len(regime.places) == 1:
        return []
    order = (True, None, False)
    surest = min(spots, key=lambda spot: order.index(spot.reach.met))
    return [replace(surest, here=regime_wide(regime, case), tells=None)]


def _of_nobody(spot: Spot, spots: list[Spot], case: Case) -> list[Decision]:
    """A lead without residents owes its people no notice, as long as everybody affected is told at another place.

    People outside the places of the law have none: what our establishment does is covered wherever they live.
    """
    if spot.here.residents.high != 0:
        return []
    told = {one.here.place for one in spots if one.reach.met} - {spot.here.place}
    lived_in = [place for place, count in case.people.counts.items() if count.high != 0]
    if not lived_in or not all({place, place[:2]} & told for place in lived_in):
        return []
    sentence = f"Nobody affected lives in {spot.here.name}: everybody is told where they live."
    return [decided(sentence, False, "people.residents").of("condition")]


def _in_force(force: InForce, on: date) -> Decision | None:
    """Nothing to say where it is."""
    if force.counts_on(on):
        return None
    if force.until and on > force.until:
        when = f"it ended on {_written(force.until)}"
    elif force.since and on < force.since:
        when = f"it begins on {_written(force.since)}"
    else:
        when = {"suspended": "it is suspended"}.get(force.state, "no day is known on which it begins")
    sentence = f"This law was not in force on {_written(on)}: {when}."
    return decided(sentence, False, "law.in_force").of("law")


def _whose(duty: Duty, spot: Spot) -> list[Decision]:
    return [spot.tells] if spot.tells and duty.tell == Recipient.AUTHORITY else []


@lru_cache
def _role(role: str | None, falls_on: tuple[str, ...]) -> Decision:
    if role is None:
        return decided(f"Not stated yet: {fact_words.missing_words('role.is')}.", None, "role.is").of("role")
    sentence = fact_words.choice("role.is", fact_words.value(role))
    if role not in falls_on:
        sentence = (
            f"{sentence} This duty falls on {fact_words.listed([fact_words.value(one) for one in falls_on], 'or')}."
        )
    elif role == "joint":
        sentence = f"{sentence} Each of us owes this, whichever our arrangement names (GDPR Article 26)."
    return decided(sentence, role in falls_on, "role.is").of("role")


def _tests(duty: Duty, here: Here) -> Iterator[Decision]:
    if duty.when:
        yield decide(duty.when, here).of("condition")
    if duty.unless:
        yield negated(decide(duty.unless, here)).of("exception")


# One duty


def _obligation(regime: Regime, duty: Duty, spot: Spot, parts: list[Decision], case: Case) -> Obligation:
    whole = all_of(parts)
    reasons = tuple(dict.fromkeys(reason for part in parts for reason in part.reasons))
    one = Obligation(
        regime,
        duty,
        spot.here.place,
        _verdict(whole.met, duty),
        reasons,
        whole.missing,
        _because(whole, parts, regime),
        reaches_us=spot.reach.met,
        limits=_limits(duty.clock, spot.here),
    )
    if duty.recommended:
        one = _advised(one, whole.met)
    return one if duty.tell != Recipient.AUTHORITY else _addressed(one, case)


def _verdict(met: Met, duty: Duty) -> Verdict:
    if met is False or duty.recommended:
        return Verdict.NOT_OWED
    return Verdict.OWED if met else Verdict.UNDECIDED


def _because(whole: Decision, parts: list[Decision], regime: Regime) -> str:
    if whole.met is None:
        words = [fact_words.missing_words(fact, regime.name) for fact in whole.missing]
        return f"Undecided until it is known {fact_words.listed(words)}."
    deciding = (reason for part in parts if part.met is whole.met for reason in part.reasons)
    return " ".join(dict.fromkeys(reason.sentence for reason in deciding if reason.met is whole.met))


def _limits(clock: Clock, here: Here) -> tuple[Met, ...]:
    return tuple(decide(limit.when, here).met if limit.when else True for limit in clock.limits)


def _advised(one: Obligation, met: Met) -> Obligation:
    sentence = "No law demands this; an authority asks for it."
    reasons = (Reason(sentence, False, "law.in_force", "law"), *one.reasons)
    if met is False:
        return replace(one, reasons=reasons)
    return replace(one, reasons=reasons, is_advised=True, missing=(), because=sentence)


def _addressed(one: Obligation, case: Case) -> Obligation:
    """To the authority of its place. Where a country has several, by our establishment's part of it or by choice."""
    found = _hearing(case.rules.supervisors_of(one.regime, one.place), case.facts)
    chosen = case.facts.supervisors.get(one.place)
    if chosen in {supervisor.id for supervisor in found}:
        found = [supervisor for supervisor in found if supervisor.id == chosen]
    elif len(found) > 1:
        found = [s for s in found if "-" in s.place and case.is_established_in(s.place)] or found
    if len(found) <= 1:
        return replace(one, supervisor=found[0] if found else None)
    if one.verdict == Verdict.NOT_OWED:
        return replace(one, candidates=tuple(found))
    fact = f"supervisor.{one.place}"
    names = fact_words.listed([supervisor.short_name for supervisor in found], "or")
    reason = Reason(f"Nothing says yet which authority hears us there: {names}.", None, fact, "authority")
    return replace(
        one, candidates=tuple(found), reasons=(*one.reasons, reason), missing=tuple(dict.fromkeys((*one.missing, fact)))
    )


def _hearing(supervisors: list[Supervisor], facts: Facts) -> list[Supervisor]:
    """A company is never sent to an authority for public bodies (in Germany the BfDI and, in Bavaria, the LfD)."""
    not_ours = "private" if facts.known.get("us.public_body") is True else "public"
    return [supervisor for supervisor in supervisors if supervisor.hears != not_ours]
