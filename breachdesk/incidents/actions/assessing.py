"""Scoring a breach, kept with its inputs so that anybody can work it out again. It suggests and never decides."""

from typing import TYPE_CHECKING

from django.utils import timezone

from breachdesk.accounts.permissions import action
from breachdesk.audit.canonical import canonical
from breachdesk.audit.record import record
from breachdesk.incidents.assessment import METHOD, Inputs, kept, severity_of
from breachdesk.incidents.locking import lock_open
from breachdesk.incidents.models import Assessment, Incident

if TYPE_CHECKING:
    from breachdesk.accounts.models import User


@action("incidents.assess_risk")
def make_assessment(incident: Incident, inputs: Inputs, *, note: str = "", by: "User") -> Assessment:
    incident = lock_open(incident)
    severity, last = severity_of(inputs), Assessment.objects.of(incident).first()
    assessment = Assessment.objects.create(
        incident=incident,
        number=last.number + 1 if last else 1,
        method=METHOD,
        inputs=kept(inputs),
        score=severity.score,
        level=severity.level,
        note=note.strip(),
        made_by=by,
        made_at=timezone.now(),
    )
    private = {"inputs": canonical(assessment.inputs).decode()}
    record(
        "assessment.made",
        by=by,
        on=assessment,
        private=private | ({"note": assessment.note} if assessment.note else {}),
        level=str(severity.level),
        number=assessment.number,
        method=METHOD,
        hundredths=int(severity.score * 100),
    )
    return assessment
