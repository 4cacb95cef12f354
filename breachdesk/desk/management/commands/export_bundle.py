"""Writes one case as a file that an outsider can check: exit 0. When it cannot, a sentence, exit 1, and no file."""

import signal
import sys
from pathlib import Path
from typing import Any

from django.core.management.base import BaseCommand, CommandError, CommandParser

from breachdesk.audit.bundle.export import Bundle, Order
from breachdesk.desk.bundle import REFUSALS, export_bundle_as_operator
from breachdesk.incidents.models import Incident


class Command(BaseCommand):
    help = "Exports a case as an evidence bundle, which anybody can check without BreachDesk and without a network."
    requires_system_checks: list[str] = []

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("reference", help="The case, for example BD-2026-0001.")
        parser.add_argument("-o", "--output", type=Path, required=True, help="The new file, for example case.zip.")
        parser.add_argument("--private", action="store_true", help="Open the sealed values, and name colleagues.")
        parser.add_argument("--whole", action="store_true", help="Every entry of the log, other cases withheld.")
        parser.add_argument(
            "--note", type=Path, action="append", default=[], help="A signed note somebody kept, to be proved extended."
        )
        parser.add_argument("--wait", type=float, default=60, help="Seconds to wait for the sequencer and the signer.")

    def handle(self, *args: Any, **options: Any) -> None:
        # Asked to stop, it tidies up as after any other failure: what lies half-written may be readable personal data.
        signal.signal(signal.SIGTERM, lambda number, frame: sys.exit(128 + number))
        incident = _incident(options["reference"])
        order = Order(
            incident.pk,
            incident.reference,
            private=options["private"],
            whole=options["whole"],
            kept=tuple(_note(path) for path in options["note"]),
            seconds=options["wait"],
        )
        try:
            bundle = export_bundle_as_operator(incident, order, options["output"].absolute(), by=None)
        except REFUSALS as error:
            raise CommandError(str(error)) from error
        self.stdout.write(_told(bundle, options["output"]))


def _incident(reference: str) -> Incident:
    incident = Incident.objects.filter(reference=reference).first()
    if incident is None:
        raise CommandError(f"There is no incident {reference}. Nothing was written.")
    return incident


def _note(path: Path) -> str:
    try:
        return path.read_bytes().decode()
    except (OSError, UnicodeDecodeError) as error:
        raise CommandError(f"The note {path} cannot be read: {error}. Nothing was written.") from error


def _told(bundle: Bundle, output: Path) -> str:
    lines = [
        f"Wrote {output}: {bundle.size:,} bytes, {bundle.entries:,} entries, {bundle.deliveries:,} delivery rows.",
        f"The case's history ends with entry {bundle.head:,}. Check it with: python3 bd_verify.py {output}",
        "Tell whoever gets it, by another way, the fingerprint of the key that signs this log:",
        *(f"  {fingerprint}" for fingerprint in bundle.fingerprints),
    ]
    return "\n".join(lines)
