"""What the benchmarks share: an installation of its own, a process for each measurement, and a table that is kept."""

import json
import os
import resource
import subprocess
import sys
import tempfile
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from threading import Event, Thread
from typing import Any

from breachdesk.embedded import servers
from tests.servers_plugin import _set_up_product

RESULTS = Path(__file__).parent / "results"
BUFFERS = "2GB"  # as docker-compose.yml gives the database: the indexes of 4,300,000 people are 1.3 GB


@dataclass(frozen=True)
class Installation:
    folder: Path
    running: servers.Servers


@contextmanager
def installation(settings: str = "tests.settings") -> Iterator[Installation]:
    """Servers that write to the disk as production's do, an empty database and a folder; all gone afterwards."""
    with tempfile.TemporaryDirectory(prefix="breachdesk-bench-") as name:
        folder = Path(name)
        running = servers.start(folder / "state", buffers=BUFFERS)
        try:
            os.environ.update(running.environment)
            _set_up_product(folder)
            os.environ["DJANGO_SETTINGS_MODULE"] = settings
            yield Installation(folder, running)
        finally:
            servers.stop_servers(running)
            for name in running.environment:  # or the next installation would take these servers for given ones
                os.environ.pop(name, None)


def child(module: str, *words: object) -> dict[str, Any]:
    """The result of one measurement in a process of its own, so that its memory and processor time are its own."""
    return dict(json.loads(start_child(module, *words).communicate()[0]))


def start_child(
    module: str, *words: object, environment: Mapping[str, str] | None = None, waits: bool = False
) -> "subprocess.Popen[bytes]":
    """One that waits gets its word through its input."""
    command = [sys.executable, "-m", module, "--child", *map(str, words)]
    settings = {**os.environ, **(environment or {})}
    return subprocess.Popen(command, stdin=subprocess.PIPE if waits else None, stdout=subprocess.PIPE, env=settings)


def wait_until_ready(process: "subprocess.Popen[bytes]") -> None:
    assert process.stdout is not None
    assert process.stdout.readline() == b"ready\n", "a process that was to be measured did not start"


def say_go(process: "subprocess.Popen[bytes]") -> None:
    assert process.stdin is not None
    process.stdin.write(b"go\n")
    process.stdin.flush()


def run_if_child(tasks: Mapping[str, Callable[..., dict[str, Any]]]) -> None:
    """In a process that start_child() began: does its one task, prints the result and ends."""
    if sys.argv[1:2] != ["--child"]:
        return
    import django

    django.setup()
    task, folder, *words = sys.argv[2:]
    print(json.dumps(tasks[task](Path(folder), *words)))
    raise SystemExit(0)


def peak_memory_mb() -> int:
    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    return round(peak / (1024 if sys.platform == "linux" else 1024**2))


class Memory:
    """The peak of a process and of those it has begun, each page counted once (PSS).

    Looked at four times a second, for each look takes 6 ms of a core.
    """

    def __init__(self) -> None:
        self.peak_mb = 0
        self._ended = Event()

    def watch(self) -> None:
        while True:
            self.peak_mb = max(self.peak_mb, sum(map(_own_share_mb, [os.getpid(), *_children()])))
            if self._ended.wait(0.25):
                return

    def end(self) -> None:
        self._ended.set()


@contextmanager
def memory_together() -> Iterator[Memory]:
    """On Linux; elsewhere nothing says what two processes share."""
    memory = Memory()
    watching = Thread(target=memory.watch, daemon=True)
    watching.start()
    try:
        yield memory
    finally:
        memory.end()
        watching.join()


def _children() -> list[int]:
    return children_of(os.getpid())


def children_of(process: int) -> list[int]:
    lists = Path(f"/proc/{process}/task").glob("*/children")
    return [int(child) for children in lists for child in children.read_text().split()]


def cpu_of_all(process: int) -> float:
    """Seconds of processor time of a process and of its children, those that have ended included."""
    return _cpu(process) + sum(_cpu(child) for child in children_of(process))


def memory_of_all(process: int) -> int:
    """In MB, each page counted once."""
    return sum(map(_own_share_mb, [process, *children_of(process)]))


def _cpu(process: int) -> float:
    try:
        stat = Path(f"/proc/{process}/stat").read_text().rpartition(")")[2].split()
    except (FileNotFoundError, ProcessLookupError):  # it has just ended: its parent counts it from now on
        return 0.0
    return sum(map(int, stat[11:15])) / os.sysconf("SC_CLK_TCK")


def _own_share_mb(process: int) -> int:
    try:
        lines = Path(f"/proc/{process}/smaps_rollup").read_text().splitlines()
    except (FileNotFoundError, ProcessLookupError):  # it has ended
        return 0
    return next(int(line.split()[1]) for line in lines if line.startswith("Pss:")) // 1024


def keep(name: str, results: dict[str, Any], folder: Path = RESULTS) -> None:
    """Beside the others, with the commit it was measured on."""
    commit = subprocess.run(["git", "rev-parse", "--short", "HEAD"], stdout=subprocess.PIPE, check=True).stdout.decode()
    folder.mkdir(exist_ok=True)
    (folder / f"{name}.json").write_text(json.dumps({"commit": commit.strip(), **results}, indent=1) + "\n")
