"""A real standby is promoted that had not heard of what was sent last: nothing more leaves until a person compared."""

import os
import shutil
import subprocess
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

import psycopg
import pytest
from django.core.management import call_command
from django.db import connection, connections
from django.utils import timezone
from pytest_django import Settings

from breachdesk.desk.postgres_tools import run_tool
from breachdesk.embedded.folders import make_private_folder, remove_private_folder
from breachdesk.embedded.postgres import postgres_program
from breachdesk.embedded.processes import launch, stop, unprivileged
from notifications import epochs
from notifications.ends import End
from notifications.ledger import DATABASE_ERRORS
from notifications.models import Delivery, SendingEpoch
from tests.notifications.postfix import stamp, whole
from tests.notifications.sink import Sink
from tests.notifications.test_drain import addresses, being_sent, drain, states, through  # noqa: F401
from tests.services import until


@contextmanager
def standby(state: Path) -> Iterator[Path]:
    """A copy of the server that the tests use, which follows it; where it listens."""
    data = state / "postgres"
    run_tool(
        "pg_basebackup",
        f"--pgdata={data}",
        "--wal-method=stream",
        "--checkpoint=fast",
        "--no-sync",
        "--no-manifest",
        "--write-recovery-conf",
    )
    if account := unprivileged():
        subprocess.run(["chown", "--recursive", str(account.pw_uid), data], check=True)
    sockets = make_private_folder(state)
    program = postgres_program(state, sockets, os.environ, durable=False, buffers="16MB")
    process = launch(program, subprocess.DEVNULL)
    try:
        yield sockets
    finally:
        stop(program, process)
        remove_private_folder(state)
        shutil.rmtree(data)


@contextmanager
def served_by(sockets: Path) -> Iterator[None]:
    """The product's database is where that server listens, as after a change of a name or an address."""
    told, usual = connections.databases["default"], connection.settings_dict["HOST"]
    connection.close()
    told["HOST"] = connection.settings_dict["HOST"] = str(sockets)
    try:
        yield
    finally:
        connection.close()
        told["HOST"] = connection.settings_dict["HOST"] = usual


def asked(sockets: Path, question: str) -> object:
    known = connection.settings_dict
    login = {"dbname": known["NAME"], "user": known["USER"], "password": known["PASSWORD"], "host": str(sockets)}
    with psycopg.connect(**login, autocommit=True) as session:
        found = session.execute(question)  # type: ignore[call-overload]
        row = found.fetchone() if found.description else None
    return row[0] if row else None


def has_followed(sockets: Path, lsn: str) -> bool:
    with suppress(psycopg.OperationalError):
        return bool(asked(sockets, f"SELECT pg_last_wal_replay_lsn() >= '{lsn}'"))
    return False


def lose_the_stream(sockets: Path) -> None:
    asked(sockets, "ALTER SYSTEM SET primary_conninfo = ''")
    asked(sockets, "SELECT pg_reload_conf()")
    until(lambda: asked(sockets, "SELECT count(*) FROM pg_stat_wal_receiver") == 0)


@pytest.mark.django_db(transaction=True)
def test_after_a_failover_nothing_leaves_until_somebody_compared(
    tmp_path: Path,
    settings: Settings,
    through: Callable[..., None],  # noqa: F811
) -> None:
    settings.BREACHDESK = settings.BREACHDESK.model_copy(update={"state_dir": tmp_path})
    with standby(tmp_path) as sockets, Sink() as sink:
        through(sink)
        edition = being_sent(12)
        assert drain(edition, seconds=0) is End.TIME
        with connection.cursor() as cursor:
            cursor.execute("SELECT pg_current_wal_insert_lsn()")  # also what is not written yet
            lsn = cursor.fetchone()[0]
        until(lambda: has_followed(sockets, lsn))
        lose_the_stream(sockets)
        assert drain(edition) is End.NOTHING_DUE
        assert sink.times() == dict.fromkeys(addresses(12), 1)
        sent = dict(Delivery.objects.values_list("pk", "generation"))
        with served_by(sockets):
            with pytest.raises(DATABASE_ERRORS, match="read-only"):
                drain(edition)
            assert asked(sockets, "SELECT pg_promote()") is True
            assert states(edition) == {"planned": 12}, "to this server nobody was told anything"
            assert drain(edition) is End.NOT_FROM_HERE
            assert SendingEpoch.objects.get().held_why == epochs.Why.FAILOVER
            log = tmp_path / "mail.log"
            log.write_text("".join(whole(f"4F1A2B{n:04X}", pk, stamp(timezone.now())) for n, pk in enumerate(sent)))
            call_command("reconcile", "--postfix", str(log), "--resume", "--reason", "The whole day was compared.")
            assert states(edition) == {"blocked": 12}
            assert drain(edition) is End.NOTHING_DUE
        assert sink.times() == dict.fromkeys(addresses(12), 1), "nobody twice"
