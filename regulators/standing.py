"""standing_of(): every duty of a case as it stands now: owed, undecided or not, by when, and how far we are with it.

Worked out afresh on every look from the facts, the catalogue and what was done; nothing of it is stored.
"""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum
from functools import lru_cache

from breachdesk.incidents.models import Incident
from notifications.models import Edition
from regulators.case_facts import facts_of
from regulators.catalogue import the_catalogue
from regulators.catalogue.rules import Recipient, Start
from regulators.clocks import Due, due_of, is_late
from regulators.due_dates import speaks_1182
from regulators.facts import Facts, Stated
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
    def has_unplaced(self) -> bool:
        """People of whom nobody can say where they live."""
        return self.answer.without_country.high != 0

    @property
    def next(self) -> Duty | None:
        return next((duty for duty in self.owed if duty.is_open and duty.due.at), None)

    def duty(self, key: str) -> Duty | None:
        return next((duty for duty in self.duties if duty.key == key), None)


def standing_of(incident: Incident, now: datetime) -> Standing:
    facts = facts_of(incident)
    answer = obligations_of(facts, the_rulebook(), now)
    done = _Done(incident)
    by_law: dict[tuple[str, str], list[Obligation]] = {}
    for one in answer.obligations:
        by_law.setdefault((one.regime.id, one.place), []).append(one)
    duties = tuple(duty for ones in by_law.values() for duty in _of_law(ones, facts, done))
    return Standing(facts, answer, duties, now)


def the_rulebook() -> Rulebook:
    return _rulebook(id(the_catalogue()))


@lru_cache(maxsize=1)
def _rulebook(_: int) -> Rulebook:
    return rulebook_of(the_catalogue())


class _Done:
    """What was done for a case, read once."""

    def __init__(self, incident: Incident) -> None:
        self.filings = list(Filing.objects.of(incident).with_case())
        self.met = {(met.regime, met.duty, met.place): met for met in DutyMet.objects.of(incident)}
        self.editions = list(Edition.objects.of(incident))

    def reports_to(self, obligation: Obligation) -> list[datetime]:
        filing = self.filing_for(obligation)
        versions = filing.versions.all() if filing else ()
        return sorted(version.receipt.submitted_at for version in versions if hasattr(version, "receipt"))

    def filing_for(self, obligation: Obligation) -> Filing | None:
        """One authority may get reports under two laws: the ICO under the UK GDPR and under PECR."""
        whom, law = obligation.supervisor, obligation.regime.id
        fitting = (one for one in self.filings if whom and one.authority_key == whom.id and one.law in {law, None})
        return next(fitting, None)

    @property
    def people_told_at(self) -> datetime | None:
        """When the last notice was through; None while one is being written or sent."""
        live = [edition for edition in self.editions if edition.state != Edition.State.CANCELLED]
        ends = [edition.finished_at for edition in live]
        return max((end for end in ends if end), default=None) if all(ends) else None


def _of_law(ones: Iterable[Obligation], facts: Facts, done: _Done) -> list[Duty]:
    """Twice: a duty that hangs on another of the same law needs that one's date first."""
    alone = [_dated(one, facts, done, {}) for one in ones]
    owed = _owed(alone)
    return [_dated(duty.obligation, facts, done, owed) for duty in alone] if owed else alone


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


def _dated(one: Obligation, facts: Facts, done: _Done, owed: Mapping[Start, datetime]) -> Duty:
    counts = {limit.when: met for limit, met in zip(one.duty.clock.limits, one.limits, strict=True) if limit.when}
    due = due_of(
        one.duty.clock,
        {**facts.starts, **_reported(one, done)},
        zone=one.regime.zone,
        calendar=one.regime.calendar,
        owed=owed,
        applies=counts.get,
        article=one.duty.article,
        by_1182=speaks_1182(one.regime),
    )
    return _with_progress(Duty(one, due), done)


def _reported(one: Obligation, done: _Done) -> dict[Start, Stated]:
    reports = done.reports_to(one)
    if not reports:
        return {}
    first, last = Stated(reports[0]), Stated(reports[-1])
    return {Start.AUTHORITY_TOLD: first, Start.FIRST_REPORT: first, Start.LAST_REPORT: last}


def _with_progress(duty: Duty, done: _Done) -> Duty:
    one = duty.obligation
    met = done.met.get((one.regime.id, one.duty.id, one.place))
    if met:
        return Duty(one, duty.due, met=met, met_at=met.told_at, is_begun=True)
    if one.duty.tell == Recipient.PEOPLE:
        return Duty(one, duty.due, met_at=done.people_told_at, is_begun=bool(done.editions))
    if one.duty.tell == Recipient.AUTHORITY and one.duty.stage == "initial" and (filing := done.filing_for(one)):
        reports = done.reports_to(one)
        return Duty(one, duty.due, filing, met_at=reports[0] if reports else None, is_begun=True)
    return duty
