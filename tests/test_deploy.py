"""The production shape names only what is really there: settings, commands, folders, parts with a health check."""

import re
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest
import yaml
from django.conf import settings
from django.core.management import get_commands

from breachdesk.desk.database_roles import LOGINS
from breachdesk.environment import READ_FROM_FILES, Environment, variable_name

ROOT = Path(__file__).parent.parent
COMPOSE = yaml.safe_load((ROOT / "docker-compose.yml").read_text())
DOCKERFILE = (ROOT / "breachdesk/deploy/Dockerfile").read_text()
PRODUCT = {name: service for name, service in COMPOSE["services"].items() if "build" in service}

CALLED = {"auditor", "backup"}


def words(service: dict[str, Any]) -> str:
    command = service.get("command", [])
    return command if isinstance(command, str) else " ".join(command)


def test_every_process_of_the_product_is_a_service() -> None:
    assert set(PRODUCT) == {"migrate", "web", "worker", "beat", "sweeper", "sequencer", "signer", "eraser", *CALLED}


def test_nobody_but_the_signer_sees_its_key_and_its_last_note() -> None:
    signer = PRODUCT["signer"]
    assert signer["volumes"] == ["signer:/var/lib/breachdesk-signer"]
    assert not {"master_key", "smtp_password"} & set(signer["secrets"])
    for name in set(COMPOSE["services"]) - {"signer"}:
        service = COMPOSE["services"][name]
        assert "signer" not in str(service.get("volumes", "")) + str(service.get("environment", ""))


def test_each_service_signs_in_to_the_database_with_its_own_address_and_only_migrate_as_owner() -> None:
    addresses = {name: Path(service["environment"]["DATABASE_URL_FILE"]).name for name, service in PRODUCT.items()}
    assert addresses.pop("migrate") == "database_url"
    shared = {"beat": "worker", "sweeper": "worker"}
    assert addresses == {name: f"database_url_{shared.get(name, name)}" for name in addresses}
    logins = {login.replace("breachdesk_", "database_url_") for login in LOGINS}
    assert set(addresses.values()) == logins
    assert logins | {"database_url"} <= set(PRODUCT["migrate"]["secrets"]) & set(COMPOSE["secrets"])
    for name, address in addresses.items():
        assert [secret for secret in PRODUCT[name]["secrets"] if secret.startswith("database")] == [address]


def test_what_is_called_by_name_does_not_run_by_itself() -> None:
    for name in CALLED:
        assert (PRODUCT[name]["profiles"], PRODUCT[name]["restart"]) == (["called"], "no")


def test_it_names_only_settings_that_exist() -> None:
    known = {variable_name(field) for field in Environment.model_fields}
    known |= {f"{name}_FILE" for name in READ_FROM_FILES}
    for service in PRODUCT.values():
        assert set(service["environment"]) <= known


def test_secrets_come_from_files_alone() -> None:
    for service in PRODUCT.values():
        given = service["environment"]
        assert {
            name for name in given if re.search("PASSWORD|SECRET|KEY|DATABASE", name) and "_FILE" not in name
        } == set()
        assert {Path(path).name for path in given.values() if path.startswith("/run/secrets/")} <= set(
            service["secrets"]
        )


@pytest.mark.parametrize("name", PRODUCT)
def test_it_runs_only_commands_that_exist(name: str) -> None:
    commands = re.findall(r"manage\.py (\w+)", words(PRODUCT[name]))
    assert set(commands) <= set(get_commands())


@pytest.mark.parametrize("name", PRODUCT)
def test_every_process_is_kept_small(name: str) -> None:
    service = PRODUCT[name]
    assert service["read_only"]
    assert service["cap_drop"] == ["ALL"]
    assert service["security_opt"] == ["no-new-privileges:true"]
    assert service["stop_grace_period"] == "120s"


def test_the_broker_throws_nothing_away() -> None:
    assert "--appendonly yes" in words(COMPOSE["services"]["broker"])
    assert "--maxmemory-policy noeviction" in words(COMPOSE["services"]["broker"])


def test_the_database_cannot_be_reached_from_outside() -> None:
    assert COMPOSE["networks"]["inside"] == {"internal": True}
    for name in ("database", "broker"):
        assert COMPOSE["services"][name]["networks"] == ["inside"]
        assert "ports" not in COMPOSE["services"][name]


def test_the_image_holds_every_app_and_no_root() -> None:
    copied = set(re.findall(r"^COPY (\w+) \./\1$", DOCKERFILE, re.M))
    apps = {name.split(".")[0] for name in settings.INSTALLED_APPS if (ROOT / name.split(".")[0]).is_dir()}
    assert apps | {"templates"} == copied
    assert re.findall(r"^USER (\S+)$", DOCKERFILE, re.M) == ["10001:10001"]
    ignored = (ROOT / ".dockerignore").read_text()
    assert all(f"!{name}\n" in ignored for name in [*copied, "manage.py", "requirements.lock"])


def ask_health(*words: str, **environment: str) -> subprocess.CompletedProcess[str]:
    import os

    command = [sys.executable, "-m", "breachdesk.deploy.health", *words]
    return subprocess.run(
        command, cwd=ROOT, env={**os.environ, **environment}, capture_output=True, text=True, check=False
    )


def test_a_web_server_that_is_down_is_unwell() -> None:
    asked = ask_health("web", PORT="1")
    assert asked.returncode == 1
    assert asked.stderr.startswith("The web server does not answer")


def test_a_part_nobody_knows_is_not_healthy() -> None:
    assert ask_health("kitchen").returncode == 1
    assert ask_health().returncode == 1


def test_every_health_check_asks_for_a_part_there_is() -> None:
    asked = {
        service["healthcheck"]["test"][-1] for service in PRODUCT.values() if "test" in service.get("healthcheck", {})
    }
    assert {"beat", "sweeper", "sequencer", "eraser"} <= asked


def test_every_start_gives_older_keys_their_half_outside_before_anything_is_erased_again() -> None:
    steps = re.findall(r"manage\.py (\w+)", words(PRODUCT["migrate"]))
    assert steps.index("migrate") < steps.index("share_keys") < steps.index("replay_erasures")
