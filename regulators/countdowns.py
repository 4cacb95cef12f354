"""countdowns_of(): the open dates of a case, for e-mails and calendars: duties that are owed, or may be, and dated.

The desk counts down to the report to our own authority even while nobody has said where we are established, so that the
law's answer is still missing. So does this.
"""

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime

from django.urls import reverse

from breachdesk.incidents.models import Incident
from regulators.catalogue import get_regime, get_supervisor
from regulators.clocks import Due
from regulators.due_dates import HOME, HOME_AUTHORITY, home_due
from regulators.models import Filing
from regulators.obligations import Verdict
from regulators.standing import Duty, Progress, standing_of


@dataclass(frozen=True)
class Countdown:
    """`key` is the duty's, and stays. `is_decided`: it is owed for certain."""

    key: str
    title: str
    whom: str
    law: str
    due: Due
    at: datetime
    is_begun: bool
    is_decided: bool
    url: str

    @property
    def order(self) -> tuple[datetime, str]:
        return self.at, self.key


def countdowns_of(incident: Incident, now: datetime) -> list[Countdown]:
    """Nearest first."""
    duties = standing_of(incident, now).duties
    found = [one for duty in duties if (one := _of_duty(incident, duty))]
    if not any(duty.obligation.regime.id == HOME for duty in duties):
        found += _home(incident)
    return sorted(found, key=lambda one: one.order)


def _of_duty(incident: Incident, duty: Duty) -> Countdown | None:
    one = duty.obligation
    if duty.due.at is None or not duty.is_open:
        return None
    return Countdown(
        key=duty.key,
        title=one.duty.title,
        whom=duty.whom,
        law=f"{one.regime.name}, {one.duty.article}",
        due=duty.due,
        at=duty.due.at,
        is_begun=duty.progress != Progress.OPEN,
        is_decided=one.verdict == Verdict.OWED,
        url=reverse("duty", args=[incident.reference, duty.key]),
    )


def _home(incident: Incident) -> Iterator[Countdown]:
    filing = Filing.objects.of(incident).home().first()
    due = home_due(incident)
    if due.at is None or incident.our_role == Incident.Role.PROCESSOR:
        return
    if filing is None or filing.state != Filing.State.SUBMITTED:
        law, whom = get_regime(HOME), get_supervisor(HOME_AUTHORITY).name
        yield Countdown(
            key=f"{HOME}:authority:{law.places[0]}",
            title=f"Report to {whom}",
            whom=whom,
            law=f"{law.name}, {due.article}",
            due=due,
            at=due.at,
            is_begun=filing is not None,
            is_decided=False,
            url=reverse("filing-list", args=[incident.reference]),
        )
