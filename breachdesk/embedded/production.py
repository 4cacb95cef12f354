"""Runs a command under production's settings with throw-away values, for `make check`: nothing is connected to."""

import os
import secrets
import subprocess
import sys


def production_environment() -> dict[str, str]:
    kept = {name: value for name, value in os.environ.items() if not name.startswith("BREACHDESK_")}
    return kept | {
        "DJANGO_SETTINGS_MODULE": "breachdesk.settings",
        "DATABASE_URL": "postgresql://checked@127.0.0.1:1/checked",
        "REDIS_URL": "redis://127.0.0.1:1/0",
        "BREACHDESK_SECRET_KEY": secrets.token_urlsafe(64),
        "BREACHDESK_MASTER_KEY_FILE": "/run/secrets/master-key",
        "BREACHDESK_STATE_DIR": "/var/lib/breachdesk",
        "BREACHDESK_BASE_URL": "https://breachdesk.example.com",
    }


def main() -> int:
    # No database is there on purpose: makemigrations says so, and compares models with migrations all the same.
    command = [
        sys.executable,
        "-W",
        "ignore::RuntimeWarning:django.core.management.commands.makemigrations",
        *sys.argv[1:],
    ]
    return subprocess.run(command, env=production_environment(), check=False).returncode


if __name__ == "__main__":
    raise SystemExit(main())
