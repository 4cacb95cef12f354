"""ruler_of(): an incident on its ruler: what is open and by when, what was reported, where we are now.

The ruler spans 72 hours from awareness, or as many whole days as the nearest open date needs.
"""

from collections.abc import Iterator
from datetime import datetime, timedelta
from itertools import groupby
from math import ceil

from breachdesk.desk.deadlines import Deadline
from breachdesk.desk.ruler import HOURS, Mark, Ruler
from breachdesk.incidents.models import Incident, Moment
from regulators.due_dates import home_due_at
from regulators.models import Filing
from regulators.open_dates import End


def ruler_of(incident: Incident, deadline: Deadline | None, now: datetime) -> Ruler:
    """Ends with the incident: a closed one no longer burns."""
    at = incident.closed_at or now
    hours = HOURS
    if deadline:
        days = ceil((deadline.at - incident.aware_at) / timedelta(days=1))
        hours = max(HOURS, days * 24)
    marks = [*_open(deadline, incident.aware_at + timedelta(hours=hours)), *_reported(incident), *_contained(incident)]
    return Ruler(incident.aware_at, at, marks, hours)


def _open(deadline: Deadline | None, until: datetime) -> Iterator[Mark]:
    """One mark for all that end at the same moment."""
    for at, ends in groupby(deadline.dates.ends if deadline else (), key=lambda end: end.at):
        if deadline and at <= until:
            state = "over" if at < deadline.now else "due" if at == deadline.at else "planned"
            yield Mark(at, _label(list(ends)), state, deadline=at == deadline.at)


def _label(ends: list[End]) -> str:
    name = ends[0].mark or "others told"
    return name if len(ends) == 1 else f"{name} +{len(ends) - 1}"


def _reported(incident: Incident) -> Iterator[Mark]:
    for filing in Filing.objects.of(incident).reported().with_versions():
        at = filing.reported_at
        if at:
            is_late = filing.is_home and at > home_due_at(incident)
            yield Mark(at, f"{filing.addressee.short_name} report", "over" if is_late else "done")


def _contained(incident: Incident) -> Iterator[Mark]:
    contained = incident.moment(Moment.Kind.CONTAINED)
    if contained and contained.at and contained.at > incident.aware_at:
        yield Mark(contained.at, "contained", "done")
