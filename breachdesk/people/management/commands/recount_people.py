from argparse import ArgumentParser
from typing import Any

from django.core.management.base import BaseCommand, CommandError
from django.db import transaction

from breachdesk.incidents.models import Incident
from breachdesk.people.counting import recount


class Command(BaseCommand):
    help = "Counts the people of every incident, or of one, from their rows again. Running it again changes nothing."

    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument("reference", nargs="?", help="one incident, as BD-2026-0001; all without it")

    def handle(self, *args: Any, reference: str | None = None, **options: Any) -> None:
        incidents = Incident.objects.all() if reference is None else Incident.objects.filter(reference=reference)
        if reference and not incidents:
            raise CommandError(f"There is no incident {reference}.")
        for incident in incidents.order_by("reference"):
            with transaction.atomic():
                tally = recount(incident)
            self.stdout.write(f"{incident.reference}: {tally.people:,} people in {tally.files:,} files.")
