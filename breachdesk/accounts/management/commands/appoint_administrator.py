from typing import Any

from django.core.exceptions import ValidationError
from django.core.management.base import BaseCommand, CommandError, CommandParser

from breachdesk.accounts import actions
from breachdesk.accounts.staff_mail import password_link


class Command(BaseCommand):
    help = (
        "Makes the first administrator, or lets an administrator in again, and prints the link to choose a password. "
        "It works without a mail relay; the link works once."
    )

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("email")
        parser.add_argument("name", help='The name colleagues see, such as "Ines Okafor".')

    def handle(self, *args: Any, **options: Any) -> None:
        try:
            user = actions.appoint_administrator(email=options["email"], name=options["name"], by=None)
        except ValidationError as error:
            raise CommandError(" ".join(error.messages)) from error
        self.stdout.write(f"{user.name} chooses a password here:\n{password_link(user)}")
