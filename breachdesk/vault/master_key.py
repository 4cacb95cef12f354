"""The master key: 32 random bytes in base64, in a file that the database never sees."""

import base64
import binascii
import stat
from functools import lru_cache
from pathlib import Path

from django.conf import settings

KEY_BYTES = 32


class MasterKeyMissing(Exception):
    """The key file cannot be used. The message says what is wrong with it and what to do."""


def read_master_key() -> bytes:
    """Looked at afresh at every call, so that no process goes on with a key that was taken away or exchanged."""
    path: Path = settings.BREACHDESK.master_key_file
    try:
        return _read(path, state_of(path, "The master key file ", MasterKeyMissing))
    except FileNotFoundError:
        raise MasterKeyMissing(
            f"The master key file {path} does not exist. Nothing sealed can be read or written without it: put the "
            "file back from its backup, or correct BREACHDESK_MASTER_KEY_FILE."
        ) from None
    except (OSError, UnicodeDecodeError) as error:
        raise MasterKeyMissing(f"The master key file {path} cannot be read: {error}.") from error


@lru_cache(maxsize=1)
def _read(path: Path, state: tuple[int, ...]) -> bytes:
    """Once for each state of the file."""
    return _decode(path.read_text("ascii"), path)


def state_of(path: Path, what: str, fault: type[MasterKeyMissing]) -> tuple[int, ...]:
    """What is another once the file is exchanged or written. Raises `fault` for a file that is everybody's."""
    state = path.stat()
    if state.st_mode & (stat.S_IROTH | stat.S_IWOTH):
        raise fault(f"{what}{path} is open to every user of this machine. Close it with: chmod 600 {path}")
    return state.st_dev, state.st_ino, state.st_size, state.st_mtime_ns, state.st_ctime_ns


def _decode(text: str, path: Path) -> bytes:
    try:
        key = base64.b64decode(text.strip(), validate=True)
    except binascii.Error:
        raise MasterKeyMissing(f"The master key file {path} is not base64 text of 32 random bytes.") from None
    if len(key) != KEY_BYTES:
        raise MasterKeyMissing(f"The master key in {path} has {len(key)} bytes; it must have {KEY_BYTES}.")
    return key
