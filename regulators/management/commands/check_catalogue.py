from typing import Any

from django.conf import settings
from django.core.management.base import BaseCommand, CommandError

from regulators.catalogue import FOLDER, read_catalogue


class Command(BaseCommand):
    help = "Reads every file of the catalogue, and of our own rules, and names each fault by file, key and reason."
    requires_system_checks: list[str] = []

    def handle(self, *args: Any, **options: Any) -> None:
        catalogue = read_catalogue(FOLDER, settings.BREACHDESK.own_rules_dir)
        if catalogue.faults:
            raise CommandError("\n".join(map(str, catalogue.faults)))
        questions = sum(len(form.questions) for form in catalogue.forms.values())
        self.stdout.write(
            f"No fault: {len(catalogue.regimes)} laws, {len(catalogue.own)} of them our own, "
            f"{len(catalogue.known.supervisors)} authorities, {len(catalogue.forms)} forms, {questions} questions."
        )
