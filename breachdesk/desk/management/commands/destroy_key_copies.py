from pathlib import Path
from typing import Any

from django.core.management.base import BaseCommand, CommandError, CommandParser

from breachdesk.vault.key_copies import destroy_in_copy


class Command(BaseCommand):
    help = (
        "Overwrites and removes, from folders that backup --keys has made, the halves of keys that were destroyed "
        "since. Running it again changes nothing."
    )
    requires_system_checks: list[str] = []

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("folders", nargs="+", type=Path, metavar="FOLDER")

    def handle(self, *args: Any, **options: Any) -> None:
        if missing := [folder for folder in options["folders"] if not folder.is_dir()]:
            raise CommandError(f"There is no folder {missing[0]}. Nothing was destroyed.")
        for folder in options["folders"]:
            self.stdout.write(f"{folder}: {destroy_in_copy(folder):,} halves of destroyed keys were removed.")
