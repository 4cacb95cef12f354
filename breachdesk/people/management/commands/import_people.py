import json
from argparse import ArgumentParser
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any, BinaryIO

from django.core.exceptions import PermissionDenied, ValidationError
from django.core.management.base import BaseCommand, CommandError

from breachdesk.accounts.models import User
from breachdesk.incidents.models import Incident
from breachdesk.people.actions import accept_upload, discard_upload, match_columns, receive_upload
from breachdesk.people.gate import needs_explaining
from breachdesk.people.models import Upload
from breachdesk.people.reading.guessing import guess_for
from breachdesk.people.uploads import discard_file, seal_chunks
from breachdesk.people.working import work_on_upload
from breachdesk.vault.sealing import cipher_for

PIECE = 1 << 18
Explain = Callable[[Upload], dict[str, str]]


class Command(BaseCommand):
    help = "Loads the affected people of an incident from a CSV file, as the page does. Exit code 1: nobody was added."

    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument("incident", help="its reference, such as BD-2026-0001")
        parser.add_argument("file", type=Path)
        parser.add_argument("--by", metavar="EMAIL", help="who loads them; without it, whoever logged the incident")
        parser.add_argument(
            "--explain", metavar="KEY=TEXT", action="append", default=[], help="why a signal is right; may be repeated"
        )
        parser.add_argument("--explain-all", metavar="TEXT", default="", help="why all the other signals are right")
        parser.add_argument("--json", action="store_true", help="print the counts as one JSON object")

    def handle(self, *args: Any, **options: Any) -> None:
        incident = _incident(options["incident"])
        explain = _explanations(options["explain"], options["explain_all"])
        upload = _import(incident, options["file"], by=_user(options["by"], incident), explain=explain)
        if upload.state != Upload.State.LOADED:
            raise CommandError(f"Nobody was added. {upload.failure or 'Another worker is reading this file.'}")
        self.stdout.write(json.dumps(_counts(upload)) if options["json"] else _sentence(upload))


def _import(incident: Incident, path: Path, *, by: User, explain: Explain) -> Upload:
    """Read and taken in; or read and left for a decision on the page; or nothing is left of it."""
    upload = _receive(incident, path, by=by)
    try:
        plan = guess_for(upload, cipher_for(incident.pk))
        upload = match_columns(upload, plan, purpose="add", expected_version=upload.version, by=by, ring=False)
    except ValidationError as refusal:
        discard_upload(upload, by=by)
        raise CommandError(f"Nobody was added. {' '.join(refusal.messages)}") from None
    upload = work_on_upload(upload.pk)
    if upload.state == Upload.State.CHECKED:
        _accept(upload, explain(upload), by=by)
    return work_on_upload(upload.pk)


def _accept(upload: Upload, explanations: dict[str, str], *, by: User) -> None:
    open_ = [signal for signal in needs_explaining(upload) if not explanations.get(signal.key)]
    if open_:
        said = "\n".join(f"  {signal.key}: {signal.sentence}" for signal in open_)
        raise CommandError(
            f"Nobody was added yet: the list is read and waits for a decision at {upload.incident.reference}, People. "
            f"Explain these, there or with --explain KEY=TEXT in another run after discarding it:\n{said}"
        )
    accept_upload(upload, explanations, by=by, ring=False)


def _receive(incident: Incident, path: Path, *, by: User) -> Upload:
    try:
        with path.open("rb") as file:
            sealed = seal_chunks(incident.pk, path.name, _pieces(file))
    except OSError as error:
        raise CommandError(f"{path} cannot be read: {error.strerror}. Nobody was added.") from None
    try:
        return receive_upload(incident, sealed, by=by)
    except (ValidationError, PermissionDenied) as refusal:
        discard_file(sealed.id)
        sentence = refusal.messages[0] if isinstance(refusal, ValidationError) else str(refusal)
        raise CommandError(sentence) from None


def _explanations(each: list[str], of_all: str) -> Explain:
    """What was said with --explain, for each signal by its key, and with --explain-all for all the others."""
    said = dict(text.partition("=")[::2] for text in each)
    return lambda upload: {signal["key"]: of_all for signal in upload.signals} | said


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
