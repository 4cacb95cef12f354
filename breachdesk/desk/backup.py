"""Backup and restore of the whole installation: database and sealed files together, keys apart or not at all.

A backup is a folder: `database.dump` (pg_dump's custom format), `files/` (what lies sealed in the state folder) and
`manifest.json`, which names every file with its SHA-256. It holds no key: whoever finds it can read no personal data.
The keys are a folder of their own: `master-key`, and `keys/` with half of each key of the database (vault/shares.py).
Of these the manifest holds the names and a check value, so that a restore without them is noticed before it begins.
Nor does it hold the signer's key and last note: only a signer that remembers more than the database can notice that an
older backup was restored. It then refuses to sign until resume_signing says that the restore was meant.
"""

import json
import os
import shutil
from collections.abc import Iterator, Sequence
from dataclasses import asdict, dataclass, field
from datetime import UTC, datetime
from hashlib import file_digest, sha256
from pathlib import Path
from typing import Any

from django.conf import settings
from django.contrib.sessions.models import Session
from django.db import connection, transaction

from breachdesk.audit.entries import log_size
from breachdesk.audit.erasure import (
    LIST,
    ErasureListBroken,
    Replayed,
    bring_list_up_to_date,
    destroyed_keys,
    list_path,
    read_list,
    replay_erasures,
)
from breachdesk.audit.record import record
from breachdesk.desk.postgres_tools import find_tool, run_tool
from breachdesk.vault.key_copies import LIST as COPIES
from breachdesk.vault.key_copies import note_copy
from breachdesk.vault.master_key import MasterKeyMissing, read_master_key
from breachdesk.vault.shares import FOLDER as SHARES
from breachdesk.vault.shares import copy_shares, share_checks, shares_folder
from notifications import epochs
from notifications.models import SendingEpoch

FORMAT = 2
FORMATS = (1, FORMAT)  # the first knew no shares of keys
DUMP, FILES, MANIFEST, KEY = "database.dump", "files", "manifest.json", "master-key"
# What must be kept of the state folder. Static files are made afresh by collectstatic; exports live for a day only.
KEPT = ("uploads", LIST, COPIES)


class BackupRefused(Exception):
    """Nothing was made or changed; the message says why and what to do."""


@dataclass(frozen=True)
class Manifest:
    format: int
    made_at: str
    log_size: int
    key_check: str
    files: dict[str, str]
    shares: dict[str, str] = field(default_factory=dict)

    @property
    def digest(self) -> bytes:
        return sha256(self.text.encode()).digest()

    @property
    def text(self) -> str:
        return json.dumps(asdict(self), indent=1, sort_keys=True) + "\n"


def make_backup(folder: Path, keys: Path | None, moment: datetime) -> Manifest:
    """Leaves a whole backup in a new or empty folder, or raises and leaves none that could be taken for one."""
    folder = folder.resolve()
    _refuse_mixing(folder, keys)
    find_tool("pg_dump")
    _make_empty(folder)
    files = settings.BREACHDESK.state_dir
    bring_list_up_to_date()
    size = log_size()
    # Twice: a file that goes while the dump runs is in the first copy, one that comes is in the second.
    _copy_kept(files, folder / FILES)
    run_tool("pg_dump", "--format=custom", "--no-owner", "--no-privileges", f"--file={folder / DUMP}")
    _copy_kept(files, folder / FILES)
    shares = share_checks(shares_folder())  # before they are copied: then the copy lacks none of these
    copied = _copy_keys(keys, moment) if keys else None
    made_at = moment.astimezone(UTC).isoformat()
    manifest = Manifest(FORMAT, made_at, size, _key_check(), _digests(folder), shares)
    return _finish(folder, manifest, copied)


def _copy_keys(keys: Path, moment: datetime) -> int:
    """Where it is, is noted first: a copy nobody remembers outlives every destruction."""
    keys = keys.resolve()
    _make_empty(keys)
    note_copy(keys, moment)
    _write(keys / KEY, settings.BREACHDESK.master_key_file.read_bytes())
    return copy_shares(shares_folder(), keys / SHARES)


def _finish(folder: Path, manifest: Manifest, copied: int | None) -> Manifest:
    """The manifest comes last: a folder without one is not a backup."""
    _write(folder / MANIFEST, manifest.text.encode())
    paths = [folder / name for name in manifest.files]
    with transaction.atomic():
        record(
            "backup.made",
            by=None,
            bytes=sum(path.stat().st_size for path in paths),
            files=len(paths),
            digest=manifest.digest,
            log_size=manifest.log_size,
            keys=copied,
        )
    return manifest


def restore_backup(
    folder: Path, keys: Path | None, lists: Sequence[Path] = (), *, without: bool = False
) -> tuple[Manifest, Replayed]:
    """Into an empty database and state folder only. Everybody signs in again afterwards.

    What was erased since is erased again, before anybody can see it: `lists` name what was, besides the list in this
    state folder and the backup's own. Keys that these name need no share; if another's is missing, it is refused,
    unless it is to be done `without`.
    """
    folder = folder.resolve()
    manifest = _read_manifest(folder)
    _refuse_changed(folder, manifest)
    _refuse_full_database()
    _refuse_full_folder()
    lists = [*(path for path in (list_path(), folder / FILES / LIST) if path.exists()), *lists]
    _refuse_unreadable(lists)
    find_tool("pg_restore")
    _put_key_in_place(keys)
    if _key_check() != manifest.key_check:
        raise BackupRefused(
            f"{settings.BREACHDESK.master_key_file} is not the master key this backup was made under: nothing in it "
            "could be read. Put the right key file in place, or name its folder with --keys. Nothing was restored."
        )
    _put_shares_in_place(keys, manifest, lists, without=without)
    run_tool("pg_restore", "--exit-on-error", "--single-transaction", "--no-owner", str(folder / DUMP))
    _copy_kept(folder / FILES, settings.BREACHDESK.state_dir)
    with transaction.atomic():
        Session.objects.all().delete()
        made_at = datetime.fromisoformat(manifest.made_at)
        record("backup.restored", by=None, made_at=made_at, digest=manifest.digest, log_size=manifest.log_size)
        if _knows_of_epochs():
            epochs.hold_after_restore()
    return manifest, replay_erasures(lists)


def _knows_of_epochs() -> bool:
    """A backup of an earlier version has no such column before it is migrated."""
    with connection.cursor() as cursor:
        cursor.execute(
            "SELECT EXISTS (SELECT FROM information_schema.columns WHERE table_name = %s AND column_name = 'held_at')",
            [SendingEpoch._meta.db_table],
        )
        return bool(cursor.fetchone()[0])


def _refuse_mixing(folder: Path, keys: Path | None) -> None:
    if keys and (keys.resolve().is_relative_to(folder) or folder.is_relative_to(keys.resolve())):
        raise BackupRefused("The keys must go to another folder than the data: together they open everything.")


def _make_empty(folder: Path) -> None:
    folder.mkdir(mode=0o700, parents=True, exist_ok=True)
    if any(folder.iterdir()):
        raise BackupRefused(f"{folder} is not empty. Name a new folder; nothing is ever written over.")


def _write(path: Path, content: bytes) -> None:
    descriptor = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
    with os.fdopen(descriptor, "wb") as file:
        file.write(content)
        file.flush()
        os.fsync(file.fileno())


def _kept_files(root: Path) -> Iterator[Path]:
    for name in KEPT:
        found = [root / name, *sorted((root / name).rglob("*"))]
        yield from (path.relative_to(root) for path in found if path.is_file())


def _copy_kept(source: Path, target: Path) -> None:
    for name in _kept_files(source):
        if (target / name).exists():
            continue
        for folder in (target, (target / name).parent):
            folder.mkdir(mode=0o700, exist_ok=True)
        try:
            shutil.copyfile(source / name, target / name)
        except FileNotFoundError:
            continue  # accepted and tidied away meanwhile: the database no longer speaks of it
        (target / name).chmod(0o600)


def _digests(folder: Path) -> dict[str, str]:
    paths = [path for path in sorted(folder.rglob("*")) if path.is_file()]
    return {str(path.relative_to(folder)): _digest_of(path) for path in paths}


def _digest_of(path: Path) -> str:
    with path.open("rb") as file:
        return file_digest(file, "sha256").hexdigest()


def _key_check() -> str:
    """Tells one random 256-bit key from another, and nothing else about it."""
    try:
        return sha256(b"breachdesk master key check\0" + read_master_key()).hexdigest()[:16]
    except MasterKeyMissing as error:
        raise BackupRefused(str(error)) from error


def _read_manifest(folder: Path) -> Manifest:
    try:
        stored: dict[str, Any] = json.loads((folder / MANIFEST).read_text())
        manifest = Manifest(**stored)
    except FileNotFoundError:
        raise BackupRefused(f"There is no backup in {folder}: it has no {MANIFEST}.") from None
    except (ValueError, TypeError) as error:
        raise BackupRefused(f"{folder / MANIFEST} cannot be read: {error}.") from error
    if manifest.format not in FORMATS:
        raise BackupRefused(f"This backup has format {manifest.format}; this version of BreachDesk reads {FORMATS}.")
    return manifest


def _refuse_changed(folder: Path, manifest: Manifest) -> None:
    for name, digest in manifest.files.items():
        path = folder / name
        if not path.resolve().is_relative_to(folder) or not path.is_file():
            raise BackupRefused(f"{name} is missing from the backup. Nothing was restored.")
        if _digest_of(path) != digest:
            raise BackupRefused(f"{name} is not as it was when the backup was made. Nothing was restored.")


def _refuse_full_database() -> None:
    if tables := connection.introspection.table_names():
        raise BackupRefused(
            f"The database {connection.settings_dict['NAME']} is not empty: it holds {len(tables)} tables. Restore "
            "into a newly made one. Nothing was restored."
        )


def _refuse_full_folder() -> None:
    if any(path not in (Path(LIST), Path(COPIES)) for path in _kept_files(settings.BREACHDESK.state_dir)):
        raise BackupRefused(
            f"{settings.BREACHDESK.state_dir} already holds sealed files. Restore into an empty folder. "
            "Nothing was restored."
        )


def _refuse_unreadable(lists: Sequence[Path]) -> None:
    try:
        for path in lists:
            read_list(path)
    except (OSError, ErasureListBroken) as error:
        raise BackupRefused(f"The list of erasures cannot be read: {error}. Nothing was restored.") from error


def _put_key_in_place(keys: Path | None) -> None:
    target: Path = settings.BREACHDESK.master_key_file
    if keys is None or target.exists():
        return
    try:
        _write(target, (keys / KEY).read_bytes())
    except OSError as error:
        raise BackupRefused(f"The key in {keys} could not be put at {target}: {error.strerror}.") from error


def _put_shares_in_place(keys: Path | None, manifest: Manifest, lists: Sequence[Path], *, without: bool) -> None:
    """Beforehand, so that a restore which could not be read is refused while nothing has happened yet."""
    there = share_checks(shares_folder()) | (share_checks(keys / SHARES) if keys else {})
    lines = [line for path in lists for line in read_list(path)]
    dead = {f"{scope}.{which}" for scope, which in destroyed_keys(lines)}
    wanted = {name: check for name, check in manifest.shares.items() if name not in dead}
    if wrong := sorted(name for name, check in wanted.items() if there.get(name, check) != check):
        raise BackupRefused(
            f"{SHARES}/{wrong[0]} is another key's half than the one this backup was made with: it belongs to another "
            "installation. Name the folder of the right keys with --keys. Nothing was restored."
        )
    missing = wanted.keys() - there.keys()
    if missing and not without:
        raise BackupRefused(
            f"Of {len(wanted):,} halves of keys {len(missing):,} are not here, such as {min(missing)}: what these keys "
            "sealed could not be read. Name the folder of the newest keys with --keys, or restore all the same with "
            "--without-missing-keys. Nothing was restored."
        )
    if keys:
        copy_shares(keys / SHARES, shares_folder())
