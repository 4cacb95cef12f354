import json
from argparse import ArgumentParser
from collections.abc import Iterator
from pathlib import Path
from typing import Any, BinaryIO

from django.core.exceptions import PermissionDenied, ValidationError
from django.core.management.base import BaseCommand, CommandError

from breachdesk.accounts.models import User
from breachdesk.incidents.models import Incident
from breachdesk.people.actions import load_upload, receive_upload
from breachdesk.people.models import Upload
from breachdesk.people.uploads import discard_file, seal_chunks

PIECE = 1 << 18


class Command(BaseCommand):
    help = "Loads the affected people of an incident from a CSV file, as the page does. Exit code 1: nobody was added."

    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument("incident", help="its reference, such as BD-2026-0001")
        parser.add_argument("file", type=Path)
        parser.add_argument("--by", metavar="EMAIL", help="who loads them; without it, whoever logged the incident")
        parser.add_argument("--json", action="store_true", help="print the counts as one JSON object")

    def handle(self, *args: Any, **options: Any) -> None:
        incident = _incident(options["incident"])
        upload = _load(incident, options["file"], by=_user(options["by"], incident))
        if upload.state != Upload.State.LOADED:
            raise CommandError(f"Nobody was added. {upload.failure or 'Another worker is reading this file.'}")
        self.stdout.write(json.dumps(_counts(upload)) if options["json"] else _sentence(upload))


def _load(incident: Incident, path: Path, *, by: User) -> Upload:
    try:
        with path.open("rb") as file:
            sealed = seal_chunks(incident.pk, path.name, _pieces(file))
    except OSError as error:
        raise CommandError(f"{path} cannot be read: {error.strerror}. Nobody was added.") from None
    try:
        upload = receive_upload(incident, sealed, by=by, ring=False)
    except (ValidationError, PermissionDenied) as refusal:
        discard_file(sealed.id)
        sentence = refusal.messages[0] if isinstance(refusal, ValidationError) else str(refusal)
        raise CommandError(sentence) from None
    return load_upload(upload.pk)


def _pieces(file: BinaryIO) -> Iterator[bytes]:
    while piece := file.read(PIECE):
        yield piece


def _incident(reference: str) -> Incident:
    incident = Incident.objects.filter(reference=reference).first()
    if incident is None:
        raise CommandError(f"There is no incident {reference}. Nobody was added.")
    return incident


def _user(email: str | None, incident: Incident) -> User:
    if email is None:
        return incident.opened_by
    user = User.objects.active().filter(email__iexact=email).first()
    if user is None:
        raise CommandError(f"No colleague signs in with {email}. Nobody was added.")
    return user


def _counts(upload: Upload) -> dict[str, Any]:
    return {
        "incident": upload.incident.reference,
        "upload": str(upload.pk),
        "rows": upload.rows_read,
        "people": upload.rows_valid,
        "repeated": upload.rows_repeated,
        "rejected": upload.rows_rejected,
        "reasons": {line["reason"]: line["rows"] for line in upload.rejected.by_reason()},
        "seconds": round(upload.seconds, 2),
    }


def _sentence(upload: Upload) -> str:
    return (
        f"{upload.rows_valid:,} people were added from {upload.rows_read:,} rows. {upload.rows_repeated:,} rows "
        f"repeated somebody, {upload.rows_rejected:,} were rejected: see {upload.incident.reference}, People."
    )
