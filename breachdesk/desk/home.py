"""The front page: what is due, what waits for you, what is going out, what just happened."""

from dataclasses import dataclass
from datetime import datetime
from typing import TYPE_CHECKING

from breachdesk.accounts.decisions import waiting_for
from breachdesk.accounts.models import PendingDecision
from breachdesk.audit.alarms import TrailHealth, trail_health
from breachdesk.audit.models import Event
from breachdesk.audit.timeline import Line, describe
from breachdesk.desk.deadlines import Deadline, deadlines_of
from breachdesk.desk.figures import WrongFiling, submitted_and_wrong
from breachdesk.desk.ruler import Mark, Ruler
from breachdesk.desk.sends import Send, sends_in_progress
from breachdesk.desk.templatetags.say import words
from breachdesk.incidents.models import Incident
from breachdesk.people.models import Tally

if TYPE_CHECKING:
    from breachdesk.accounts.models import User

RECENT = 8


@dataclass(frozen=True)
class Case:
    """An open incident on the desk. `people` is None while no file is loaded."""

    incident: Incident
    deadline: Deadline | None
    people: int | None
    ruler: Ruler | None


@dataclass(frozen=True)
class Desk:
    now: datetime
    cases: list[Case]
    decisions: list[PendingDecision]
    wrong: list[WrongFiling]
    sends: list[Send]
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
        over = sum(deadline.urgency == "over" for deadline in self.deadlines)
        soon = sum(deadline.urgency == "soon" for deadline in self.deadlines)
        if over:
            return f"{counted(over, 'report')} overdue"
        if soon:
            return f"{counted(soon, 'report')} due within a day"
        return "Nothing is due within a day"

    @property
    def summary(self) -> str:
        sends = f"{counted(len(self.sends), 'send')} running" if self.sends else "No send is running"
        return f"{counted(len(self.cases), 'incident')} open. {sends}."


def counted(number: int, noun: str) -> str:
    """One report is; two reports are."""
    return f"{words(number).capitalize()} {noun} is" if number == 1 else f"{words(number).capitalize()} {noun}s are"


def desk_of(user: "User", now: datetime) -> Desk:
    """A fixed number of queries, however many incidents, people and events there are."""
    incidents = list(Incident.objects.visible_to(user).open().with_moments().newest_first())
    return Desk(
        now=now,
        cases=_cases(incidents, user, now),
        decisions=list(waiting_for(user)),
        wrong=submitted_and_wrong(incidents, user),
        sends=sends_in_progress(user),
        activity=_recent(user),
        trail=trail_health() if user.has_perm("audit.view_trail") else None,
    )


def _cases(incidents: list[Incident], user: "User", now: datetime) -> list[Case]:
    """Nearest deadline first, those without one last; only the first gets a ruler."""
    deadlines = {deadline.incident.pk: deadline for deadline in deadlines_of(incidents, user, now)}
    people = Tally.objects.people_of(incidents)
    late = datetime.max.replace(tzinfo=now.tzinfo)
    incidents = sorted(incidents, key=lambda i: deadlines[i.pk].at if i.pk in deadlines else late)
    first = next(iter(incidents), None)
    return [
        Case(i, deadlines.get(i.pk), people.get(i.pk), _ruler(deadlines.get(i.pk), now) if i is first else None)
        for i in incidents
    ]


def _ruler(deadline: Deadline | None, now: datetime) -> Ruler | None:
    if deadline is None:
        return None
    state = "over" if deadline.urgency == "over" else "due"
    return Ruler(deadline.incident.aware_at, now, [Mark(deadline.at, "ICO", state, deadline=True)])


def _recent(user: "User") -> list[Line]:
    if not user.has_perm("audit.view_trail"):
        return []
    return describe(Event.objects.of_cases().without_machinery().newest_first()[:RECENT], private=False)
