"""A real PostgreSQL and a Redis-compatible server for the demo, the tests and the benchmarks. Never in production."""

import os
import subprocess
import sys
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from pathlib import Path

from breachdesk.embedded import postgres, valkey
from breachdesk.embedded.folders import make_private_folder, make_state_folder, remove_private_folder
from breachdesk.embedded.processes import MARK, CannotStart, Program, launch, stop

NAMES = ("DATABASE_URL", "REDIS_URL")


@dataclass
class Servers:
    """`environment` says where they are, in the words of the product's own settings."""

    state: Path
    environment: dict[str, str]
    sockets: Path | None = None
    running: list[tuple[Program, subprocess.Popen[bytes]]] = field(default_factory=list)

    def are_alive(self) -> bool:
        return all(process.poll() is None for _, process in self.running)


def given_servers(source: Mapping[str, str]) -> dict[str, str] | None:
    """Servers somebody already runs; None when we start our own."""
    given = {name: source[name] for name in NAMES if source.get(name)}
    if len(given) == 1:
        raise CannotStart("Set both DATABASE_URL and REDIS_URL, or neither: then BreachDesk starts its own servers.")
    return given or None


def prepare(state: Path, sockets: Path, *, durable: bool, buffers: str = "256MB") -> list[Program]:
    """Makes the data folders and says what to run; nothing runs yet."""
    if sys.platform not in ("linux", "darwin"):
        raise CannotStart("The embedded servers run on Linux and macOS: set DATABASE_URL and REDIS_URL to real ones.")
    valkey.find_valkey()
    postgres.end_earlier_postgres(state)
    postgres.make_cluster(state, sockets, durable=durable)
    marked = {"PATH": os.defpath, "LC_ALL": "C", MARK: str(state)}
    return [
        postgres.postgres_program(state, sockets, marked, durable=durable, buffers=buffers),
        valkey.valkey_program(state, sockets, marked, durable=durable),
    ]


def wait_until_ready(state: Path, sockets: Path, is_alive: Callable[[], bool]) -> dict[str, str]:
    """Returns DATABASE_URL and REDIS_URL once both servers answer."""
    redis_url = valkey.valkey_url(sockets)
    _wait_for("PostgreSQL", lambda: postgres.is_ready(state), is_alive)
    _wait_for("Valkey", lambda: valkey.is_answering(redis_url), is_alive)
    postgres.make_database(state, sockets)
    return {"DATABASE_URL": postgres.postgres_url(state, sockets), "REDIS_URL": redis_url}


def _wait_for(name: str, is_answering: Callable[[], bool], is_alive: Callable[[], bool], within: float = 60.0) -> None:
    deadline = time.monotonic() + within
    while not is_answering():
        if not is_alive() or time.monotonic() > deadline:
            raise CannotStart(f"{name} did not start: its output above, or in servers.log, says why.")
        time.sleep(0.02)


def start(state: Path, *, durable: bool = True, buffers: str = "256MB") -> Servers:
    """Starts both servers on the state folder, or takes those named in the environment."""
    if given := given_servers(os.environ):
        return Servers(state, given)
    state = make_state_folder(state)
    sockets = make_private_folder(state)
    servers = Servers(state, {}, sockets)
    try:
        with (state / "servers.log").open("ab") as log:
            for program in prepare(state, sockets, durable=durable, buffers=buffers):
                servers.running.append((program, launch(program, log)))
        servers.environment = wait_until_ready(state, sockets, servers.are_alive)
    except BaseException:
        stop_servers(servers)
        raise
    return servers


def stop_servers(servers: Servers) -> None:
    """In the opposite order; returns when no process of theirs is left."""
    while servers.running:
        stop(*servers.running.pop())
    if servers.sockets:
        remove_private_folder(servers.state)
