"""One incident, put together from every app: what we owe, what comes next, what we know, what happened."""

from dataclasses import dataclass
from datetime import datetime
from typing import TYPE_CHECKING

from breachdesk.audit.models import Event
from breachdesk.audit.timeline import Line, describe
from breachdesk.desk.deadlines import Deadline, deadline_of
from breachdesk.desk.head import people_loaded
from breachdesk.desk.owed import Duties, Owed, duties_in, owed_to_authority, owed_to_people
from breachdesk.desk.ruler import Ruler
from breachdesk.desk.ruling import ruler_of
from breachdesk.desk.steps import Step, steps_of
from breachdesk.incidents.models import Incident, Moment
from notifications.models import Edition
from regulators.models import Filing
from regulators.standing import standing_of

if TYPE_CHECKING:
    from breachdesk.accounts.models import User

ON_THE_TIMELINE = 30
DECISIONS = (
    "approved",
    "decided",
    "rejected",
    "signed_off",
    "sent_back",
    "held",
    "released",
    "closed",
    "paused",
    "cancelled",
)


@dataclass(frozen=True)
class Entry:
    """A line of the timeline: an open circle for a fact, a filled diamond for a decision."""

    line: Line
    is_decision: bool


@dataclass(frozen=True)
class Workspace:
    incident: Incident
    now: datetime
    people: int | None
    deadline: Deadline | None
    ruler: Ruler
    owed: list[Owed]
    duties: Duties | None
    steps: list[Step]
    moments: list[Moment]
    corrections: list[Moment]
    timeline: list[Entry]

    @property
    def unstated(self) -> list[tuple[str, str]]:
        """The moments nobody has stated yet: (kind, label)."""
        known = {moment.kind for moment in self.moments}
        wanted = set(Moment.ALWAYS_ASKED) - known
        if self.incident.origin != Incident.Origin.PROCESSOR:
            wanted -= {Moment.Kind.TOLD_BY_PROCESSOR}
        return [(kind.value, kind.label) for kind in Moment.Kind if kind in wanted]


def workspace_of(incident: Incident, user: "User", now: datetime) -> Workspace:
    """A fixed number of queries, however many people, deliveries and events there are."""
    filing = Filing.objects.visible_to(user).of(incident).home().with_versions().first()
    editions = list(Edition.objects.visible_to(user).of(incident).select_related("notice").in_order())
    people = people_loaded(incident)
    deadline = deadline_of(incident, user, now)
    duties = duties_in(standing_of(incident, now), incident) if user.has_perm("regulators.view_filing") else None
    at_home = [owed_to_authority(incident, filing, now), owed_to_people(incident, editions)]
    return Workspace(
        incident=incident,
        now=now,
        people=people,
        deadline=deadline,
        ruler=ruler_of(incident, deadline, now),
        owed=duties.nearest if duties else at_home,
        duties=duties,
        steps=steps_of(incident, user, people, editions, deadline),
        moments=[moment for kind in Moment.Kind if (moment := incident.moment(kind))],
        corrections=[moment for moment in incident.moments.all() if moment.superseded_at],
        timeline=_timeline(incident, user),
    )


def _timeline(incident: Incident, user: "User") -> list[Entry]:
    """Newest first, without batches and sweeps; the whole of it is on the trail page."""
    if not user.has_perm("audit.view_trail"):
        return []
    events = Event.objects.of_incident(incident.pk).without_machinery().newest_first()[:ON_THE_TIMELINE]
    return [Entry(line, line.event.type.rpartition(".")[2] in DECISIONS) for line in describe(events, private=False)]
