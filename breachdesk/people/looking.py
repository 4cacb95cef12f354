"""That somebody has said why they look at an incident's people: kept for their session alone, without the reason."""

from django.contrib.sessions.backends.base import SessionBase

from breachdesk.incidents.models import Incident

KEY = "looking"


def has_said_why(session: SessionBase, incident: Incident) -> bool:
    return str(incident.pk) in session.get(KEY, [])


def remember_why(session: SessionBase, incident: Incident) -> None:
    """Goes with the session: at sign-out, and when it ends."""
    session[KEY] = sorted({*session.get(KEY, []), str(incident.pk)})
