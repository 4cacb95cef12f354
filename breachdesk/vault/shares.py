"""Shares: half of every key, in a file of its own outside the database, so that a key dies in every backup as well.

What the database holds of a key is wrapped by the master key and by 32 random bytes of that key alone, its share:
`keys/<scope>.data` and `keys/<scope>.index` in the state folder. A dump of the database, however old, together with the
master key opens nothing without them. Destroying a key overwrites and unlinks its share; then only a copy of the folder
`keys` that was made before could bring the key back, which is why `backup` writes the shares nowhere but into --keys.

A share is made once and never changed: two processes that make the key of one scope at the same time use the same one,
and one left behind by a transaction that was undone is used the next time.
"""

import base64
import binascii
import os
from collections.abc import Iterable, Iterator
from functools import lru_cache
from hashlib import sha256
from pathlib import Path
from uuid import UUID, uuid4

from django.conf import settings

from breachdesk.vault.master_key import KEY_BYTES, MasterKeyMissing, state_of

FOLDER = "keys"
DATA, INDEX = "data", "index"


class ShareMissing(MasterKeyMissing):
    """A key's share is not there or cannot be used. The message names the file and says what to do."""


def shares_folder() -> Path:
    folder: Path = settings.BREACHDESK.state_dir
    return folder / FOLDER


def share_path(scope: UUID, which: str) -> Path:
    return shares_folder() / f"{scope}.{which}"


def read_share(scope: UUID, which: str) -> bytes:
    """Looked at afresh at every call, as the master key is: what another process destroyed is gone here too."""
    path = share_path(scope, which)
    try:
        return _read(path, state_of(path, "", ShareMissing))
    except FileNotFoundError:
        raise ShareMissing(
            f"{path} does not exist: it is half of the {which} key of {scope}, and nothing sealed under that key can "
            "be read or written without it. Put the folder keys back from its newest copy (backup --keys)."
        ) from None
    except (OSError, UnicodeDecodeError) as error:
        raise ShareMissing(f"{path}, half of a key, cannot be read: {error}.") from error


@lru_cache(maxsize=32)
def _read(path: Path, state: tuple[int, ...]) -> bytes:
    """Once for each state of the file."""
    try:
        share = base64.b64decode(path.read_text("ascii").strip(), validate=True)
    except binascii.Error:
        share = b""
    if len(share) != KEY_BYTES:
        raise ShareMissing(f"{path} is not base64 text of {KEY_BYTES} random bytes: put it back from its newest copy.")
    return share


def find_or_make_share(scope: UUID, which: str) -> bytes:
    """On the disk when this returns. Of several processes at once the first one's share is everybody's."""
    path = share_path(scope, which)
    if not path.exists():
        path.parent.mkdir(mode=0o700, exist_ok=True)
        made = path.with_name(f".{path.name}.{uuid4().hex}")
        _write(made, base64.b64encode(os.urandom(KEY_BYTES)) + b"\n")
        try:
            os.link(made, path)
        except FileExistsError:
            pass
        finally:
            made.unlink()
        _settle(path.parent)
    return read_share(scope, which)


def destroy_file(path: Path) -> bool:
    try:
        with path.open("r+b") as file:
            size = os.fstat(file.fileno()).st_size
            file.write(os.urandom(size))
            file.flush()
            os.fsync(file.fileno())
        path.unlink()
    except FileNotFoundError:
        return False
    _settle(path.parent)
    return True


def _write(path: Path, content: bytes) -> None:
    with os.fdopen(os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600), "wb") as file:
        file.write(content)
        file.flush()
        os.fsync(file.fileno())


def _settle(folder: Path) -> None:
    """A name in a folder is only on the disk once the folder is."""
    descriptor = os.open(folder, os.O_RDONLY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)


# Copies, for backups


def shares_in(folder: Path) -> Iterator[Path]:
    """Every share of such a folder, and nothing that a crash left half-made there."""
    found = folder.iterdir() if folder.is_dir() else ()
    yield from sorted(path for path in found if path.suffix in (f".{DATA}", f".{INDEX}") and path.name[0] != ".")


def share_checks(folder: Path) -> dict[str, str]:
    """Name and a value that tells one share from another and says nothing else about it."""
    return {
        path.name: sha256(b"breachdesk share check\0" + path.read_bytes().strip()).hexdigest()[:16]
        for path in shares_in(folder)
    }


def copy_shares(source: Path, target: Path) -> int:
    """How many came. One that is there already stays: a share never changes."""
    paths = list(shares_in(source))
    if paths:
        target.mkdir(mode=0o700, exist_ok=True)
    return sum(_copy(path, target / path.name) for path in paths)


def _copy(path: Path, target: Path) -> bool:
    if target.exists():
        return False
    try:
        _write(target, path.read_bytes())
    except FileNotFoundError:
        return False  # destroyed meanwhile
    return True


def destroy_shares(keys: Iterable[tuple[UUID, str]], folder: Path | None = None) -> int:
    """In this state folder, or in a copy of the keys. How many were there."""
    root = folder or shares_folder()
    destroyed = sum(destroy_file(root / f"{scope}.{which}") for scope, which in keys)
    _read.cache_clear()
    return destroyed
