"""The case itself, what was decided about it, and how long what is kept of it is kept."""

from breachdesk.incidents.models.assessments import Assessment, Decision
from breachdesk.incidents.models.cases import Incident, IncidentQuerySet, Moment
from breachdesk.incidents.models.keeping import Destruction, DestructionQuerySet, LegalHold, Retention

__all__ = [
    "Assessment",
    "Decision",
    "Destruction",
    "DestructionQuerySet",
    "Incident",
    "IncidentQuerySet",
    "LegalHold",
    "Moment",
    "Retention",
]
