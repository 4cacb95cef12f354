"""The case itself, and how long what is kept of it is kept."""

from breachdesk.incidents.models.cases import Incident, IncidentQuerySet, Moment
from breachdesk.incidents.models.keeping import Destruction, DestructionQuerySet, LegalHold, Retention

__all__ = [
    "Destruction",
    "DestructionQuerySet",
    "Incident",
    "IncidentQuerySet",
    "LegalHold",
    "Moment",
    "Retention",
]
