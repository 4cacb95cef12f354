"""The shape of a regime: whom a law makes us tell, what decides it, and by when. Every file is read into it or refused.

A regime is one law in one version. Its duties say whom to tell; `reaches_us`, `concerns` and each duty's `when` and
`unless` are tests on facts, and a test may come out undecided: nothing that is not known ever removes a duty. A clock
holds what the law says and, apart from it, what an authority expects, so that no guidance is shown as a legal date.
"""

from collections.abc import Iterator
from datetime import date
from enum import StrEnum
from typing import Annotated, Literal

from pydantic import Field, HttpUrl, model_validator

from regulators.catalogue.conditions import Test
from regulators.catalogue.notice_rules import Basis, CreditMonitoring, Delivery, NoticeContents
from regulators.catalogue.schema import Confidence, Key, Strict, Text

PlaceCode = Annotated[str, Field(pattern=r"^[A-Z]{2}(-[A-Z0-9]{1,3})?$")]
"""A country, or a part of one: US-TX, DE-BY (ISO 3166-2)."""


class Start(StrEnum):
    """What a period runs from. The product knows an instant for each that somebody asserted, and for no other."""

    AWARENESS = "awareness"
    SUSPICION = "suspicion"
    DETECTION = "detection"
    DISCOVERY = "discovery"
    OCCURRENCE = "occurrence"
    TOLD_BY_OTHERS = "told_by_others"
    SHOULD_HAVE_KNOWN = "should_have_known"
    CONFIRMATION = "confirmation"
    DETERMINATION = "determination"
    """That a breach happened, or that it must be reported, was decided."""
    ASSESSMENT_COMPLETED = "assessment_completed"
    CLASSIFICATION = "classification"
    MATERIALITY = "materiality"
    PEOPLE_IDENTIFIED = "people_identified"
    RANSOM_PAYMENT = "ransom_payment"
    INCIDENT_HANDLED = "incident_handled"
    FIX_AVAILABLE = "fix_available"
    REQUEST = "request"
    """The authority asked for it."""
    AUTHORITY_TOLD = "authority_told"
    HHS_TOLD = "hhs_told"
    """The federal health department was told under HIPAA, which some states want a copy of."""
    PEOPLE_TOLD = "people_told"
    FIRST_REPORT = "first_report"
    NOTIFICATION = "notification"
    """The full notification that follows a first warning (NIS2, Cyber Resilience Act)."""
    LAST_REPORT = "last_report"
    STATEMENT_READY = "statement_ready"
    END_OF_YEAR = "end_of_year"
    """31 December of the year of discovery, in the regime's zone."""


class Unit(StrEnum):
    MINUTES = "minutes"
    HOURS = "hours"
    CALENDAR_DAYS = "calendar_days"
    BUSINESS_DAYS = "business_days"
    MONTHS = "months"


class Limit(Strict):
    """One end of a period: `amount` units after the start; or together with, or before, another event."""

    starts: Start
    relation: Literal["after", "with", "before"] = "after"
    amount: int | None = Field(default=None, ge=1)
    unit: Unit | None = None
    counts_first_day: bool = False
    """The day of the event is day 1 (otherwise the next one is)."""
    whole_days: bool = True
    """A period in days ends with its last day; false: at the time of day of the start."""
    moves_off_closed_days: bool = False
    """An end on a Saturday, Sunday or holiday moves to the next working day."""
    ends_at: Annotated[str, Field(pattern=r"^\d\d:\d\d$")] | None = None
    """The time of day the last day ends at, where a rule names one (17:30 for EDGAR)."""
    moved_ends_at: Annotated[str, Field(pattern=r"^\d\d:\d\d$")] | None = None
    """The same for an end that moved off a closed day, and for no other (noon, under DORA)."""
    until_received: bool = False
    """In time only if it has arrived, not if it was sent."""
    when: Test | None = None
    """This end counts only then (DORA's 24 hours only when classified within them)."""
    article: str = ""

    @model_validator(mode="after")
    def has_what_its_relation_needs(self) -> "Limit":
        given = [value is not None for value in (self.amount, self.unit)]
        if given != [self.relation == "after"] * 2:
            raise ValueError("a limit after an event has amount and unit; one with or before an event has neither")
        if self.moved_ends_at and not self.moves_off_closed_days:
            raise ValueError("moved_ends_at needs moves_off_closed_days: otherwise no end moves")
        return self


class Clock(Strict):
    """Whichever limit comes first counts. Without limits the law names no number: `without_delay` says what it asks."""

    limits: tuple[Limit, ...] = ()
    without_delay: bool = False
    reading: Text
    """The law's own measure in our words, and which reading is the strict one where it can be read in two ways."""


class Recipient(StrEnum):
    AUTHORITY = "authority"
    PEOPLE = "people"
    CREDIT_AGENCIES = "credit_agencies"
    MEDIA = "media"
    CONTROLLER = "controller"
    """A processor tells the controller it works for."""
    CONTRACT_PARTNER = "contract_partner"
    OTHER_AUTHORITY = "other_authority"
    """A sector regulator, a CSIRT, the police: besides the authority of the regime."""


class Duty(Strict):
    """Somebody to be told, in one stage. `when` and `unless` are tested after the regime's own `concerns`."""

    id: Key
    tell: Recipient
    whom: str = ""
    """Who exactly, where it is not the regime's authority."""
    stage: Key = "initial"
    title: Text
    when: Test | None = None
    unless: Test | None = None
    role: tuple[Literal["controller", "joint", "processor"], ...] = ("controller", "joint")
    clock: Clock
    expected: Clock | None = None
    """What the authority expects or a draft would demand. Never a legal date."""
    contents: tuple[Text, ...] = ()
    form: Key | None = None
    article: Text
    late: str = ""
    note: str = ""
    recommended: bool = False
    """An authority asks for it and no law demands it: it is shown, and never owed."""
    confidence: Confidence | None = None
    """Where it differs from the regime's."""


class Reach(Strict):
    """Whether this law reaches an organisation at all. Undecided until a fact or a person says so.

    residents: it follows the person, whoever holds the data (US state laws).
    established: it follows our establishment in the place.
    established_or_targets: also without establishment, if we offer goods or services to people there (GDPR Article 3).
    carries_on_business, uses_local_means, in_sector, by_contract: a person says so, per case or for the organisation.
    """

    basis: Literal[
        "residents",
        "established",
        "established_or_targets",
        "carries_on_business",
        "uses_local_means",
        "in_sector",
        "by_contract",
    ]
    sector: Key | None = None
    text: Text

    @model_validator(mode="after")
    def names_its_sector(self) -> "Reach":
        if (self.basis == "in_sector") != (self.sector is not None):
            raise ValueError("a sector belongs to the basis in_sector, and to no other")
        return self


class InForce(Strict):
    state: Literal["in_force", "partly", "not_yet", "suspended", "replaced"] = "in_force"
    since: date | None = None
    until: date | None = None
    note: str = ""

    @model_validator(mode="after")
    def ends_after_it_begins(self) -> "InForce":
        if self.since and self.until and self.until < self.since:
            raise ValueError("until is before since")
        return self

    @property
    def is_dated(self) -> bool:
        """Whether there are days it counts on: a law not yet in force and without a date has none, nor a suspended."""
        dated = {"in_force": True, "partly": True, "not_yet": bool(self.since), "replaced": bool(self.until)}
        return dated.get(self.state, False)

    def counts_on(self, day: date) -> bool:
        """The dates decide, so that a law known to begin later begins then by itself."""
        return self.is_dated and (self.since or date.min) <= day <= (self.until or date.max)


class National(Strict):
    """What one place's own act makes of a law that several places have (a directive)."""

    duties: tuple[Duty, ...] = ()
    """Each takes the place of the law's duty with its id; one with an id of its own comes besides."""
    whom: str = ""
    """Who hears the reports there, where no duty of its own says it."""
    in_force: InForce | None = None
    """Of the place's act, where it began on another day than the law."""

    @model_validator(mode="after")
    def says_something(self) -> "National":
        if not (self.duties or self.whom or self.in_force):
            raise ValueError("a place of its own has duties, whom or in_force; what is only said stands in notes")
        return self


class Regime(Strict):
    """One law in one version. A later version is another file with the same id and a later `in_force.since`.

    The file is called by the id, or by the id and what tells the version: eg_pdpl.yaml, eg_pdpl_until_2026.yaml.
    """

    id: Key
    name: Text
    kind: Key
    places: tuple[PlaceCode, ...] = Field(min_length=1)
    law: Text
    authorities: tuple[Key, ...] = ()
    """Keys of authorities/; where there is one per place, the engine takes the one of the place."""
    one_stop_shop: bool = False
    in_force: InForce
    reaches_us: Reach
    concerns: Test | None = None
    """The law's own definition of a breach: the kinds of data it protects, unreadable data, its harm test."""
    duties: tuple[Duty, ...] = ()
    national: dict[PlaceCode, National] = {}
    """By place, where its own act differs."""
    no_duty: str = ""
    """For a law that asks nothing of anybody after a breach: why, so that its place is looked at and not unknown."""
    zone: Text
    """A law of several places is counted by the clock and the holidays of each; these are for all of them at once."""
    calendar: PlaceCode | None = None
    """Whose public holidays count, as the holidays library names them."""
    phases: str = ""
    records_kept_years: int | None = None
    delivery: Delivery | None = None
    notice_contents: NoticeContents | None = None
    credit_monitoring: CreditMonitoring | None = None
    notes: str = ""
    source: Basis
    confidence: Confidence
    confidence_note: str = ""
    reviewed_by: str = ""

    @model_validator(mode="after")
    def holds_together(self) -> "Regime":
        names = [duty.id for duty in self.duties]
        if self.confidence == "seen" and not (self.source.url and self.source.seen_on):
            raise ValueError("confidence seen needs a source with its address and the date it was seen on")
        if len(set(names)) != len(names) or any(_doubled(self.duties_at(place)) for place in self.national):
            raise ValueError("two duties have the same id")
        if strange := set(self.national).difference(self.places):
            raise ValueError(f"national has {', '.join(sorted(strange))}, which is none of the places of this law")
        if bool(self.duties) == bool(self.no_duty):
            raise ValueError("a regime has duties, or says in no_duty why it has none")
        clocks = [clock for _, duty in self.every_duty() for clock in (duty.clock, duty.expected) if clock]
        if not self.calendar and any(map(needs_calendar, clocks)):
            raise ValueError("a clock in business days needs the regime's calendar")
        return self

    def duty(self, key: str, place: str = "") -> Duty:
        return next(duty for duty in self.duties_at(place) if duty.id == key)

    def duties_at(self, place: str) -> tuple[Duty, ...]:
        """The law's own, with those of the place's act in their stead and after them."""
        if place not in self.national:
            return self.duties
        act = self.national[place]
        theirs = {duty.id: duty for duty in act.duties}
        return tuple([theirs.pop(duty.id, _heard(duty, act.whom)) for duty in self.duties]) + tuple(theirs.values())

    def in_force_at(self, place: str) -> InForce:
        return (self.national[place].in_force if place in self.national else None) or self.in_force

    def every_duty(self) -> Iterator[tuple[str, Duty]]:
        """Each by where it stands: the law's own, then those of its places."""
        yield from ((f"duties.{duty.id}", duty) for duty in self.duties)
        for place, act in self.national.items():
            yield from ((f"national.{place}.duties.{duty.id}", duty) for duty in act.duties)

    def tests(self) -> Iterator[tuple[str, "Test"]]:
        """Every test of it, by where it stands."""
        if self.concerns:
            yield "concerns", self.concerns
        for where, duty in self.every_duty():
            for name, test in (("when", duty.when), ("unless", duty.unless)):
                if test:
                    yield f"{where}.{name}", test
            for number, limit in enumerate((*duty.clock.limits, *(duty.expected.limits if duty.expected else ()))):
                if limit.when:
                    yield f"{where}.limits.{number}.when", limit.when


def _heard(duty: Duty, whom: str) -> Duty:
    return duty.model_copy(update={"whom": whom}) if whom and duty.tell == Recipient.AUTHORITY else duty


def _doubled(duties: tuple[Duty, ...]) -> bool:
    return len({duty.id for duty in duties}) != len(duties)


def needs_calendar(clock: Clock) -> bool:
    return any(limit.unit == Unit.BUSINESS_DAYS or limit.moves_off_closed_days for limit in clock.limits)


class Supervisor(Strict):
    """An authority that filings go to."""

    id: Key
    place: PlaceCode
    name: Text
    short_name: Text
    name_local: str = ""
    hears: Literal["all", "private", "public"] = "all"
    """Public: only about public bodies, so never about a company."""
    website: HttpUrl | None = None
    filing_url: HttpUrl | None = None
    filing_channel: Text
    filing_email: str = ""
    languages: tuple[Annotated[str, Field(pattern=r"^[a-z]{2,3}$")], ...] = ()
    form: Key | None = None
    note: str = ""
    source: Basis
    confidence: Confidence
    confidence_note: str = ""


class Place(Strict):
    """A country or a part of one: its name in sentences, its clock and its public holidays."""

    name: Text
    zone: Text
    calendar: PlaceCode
    """As the holidays library names it; a part of a country may have the country's."""
