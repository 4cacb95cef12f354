"""The product's processes as the demo runs them: production's commands, on this machine's loopback alone."""

import socket
import sys
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

from breachdesk.embedded.logins import as_login
from breachdesk.embedded.processes import MARK, Program

PROJECT = Path(__file__).resolve().parent.parent.parent
PASSED_ON = ("PATH", "HOME", "LANG", "LC_ALL", "LC_CTYPE", "TZ", "USER", "LOGNAME", "SHELL", "TERM")
PASSED_ON_PREFIXES = ("DYLD_", "LD_", "SSL_", "PYTHON")


@dataclass(frozen=True)
class Place:
    """Where one demo lives. The sockets are open before anything starts, so that no port is taken from under it."""

    state: Path
    private: Path
    web: socket.socket
    mail: socket.socket
    people: int

    @property
    def address(self) -> str:
        return f"http://127.0.0.1:{self.web.getsockname()[1]}"


def product_environment(place: Place, servers: Mapping[str, str], source: Mapping[str, str]) -> dict[str, str]:
    """Nothing of BreachDesk's own settings comes from outside: a relay set there must not get the demo's mail."""
    passed_on = {
        name: value for name, value in source.items() if name in PASSED_ON or name.startswith(PASSED_ON_PREFIXES)
    }
    return passed_on | {
        MARK: str(place.state),
        "TMPDIR": str(place.private),
        "XDG_CACHE_HOME": str(place.state / "cache"),
        "PYTHONUNBUFFERED": "1",
        "DJANGO_SETTINGS_MODULE": "breachdesk.settings",
        "DEMO_PEOPLE": str(place.people),
        "DEMO_SIGN_INS": str(place.state / "sign-ins.json"),
        "BREACHDESK_SECRET_KEY_FILE": str(place.state / "secret-key"),
        "BREACHDESK_MASTER_KEY_FILE": str(place.state / "master-key"),
        "BREACHDESK_STATE_DIR": str(place.state / "files"),
        # In production the signer alone is told where its key is. Here everything runs as one user anyway.
        "BREACHDESK_SIGNING_KEY_FILE": str(place.state / "signer" / "signing-key.pem"),
        "BREACHDESK_SIGNER_DIR": str(place.state / "signer"),
        "BREACHDESK_BASE_URL": place.address,
        "BREACHDESK_HOSTS": "localhost",
        "BREACHDESK_DEMO": "1",
        "BREACHDESK_SMTP_HOST": "127.0.0.1",
        "BREACHDESK_SMTP_PORT": str(place.mail.getsockname()[1]),
        "BREACHDESK_SMTP_SECURITY": "none",
        # The catcher answers at once, so what a killed worker held is free again after half a minute.
        "BREACHDESK_SMTP_TIMEOUT": "10",
        "BREACHDESK_LEASE_MARGIN": "15",
        # In production a day is left to think it over.
        "BREACHDESK_DESTRUCTION_WAIT": "0",
        "BREACHDESK_LOG_LEVEL": "WARNING",
        "BREACHDESK_CATCHER_DIR": str(place.state / "caught"),
        **servers,
    }


def job(name: str, words: list[str], environment: Mapping[str, str]) -> Program:
    return Program(name, [sys.executable, "manage.py", *words], PROJECT, environment)


def catcher(place: Place, environment: Mapping[str, str], *, keep_all: bool) -> Program:
    folder = environment["BREACHDESK_CATCHER_DIR"]
    command = [sys.executable, "-m", "breachdesk.embedded.catcher", "--folder", folder]
    command += ["--descriptor", str(place.mail.fileno()), *(["--keep-all"] if keep_all else [])]
    return Program("catcher", command, PROJECT, environment, descriptors=[place.mail.fileno()])


def background(place: Place, environment: Mapping[str, str]) -> list[Program]:
    working = as_login(environment, "breachdesk_worker")
    # Root runs the demo on fresh machines; Celery's warning about it is for production.
    celery = [sys.executable, "-W", "ignore:You're running the worker with superuser", "-m", "celery", "--quiet"]
    celery += ["-A", "breachdesk.celery"]
    worker = [*celery, "worker", "--loglevel", "WARNING", "--without-gossip", "--without-mingle"]
    beat = [*celery, "beat", "--loglevel", "WARNING", "--schedule", str(place.state / "beat-schedule")]
    return [
        job("sequencer", ["run_sequencer"], as_login(environment, "breachdesk_sequencer")),
        job("signer", ["run_signer"], as_login(environment, "breachdesk_signer")),
        job("eraser", ["run_eraser"], as_login(environment, "breachdesk_eraser")),
        job("sweeper", ["run_sweeper"], working),
        Program("worker", worker, PROJECT, working, stop_within=20.0),
        Program("beat", beat, PROJECT, working),
    ]


def web(place: Place, environment: Mapping[str, str]) -> Program:
    command = [sys.executable, "-m", "gunicorn", "breachdesk.wsgi:application", "--worker-class", "gthread"]
    command += ["--bind", f"fd://{place.web.fileno()}", "--workers", "2", "--threads", "4", "--no-control-socket"]
    command += ["--worker-tmp-dir", str(place.private), "--graceful-timeout", "5", "--log-level", "warning"]
    serving = as_login(environment, "breachdesk_web")
    return Program("web", command, PROJECT, serving, descriptors=[place.web.fileno()])


def number_from(source: Mapping[str, str], name: str, default: int) -> int | None:
    """None when it is not a whole number above zero."""
    text = source.get(name) or str(default)
    return int(text) if text.isascii() and text.isdigit() and int(text) > 0 else None
