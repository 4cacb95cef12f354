"""What `make demo` says when it cannot start, and what it keeps out."""

import os
import socket
import subprocess
import sys
from pathlib import Path

import pytest
from psycopg.conninfo import conninfo_to_dict

from breachdesk.embedded import demo, parts
from breachdesk.embedded.catcher import listen_on_loopback
from breachdesk.embedded.parts import PROJECT

SERVERS = {"DATABASE_URL": "postgresql://breachdesk:secret@/breachdesk?host=/sockets"}


def start(**environment: str) -> subprocess.CompletedProcess[str]:
    command = [sys.executable, "-m", "breachdesk.embedded"]
    return subprocess.run(
        command, cwd=PROJECT, env=os.environ | environment, capture_output=True, text=True, check=False, timeout=60
    )


@pytest.fixture
def place(tmp_path: Path):
    with listen_on_loopback() as web, listen_on_loopback() as mail:
        yield parts.Place(tmp_path, tmp_path, web, mail, 5_000)


def test_a_busy_port_is_named_before_anything_starts():
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port = taken.getsockname()[1]
        done = start(PORT=str(port))
    assert (done.returncode, done.stdout) == (1, "")
    assert f"Port {port} cannot be used: something else listens there already." in done.stderr
    assert len(done.stderr.splitlines()) == 1


@pytest.mark.parametrize(
    ("name", "value"),
    [("PORT", "http"), ("PORT", "99999"), ("PORT", "-1"), ("DEMO_PEOPLE", "many"), ("DEMO_PEOPLE", "0")],
)
def test_a_number_that_is_none_is_refused_in_one_sentence(name, value):
    done = start(**{"PORT": "1", name: value})
    assert done.returncode == 1
    assert done.stderr.startswith(f"BreachDesk cannot start. {name} is '{value}': it must be a whole number")
    assert len(done.stderr.splitlines()) == 1


def test_a_relay_set_in_the_shell_gets_none_of_the_demos_mail(place):
    shell = {"BREACHDESK_SMTP_HOST": "relay.example.com", "BREACHDESK_TRANSPORT": "x", "PATH": "/bin", "SECRET": "x"}
    environment = parts.product_environment(place, {}, shell)
    assert environment["BREACHDESK_SMTP_HOST"] == "127.0.0.1"
    assert "BREACHDESK_TRANSPORT" not in environment
    assert "SECRET" not in environment
    assert environment["PATH"] == "/bin"


def test_web_and_mail_are_on_this_machine_alone(place):
    assert place.web.getsockname()[0] == place.mail.getsockname()[0] == "127.0.0.1"
    assert f"fd://{place.web.fileno()}" in parts.web(place, SERVERS).command


def test_each_process_signs_in_to_the_database_as_itself(place):
    programs = [*parts.background(place, SERVERS), parts.web(place, SERVERS)]
    logins = {program.name: conninfo_to_dict(program.environment["DATABASE_URL"]) for program in programs}
    assert {name: login["user"].removeprefix("breachdesk_") for name, login in logins.items()} == {
        "sequencer": "sequencer", "signer": "signer", "eraser": "eraser", "sweeper": "worker", "worker": "worker",
        "beat": "worker", "web": "web",
    }  # fmt: skip
    assert {login["dbname"] for login in logins.values()} == {"breachdesk"}
    assert "secret" not in {login["password"] for login in logins.values()}


def test_secrets_are_made_once_and_for_us_alone(tmp_path):
    demo._make_secrets(tmp_path)
    first = {name: (tmp_path / name).read_bytes() for name in ("secret-key", "master-key")}
    demo._make_secrets(tmp_path)
    assert {name: (tmp_path / name).read_bytes() for name in first} == first
    assert {(tmp_path / name).stat().st_mode & 0o777 for name in first} == {0o600}


def test_without_pango_one_sentence_names_every_package(place, capfd, monkeypatch):
    from breachdesk.embedded.supervisor import Supervisor

    monkeypatch.setattr(sys, "executable", "/bin/false")
    demo._warn_without_pango(Supervisor(), {})
    said = capfd.readouterr().out
    assert all(word in said for word in ("apt-get install", "libpango", "dnf install pango", "brew install pango"))


@pytest.mark.parametrize("command", [["demo", "PYTHON=no-such-python"], ["demo", "PYTHON=./old-python"]])
def test_make_names_the_python_that_is_missing_or_too_old(command, tmp_path):
    (tmp_path / "Makefile").write_text((PROJECT / "Makefile").read_text())
    old = tmp_path / "old-python"
    fake = "import sys; sys.version_info, sys.version = (3, 8, 1), '3.8.1 (old)'; exec(sys.argv[1])"
    old.write_text(f'#!/bin/sh\nexec {sys.executable} -c "{fake}" "$2"\n')
    old.chmod(0o755)
    done = subprocess.run(["make", *command], cwd=tmp_path, capture_output=True, text=True, check=False)
    assert done.returncode != 0
    assert "Python 3.11 or newer" in done.stderr
    assert "Traceback" not in done.stderr
