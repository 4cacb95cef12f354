"""The two places a demo or test run writes to: its state folder, and one private folder with a short name."""

import fcntl
import os
import shutil
import stat
import tempfile
from pathlib import Path

from breachdesk.embedded.processes import CannotStart, unprivileged

# A socket's path may have 104 bytes on macOS and 108 on Linux; the longest name in the folder has 16.
LONGEST_FOLDER = 80


def make_state_folder(folder: Path) -> Path:
    folder.mkdir(mode=0o700, parents=True, exist_ok=True)
    return folder.resolve()


def write_private(path: Path, content: bytes) -> None:
    """Appears whole and readable by its owner alone, or not at all."""
    unfinished = path.with_name(f"{path.name}.new")
    unfinished.unlink(missing_ok=True)
    descriptor = os.open(unfinished, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
    with os.fdopen(descriptor, "wb") as file:
        file.write(content)
        file.flush()
        os.fsync(file.fileno())
    unfinished.replace(path)


def lock(state: Path) -> int:
    """Held until this process ends, however it ends."""
    descriptor = os.open(state / "lock", os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600)
    try:
        fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        os.close(descriptor)
        raise CannotStart(f"BreachDesk already runs on {state}: stop that one first, or use another clone.") from None
    return descriptor


def make_private_folder(state: Path) -> Path:
    """A new folder in the temporary directory, mode 0700, for sockets; the one an earlier run left there is removed.

    As root it belongs to nobody, whom PostgreSQL runs as.
    """
    remove_private_folder(state)
    folder = Path(tempfile.mkdtemp(prefix="breachdesk-", dir=_short_temporary_directory()))
    if account := unprivileged():
        os.chown(folder, account.pw_uid, account.pw_gid)
    write_private(state / "private-folder", str(folder).encode())
    return folder


def remove_private_folder(state: Path) -> None:
    note = state / "private-folder"
    if note.exists():
        folder = Path(note.read_text())
        if folder.name.startswith("breachdesk-") and _is_ours(folder):
            shutil.rmtree(folder, ignore_errors=True)
        note.unlink()


def _is_ours(folder: Path) -> bool:
    account = unprivileged()
    try:
        found = folder.lstat()
    except OSError:
        return False
    return stat.S_ISDIR(found.st_mode) and found.st_uid == (account.pw_uid if account else os.getuid())


def _short_temporary_directory() -> str:
    usual = tempfile.gettempdir()
    return usual if len(usual) + len("/breachdesk-abcdefgh") <= LONGEST_FOLDER else "/tmp"  # noqa: S108
