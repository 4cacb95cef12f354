"""The nearest deadlines across all open incidents, worked out afresh from the facts each time."""

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import TYPE_CHECKING

from breachdesk.desk.addresses import address_of_filing
from breachdesk.incidents.models import Incident
from regulators.due_dates import home_due_at
from regulators.models import Filing

if TYPE_CHECKING:
    from breachdesk.accounts.models import User

SOON = timedelta(hours=24)


@dataclass(frozen=True)
class Deadline:
    """What must be done for one incident, by when, and where one does it. `now` fixes how urgent it looks."""

    incident: Incident
    at: datetime
    now: datetime
    what: str
    state: str
    url: str
    do: str
    needs: str
    is_mine: bool

    @property
    def go(self) -> str:
        """What the link says: the next step to whoever may take it, a look to everybody else."""
        return self.do if self.is_mine else "See the report"

    @property
    def reference(self) -> str:
        return self.incident.reference

    @property
    def urgency(self) -> str:
        """Grey until 24 hours are left, yellow then, red only when overdue."""
        if self.now > self.at:
            return "over"
        return "soon" if self.at - self.now < SOON else "calm"

    @property
    def fuse(self) -> float:
        """Per cent of the time that is used."""
        used = (self.now - self.incident.aware_at) / (self.at - self.incident.aware_at)
        return round(min(max(used, 0.0), 1.0) * 100, 1)


def open_deadlines(user: "User", now: datetime) -> list[Deadline]:
    """Nearest first; three queries, however many incidents are open."""
    incidents = Incident.objects.visible_to(user).open().with_moments()
    return deadlines_of(incidents, user, now)


def deadlines_of(incidents: Iterable[Incident], user: "User", now: datetime) -> list[Deadline]:
    incidents = list(incidents)
    begun = Filing.objects.visible_to(user).among(incidents).home().with_versions()
    filings = {filing.incident_id: filing for filing in begun}
    found = (deadline_of(incident, filings.get(incident.pk), user, now) for incident in incidents)
    return sorted((deadline for deadline in found if deadline), key=lambda deadline: deadline.at)


def deadline_of(incident: Incident, filing: Filing | None, user: "User", now: datetime) -> Deadline | None:
    """The report to the authority; None once one was submitted, and for a processor, who answers to its controller."""
    if incident.status == Incident.Status.CLOSED or incident.our_role == Incident.Role.PROCESSOR:
        return None
    step = REPORT_STEPS.get(filing.state if filing else NOT_BEGUN)
    if step is None or (filing and filing.is_reported):
        return None
    state, do, needs = step
    return Deadline(
        incident=incident,
        at=home_due_at(incident),
        now=now,
        what="ICO report",
        state=state,
        url=address_of_filing(incident, filing),
        do=do,
        needs=needs,
        is_mine=user.has_perm(needs),
    )


NOT_BEGUN = ""
REPORT_STEPS = {
    NOT_BEGUN: ("Not begun", "Begin the report", "regulators.write_filing"),
    Filing.State.DRAFT: ("Being drafted", "Finish the report", "regulators.write_filing"),
    Filing.State.IN_REVIEW: ("Waiting for sign-off", "Sign off the report", "regulators.sign_off_filing"),
    Filing.State.SIGNED_OFF: ("Signed off, not submitted", "Submit and record it", "regulators.record_submission"),
}
