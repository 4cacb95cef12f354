"""First drafts in our own words, so that nobody begins with an empty page; an author changes them."""

from pathlib import Path
from string import Template

from breachdesk.incidents.models import Incident

FOLDER = Path(__file__).parent


def starter_for(language: str, incident: Incident) -> tuple[str, str]:
    """Subject and body for a first draft, with what the incident already says; empty where we have no starter."""
    path = FOLDER / f"{language.split('-')[0]}.md"
    if not path.is_file():
        return "", ""
    subject, _, body = path.read_text("utf-8").partition("\n")
    return subject, Template(body.strip() + "\n").substitute(beginning=_beginning(incident))


def _beginning(incident: Incident) -> str:
    aware = incident.aware_at
    day = f"{aware.day} {aware:%B %Y}"
    if incident.origin == Incident.Origin.PROCESSOR:
        return f"On {day} we learned that customer records were copied from ((processor)), a company that works for us."
    return f"On {day} we learned that customer records that we hold were copied."
