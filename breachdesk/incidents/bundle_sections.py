"""The case's facts for an evidence bundle, as they stand when it is made; how they came to be is in the log."""

from datetime import datetime
from typing import Any
from uuid import UUID

from breachdesk.audit.canonical import time_text
from breachdesk.audit.sections import section
from breachdesk.incidents.models import Incident, Moment


@section("incident")
def incident_section(incident_id: UUID, *, private: bool) -> dict[str, Any]:
    incident = Incident.objects.with_moments().get(pk=incident_id)
    facts: dict[str, Any] = {
        "v": 1,
        "reference": incident.reference,
        "status": incident.status,
        "origin": incident.origin,
        "our_role": incident.our_role,
        "kinds": sorted(incident.kinds),
        "kinds_uncertain": incident.kinds_uncertain,
        "people_low": incident.people_low,
        "people_high": incident.people_high,
        "opened_at": time_text(incident.opened_at),
        "closed_at": _time_or_none(incident.closed_at),
        "moments": [_moment(moment, private=private) for moment in incident.moments.all()],
    }
    if private:
        facts |= {"title": incident.title, "what_happened": incident.what_happened, "processor": incident.processor}
        facts |= {"effects": incident.effects, "action_taken": incident.action_taken}
    return facts


def _moment(moment: Moment, *, private: bool) -> dict[str, Any]:
    stated: dict[str, Any] = {
        "id": str(moment.pk),
        "kind": moment.kind,
        "precision": moment.precision,
        "at": _time_or_none(moment.at),
        "zone": moment.zone,
        "stated_by": str(moment.stated_by_id),
        "stated_at": time_text(moment.stated_at),
        "superseded_at": _time_or_none(moment.superseded_at),
    }
    return stated | ({"basis": moment.basis, "reason": moment.reason} if private else {})


def _time_or_none(moment: datetime | None) -> str | None:
    return time_text(moment) if moment else None
