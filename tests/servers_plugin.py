"""Loaded before Django reads its settings: starts the servers the tests run on, and says where they are.

With DATABASE_URL and REDIS_URL in the environment those are used; the database user must then be a superuser, because
only a superuser may empty the append-only trail between tests.
"""

import atexit
import base64
import os
import re
import secrets
import shutil
import signal
import sys
import tempfile
from collections.abc import Generator
from pathlib import Path
from typing import Any

import pytest

from breachdesk.embedded import servers
from breachdesk.embedded.processes import CannotStart

FOLDER = "EMBEDDED_TESTS"


def _start_everything() -> None:
    # A test run that is asked to stop tidies up as one that ends by itself.
    signal.signal(signal.SIGTERM, lambda number, frame: sys.exit(128 + number))
    folder = Path(tempfile.mkdtemp(prefix="breachdesk-tests-"))
    atexit.register(shutil.rmtree, folder, ignore_errors=True)
    try:
        running = servers.start(folder / "state", durable=False)
    except CannotStart as error:
        raise pytest.UsageError(str(error)) from error
    atexit.register(servers.stop_servers, running)
    os.environ[FOLDER] = str(folder)
    os.environ.update(running.environment)
    _set_up_product(folder)


def _set_up_product(folder: Path) -> None:
    master_key = folder / "master.key"
    master_key.write_bytes(base64.b64encode(secrets.token_bytes(32)))
    master_key.chmod(0o600)
    (folder / "static").mkdir()
    for name in [name for name in os.environ if name.startswith("BREACHDESK_")]:
        del os.environ[name]
    os.environ.update(
        BREACHDESK_SECRET_KEY=secrets.token_urlsafe(48),
        BREACHDESK_MASTER_KEY_FILE=str(master_key),
        BREACHDESK_STATE_DIR=str(folder),
        BREACHDESK_BASE_URL="http://testserver",
        BREACHDESK_HOSTS="localhost,127.0.0.1",
        BREACHDESK_DEMO="1",
        BREACHDESK_SMTP_HOST="127.0.0.1",
        BREACHDESK_SMTP_PORT="1",
        BREACHDESK_SMTP_SECURITY="none",
        BREACHDESK_CATCHER_DIR=str(folder / "catcher"),
        BREACHDESK_PROOF_WAIT="0",
        BREACHDESK_SIGNING_KEY_FILE=str(folder / "signing-key.pem"),
        BREACHDESK_SIGNER_DIR=str(folder / "signer"),
    )


def _part_company(worker: str) -> None:
    """Parallel workers have a database each in PostgreSQL by pytest-django; by this, one in Valkey and a folder."""
    folder = Path(os.environ["BREACHDESK_STATE_DIR"]) / worker
    (folder / "static").mkdir(mode=0o700, parents=True, exist_ok=True)
    os.environ["BREACHDESK_STATE_DIR"], os.environ["BREACHDESK_CATCHER_DIR"] = str(folder), str(folder / "catcher")
    os.environ["REDIS_URL"] = os.environ["REDIS_URL"].replace("?db=0", f"?db={1 + int(worker.removeprefix('gw'))}")


@pytest.hookimpl(tryfirst=True)
def pytest_load_initial_conftests() -> None:
    if worker := os.environ.get("PYTEST_XDIST_WORKER"):
        _part_company(worker)
    elif FOLDER not in os.environ:
        _start_everything()


FILLED = "SELECT '{table}', pg_relation_size('{table}') < 1000000 WHERE EXISTS (SELECT FROM {table})"

EMPTIED = {True: "DELETE FROM {table}", False: "TRUNCATE {table} CASCADE"}


@pytest.fixture(scope="session", autouse=True)
def _tests_may_empty_the_trail() -> Generator[None]:
    """Transactional tests end with emptied tables, which the trail's triggers refuse to everyone but a replica.

    Most tables are empty anyway, and of most others a few rows are deleted sooner than the table is truncated.
    """
    from django.db import connection
    from django.db.backends.postgresql.operations import DatabaseOperations

    flush = DatabaseOperations.execute_sql_flush

    def flush_as_replica(self: DatabaseOperations, statements: list[str]) -> Any:
        with connection.cursor() as cursor:
            tables = re.findall(r'"(\w+)"', " ".join(statements))
            cursor.execute(" UNION ALL ".join(FILLED.format(table=table) for table in tables))
            emptied = [EMPTIED[small].format(table=table) for table, small in cursor.fetchall()]
        return flush(self, ["SET session_replication_role = replica", *emptied, "RESET session_replication_role"])

    DatabaseOperations.execute_sql_flush = flush_as_replica
    yield
    DatabaseOperations.execute_sql_flush = flush
    connection.close()
