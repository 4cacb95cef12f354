"""How many people are affected and where the numbers come from, for an evidence bundle. Never who they are."""

from datetime import datetime
from typing import Any
from uuid import UUID

from breachdesk.audit.canonical import base64url, time_text
from breachdesk.audit.sections import section
from breachdesk.incidents.models import Incident
from breachdesk.people.models import CountEntry, Person, Upload


@section("people")
def people_section(incident_id: UUID, *, private: bool) -> dict[str, Any]:
    incident = Incident.objects.get(pk=incident_id)
    people, uploads = Person.objects.of(incident), reversed(Upload.objects.of(incident).newest_first())
    return {
        "v": 1,
        "people": people.count(),
        "without_email": people.without_email().count(),
        "minors": people.minors().count(),
        "on_hold": people.held_back().count(),
        "lists": [_list(upload, private=private) for upload in uploads],
        "counts": [_count(entry) for entry in incident.counts.all()],
    }


def _list(upload: Upload, *, private: bool) -> dict[str, Any]:
    """The names of a file and of its columns are typed by somebody, and so is what a failed row is quoted with."""
    told: dict[str, Any] = {
        "id": str(upload.pk),
        "state": upload.state,
        "bytes": upload.size,
        "sha256": base64url(bytes(upload.sha256)),
        "rows": upload.rows_read,
        "people": upload.rows_valid,
        "repeated": upload.rows_repeated,
        "rejected": upload.rows_rejected,
        "purpose": upload.purpose,
        "summary": upload.summary,
        "received_at": time_text(upload.received_at),
        "finished_at": _time_or_none(upload.finished_at),
    }
    typed = {"file_name": upload.file_name, "failure": upload.failure}
    return told | (typed if private else {})


def _count(entry: CountEntry) -> dict[str, Any]:
    return {
        "id": str(entry.pk),
        "low": entry.low,
        "high": entry.high,
        "basis": entry.basis,
        "upload": str(entry.upload_id) if entry.upload_id else None,
        "stated_by": str(entry.stated_by_id),
        "stated_at": time_text(entry.stated_at),
    }


def _time_or_none(moment: datetime | None) -> str | None:
    return time_text(moment) if moment else None
