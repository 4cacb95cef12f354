from typing import Any
from uuid import UUID

from django.core.exceptions import PermissionDenied, ValidationError
from django.core.management.base import BaseCommand, CommandError, CommandParser

from breachdesk.accounts.models import User
from breachdesk.audit.erasure import GROUNDS, sealed_names
from breachdesk.incidents.erasing import erase_values
from breachdesk.incidents.models import Incident


class Command(BaseCommand):
    help = (
        "Erases single values that are sealed in the trail of a case, for ever: those named by --event and --field. "
        "The trail stays valid. A whole case takes two people: its page Retention, and run_eraser."
    )

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("incident", help="its reference, such as BD-2026-0001")
        parser.add_argument("--event", type=UUID, action="append", default=[], help="an event's id; may be repeated")
        parser.add_argument("--field", action="append", default=[], help="which of its values; without it, all of them")
        grounds = "; ".join(f"{ground}: {reason}" for ground, reason in GROUNDS.items())
        parser.add_argument("--ground", required=True, choices=GROUNDS, help=grounds)
        parser.add_argument("--requester", default="", help="who asked for it; sealed like what is erased here")
        parser.add_argument("--by", metavar="EMAIL", required=True, help="the colleague who answers for it")

    def handle(self, *args: Any, **options: Any) -> None:
        incident, by = _incident(options["incident"]), _user(options["by"])
        if not options["event"]:
            raise CommandError(
                "Name events by --event. A whole case takes two people: one asks for it on its page Retention, another "
                "confirms. Nothing was erased."
            )
        try:
            erased = _erase(incident, by, options)
        except (ValidationError, PermissionDenied) as refusal:
            sentence = refusal.messages[0] if isinstance(refusal, ValidationError) else str(refusal)
            raise CommandError(sentence) from None
        self.stdout.write(f"{erased:,} values were erased. The trail says so; what they were cannot be read again.")
        self.stdout.write("Backups made before still hold them, sealed: restoring one erases them again.")


def _erase(incident: Incident, by: User, options: dict[str, Any]) -> int:
    wanted = [
        name
        for name in sealed_names(incident.pk)
        if name.event in options["event"] and (not options["field"] or name.field in options["field"])
    ]
    found = {name.event for name in wanted}
    if missing := [event for event in options["event"] if event not in found]:
        raise ValidationError(f"Event {missing[0]} of {incident.reference} has no such value. Nothing was erased.")
    return erase_values(wanted, ground=options["ground"], requester=options["requester"], by=by)


def _incident(reference: str) -> Incident:
    incident = Incident.objects.filter(reference=reference).first()
    if incident is None:
        raise CommandError(f"There is no incident {reference}. Nothing was erased.")
    return incident


def _user(email: str) -> User:
    user = User.objects.active().filter(email__iexact=email).first()
    if user is None:
        raise CommandError(f"No colleague signs in with {email}. Nothing was erased.")
    return user
