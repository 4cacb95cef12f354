"""What became of one edition, read from the trail."""

from breachdesk.audit.models import Event
from breachdesk.audit.timeline import Line, describe
from notifications.models import Edition

REFUSAL, OPENED = "edition.rejected", "edition.opened"


def history_of(edition: Edition, *, private: bool) -> list[Line]:
    """Newest first. The trail keeps the object inside the event, so the incident's few events are looked through."""
    events = Event.objects.of_incident(edition.incident_id).filter(type__startswith="edition.").newest_first()
    return describe([event for event in events if event.content["object"]["id"] == str(edition.pk)], private=private)


def folded(lines: list[Line]) -> list[Line]:
    """Of several renderings that one colleague opened one after the other, the last alone."""
    kept: list[Line] = []
    for line in lines:
        said = (line.event.type, line.actor)
        if line.event.type != OPENED or not kept or (kept[-1].event.type, kept[-1].actor) != said:
            kept.append(line)
    return kept


def last_refusal(lines: list[Line]) -> Line | None:
    """Why it was sent back, unless it was submitted again since."""
    for line in lines:
        if line.event.type == REFUSAL:
            return line
        if line.event.type == "edition.submitted":
            return None
    return None
