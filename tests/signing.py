"""A signer for tests: its own key and its own folder, thrown away with the test."""

from pathlib import Path
from typing import Any

from django.conf import settings as product
from django.core.management import call_command

from breachdesk.audit.models import Checkpoint
from breachdesk.audit.sequencer import sequence_everything
from breachdesk.audit.signer import Signer


class Signing:
    def __init__(self, settings: Any, folder: Path) -> None:
        """`settings` is pytest-django's fixture, `folder` a new one. The key is made and its event recorded."""
        self.key, self.folder = folder / "signing-key.pem", folder / "signer"
        settings.BREACHDESK = product.BREACHDESK.model_copy(
            update={"signing_key_file": self.key, "signer_dir": self.folder}
        )
        call_command("make_signing_key", verbosity=0)
        self.signer = Signer(every=0)

    @property
    def last_note(self) -> Path:
        return self.folder / "last.note"

    def look(self) -> Checkpoint | None:
        """One look of the signer at the log as it is linked."""
        return self.signer.look()

    def sign(self) -> Checkpoint:
        """Links what waits and signs it all, unless the newest checkpoint covers it already."""
        assert sequence_everything()
        made = self.look()
        assert self.signer.refusal is None, str(self.signer.refusal)
        return made or Checkpoint.objects.latest("size")
