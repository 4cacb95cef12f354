from typing import Any

from django.core.management.base import BaseCommand, CommandError

from regulators.catalogue import FOLDER, read_catalogue


class Command(BaseCommand):
    help = "Reads every file of the regulators' catalogue and names each fault by file, key and reason."
    requires_system_checks: list[str] = []

    def handle(self, *args: Any, **options: Any) -> None:
        catalogue = read_catalogue(FOLDER)
        if catalogue.faults:
            raise CommandError("\n".join(map(str, catalogue.faults)))
        questions = sum(len(form.questions) for form in catalogue.forms.values())
        self.stdout.write(
            f"No fault: {len(catalogue.regimes)} regime, {len(catalogue.forms)} form, {questions} questions, "
            f"{len(catalogue.facts)} facts."
        )
