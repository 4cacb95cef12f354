"""standing_of(): every duty of a case as it stands now: owed, undecided or not, by when, and how far we are with it.

Worked out afresh on every look from the facts, the catalogue and what was done; nothing of it is stored.
"""

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, replace
from datetime import datetime
from enum import StrEnum
from functools import lru_cache
from uuid import UUID

from breachdesk.incidents.models import Incident
from regulators.case_facts import facts_of
from regulators.catalogue import get_place, the_catalogue
from regulators.catalogue.rules import Recipient, Start
from regulators.clocks import Due, due_of, is_late
from regulators.done import Done
from regulators.due_dates import HOME, speaks_1182
from regulators.facts import Facts
from regulators.models import DutyMet, Filing
from regulators.obligations import Answer, Obligation, Verdict, obligations_of
from regulators.rulebook import Rulebook, rulebook_of
from regulators.workings import working_of


class Progress(StrEnum):
    OPEN = "open"
    BEGUN = "begun"
    MET = "met"
    MET_LATE = "met_late"


@dataclass(frozen=True)
class Duty:
    """One obligation with its date and how far we are. `met_at` is when whoever must be told was told."""

    obligation: Obligation
    due: Due
    filing: Filing | None = None
    met: DutyMet | None = None
    met_at: datetime | None = None
    is_begun: bool = False

    @property
    def key(self) -> str:
        one = self.obligation
        return ":".join((one.regime.id, one.duty.id, one.place))

    @property
    def progress(self) -> Progress:
        if self.met_at:
            return Progress.MET_LATE if is_late(self.due, self.met_at) else Progress.MET
        return Progress.BEGUN if self.is_begun else Progress.OPEN

    @property
    def is_open(self) -> bool:
        """Somebody still has to be told, or it is not known whether they have to."""
        return self.obligation.verdict != Verdict.NOT_OWED and self.met_at is None

    @property
    def zone(self) -> str:
        """Whose clock it is counted by."""
        return self.due.place.zone.key

    @property
    def is_ours(self) -> bool:
        """Its law reaches us for certain; so, until somebody says otherwise, does that of our own authority."""
        return self.obligation.reaches_us is True or self.obligation.regime.id == HOME

    @property
    def working(self) -> list[str]:
        return working_of(self.due)

    @property
    def whom(self) -> str:
        one = self.obligation
        if one.supervisor:
            return one.supervisor.name
        return one.duty.whom or WHOM.get(one.duty.tell, one.duty.title)

    def urgency(self, now: datetime) -> str:
        """As clocks are coloured everywhere: calm, soon (24 hours) or over."""
        if self.due.at is None or not self.is_open:
            return "calm"
        left = (self.due.at - now).total_seconds()
        return "over" if left < 0 else "soon" if left < 86_400 else "calm"


WHOM = {
    Recipient.PEOPLE: "The people affected",
    Recipient.CREDIT_AGENCIES: "The credit reporting agencies",
    Recipient.MEDIA: "The media",
    Recipient.CONTROLLER: "The controller we work for",
    Recipient.CONTRACT_PARTNER: "The contract partner",
}


@dataclass(frozen=True)
class Standing:
    facts: Facts
    answer: Answer
    duties: tuple[Duty, ...]
    now: datetime

    def with_verdict(self, verdict: Verdict) -> list[Duty]:
        """Those with a date first, the nearest first; then by law and place."""
        found = [duty for duty in self.duties if duty.obligation.verdict == verdict]
        return sorted(found, key=lambda duty: (duty.due.at is None, duty.due.at or self.now))

    @property
    def owed(self) -> list[Duty]:
        return self.with_verdict(Verdict.OWED)

    @property
    def undecided(self) -> list[Duty]:
        return self.with_verdict(Verdict.UNDECIDED)

    @property
    def not_owed(self) -> list[Duty]:
        return self.with_verdict(Verdict.NOT_OWED)

    @property
    def missing(self) -> dict[str, int]:
        """Facts that would decide something, by how many duties hang on each; the one that decides most first."""
        counts: dict[str, int] = {}
        for duty in self.undecided:
            for fact in duty.obligation.missing:
                counts[fact] = counts.get(fact, 0) + 1
        return dict(sorted(counts.items(), key=lambda item: (-item[1], item[0])))

    @property
    def next(self) -> Duty | None:
        return next((duty for duty in self.owed if duty.is_open and duty.due.at), None)

    def duty(self, key: str) -> Duty | None:
        return next((duty for duty in self.duties if duty.key == key), None)


def standing_of(incident: Incident, now: datetime) -> Standing:
    facts, done = facts_of(incident), Done(incident)
    answer = obligations_of(facts, the_rulebook(), now)
    return Standing(facts, answer, tuple(_dated_all(answer, facts, done)), now)


def dues_of(incident: Incident, filings: Iterable[Filing]) -> dict[UUID, Due]:
    """By when each filing of the case is due: the date of the duty it answers. One without a known law has none.

    A law that nothing ties us to yet is looked at as if it reached us, since somebody writes a report under it.
    """
    filings = list(filings)
    laws = {filing.pk: frozenset({filing.law} if filing.law else ()) for filing in filings}
    if not any(laws.values()):
        return {}
    facts, done = facts_of(incident), Done(incident)
    found = {}
    for filing in filings:
        if duty := _answered_by(filing, laws[filing.pk], facts, done):
            found[filing.pk] = duty.due
    return found


def due_of_filing(filing: Filing) -> Due | None:
    return dues_of(filing.incident, [filing]).get(filing.pk)


def _answered_by(filing: Filing, laws: frozenset[str], facts: Facts, done: Done) -> Duty | None:
    rules = _rulebook_of(id(the_catalogue()), laws)
    own = tuple(one for one in facts.own_rules if one.id in laws)
    facts = replace(facts, own_rules=own)
    for known in (facts, replace(facts, reach={**facts.reach, **dict.fromkeys(laws, True)})):
        answer = obligations_of(known, rules, filing.incident.aware_at)
        if duty := _answering(filing, list(_dated_all(answer, known, done))):
            return duty
    return None


def _answering(filing: Filing, duties: Iterable[Duty]) -> Duty | None:
    """Of its law’s reports at its authority’s place the surest, and of those the first; of one at several places the
    nearest."""
    told = (Recipient.AUTHORITY, Recipient.OTHER_AUTHORITY)
    fitting = [duty for duty in duties if duty.obligation.duty.tell in told]
    return min(fitting, key=lambda duty: _fit(filing, duty), default=None)


def _fit(filing: Filing, duty: Duty) -> tuple[bool, int, bool, bool, int, float]:
    one = duty.obligation
    at = duty.due.at.timestamp() if duty.due.at else float("inf")
    order = one.regime.duties_at(one.place).index(one.duty)
    heard = {whom.id for whom in (one.supervisor, *one.candidates) if whom}
    is_elsewhere = bool(heard) and filing.authority_key not in heard
    surest = (Verdict.OWED, Verdict.UNDECIDED, Verdict.NOT_OWED).index(one.verdict)
    return is_elsewhere, surest, one.duty.tell != Recipient.AUTHORITY, one.duty.form != filing.form, order, at


def the_rulebook() -> Rulebook:
    return _rulebook_of(id(the_catalogue()), None)


@lru_cache(maxsize=64)
def _rulebook_of(_: int, laws: frozenset[str] | None) -> Rulebook:
    """All laws, or some of them."""
    whole = rulebook_of(the_catalogue())
    return whole if laws is None else replace(whole, regimes=tuple(one for one in whole.regimes if one.id in laws))


def _dated_all(answer: Answer, facts: Facts, done: Done) -> Iterator[Duty]:
    done.about(answer.obligations)
    by_law: dict[tuple[str, str], list[Obligation]] = {}
    for one in answer.obligations:
        by_law.setdefault((one.regime.id, one.place), []).append(one)
    for ones in by_law.values():
        yield from _of_law(ones, facts, done)


def _of_law(ones: Iterable[Obligation], facts: Facts, done: Done) -> list[Duty]:
    """Twice: a duty that hangs on another of the same law needs that one's date first."""
    alone = [_dated(one, facts, done, {}) for one in ones]
    owed = _owed(alone)
    dated = [_dated(duty.obligation, facts, done, owed) for duty in alone] if owed else alone
    answered = {filing: _answering(filing, dated) for duty in dated if (filing := done.filing_for(duty.obligation))}
    return [_with_progress(duty, done, answered) for duty in dated]


def _owed(duties: Iterable[Duty]) -> dict[Start, datetime]:
    """By when what is still to come is itself due."""
    owed: dict[Start, datetime] = {}
    for duty in duties:
        one = duty.obligation
        if duty.due.at and one.verdict != Verdict.NOT_OWED:
            start = {Recipient.PEOPLE: Start.PEOPLE_TOLD, Recipient.AUTHORITY: Start.AUTHORITY_TOLD}.get(one.duty.tell)
            if start:
                owed[start] = min(owed.get(start, duty.due.at), duty.due.at)
    return owed


def _dated(one: Obligation, facts: Facts, done: Done, owed: Mapping[Start, datetime]) -> Duty:
    counts = {limit.when: met for limit, met in zip(one.duty.clock.limits, one.limits, strict=True) if limit.when}
    zone, calendar = counted_in(one)
    due = due_of(
        one.duty.clock,
        {**facts.starts, **done.starts_of(one)},
        zone=zone,
        calendar=calendar,
        owed=owed,
        applies=counts.get,
        article=one.duty.article,
        by_1182=speaks_1182(one.regime),
    )
    return Duty(one, due)


def counted_in(one: Obligation) -> tuple[str, str | None]:
    """Whose clock and whose holidays: the law's, or, where it is that of several places, those of the authority's place
    or of the place itself."""
    if len(one.regime.places) == 1 or not one.place:
        return one.regime.zone, one.regime.calendar
    place = get_place(one.supervisor.place if one.supervisor else one.place)
    return place.zone, place.calendar


def _with_progress(duty: Duty, done: Done, answered: Mapping[Filing, Duty | None]) -> Duty:
    one = duty.obligation
    if met := done.met_for(one):
        return replace(duty, met=met, met_at=met.told_at, is_begun=True)
    if one.duty.tell == Recipient.PEOPLE:
        return replace(duty, met_at=done.people_told_at, is_begun=bool(done.editions))
    filing = done.filing_for(one)
    is_first = filing is not None and answered.get(filing) is duty
    if filing and (is_first or (one.duty.tell == Recipient.AUTHORITY and one.duty.stage == "initial")):
        reports = done.reports_to(one)
        return replace(duty, filing=filing, met_at=reports[0] if reports else None, is_begun=True)
    return duty
