"""A folder of the state folder in which each sealed file lies under the id of the row that speaks of it."""

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from uuid import UUID

from django.conf import settings

from breachdesk.vault.files import PARTIAL


@dataclass(frozen=True)
class SealedFolder:
    name: str

    @property
    def path(self) -> Path:
        folder: Path = settings.BREACHDESK.state_dir / self.name
        folder.mkdir(mode=0o700, exist_ok=True)
        return folder

    def path_of(self, file_id: UUID) -> Path:
        return self.path / f"{file_id}.sealed"

    def discard(self, file_id: UUID) -> None:
        self.path_of(file_id).unlink(missing_ok=True)

    def discard_half(self, file_id: UUID) -> None:
        """What a writer that was killed left of a file; only for whoever knows that nobody else writes it now."""
        path = self.path_of(file_id)
        path.with_name(path.name + PARTIAL).unlink(missing_ok=True)

    def discard_forgotten(self, before: datetime, needed: Iterable[UUID | None]) -> int:
        """Removes files older than `before` of which no row speaks: a crash left them half-written or unclaimed.

        `needed` is read after the folder, so that a file which is claimed meanwhile stays.
        """
        old = [path for path in self.path.iterdir() if path.stat().st_mtime < before.timestamp()]
        kept = {str(file_id) for file_id in needed}
        forgotten = [path for path in old if path.name.split(".")[0] not in kept]
        for path in forgotten:
            path.unlink(missing_ok=True)
        return len(forgotten)
