import shutil
import textwrap
from argparse import ArgumentParser
from datetime import date
from typing import Any

from django.core.management.base import BaseCommand, CommandError
from django.utils import timezone

from regulators.catalogue import CatalogueError, the_catalogue
from regulators.catalogue.rules import Recipient
from regulators.laws import Law, Wanted, When, laws_listed


class Command(BaseCommand):
    help = "Prints the catalogue: each law with its places, its days in force, and who must be told by when."
    requires_system_checks: list[str] = []

    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument("--place", default="", help="A country or a part of one: GB, US-TX, DE-BY.")
        parser.add_argument("--kind", default="", help="A kind of law, as rule_values.yaml names it: us_state.")
        parser.add_argument("--tell", default="", choices=["", *Recipient], help="Who is told: authority, people.")
        parser.add_argument("--on", type=date.fromisoformat, help="The laws that count on that day: 2025-08-19.")
        parser.add_argument("--when", default=When.IN_FORCE, choices=list(When), help="Versions that count, or others.")
        parser.add_argument("--text", default="", help="Words that have to occur.")

    def handle(self, *args: Any, **options: Any) -> None:
        try:
            catalogue = the_catalogue()
        except CatalogueError as error:
            raise CommandError(str(error)) from error
        self._refuse_unknown("--place", options["place"], catalogue.known.places)
        self._refuse_unknown("--kind", options["kind"], catalogue.known.kinds_of_law)
        on = options["on"] or timezone.localdate()
        wanted = Wanted(on, *(options[name] for name in ("when", "place", "tell", "kind", "text")))
        laws = laws_listed(catalogue, wanted)
        for law in laws:
            self.stdout.write("\n".join(_lines(law)))
        self.stdout.write(f"{len(laws)} {'law' if len(laws) == 1 else 'laws'}.")

    def _refuse_unknown(self, option: str, given: str, known: Any) -> None:
        if given and given not in known:
            raise CommandError(f"{option}: the catalogue has no {given}. It has {', '.join(sorted(known))}.")


def _lines(law: Law) -> list[str]:
    regime = law.regime
    width = max(80, min(160, shutil.get_terminal_size((120, 40)).columns))
    sure = "read" if regime.confidence == "seen" else "from memory"
    reviewed = f"reviewed by {regime.reviewed_by}" if regime.reviewed_by else "not reviewed"
    head = f"{regime.id}: {regime.name} ({law.places}). {law.in_force}; {sure}, {reviewed}."
    lines = textwrap.wrap(head, width, subsequent_indent="    ")
    for line in law.duties:
        asked = f"{line.tell}, advice only" if line.duty.recommended else line.tell
        lines += _row(width, f"{asked}: {line.duty.title}", line.clock, line.duty.article)
    for line in law.national:
        lines += _row(width, f"{line.place}, {line.tell}: {line.duty.title}", line.clock, line.duty.article)
    if not law.duties:
        lines += _row(width, "nobody", regime.no_duty, "")
    return [*lines, ""]


def _row(width: int, *cells: str) -> list[str]:
    """Cells beside each other, each broken within its column."""
    widths = [36, (width - 44) * 3 // 5, (width - 44) * 2 // 5]
    columns = [textwrap.wrap(cell, room) or [""] for cell, room in zip(cells, widths, strict=True)]
    height = max(map(len, columns))
    padded = [[*column, *[""] * (height - len(column))] for column in columns]
    return [
        "    " + "  ".join(f"{cell:<{room}}" for cell, room in zip(row, widths, strict=True)).rstrip()
        for row in zip(*padded, strict=True)
    ]
