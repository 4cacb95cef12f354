"""Begins a new signing key. The next note is signed by both keys; then the old private key is gone."""

from typing import Any

from django.core.management.base import BaseCommand, CommandError
from django.db import transaction

from breachdesk.audit.checkpoints import public_keys
from breachdesk.audit.record import record
from breachdesk.audit.signing_key import (
    SigningKeyMissing,
    next_key_path,
    own_public_key,
    read_signing_key,
    write_new_key,
)


class Command(BaseCommand):
    help = "Changes the key that signs the audit log. The signer need not be stopped for it."
    requires_system_checks: list[str] = []

    def handle(self, *args: Any, **options: Any) -> None:
        try:
            old = own_public_key(read_signing_key())
            path = next_key_path()
            # A key that waits there was made by a run that was cut short: its event is what is missing.
            new = own_public_key(read_signing_key(path) if path.exists() else write_new_key(path))
        except (SigningKeyMissing, OSError) as error:
            raise CommandError(str(error)) from error
        known = public_keys()
        if new in known:
            raise CommandError("A rotation is under way already: it ends with the signer's next note.")
        if old not in known:
            raise CommandError(f"The log does not know the key {old.key_id.hex()}: run make_signing_key first.")
        with transaction.atomic():
            record("key.rotated", by=None, public_key=new.raw, key_id=new.key_id, old_key_id=old.key_id)
        self.stdout.write(f"The next note will bear two signatures, by {old.key_id.hex()} and by {new.key_id.hex()}.")
        self.stdout.write(f"Public key: {new.verifier_key}")
        self.stdout.write(f"Fingerprint, to be kept by whoever checks the log later: {new.fingerprint}")
