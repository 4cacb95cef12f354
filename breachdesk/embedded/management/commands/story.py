import os
from argparse import ArgumentParser
from pathlib import Path
from typing import Any

from django.core.exceptions import PermissionDenied, ValidationError
from django.core.management.base import BaseCommand, CommandError

from breachdesk.embedded.story.telling import Story, StoryStopped


class Command(BaseCommand):
    help = "Performs the demo story through the product's own actions. Worker, sequencer and a mail catcher must run."
    requires_system_checks: list[str] = []

    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument("--people", type=int, default=int(os.environ.get("DEMO_PEOPLE", "5000")))
        parser.add_argument("--sign-ins", type=Path, default=os.environ.get("DEMO_SIGN_INS"), help="kept there, 0600")
        parser.add_argument("--until", metavar="STEP", help="stop after this step, as the browser tests do")

    def handle(self, *args: Any, **options: Any) -> None:
        story = Story(options["people"], self.stdout.write)
        try:
            for step in story.tell():
                if step == "cast" and options["sign_ins"]:
                    story.keep_sign_ins(Path(options["sign_ins"]))
                if step == options["until"]:
                    break
        except (StoryStopped, PermissionDenied, ValidationError) as error:
            raise CommandError(f"The story stopped. {getattr(error, 'messages', [str(error)])[0]}") from None
