from pathlib import Path
from typing import Any

from django.core.management.base import BaseCommand, CommandError, CommandParser

from breachdesk.audit.erasure import list_path
from breachdesk.desk.backup import BackupRefused, restore_backup
from breachdesk.desk.postgres_tools import ToolFailed, ToolMissing


class Command(BaseCommand):
    help = "Restores a backup into an empty database and an empty state folder. Every file is checked first."
    requires_system_checks: list[str] = []
    requires_migrations_checks = False

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("folder", type=Path)
        parser.add_argument("--keys", type=Path, help="The folder with the keys, if they are not in place yet.")
        parser.add_argument(
            "--without-missing-keys",
            action="store_true",
            help="Restore although halves of keys are missing: what those keys sealed stays closed until they are put "
            "back.",
        )
        parser.add_argument(
            "--erasures",
            type=Path,
            action="append",
            default=[],
            metavar="FILE",
            help="A list of erasures newer than the backup, erasures.jsonl of the state folder that was in use: what "
            "it names is erased again. May be repeated.",
        )

    def handle(self, *args: Any, **options: Any) -> None:
        has_list = bool(options["erasures"]) or list_path().exists()
        try:
            manifest, replayed = restore_backup(
                options["folder"], options["keys"], options["erasures"], without=options["without_missing_keys"]
            )
        except (BackupRefused, ToolMissing, ToolFailed) as error:
            raise CommandError(str(error)) from error
        self.stdout.write(f"Restored {len(manifest.files)} files, as they were at {manifest.made_at}.")
        self.stdout.write(f"{replayed.values:,} values and {replayed.keys:,} data keys were erased again.")
        if not has_list:
            self.stdout.write(
                "If anything was erased after the backup, it is readable now. Before the site opens, erase it again: "
                "replay_erasures FILE, with erasures.jsonl of the state folder that was in use."
            )
        self.stdout.write("What happened since then is not in it.")
        self.stdout.write("Run migrate, share_keys, sync_database_roles, sync_roles and verify_audit next.")
        self.stdout.write(
            "The signer refuses to sign a log shorter than what it signed already. If this restore was meant, run "
            "resume_signing --reason backup_restored beside it: that leaves an event which says so."
        )
        self.stdout.write(
            "No notice is sent until somebody has compared this database with the relay's log and runs reconcile "
            "--postfix FILE --resume --reason …: what went out after the backup is not in it."
        )
