from pathlib import Path
from typing import Any

from django.core.management.base import BaseCommand, CommandError, CommandParser
from django.utils import timezone

from breachdesk.desk.backup import BackupRefused, make_backup
from breachdesk.desk.postgres_tools import ToolFailed, ToolMissing


class Command(BaseCommand):
    help = "Writes the database and the sealed files into a new folder, while everything runs on. It holds no key."
    requires_system_checks: list[str] = []

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("folder", type=Path)
        parser.add_argument("--keys", type=Path, help="Another folder, for the keys. Keep it somewhere else.")

    def handle(self, *args: Any, **options: Any) -> None:
        try:
            manifest = make_backup(options["folder"], options["keys"], timezone.now())
        except (BackupRefused, ToolMissing, ToolFailed) as error:
            raise CommandError(str(error)) from error
        self.stdout.write(f"Backed up {len(manifest.files)} files to {options['folder']}.")
        if options["keys"]:
            self.stdout.write(
                f"The keys are in {options['keys']}: keep it apart from the backup. When a case's key is destroyed, "
                f"destroy its half there too: destroy_key_copies {options['keys']}"
            )
        else:
            self.stdout.write("Without the keys this backup opens nothing: back them up too, with --keys FOLDER.")
