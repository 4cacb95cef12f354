"""The front page: what is due, what waits for you, what is going out, what just happened."""

from dataclasses import dataclass
from datetime import datetime
from typing import TYPE_CHECKING

from breachdesk.accounts.decisions import waiting_for
from breachdesk.accounts.models import PendingDecision
from breachdesk.audit.alarms import TrailHealth, trail_health
from breachdesk.audit.models import Event
from breachdesk.audit.timeline import Line, describe
from breachdesk.desk.deadlines import SOON, Deadline, dates_for, deadlines_in, ends_of
from breachdesk.desk.figures import WrongFiling, submitted_and_wrong
from breachdesk.desk.ruler import Ruler
from breachdesk.desk.ruling import ruler_of
from breachdesk.desk.sends import InDoubt, Send, sends_and_doubts
from breachdesk.desk.templatetags.say import words
from breachdesk.incidents.models import Incident
from breachdesk.people.models import Tally
from regulators.open_dates import CaseDates, End

if TYPE_CHECKING:
    from breachdesk.accounts.models import User

RECENT = 8


@dataclass(frozen=True)
class Case:
    """An open incident on the desk. `people` is None while no file is loaded; `undated` duties have no date."""

    incident: Incident
    deadline: Deadline | None
    people: int | None
    undated: int
    ruler: Ruler | None


@dataclass(frozen=True)
class Desk:
    now: datetime
    cases: list[Case]
    decisions: list[PendingDecision]
    wrong: list[WrongFiling]
    sends: list[Send]
    doubts: list[InDoubt]
    activity: list[Line]
    trail: TrailHealth | None

    @property
    def deadlines(self) -> list[Deadline]:
        return [case.deadline for case in self.cases if case.deadline]

    @property
    def next_deadline(self) -> Deadline | None:
        return next(iter(self.deadlines), None)

    @property
    def headline(self) -> str:
        """What is most pressing, as a sentence without its full stop."""
        ends = ends_of(self.deadlines)
        if over := [end for end in ends if end.at < self.now]:
            return said_of(over, "overdue")
        if soon := [end for end in ends if end.at - self.now < SOON]:
            return said_of(soon, "due within a day")
        return "Nothing is due within a day"

    @property
    def summary(self) -> str:
        sends = f"{counted(len(self.sends), 'send')} running" if self.sends else "No send is running"
        return f"{counted(len(self.cases), 'incident')} open. {sends}."

    @property
    def standstill(self) -> str:
        """How many of the sends go nowhere, as a sentence; empty while all go."""
        still = sum(send.hindrance is not None for send in self.sends)
        if not still:
            return ""
        if still == len(self.sends):
            return "Nothing of it goes out." if still == 1 else "Nothing of them goes out."
        return f"{words(still).capitalize()} of them {'stands' if still == 1 else 'stand'} still."


def counted(number: int, noun: str) -> str:
    """One report is; two reports are."""
    many = f"{noun[:-1]}ies" if noun.endswith("y") else f"{noun}s"
    return f"{words(number).capitalize()} {noun} is" if number == 1 else f"{words(number).capitalize()} {many} are"


def said_of(ends: list[End], how: str) -> str:
    """Of some of them it may not be decided yet whether they are owed."""
    noun = "report" if all(end.mark for end in ends) else "duty"
    said, open_ones = f"{counted(len(ends), noun)} {how}", sum(not end.is_certain for end in ends)
    if open_ones == len(ends):
        return f"{said}, if {'it is' if open_ones == 1 else 'they are'} owed"
    return f"{said}, {words(open_ones)} of them if owed" if open_ones else said


def desk_of(user: "User", now: datetime) -> Desk:
    """A fixed number of queries, however many incidents, people and events there are."""
    incidents = list(Incident.objects.visible_to(user).open().with_moments().newest_first())
    sends, doubts = sends_and_doubts(user)
    return Desk(
        now=now,
        cases=_cases(incidents, user, now),
        decisions=list(waiting_for(user)),
        wrong=submitted_and_wrong(incidents, user),
        sends=sends,
        doubts=doubts,
        activity=_recent(user),
        trail=trail_health() if user.has_perm("audit.view_trail") else None,
    )


def _cases(incidents: list[Incident], user: "User", now: datetime) -> list[Case]:
    """Nearest deadline first, those without one last; only the first gets a ruler."""
    dates = dates_for(incidents, user, now)
    deadlines = {deadline.incident.pk: deadline for deadline in deadlines_in(dates, incidents, user, now)}
    people = Tally.objects.people_of(incidents)
    places = {pk: place for place, pk in enumerate(deadlines)}
    incidents = sorted(incidents, key=lambda incident: places.get(incident.pk, len(places)))
    first = incidents[0] if deadlines else None
    return [_case(i, deadlines.get(i.pk), people.get(i.pk), dates.get(i.pk), is_first=i is first) for i in incidents]


def _case(
    incident: Incident, deadline: Deadline | None, people: int | None, dates: CaseDates | None, *, is_first: bool
) -> Case:
    ruler = ruler_of(incident, deadline, deadline.now) if is_first and deadline else None
    return Case(incident, deadline, people, dates.undated if dates else 0, ruler)


def _recent(user: "User") -> list[Line]:
    if not user.has_perm("audit.view_trail"):
        return []
    return describe(Event.objects.of_cases().without_machinery().newest_first()[:RECENT], private=False)
