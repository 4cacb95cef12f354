from pathlib import Path
from typing import Any

from django.core.management.base import BaseCommand, CommandError, CommandParser
from django.db import ProgrammingError

from breachdesk.desk.database_roles import LOGINS, RolesRefused, read_logins, write_database_roles


class Command(BaseCommand):
    help = (
        "Makes the database roles and gives each just what it needs in this database. Run it as the owner of the "
        "database after every migrate; running it again changes nothing."
    )
    requires_system_checks: list[str] = []

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument(
            "--logins",
            nargs="+",
            type=Path,
            default=[],
            metavar="FILE",
            help="Files with one address each, postgresql://NAME:PASSWORD@host/database: they may sign in from then "
            f"on. NAME is one of {', '.join(LOGINS)}.",
        )

    def handle(self, *args: Any, **options: Any) -> None:
        try:
            logins = read_logins(options["logins"])
            write_database_roles(logins)
        except RolesRefused as error:
            raise CommandError(str(error)) from error
        except ProgrammingError as error:
            raise CommandError(f"Run this as the owner of the database, or as a superuser: {error}.") from error
        if options["verbosity"]:
            self.stdout.write(f"The database roles are as written; {len(logins)} logins have their password.")
