"""An installation starts with settings that are whole and known, or not at all, with a sentence for each fault."""

import os
import subprocess
import sys
from pathlib import Path

import pytest

from breachdesk.environment import Environment, example, read_environment, variable_name

ROOT = Path(__file__).parent.parent
WHOLE = {
    "DATABASE_URL": "postgresql://breachdesk@localhost/breachdesk",
    "REDIS_URL": "redis://localhost:6379/0",
    "BREACHDESK_SECRET_KEY": "k" * 50,
    "BREACHDESK_MASTER_KEY_FILE": "/run/secrets/master_key",
    "BREACHDESK_STATE_DIR": "/var/lib/breachdesk",
    "BREACHDESK_BASE_URL": "https://breachdesk.example.com",
}


def refusal(**changes: str | None) -> str:
    settings = {name: value for name, value in (WHOLE | changes).items() if value is not None}
    with pytest.raises(ValueError) as refused:
        read_environment(settings)
    return str(refused.value)


def test_what_must_be_given_is_enough() -> None:
    assert read_environment(WHOLE | {"PATH": "/usr/bin", "SOMETHING_ELSE": "1"}).smtp_port == 25


@pytest.mark.parametrize("name", WHOLE)
def test_a_missing_setting_is_named_with_its_reason(name: str) -> None:
    assert refusal(**{name: None}).startswith(f"{name} is not set. ")
    assert refusal(**{name: ""}).startswith(f"{name} is not set. ")


def test_an_unknown_setting_is_named() -> None:
    assert refusal(BREACHDESK_SMPT_HOST="relay.example.com") == (
        "BREACHDESK_SMPT_HOST is not a setting of BreachDesk: check its spelling against .env.example."
    )


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("BREACHDESK_SECRET_KEY", "short"),
        ("BREACHDESK_SMTP_PORT", "smtp"),
        ("BREACHDESK_SMTP_SECURITY", "maybe"),
        ("BREACHDESK_BASE_URL", "breachdesk.example.com"),
        ("BREACHDESK_ANYMAIL", "{"),
        ("BREACHDESK_TSA_URLS", "tsa.example.com"),
        ("BREACHDESK_TSA_URLS", "https://name:password@tsa.example.com/"),
        ("BREACHDESK_ANCHOR_MAIL", "lawyers.example"),
    ],
)
def test_a_wrong_value_is_named(name: str, value: str) -> None:
    assert refusal(**{name: value}).startswith(f"{name} is not usable: ")


def test_stamps_that_nothing_could_check_stop_the_start() -> None:
    urls = "https://tsa.example.com/tsr, http://stamps.example.org/"
    assert "BREACHDESK_TSA_ROOTS_FILE is not" in refusal(BREACHDESK_TSA_URLS=urls)
    whole = WHOLE | {"BREACHDESK_TSA_URLS": urls, "BREACHDESK_TSA_ROOTS_FILE": "/etc/breachdesk/roots.pem"}
    assert read_environment(whole).tsa_urls == urls


def test_several_faults_are_said_at_once() -> None:
    sentences = refusal(DATABASE_URL=None, BREACHDESK_SMTP_PORT="0")
    assert "DATABASE_URL is not set" in sentences
    assert "BREACHDESK_SMTP_PORT is not usable" in sentences


def test_plain_http_is_for_the_demo_alone() -> None:
    assert "is plain http" in refusal(BREACHDESK_BASE_URL="http://breachdesk.example.com")
    assert read_environment(WHOLE | {"BREACHDESK_BASE_URL": "http://127.0.0.1:8000", "BREACHDESK_DEMO": "1"}).demo


def test_a_secret_may_come_from_a_file(tmp_path: Path) -> None:
    secret = tmp_path / "password"
    secret.write_text("correct horse\n")
    assert read_environment(WHOLE | {"BREACHDESK_SMTP_PASSWORD_FILE": str(secret)}).smtp_password == "correct horse"
    assert "cannot be read" in refusal(BREACHDESK_SMTP_PASSWORD_FILE=str(tmp_path / "absent"))


def test_the_example_is_the_one_the_settings_print() -> None:
    assert (ROOT / ".env.example").read_text() == example(), "Run python -m breachdesk.environment > .env.example"


def test_the_example_names_every_setting() -> None:
    named = {line.lstrip("#").partition("=")[0] for line in example().splitlines() if "=" in line}
    assert {variable_name(field) for field in Environment.model_fields} <= named


def test_the_example_starts_nothing_as_it_is() -> None:
    given = dict(line.split("=", 1) for line in example().splitlines() if line and not line.startswith("#"))
    assert refusal(**given) == (
        "BREACHDESK_SECRET_KEY is not usable: String should have at least 50 characters."
    )  # fmt: skip


def test_a_process_with_a_fault_stops_with_one_sentence_and_no_traceback() -> None:
    bare = {"PATH": os.defpath, "DJANGO_SETTINGS_MODULE": "breachdesk.settings", "BREACHDESK_SMPT_HOST": "x"}
    started = subprocess.run(
        [sys.executable, "manage.py", "check"], cwd=ROOT, env=bare, capture_output=True, text=True, check=False
    )
    assert started.returncode == 1
    assert started.stderr.startswith("BreachDesk cannot start. ")
    assert "DATABASE_URL is not set" in started.stderr
    assert "BREACHDESK_SMPT_HOST is not a setting" in started.stderr
    assert "Traceback" not in started.stderr
