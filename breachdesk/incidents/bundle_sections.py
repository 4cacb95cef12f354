"""The case's facts for an evidence bundle, as they stand when it is made; how they came to be is in the log."""

from datetime import datetime
from typing import Any
from uuid import UUID

from breachdesk.audit.canonical import base64url, time_text
from breachdesk.audit.sections import section
from breachdesk.incidents.models import Assessment, Decision, Incident, Moment


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


@section("risk")
def risk_section(incident_id: UUID, *, private: bool) -> dict[str, Any]:
    """Every score with what it was made of, and every decision with the score it was taken beside."""
    incident = Incident.objects.get(pk=incident_id)
    return {
        "v": 1,
        "assessments": [_assessment(one, private=private) for one in Assessment.objects.of(incident)],
        "decisions": [_decision(one, private=private) for one in Decision.objects.of(incident)],
    }


def _assessment(made: Assessment, *, private: bool) -> dict[str, Any]:
    told: dict[str, Any] = {
        "id": str(made.pk),
        "number": made.number,
        "method": made.method,
        "score": str(made.score),
        "level": made.level,
        "made_by": str(made.made_by_id),
        "made_at": time_text(made.made_at),
    }
    return told | ({"inputs": made.inputs, "note": made.note} if private else {})


def _decision(decision: Decision, *, private: bool) -> dict[str, Any]:
    told: dict[str, Any] = {
        "id": str(decision.pk),
        "about": decision.about,
        "tell": decision.tell,
        "assessment": str(decision.assessment_id) if decision.assessment_id else None,
        "facts": base64url(bytes(decision.facts)),
        "decided_by": str(decision.decided_by_id),
        "decided_at": time_text(decision.decided_at),
        "superseded_at": _time_or_none(decision.superseded_at),
    }
    return told | ({"reason": decision.reason} if private else {})
