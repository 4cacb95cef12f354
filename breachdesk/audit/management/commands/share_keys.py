from typing import Any

from django.core.management.base import BaseCommand, CommandError

from breachdesk.audit.erasure import share_keys
from breachdesk.vault.master_key import MasterKeyMissing


class Command(BaseCommand):
    help = (
        "Gives every data key from an earlier version its half outside the database, in the folder keys of the state "
        "folder. Run it after migrate; running it again changes nothing."
    )
    requires_system_checks: list[str] = []

    def handle(self, *args: Any, **options: Any) -> None:
        try:
            shared = share_keys()
        except (MasterKeyMissing, OSError) as error:
            raise CommandError(str(error)) from error
        if options["verbosity"] and shared:
            self.stdout.write(
                f"{shared:,} data keys now have half of them in the folder keys: back it up with backup --keys. Copies "
                "of the database made before this open with the master key alone, also after a key is destroyed: when "
                "you destroy a case, destroy those copies too."
            )
