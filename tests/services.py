"""The commands that serve, each as a process of its own beside the test."""

import os
import subprocess
import sys
import time
from pathlib import Path

from django.conf import settings
from django.db import connection

ROOT = Path(__file__).parent.parent


class Services:
    def __init__(self):
        self.running = []

    def start(self, command, **environment):
        environment = os.environ | environment
        environment |= {"DATABASE_URL": database_url(), "DJANGO_SETTINGS_MODULE": "tests.settings"}
        pipes = {"stdout": subprocess.PIPE, "stderr": subprocess.PIPE, "text": True}
        self.running.append(
            subprocess.Popen([sys.executable, "manage.py", command], cwd=ROOT, env=environment, **pipes)
        )
        return self.running[-1]

    def end(self):
        """What they said last is printed: pytest shows it when the test failed."""
        for process in self.running:
            process.kill()
            if not process.stdout.closed:
                print(process.args, process.returncode, *process.communicate(), sep="\n")


def database_url():
    database = settings.DATABASES["default"]
    server = f"host={database['HOST']}&port={database['PORT'] or 5432}"
    return f"postgresql://{database['USER']}:{database['PASSWORD']}@/{database['NAME']}?{server}"


def cut_off_lock_holders():
    with connection.cursor() as cursor:
        cursor.execute(
            "SELECT pg_terminate_backend(pid) FROM pg_locks WHERE locktype = 'advisory' AND granted"
            " AND database = (SELECT oid FROM pg_database WHERE datname = current_database())"
        )


def until(condition, seconds=60):
    deadline = time.monotonic() + seconds
    while not condition():
        assert time.monotonic() < deadline, "it did not happen in time"
        time.sleep(0.05)
