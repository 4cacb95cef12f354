from pathlib import Path
from typing import Any

from django.core.management.base import BaseCommand, CommandError, CommandParser

from breachdesk.desk.backup import BackupRefused, restore_backup
from breachdesk.desk.postgres_tools import ToolFailed, ToolMissing


class Command(BaseCommand):
    help = "Restores a backup into an empty database and an empty state folder. Every file is checked first."
    requires_migrations_checks = False

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("folder", type=Path)
        parser.add_argument("--keys", type=Path, help="The folder with the master key, if it is not in place yet.")

    def handle(self, *args: Any, **options: Any) -> None:
        try:
            manifest = restore_backup(options["folder"], options["keys"])
        except (BackupRefused, ToolMissing, ToolFailed) as error:
            raise CommandError(str(error)) from error
        self.stdout.write(f"Restored {len(manifest.files)} files, as they were at {manifest.made_at}.")
        self.stdout.write("What happened since then is not in it. Run migrate, sync_roles and verify_audit next.")
