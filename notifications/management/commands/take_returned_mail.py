"""Takes mail that came back: one message from standard input, for a pipe of the mail server, or a folder of them."""

import sys
from collections import Counter
from pathlib import Path
from typing import Any, NoReturn

from django.core.management.base import BaseCommand, CommandError, CommandParser

from notifications.returned_mail import Taken, put_aside, take, take_folder

NO_SUCH_USER, COME_AGAIN = 67, 75  # sysexits(3), as pipe(8) of Postfix reads them


class Command(BaseCommand):
    help = (
        "Takes bounces, complaints and automatic replies to our return paths. Reads one message from standard input "
        "unless a folder is named. What it cannot take it refuses for now (exit code 75), so that nothing is lost."
    )

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument(
            "--recipient", default="", help="Whom the message was sent to, as the mail server knows it."
        )
        parser.add_argument("--maildir", type=Path, help="Take what is new in this Maildir, instead of one message.")
        parser.add_argument("--others", type=Path, help="Maildir for messages that people must read.")

    def handle(self, *_: Any, **options: Any) -> None:
        if options["maildir"]:
            self._folder(options["maildir"])
        else:
            self._one(options["recipient"], options["others"])

    def _folder(self, folder: Path) -> None:
        if not (folder / "new").is_dir():
            raise CommandError(f"{folder} is no Maildir: it has no folder “new”.")
        done: Counter[Taken] = Counter()
        while some := take_folder(folder):
            done += some
        said = ", ".join(f"{number:,} {taken}" for taken, number in sorted(done.items()))
        self.stdout.write(f"Returned mail: {said or 'nothing new'}.")

    def _one(self, recipient: str, others: Path | None) -> None:
        """Nothing that goes wrong here may make the mail server throw the message away."""
        try:
            raw = sys.stdin.buffer.read()
            taken = take(raw, recipient=recipient)
            if taken is Taken.FOR_PEOPLE and others:
                put_aside(raw, others)
        except Exception as problem:
            self._refuse(f"It could not be taken now: {type(problem).__name__}.", COME_AGAIN)
        if taken is Taken.FORGED:
            self._refuse("There is no such return path.", NO_SUCH_USER)
        if taken is Taken.FOR_PEOPLE and not others:
            self._refuse("People must read this message; name a Maildir for such with --others.", COME_AGAIN)

    def _refuse(self, why: str, code: int) -> NoReturn:
        self.stderr.write(why)
        raise SystemExit(code)
