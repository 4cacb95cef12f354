"""The nearest deadline of each open incident, over every authority and everybody else who must be told.

From the dates that regulators/open_dates.py keeps. A date counts here when its law reaches us for certain, whether or
not it is decided yet that it is owed; those of laws that may not reach us at all are counted apart.
"""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import TYPE_CHECKING, NamedTuple
from uuid import UUID

from django.urls import reverse

from breachdesk.incidents.models import Incident
from regulators.catalogue.rules import Recipient
from regulators.countdowns import Countdown
from regulators.models import Filing
from regulators.open_dates import CaseDates, End, open_dates_of

if TYPE_CHECKING:
    from breachdesk.accounts.models import User

SOON = timedelta(hours=24)


def urgency_of(at: datetime, now: datetime) -> str:
    """Grey until 24 hours are left, yellow then, red only when overdue."""
    if now > at:
        return "over"
    return "soon" if at - now < SOON else "calm"


class Step(NamedTuple):
    """How far we are, what comes next, the permission it needs, and where it is done."""

    state: str
    do: str
    needs: str
    url: str


@dataclass(frozen=True)
class Deadline:
    """What must be done first for one incident, by when, and where one does it. `now` fixes how urgent it looks."""

    incident: Incident
    first: Countdown
    dates: CaseDates
    now: datetime
    step: Step
    is_mine: bool

    @property
    def at(self) -> datetime:
        return self.first.at

    @property
    def what(self) -> str:
        return self.first.what

    @property
    def is_report(self) -> bool:
        return self.first.is_report

    @property
    def state(self) -> str:
        """A date that is being worked out again is no other date, but may become one."""
        return self.step.state if self.dates.is_current else "Being worked out again"

    @property
    def icon(self) -> str:
        return "pencil-line" if self.first.is_begun else "circle-dashed"

    @property
    def url(self) -> str:
        return self.step.url

    @property
    def go(self) -> str:
        """What the link says: the next step to whoever may take it, a look to everybody else."""
        return self.step.do if self.is_mine else "See the report" if self.is_report else "See why"

    @property
    def reference(self) -> str:
        return self.incident.reference

    @property
    def urgency(self) -> str:
        return urgency_of(self.at, self.now)

    @property
    def fuse(self) -> float:
        """Per cent of the time that is used."""
        start = self.first.period.start or self.incident.aware_at
        used = (self.now - start) / (self.at - start) if self.at > start else 1.0
        return round(min(max(used, 0.0), 1.0) * 100, 1)

    @property
    def more_over(self) -> int:
        """Besides this one."""
        return max(sum(end.at < self.now for end in self.dates.ends) - 1, 0)

    @property
    def more_at_once(self) -> int:
        return sum(end.at == self.at for end in self.dates.ends) - 1

    @property
    def more_soon(self) -> int:
        return sum(self.at < end.at < self.now + SOON for end in self.dates.ends)

    @property
    def more_perhaps(self) -> int:
        return len(self.dates.elsewhere)


def open_deadlines(user: "User", now: datetime) -> list[Deadline]:
    """Nearest first; four queries, however many incidents are open."""
    incidents = Incident.objects.visible_to(user).open().with_moments()
    return deadlines_of(incidents, user, now)


def next_deadline(user: "User", now: datetime) -> Deadline | None:
    """The first of them, for the head of every page: three queries, and no case's moments while nothing changed."""
    incidents = list(Incident.objects.visible_to(user).open())
    return next(iter(deadlines_in(dates_for(incidents, user, now), incidents, user, now)), None)


def deadlines_of(incidents: Iterable[Incident], user: "User", now: datetime) -> list[Deadline]:
    """Of those that are open and have one."""
    incidents = list(incidents)
    return deadlines_in(dates_for(incidents, user, now), incidents, user, now)


def dates_for(incidents: Iterable[Incident], user: "User", now: datetime) -> dict[UUID, CaseDates]:
    """Of the open ones, to whoever may see duties."""
    if not user.has_perm("regulators.view_filing"):
        return {}
    return open_dates_of([one for one in incidents if one.status == Incident.Status.OPEN], now)


def deadlines_in(
    dates: Mapping[UUID, CaseDates], incidents: Iterable[Incident], user: "User", now: datetime
) -> list[Deadline]:
    found = (_deadline(one, dates[one.pk], user, now) for one in incidents if one.pk in dates)
    return sorted((one for one in found if one), key=lambda one: (one.first.order, one.reference))


def deadline_of(incident: Incident, user: "User", now: datetime) -> Deadline | None:
    """None for a closed one, and when nothing with a date is open."""
    return next(iter(deadlines_of([incident], user, now)), None)


def _deadline(incident: Incident, dates: CaseDates, user: "User", now: datetime) -> Deadline | None:
    if dates.first is None:
        return None
    step = step_of(incident, dates.first)
    return Deadline(incident, dates.first, dates, now, step, user.has_perm(step.needs))


def step_of(incident: Incident, one: Countdown) -> Step:
    """What is to be done next about an open date."""
    if one.filing:
        url = reverse("filing-detail", args=[incident.reference, one.filing])
        return Step(*REPORT_STEPS.get(one.filing_state, REPORT_STEPS[Filing.State.DRAFT]), url)
    if one.is_report and one.has_form:
        url = reverse("filing-list", args=[incident.reference], query=None if one.is_home else {"q": one.short})
        return Step("Not begun", "Begin the report", "regulators.write_filing", url)
    if one.tells == Recipient.PEOPLE:
        url = reverse("notice-list", args=[incident.reference])
        if one.is_begun:
            return Step("Being prepared", "Finish the notice", "notifications.write_notice", url)
        return Step("No notice yet", "Write the notice", "notifications.write_notice", url)
    return Step("Not done", "Tell them and record it", "regulators.meet_duty", one.url)


REPORT_STEPS: dict[str, tuple[str, str, str]] = {
    Filing.State.DRAFT: ("Being drafted", "Finish the report", "regulators.write_filing"),
    Filing.State.IN_REVIEW: ("Waiting for sign-off", "Sign off the report", "regulators.sign_off_filing"),
    Filing.State.SIGNED_OFF: ("Signed off, not submitted", "Submit and record it", "regulators.record_submission"),
}


def ends_of(deadlines: Iterable[Deadline]) -> list[End]:
    return [end for deadline in deadlines for end in deadline.dates.ends]
