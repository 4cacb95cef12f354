"""Child processes that outlive neither us nor their own main process: each in a session of its own."""

import ctypes
import os
import pwd
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass, field
from pathlib import Path
from typing import IO

NOBODY = "nobody"
KILL = signal.SIGKILL
# Every process of a run carries its state folder in this variable, so that a later start finds what a killed one left.
MARK = "EMBEDDED_STATE"
ON_LINUX = sys.platform == "linux"


class CannotStart(Exception):
    """One sentence for the person at the terminal."""


@dataclass(frozen=True)
class Program:
    """A command, where it runs, how it is asked to stop, and which of its lines are not worth showing."""

    name: str
    command: Sequence[str | Path]
    folder: Path
    environment: Mapping[str, str]
    stop_signal: signal.Signals = signal.SIGTERM
    stop_within: float = 10.0
    as_nobody: bool = False
    descriptors: Sequence[int] = field(default=())
    not_shown: str | None = None


def unprivileged() -> pwd.struct_passwd | None:
    """Whom PostgreSQL runs as when we are root, which it refuses to run as."""
    return pwd.getpwnam(NOBODY) if os.geteuid() == 0 else None


def launch(program: Program, output: int | IO[bytes]) -> subprocess.Popen[bytes]:
    account = unprivileged() if program.as_nobody else None
    return subprocess.Popen(
        [str(word) for word in program.command],
        cwd=program.folder,
        env=dict(program.environment),
        stdin=subprocess.DEVNULL,
        stdout=output,
        stderr=subprocess.STDOUT,
        start_new_session=True,
        pass_fds=tuple(program.descriptors),
        user=account.pw_uid if account else None,
        group=account.pw_gid if account else None,
        extra_groups=[] if account else None,
        preexec_fn=_follow_parent(program.stop_signal),
    )


def adopt_orphans() -> None:
    """On Linux, whatever a part leaves behind in a session of its own becomes our child, and can be found."""
    if ON_LINUX:
        pr_set_child_subreaper = 36
        ctypes.CDLL(None).prctl(pr_set_child_subreaper, 1)


def children() -> list[int]:
    return [pid for pid in live_processes() if _parent_on_linux(pid) == os.getpid()] if ON_LINUX else []


def _parent_on_linux(pid: int) -> int | None:
    with suppress(OSError, IndexError):
        return int(Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[1])
    return None


def _follow_parent(with_signal: signal.Signals) -> Callable[[], None] | None:
    """Linux sends the signal when our main thread dies, however it dies. (Looked up here: a forked child may not.)"""
    if not ON_LINUX:
        return None
    set_option = ctypes.CDLL(None).prctl
    pr_set_pdeathsig = 1
    return lambda: set_option(pr_set_pdeathsig, int(with_signal))


def ask_to_stop(program: Program, process: subprocess.Popen[bytes]) -> None:
    """Tells the main process alone: a signal to the whole group would kill Celery's children in mid-task."""
    if process.poll() is None:
        process.send_signal(program.stop_signal)


def stop(program: Program, process: subprocess.Popen[bytes], within: float | None = None) -> None:
    """Returns when the program and everything in its session is gone."""
    ask_to_stop(program, process)
    with suppress(subprocess.TimeoutExpired):
        process.wait(program.stop_within if within is None else within)
    end_session(process)


def end_session(process: subprocess.Popen[bytes]) -> None:
    """Kills what is left of the process and of the session it leads."""
    if process.poll() is None:
        process.kill()
        process.wait()
    kill_all(lambda: session_members(process.pid))


def kill_all(find: Callable[[], list[int]], within: float = 5.0) -> None:
    deadline = time.monotonic() + within
    killed: set[int] = set()
    while (found := find()) and time.monotonic() < deadline:
        for pid in found:
            with suppress(ProcessLookupError, PermissionError):
                os.kill(pid, KILL)
        killed.update(found)
        time.sleep(0.02)
    for pid in killed:
        # Adopted orphans are ours to bury.
        with suppress(ChildProcessError):
            os.waitpid(pid, os.WNOHANG)


def session_members(session: int) -> list[int]:
    return [pid for pid in live_processes() if _session_of(pid) == session]


def _session_of(pid: int) -> int | None:
    with suppress(OSError):
        return os.getsid(pid)
    return None


def live_processes() -> Iterator[int]:
    """Every process that is not a zombie."""
    if ON_LINUX:
        found = (path.name for path in Path("/proc").iterdir() if path.name.isdigit())
        yield from (int(name) for name in found if _state_on_linux(name) not in "ZX")
        return
    listing = subprocess.run(["ps", "-A", "-o", "pid=,stat="], capture_output=True, text=True, check=True).stdout
    yield from (int(pid) for pid, state in map(str.split, listing.splitlines()) if not state.startswith("Z"))


def _state_on_linux(pid: str) -> str:
    try:
        return Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[0]
    except OSError:
        return "X"


def marked_processes(folder: Path) -> list[int]:
    """What an earlier run on this state folder left behind, if anything."""
    mark = f"{MARK}={folder}"
    return [pid for pid in live_processes() if pid != os.getpid() and mark in _environment_of(pid)]


def _environment_of(pid: int) -> list[str]:
    if ON_LINUX:
        try:
            return Path(f"/proc/{pid}/environ").read_bytes().decode(errors="replace").split("\0")
        except OSError:
            return []
    listing = subprocess.run(
        ["ps", "-E", "-o", "command=", "-p", str(pid)], capture_output=True, text=True, check=False
    )
    return listing.stdout.split()
