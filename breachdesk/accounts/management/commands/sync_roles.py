from typing import Any

from django.core.management.base import BaseCommand, CommandError

from breachdesk.accounts import actions


class Command(BaseCommand):
    help = "Writes the roles of permissions.py to the database. Run it after migrate; running it again changes nothing."
    requires_system_checks: list[str] = []

    def handle(self, *args: Any, **options: Any) -> None:
        try:
            changes = actions.sync_roles(by=None)
        except LookupError as error:
            raise CommandError(str(error)) from error
        if options["verbosity"]:
            self.stdout.write("\n".join(changes) if changes else "The roles in the database are those of ROLES.")
