"""Proves to an outsider that one notice was handed over. When it cannot, a sentence, exit 1, and no file."""

from pathlib import Path
from typing import Any
from uuid import UUID

from django.core.management.base import BaseCommand, CommandError, CommandParser
from django.utils import timezone

from breachdesk.desk.proof_of_notice import ProofRefused, export_proof_of_notice
from breachdesk.pdf import PdfError
from breachdesk.vault.master_key import MasterKeyMissing


class Command(BaseCommand):
    help = "Writes one page that proves one notice, with the proofs inside: for a customer, a regulator or a court."

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("delivery", help="Its id: the part of the message's Message-ID before the @.")
        parser.add_argument("-o", "--output", type=Path, required=True, help="The new file, for example notice.pdf.")

    def handle(self, *args: Any, **options: Any) -> None:
        try:
            delivery = UUID(options["delivery"])
        except ValueError:
            raise CommandError(f"{options['delivery']} is no id of a delivery. Nothing was written.") from None
        try:
            proof = export_proof_of_notice(delivery, options["output"], at=timezone.now(), by=None)
        except (ProofRefused, PdfError, MasterKeyMissing) as error:
            raise CommandError(str(error)) from error
        self.stdout.write(f"Wrote {options['output']}. It rests on entry {proof.event.idx:,} of the log.")
        if proof.opened is None:
            self.stdout.write("It names nobody: the address can no longer be opened, or is not the one of then.")
