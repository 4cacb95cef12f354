"""Makes the key that signs the log, once. Running it again changes nothing, and finishes what was cut short."""

from typing import Any

from django.core.management.base import BaseCommand, CommandError, CommandParser
from django.db import transaction

from breachdesk.audit.checkpoints import NoteFileMissing, public_keys, signer_folder_path
from breachdesk.audit.note import PublicKey
from breachdesk.audit.record import record
from breachdesk.audit.signing_key import (
    SigningKeyMissing,
    own_public_key,
    read_signing_key,
    signing_key_path,
    write_new_key,
)


class Command(BaseCommand):
    help = "Makes the key that signs the audit log, in BREACHDESK_SIGNING_KEY_FILE, and names it in the log."
    requires_system_checks: list[str] = []

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument(
            "--replace-lost",
            action="store_true",
            help="The old key is lost for good: begin a new one, which no signature of the old one vouches for.",
        )

    def handle(self, *args: Any, **options: Any) -> None:
        try:
            key = self._key(replace_lost=options["replace_lost"])
        except (SigningKeyMissing, NoteFileMissing, OSError) as error:
            raise CommandError(str(error)) from error
        if options["verbosity"] == 0:
            return
        self.stdout.write(f"Public key: {key.verifier_key}")
        self.stdout.write(f"Fingerprint, to be kept by whoever checks the log later: {key.fingerprint}")

    def _key(self, *, replace_lost: bool) -> PublicKey:
        path = signing_key_path()
        path.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
        signer_folder_path().mkdir(mode=0o700, parents=True, exist_ok=True)
        known = public_keys()
        if known and not path.exists() and not replace_lost:
            raise CommandError(
                f"The log is already signed by key {known[-1].key_id.hex()}, but {path} does not exist. Put the file "
                "back. Only if it is lost for good: make_signing_key --replace-lost"
            )
        key = own_public_key(read_signing_key(path) if path.exists() else write_new_key(path))
        if key in known:
            return key
        if known and not replace_lost:
            raise CommandError(f"{path} holds another key than {known[-1].key_id.hex()}, which the log names.")
        with transaction.atomic():
            record("signing_key.made", by=None, public_key=key.raw, key_id=key.key_id)
        return key
