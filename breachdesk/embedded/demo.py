"""`make demo`: the whole product on this machine, from nothing, with one Ctrl-C.

Run as `python -m breachdesk.embedded`, not as a command of manage.py: Django's settings must have their secrets and
their database before they can be read, and here is where these are made.
"""

import base64
import errno
import json
import os
import secrets
import socket
import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path

import psycopg

from breachdesk.embedded import parts, servers
from breachdesk.embedded.catcher import listen_on_loopback
from breachdesk.embedded.folders import (
    lock,
    make_private_folder,
    make_state_folder,
    remove_private_folder,
    write_private,
)
from breachdesk.embedded.logins import write_addresses
from breachdesk.embedded.processes import CannotStart, Program, adopt_orphans, children, kill_all, marked_processes
from breachdesk.embedded.supervisor import Stopped, Supervisor

STATE = parts.PROJECT / ".demo"
PEOPLE = 5_000
PORT = 8000
NO_PANGO = (
    "PDFs are off, everything else works: WeasyPrint needs Pango. Install it with `apt-get install libpango-1.0-0 "
    "libpangoft2-1.0-0 libharfbuzz-subset0`, `dnf install pango` or `brew install pango`, and start again."
)


def main() -> int:
    os.umask(0o077)
    adopt_orphans()
    supervisor = Supervisor()
    supervisor.catch_signals()
    try:
        _run(supervisor)
    except CannotStart as error:
        print(f"BreachDesk cannot start. {error}", file=sys.stderr)
        return 1
    except Stopped:
        return 0
    return 0


def _run(supervisor: Supervisor) -> None:
    people, web = _people(), _listen(_port())
    state = make_state_folder(STATE)
    held = lock(state)
    kill_all(lambda: marked_processes(state))
    private = make_private_folder(state)
    try:
        with web, listen_on_loopback() as mail:
            _run_in(supervisor, parts.Place(state, private, web, mail, people))
    finally:
        supervisor.stop_all()
        kill_all(children)
        remove_private_folder(state)
        os.close(held)
        supervisor.say("demo", "stopped; `make demo` goes on from here")


def _run_in(supervisor: Supervisor, place: parts.Place) -> None:
    environment = parts.product_environment(place, _start_servers(supervisor, place), os.environ)
    _make_secrets(place.state)
    _warn_without_pango(supervisor, environment)
    roles = ["sync_database_roles", "--logins", *write_addresses(place.state / "logins", environment["DATABASE_URL"])]
    for command in (
        ["migrate"],
        roles,
        ["sync_roles"],
        ["share_keys"],
        ["make_signing_key"],
        ["collectstatic", "--noinput"],
    ):
        _finish(supervisor, parts.job(command[0], [*command, "--verbosity", "0"], environment))
    supervisor.keep_running(parts.catcher(place, environment, keep_all=place.people <= PEOPLE))
    for program in parts.background(place, environment):
        supervisor.keep_running(program)
    supervisor.keep_running(parts.web(place, environment))
    _tell_story(supervisor, place, environment)
    _welcome(supervisor, place)
    supervisor.watch()


def _people() -> int:
    people = parts.number_from(os.environ, "DEMO_PEOPLE", PEOPLE)
    if people is None:
        raise CannotStart(f"DEMO_PEOPLE is {os.environ['DEMO_PEOPLE']!r}: it must be a whole number above zero.")
    return people


def _port() -> int:
    port = parts.number_from(os.environ, "PORT", PORT)
    if port is None or port > 65535:
        raise CannotStart(f"PORT is {os.environ['PORT']!r}: it must be a whole number from 1 to 65535.")
    return port


def _listen(port: int) -> socket.socket:
    try:
        return listen_on_loopback(port)
    except OSError as error:
        why = {
            errno.EADDRINUSE: "something else listens there already",
            errno.EACCES: "this user may not listen there",
        }.get(error.errno or 0, error.strerror)
        raise CannotStart(f"Port {port} cannot be used: {why}. Choose another: PORT=8001 make demo") from None


def _start_servers(supervisor: Supervisor, place: parts.Place) -> dict[str, str]:
    if given := servers.given_servers(os.environ):
        return given
    began = time.monotonic()
    for program in servers.prepare(place.state, place.private, durable=True):
        supervisor.keep_running(program)
    environment = servers.wait_until_ready(place.state, place.private, supervisor.are_running)
    supervisor.say("demo", f"PostgreSQL and Valkey are up ({time.monotonic() - began:.1f} s)")
    return environment


def _make_secrets(state: Path) -> None:
    """At the first start only: a new master key would leave everything sealed under the old one closed."""
    makers: dict[str, Callable[[], bytes]] = {
        "secret-key": lambda: secrets.token_urlsafe(48).encode(),
        "master-key": lambda: base64.b64encode(secrets.token_bytes(32)),
    }
    for name, make in makers.items():
        if not (state / name).exists():
            write_private(state / name, make())
    for folder in ("files", "caught", "cache"):
        (state / folder).mkdir(mode=0o700, exist_ok=True)


def _warn_without_pango(supervisor: Supervisor, environment: dict[str, str]) -> None:
    probe = [sys.executable, "-c", "import weasyprint"]
    if subprocess.run(probe, env=environment, cwd=parts.PROJECT, capture_output=True, check=False).returncode:
        supervisor.say("demo", NO_PANGO)


def _finish(supervisor: Supervisor, program: Program) -> None:
    began = time.monotonic()
    if code := supervisor.run(program):
        raise CannotStart(f"`manage.py {program.name}` ended with code {code}: its output above says why.")
    supervisor.say("demo", f"{program.name} done ({time.monotonic() - began:.1f} s)")


def _tell_story(supervisor: Supervisor, place: parts.Place, environment: dict[str, str]) -> None:
    """Once, into an empty database. Half a story is not continued: it would prove nothing."""
    is_told = place.state / "story-is-told"
    if _is_empty(environment["DATABASE_URL"]):
        _finish(supervisor, parts.job("story", ["story"], environment))
        write_private(is_told, b"")
    elif not is_told.exists():
        supervisor.say(
            "demo", f"An earlier story stopped half-way. To tell it afresh, stop, remove {place.state}, start."
        )


def _is_empty(database_url: str) -> bool:
    with psycopg.connect(database_url) as connection:
        found = connection.execute("SELECT EXISTS (SELECT FROM accounts_user)").fetchone()
    return found == (False,)


def _welcome(supervisor: Supervisor, place: parts.Place) -> None:
    lines = [f"BreachDesk is at {place.address} and caught mail at {place.address}/catcher/", ""]
    sign_ins = place.state / "sign-ins.json"
    if sign_ins.exists():
        people = json.loads(sign_ins.read_text())
        lines += [f"{one['role']:<26} {one['email']:<40} {one['password']}" for one in people]
    for line in [*lines, "", "Ctrl-C stops everything."]:
        supervisor.say("demo", line)
