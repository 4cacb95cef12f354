from pathlib import Path
from typing import Any

from django.core.management.base import BaseCommand, CommandError, CommandParser

from breachdesk.audit.erasure import ErasureListBroken, list_path, replay_erasures


class Command(BaseCommand):
    help = (
        "Erases again what the list of erasures names and the database still has, as after restoring a backup. Running "
        "it again changes nothing."
    )
    requires_system_checks: list[str] = []

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("lists", nargs="*", type=Path, help="more lists, besides the one of this state folder")

    def handle(self, *args: Any, **options: Any) -> None:
        if missing := [path for path in options["lists"] if not path.exists()]:
            raise CommandError(f"There is no {missing[0]}. Nothing was erased.")
        try:
            replayed = replay_erasures([list_path(), *options["lists"]])
        except ErasureListBroken as error:
            raise CommandError(str(error)) from error
        if options["verbosity"]:
            self.stdout.write(f"{replayed.values:,} values and {replayed.keys:,} data keys were erased again.")
