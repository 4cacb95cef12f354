"""Every process of the product: each can be killed, frozen, asked to stop or starved, and goes on afterwards."""

import base64
import json
import os
import secrets
import shutil
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field, replace
from pathlib import Path

import redis

from breachdesk.embedded import parts, postgres, servers
from breachdesk.embedded.catcher import listen_on_loopback
from breachdesk.embedded.folders import write_private
from breachdesk.embedded.logins import write_addresses
from breachdesk.embedded.processes import Program, end_session, launch, session_members, stop
from breachdesk.limits import ALARM_LIMITS
from tests.faults.host_clocks import HostClocks, seconds_of

FAKETIME = sorted(Path("/usr/lib").glob("*/faketime/libfaketime.so.1"))
WINDOWS = {"worker": 8, "worker 2": 50}
CONNECTIONS = 8
SECRET = "reports:a secret of the relay"
DISK = "3g"
PATIENCE = 90.0
# Seconds for an answer, and the margin of a lease beyond it; production has 60 and 60. By the first, people are free
# again ten seconds after a crash, so that a schedule sees it. The others have production's proportion.
QUICK_TERMS, LONG_TERMS = (5, 4), (20, 20)
QUICK = {
    "BREACHDESK_PROOF_WAIT": "0",
    # So much goes wrong here that every send would pause by itself.
    "BREACHDESK_ALARM_LIMITS": json.dumps(dict.fromkeys(ALARM_LIMITS, 1)),
}


def wait_until(what: str, is_so: Callable[[], bool], within: float = PATIENCE) -> None:
    deadline = time.monotonic() + within
    while not is_so():
        assert time.monotonic() < deadline, f"In {within:g} seconds it did not come so far that {what}."
        time.sleep(0.05)


@dataclass
class Field:
    folder: Path
    running: servers.Servers
    environment: dict[str, str]
    programs: dict[str, Program]
    has_own_disk: bool
    clocks: HostClocks
    parts: dict[str, "subprocess.Popen[bytes]"] = field(default_factory=dict)
    down_until: dict[str, float] = field(default_factory=dict)
    snapshot: Path | None = None

    @property
    def plan(self) -> Path:
        return self.folder / "sink-plan.json"

    # Processes

    def start(self, name: str) -> None:
        with (self.folder / "output.log").open("ab") as log:
            self.parts[name] = launch(self.programs[name], log)

    def lease_for(self, terms: tuple[int, int]) -> bool:
        """Everything that asks for them begins anew with these; false where they hold already."""
        told = _told(terms)
        if self.programs["worker"].environment.items() >= told.items():
            return False
        for name in ("web", "beat", "sweeper", *WINDOWS):
            program = self.programs[name]
            self.programs[name] = replace(program, environment={**program.environment, **told})
            self.kill(name)
        return True

    def members(self, name: str) -> list[int]:
        """The main process first."""
        main = self._process(name).pid
        return [main, *(pid for pid in session_members(main) if pid != main)]

    def _process(self, name: str) -> "subprocess.Popen[bytes]":
        return self.running.running[_SERVERS.index(name)][1] if name in _SERVERS else self.parts[name]

    def kill(self, name: str, whom: str = "all", down: float = 0.0) -> None:
        """`whom`: the main process alone, one of its children alone, or all."""
        self.down_until[name] = time.monotonic() + down
        main, *children = self.members(name)
        victims = {"main": [main], "child": children[-1:] or [main]}.get(whom, [main, *children])
        for pid in victims:
            with suppress(ProcessLookupError):
                os.kill(pid, signal.SIGKILL)
        if main in victims:
            self._process(name).wait()

    def freeze(self, name: str) -> None:
        self._signal_all(name, signal.SIGSTOP)

    def thaw(self, name: str) -> None:
        self._signal_all(name, signal.SIGCONT)

    def _signal_all(self, name: str, number: signal.Signals) -> None:
        for pid in self.members(name):
            with suppress(ProcessLookupError):
                os.kill(pid, number)

    def deploy(self, name: str) -> None:
        """As an upgrade: asked to stop, given the time for it, and begun again by tend()."""
        self._process(name).send_signal(signal.SIGTERM)

    def tend(self) -> None:
        """As a supervisor: what has ended begins again, once its time has come."""
        for name in (*_SERVERS, *self.parts):
            if self._process(name).poll() is not None and time.monotonic() > self.down_until.get(name, 0.0):
                self._again(name)

    def _again(self, name: str) -> None:
        if name not in _SERVERS:
            if name not in ("worker", "worker 2"):  # a worker's child may outlive it for a moment, as in production
                end_session(self.parts[name])
            self.start(name)
            return
        place = _SERVERS.index(name)
        program, process = self.running.running[place]
        end_session(process)
        if name == "database":
            postgres.end_earlier_postgres(self.running.state)
        with (self.folder / "servers.log").open("ab") as log:
            self.running.running[place] = program, launch(program, log)

    # What they stand on

    def redis(self) -> redis.Redis:
        url = self.environment["REDIS_URL"]
        return redis.Redis.from_url(url, socket_timeout=2)

    def keep_snapshot(self) -> None:
        self.snapshot = self.folder / "valkey-snapshot"
        shutil.rmtree(self.snapshot, ignore_errors=True)
        shutil.copytree(self.running.state / "valkey", self.snapshot)

    def restore_snapshot(self) -> None:
        """As from a backup of last week: what it queued then rings again."""
        if self.snapshot is None:
            return
        self.kill("redis")
        _, process = self.running.running[_SERVERS.index("redis")]
        process.wait()
        shutil.rmtree(self.running.state / "valkey")
        shutil.copytree(self.snapshot, self.running.state / "valkey")

    def fill_disk(self) -> None:
        """Not a byte is left on the disk of database, queue, journals and files: it shrinks to what is on it."""
        for _ in range(20 if self.has_own_disk else 0):
            with suppress(subprocess.CalledProcessError):  # somebody wrote meanwhile
                _mount("-o", f"remount,size={shutil.disk_usage(self.running.state).used}", self.running.state)
                return

    def free_disk(self) -> None:
        if self.has_own_disk:
            _mount("-o", f"remount,size={DISK}", self.running.state)

    def jump(self, to: str) -> None:
        """The database's clock; all others keep the right time. In place: it is read all the time, by all of it."""
        clock = os.open(self.running.state / "postgres" / "clock", os.O_WRONLY | os.O_CREAT, 0o644)
        try:
            os.pwrite(clock, f"{seconds_of(to):+09d}\n".encode(), 0)
        finally:
            os.close(clock)

    def right_clocks(self) -> None:
        self.jump("+0")
        for name in self.programs:
            self.clocks.move(name, "+0")

    def is_database_ready(self) -> bool:
        return self._process("database").poll() is None and postgres.is_ready(self.running.state)

    # The sink

    def sink_takes(self, log: Path, doubts: Path, seed: int, delay: float, faults: dict[str, float]) -> None:
        plan = {"log": str(log), "doubts": str(doubts), "seed": seed, "delay": delay, "faults": faults}
        self.plan.write_text(json.dumps(plan))
        if "sink" in self.parts:
            self.parts["sink"].send_signal(signal.SIGHUP)

    def stop(self) -> None:
        for name in reversed(self.parts):
            with suppress(ProcessLookupError):
                self.thaw(name)
            stop(self.programs[name], self.parts[name])


_SERVERS = ("database", "redis")


def _told(terms: tuple[int, int]) -> dict[str, str]:
    return dict(zip(("BREACHDESK_SMTP_TIMEOUT", "BREACHDESK_LEASE_MARGIN"), map(str, terms), strict=True))


def _mount(*words: object) -> None:
    subprocess.run(["mount", *map(str, words)], check=True, stderr=subprocess.DEVNULL)


@contextmanager
def _disk_of_its_own(folder: Path) -> Iterator[bool]:
    """Where a small disk in memory may be mounted, everything lies on one."""
    folder.mkdir(mode=0o700)
    try:
        _mount("-t", "tmpfs", "-o", f"size={DISK},mode=0700", "tmpfs", folder)
    except (OSError, subprocess.CalledProcessError):
        yield False
        return
    try:
        yield True
    finally:
        subprocess.run(["umount", "-l", str(folder)], check=False)


@contextmanager
def installation(folder: Path) -> Iterator[Field]:
    """All processes and two workers, on servers and a disk of their own. Django is set up in this process, too."""
    with _disk_of_its_own(folder / "state") as has_own_disk, listen_on_loopback() as web, listen_on_loopback() as mail:
        running = servers.start(folder / "state")
        assert running.running, "only servers of its own are shot at"
        place = parts.Place(folder / "state", folder / "state", web, mail, 0)
        try:
            environment = parts.product_environment(place, running.environment, os.environ) | QUICK | _told(QUICK_TERMS)
            environment["BREACHDESK_ANYMAIL"] = json.dumps({"WEBHOOK_SECRET": SECRET})
            for name in [name for name in os.environ if name.startswith("BREACHDESK_")]:
                del os.environ[name]
            os.environ.update(environment)
            _prepare(folder / "state", environment)
            clocks = HostClocks(folder)
            programs = {
                name: replace(program, environment={**program.environment, **clocks.environment(name)})
                for name, program in _programs(place, environment, folder).items()
            }
            fire = Field(folder, running, environment, programs, has_own_disk, clocks)
            _begin(fire)
            try:
                yield fire
            except BaseException:
                print((folder / "output.log").read_text()[-6_000:], file=sys.stderr)
                raise
            finally:
                fire.stop()
        finally:
            servers.stop_servers(running)


def _prepare(state: Path, environment: dict[str, str]) -> None:
    write_private(state / "secret-key", secrets.token_urlsafe(48).encode())
    write_private(state / "master-key", base64.b64encode(secrets.token_bytes(32)))
    for name in ("files", "caught", "cache"):
        (state / name).mkdir(mode=0o700)
    import django

    django.setup()
    from django.core.management import call_command

    call_command("migrate", verbosity=0)
    addresses = write_addresses(state / "logins", environment["DATABASE_URL"])
    call_command("sync_database_roles", "--logins", *addresses, verbosity=0)
    call_command("sync_roles", verbosity=0)
    call_command("make_signing_key", verbosity=0)
    call_command("collectstatic", interactive=False, verbosity=0)


def _programs(place: parts.Place, environment: dict[str, str], folder: Path) -> dict[str, Program]:
    account = {"BREACHDESK_SMTP_USER": "sender", "BREACHDESK_SMTP_PASSWORD": "of these schedules"}
    environment = environment | {"BREACHDESK_SMTP_CONNECTIONS": str(CONNECTIONS)} | account
    background = {program.name: program for program in parts.background(place, environment) if program.name != "eraser"}
    worker = background.pop("worker")
    for name, window in WINDOWS.items():
        background[name] = replace(
            worker,
            name=name,
            command=[*worker.command, "--hostname", f"{name.replace(' ', '')}@%h"],
            environment={**worker.environment, "BREACHDESK_SEND_WINDOW": str(window)},
        )
    sink: list[str | Path] = [
        sys.executable,
        "-m",
        "tests.faults.smtp_faults",
        f"{place.mail.fileno()}",
        folder / "sink-plan.json",
    ]
    sink_program = Program("sink", sink, parts.PROJECT, environment, descriptors=[place.mail.fileno()])
    return {"sink": sink_program, "web": parts.web(place, environment), **background}


def _begin(fire: Field) -> None:
    if FAKETIME:
        program, process = fire.running.running[0]
        fire.jump("+0")
        faked = {
            "LD_PRELOAD": str(FAKETIME[0]),
            "FAKETIME_TIMESTAMP_FILE": "/proc/self/cwd/clock",
            "FAKETIME_NO_CACHE": "1",  # one clock for all of it: else each session jumps at another moment
            "FAKETIME_DONT_FAKE_MONOTONIC": "1",
        }
        fire.running.running[0] = replace(program, environment={**program.environment, **faked}), process
        fire.kill("database")
        process.wait()
        fire.tend()
        wait_until("the database answers", fire.is_database_ready)
    fire.sink_takes(fire.folder / "none.jsonl", fire.folder / "none.txt", 0, 0.0, {})
    for name in fire.programs:
        fire.start(name)
