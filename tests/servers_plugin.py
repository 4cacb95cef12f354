"""Loaded before Django reads its settings: starts the servers the tests run on, and says where they are.

With DATABASE_URL and REDIS_URL in the environment those are used; the database user must then be a superuser, because
only a superuser may empty the append-only trail between tests.
"""

import atexit
import base64
import gc
import os
import secrets
import shutil
import signal
import sys
import tempfile
from pathlib import Path

import psycopg
import pytest
from psycopg import sql
from psycopg.conninfo import make_conninfo

from breachdesk.embedded import servers
from breachdesk.embedded.processes import CannotStart

FOLDER = "EMBEDDED_TESTS"
BYTECODE = Path(__file__).parent.parent / ".tests" / "bytecode"


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
    # Where nothing may be written beside the source, each of a hundred processes would compile the product anew.
    if os.environ.pop("PYTHONDONTWRITEBYTECODE", None):
        os.environ["PYTHONPYCACHEPREFIX"] = str(BYTECODE)
    os.environ.update(running.environment)
    atexit.register(_drop_migrated)
    _set_up_product(folder)


def cluster_address() -> str:
    return make_conninfo(os.environ["DATABASE_URL"], dbname="postgres")


def name_of_migrated() -> str:
    """Of the database that parallel workers begin with, in this run of the tests; see tests/migrated.py."""
    return f"migrated_{Path(os.environ.get(FOLDER, '')).name}"


def is_there(cluster: psycopg.Connection, database: str) -> bool:
    return cluster.execute("SELECT FROM pg_database WHERE datname = %s", [database]).fetchone() is not None


def _drop_migrated() -> None:
    with psycopg.connect(cluster_address(), autocommit=True) as cluster:
        cluster.execute(sql.SQL("DROP DATABASE IF EXISTS {}").format(sql.Identifier(name_of_migrated())))


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
    gc.set_threshold(50_000)  # as in manage.py
    if worker := os.environ.get("PYTEST_XDIST_WORKER"):
        _part_company(worker)
    elif FOLDER not in os.environ:
        _start_everything()
