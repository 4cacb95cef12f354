"""A whole installation of its own: every process of the product, a database nobody else uses, and a mail catcher."""

import base64
import json
import os
import secrets
import subprocess
import time
import urllib.request
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from pathlib import Path
from uuid import uuid4

import psycopg
from psycopg import sql
from psycopg.conninfo import conninfo_to_dict, make_conninfo

from breachdesk.embedded import parts
from breachdesk.embedded.catcher import listen_on_loopback
from breachdesk.embedded.catcher_store import CaughtMail
from breachdesk.embedded.folders import write_private
from breachdesk.embedded.logins import write_addresses
from breachdesk.embedded.processes import Program, launch, stop
from tests.cluster import roles_in_use
from tests.servers_plugin import is_there, name_of_migrated


@dataclass(frozen=True)
class Installation:
    address: str
    mail: CaughtMail
    folder: Path
    environment: dict[str, str]

    def manage(self, *words: str) -> str:
        done = subprocess.run(
            parts.job(words[0], list(words), self.environment).command,
            cwd=parts.PROJECT,
            env=self.environment,
            capture_output=True,
            text=True,
            check=False,
        )
        assert done.returncode == 0, f"manage.py {' '.join(words)}:\n{done.stdout}{done.stderr}"
        return done.stdout

    @property
    def sign_ins(self) -> dict[str, tuple[str, str]]:
        """Address and password by role."""
        listed = json.loads((self.folder / "sign-ins.json").read_text())
        return {one["role"]: (one["email"], one["password"]) for one in listed}


# In one process: five would start for longer than they work.
PREPARE = """
from django.core.management import call_command
call_command("migrate", verbosity=0)
call_command("sync_database_roles", "--logins", *{addresses})
call_command("sync_roles")
call_command("make_signing_key")
call_command("collectstatic", interactive=False, verbosity=0)
"""


@contextmanager
def running_installation(folder: Path) -> Iterator[Installation]:
    """Everything the demo runs except the servers, which the tests have already."""
    with _database() as url, listen_on_loopback() as web, listen_on_loopback() as mail:
        place = parts.Place(folder, folder, web, mail, 0)
        servers = {"DATABASE_URL": url, "REDIS_URL": _broker_of_its_own(os.environ["REDIS_URL"])}
        installation = Installation(
            place.address,
            CaughtMail(folder / "caught"),
            folder,
            parts.product_environment(place, servers, os.environ),
        )
        _prepare(installation)
        programs = [
            parts.catcher(place, installation.environment, keep_all=True),
            *parts.background(place, installation.environment),
            parts.web(place, installation.environment),
        ]
        with _running(programs, folder / "output.log"):
            _wait_for_web(installation.address)
            yield installation


def _prepare(installation: Installation) -> None:
    folder = installation.folder
    write_private(folder / "secret-key", secrets.token_urlsafe(48).encode())
    write_private(folder / "master-key", base64.b64encode(secrets.token_bytes(32)))
    for name in ("files", "caught", "cache"):
        (folder / name).mkdir(mode=0o700)
    addresses = write_addresses(folder / "logins", installation.environment["DATABASE_URL"])
    with roles_in_use():
        installation.manage("shell", "--no-imports", "-c", PREPARE.format(addresses=addresses))


@contextmanager
def _database() -> Iterator[str]:
    """Migrated already where this run of the tests has a copy of one that is: `migrate` then finds nothing to do."""
    given = os.environ["DATABASE_URL"]
    name = f"journey_{uuid4().hex[:12]}"
    with psycopg.connect(make_conninfo(given, dbname="postgres"), autocommit=True) as connection:
        template = name_of_migrated() if is_there(connection, name_of_migrated()) else "template1"
        made = sql.SQL("CREATE DATABASE {} TEMPLATE {}").format(sql.Identifier(name), sql.Identifier(template))
        connection.execute(made)
        try:
            yield _url_of(given, name)
        finally:
            connection.execute(sql.SQL("DROP DATABASE {} WITH (FORCE)").format(sql.Identifier(name)))


def _broker_of_its_own(given: str) -> str:
    """Of Valkey's 16 databases those from 8 on: a journey's worker must not answer the doorbells of other tests."""
    address, _, number = given.rpartition("db=")
    return f"{address}db={8 + int(number)}" if address else given


def _url_of(given: str, name: str) -> str:
    return given.replace(f"/{conninfo_to_dict(given)['dbname']}?", f"/{name}?", 1)


@contextmanager
def _running(programs: list[Program], output: Path) -> Iterator[None]:
    with output.open("ab") as log:
        running = [(program, launch(program, log.fileno())) for program in programs]
        try:
            yield
        finally:
            for program, process in reversed(running):
                stop(program, process)


def _wait_for_web(address: str, within: float = 60.0) -> None:
    deadline = time.monotonic() + within
    while time.monotonic() < deadline:
        with suppress(OSError):
            urllib.request.urlopen(f"{address}/healthz", timeout=5)
            return
        time.sleep(0.1)
    raise AssertionError(f"Nothing answered at {address} within {within:.0f} seconds.")
