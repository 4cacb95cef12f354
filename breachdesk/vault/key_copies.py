"""Where copies of the keys were put, so that after a destruction somebody can be told which of them must go.

One line for each copy in a file of the state folder, written by `backup --keys`: when, on which machine, in which
folder. No key and no case is named.
"""

import json
import os
import socket
from collections.abc import Iterable, Iterator
from dataclasses import asdict, dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path
from uuid import UUID

from django.conf import settings

from breachdesk.vault.models import DataKey
from breachdesk.vault.sealing import dead_keys
from breachdesk.vault.shares import FOLDER, destroy_shares

LIST = "key-copies.jsonl"
# A copy is noted before it is made: a key from meanwhile may be in it.
COPYING = timedelta(minutes=10)


@dataclass(frozen=True)
class KeyCopy:
    at: str
    host: str
    folder: str

    @property
    def made_at(self) -> datetime:
        return datetime.fromisoformat(self.at)

    def holds(self, name: str) -> bool:
        """Also when nobody can tell from here: the folder may be on another machine, or carried away since."""
        folder = Path(self.folder)
        return not folder.is_dir() or (folder / FOLDER / name).exists()


def _list_path() -> Path:
    folder: Path = settings.BREACHDESK.state_dir
    return folder / LIST


def note_copy(folder: Path, moment: datetime) -> None:
    copy = KeyCopy(moment.astimezone(UTC).isoformat(timespec="seconds"), socket.gethostname(), str(folder))
    descriptor = os.open(_list_path(), os.O_WRONLY | os.O_CREAT | os.O_APPEND, 0o600)
    with os.fdopen(descriptor, "w") as file:
        file.write(json.dumps(asdict(copy), sort_keys=True) + "\n")


def known_copies() -> list[KeyCopy]:
    """A line that a crash cut off, or somebody's hand, is passed over: the list only helps to remember."""
    try:
        lines = _list_path().read_text().splitlines()
    except FileNotFoundError:
        return []
    return list(_read(lines))


def _read(lines: Iterable[str]) -> Iterator[KeyCopy]:
    for line in lines:
        try:
            copy = KeyCopy(**json.loads(line))
            copy.made_at  # noqa: B018
        except (ValueError, TypeError):
            continue
        yield copy


def what_still_opens(scope: UUID, which: str) -> list[str]:
    """After a key was destroyed: sentences on what was copied before and would still open what it sealed."""
    key = DataKey.objects.get(scope=scope)
    name, made_at = f"{scope}.{which}", key.shared_at
    told = [
        f"The copy of the keys made on {copy.made_at:%d %B %Y, %H:%M} UTC in {copy.folder} on {copy.host} may still "
        f"hold its half. There: manage.py destroy_key_copies {copy.folder}, or delete {FOLDER}/{name}."
        for copy in known_copies()
        if made_at and copy.made_at >= made_at - COPYING and copy.holds(name)
    ]
    if made_at is None or key.created_at < made_at:
        before = f"before {made_at:%d %B %Y, %H:%M} UTC" if made_at else "until now"
        told.append(
            f"This key is older than the folder {FOLDER}: copies of the database made {before} still open with the "
            "master key alone. Destroy those copies."
        )
    return told


def destroy_in_copy(folder: Path) -> int:
    """Removes the halves of every destroyed key from a copy of the keys. How many were there."""
    return destroy_shares(dead_keys(), folder / FOLDER)
