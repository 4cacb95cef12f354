"""A database that may be older than what was sent sends nothing, until a person has compared and says so."""

import asyncio
import json
import os
import threading
from collections.abc import Callable, Generator, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any
from uuid import uuid4

import pytest
from django.core.management import call_command
from django.db import connection, connections, transaction
from django.test import Client
from django.urls import reverse
from django.utils import timezone
from pytest_django import Settings

from breachdesk.audit.models import Event
from breachdesk.desk.postgres_tools import run_tool
from notifications import delivery, epochs
from notifications.ends import End
from notifications.ledger import Ledger
from notifications.models import Delivery, MailEvent, SendingEpoch
from notifications.sweeping import finish_if_done
from tests.cluster import roles_in_use
from tests.factories import make_user
from tests.notifications.postfix import stamp, whole
from tests.notifications.sink import Sink
from tests.notifications.test_drain import addresses, being_sent, drain, states, through  # noqa: F401

RESTORED = f"restored_epoch_{os.getpid()}"


@pytest.fixture(autouse=True)
def state_dir(tmp_path: Path, settings: Settings) -> Path:
    settings.BREACHDESK = settings.BREACHDESK.model_copy(update={"state_dir": tmp_path})
    return tmp_path


def rewrite(path: Path, **changes: Any) -> None:
    mark = json.loads((path / "sending-epoch").read_text())
    (path / "sending-epoch").write_text(json.dumps(mark | changes))


def place(path: Path) -> list[str]:
    return str(json.loads((path / "sending-epoch").read_text())["place"]).split("/")


def begin_after(break_it: Callable[[], object]) -> tuple[bool, str]:
    """Whether sending begins, and why not; undone afterwards."""
    with transaction.atomic():
        break_it()
        begun = epochs.begin_sending()
        held = epochs.held()
        transaction.set_rollback(True)
    return begun, held.held_why if held else ""


@pytest.mark.django_db
def test_whatever_may_be_older_or_elsewhere_is_held_back(state_dir: Path) -> None:
    assert epochs.begin_sending()
    assert epochs.begin_sending()
    mark, row = json.loads((state_dir / "sending-epoch").read_text()), SendingEpoch.objects.get()
    assert (mark["number"], row.number, row.place) == (2, 2, mark["place"])
    cluster, database, timeline = place(state_dir)
    kept = (state_dir / "sending-epoch").read_text()
    cases: list[tuple[dict[str, Any], tuple[bool, str]]] = [
        ({"number": 3}, (False, "older_database")),
        ({"place": f"1{cluster}/{database}/{timeline}"}, (False, "other_database")),
        ({"place": f"{cluster}/{database}1/{timeline}"}, (False, "other_database")),
        ({"place": f"{cluster}/{database}/0000000F"}, (False, "other_timeline")),
        ({"number": 9, "installed": "2020-01-01T00:00:00+00:00"}, (True, "")),  # an old folder of another installation
    ]
    for changes, expected in cases:
        rewrite(state_dir, **changes)
        assert begin_after(lambda: None) == expected, changes
        (state_dir / "sending-epoch").write_text(kept)
    unreadable = begin_after(lambda: (state_dir / "sending-epoch").write_text("{"))
    assert unreadable == (False, "unreadable_file")
    (state_dir / "sending-epoch").unlink()
    assert begin_after(lambda: None) == (True, ""), "a further machine"
    (state_dir / "sending-epoch").unlink()
    elsewhere = begin_after(lambda: SendingEpoch.objects.update(number=9, place=f"{cluster}/{database}/0000000F"))
    assert elsewhere == (False, "other_timeline"), "the database remembers too"


@pytest.mark.django_db
def test_it_is_told_once_on_every_page_and_ends_by_a_persons_word(state_dir: Path) -> None:
    epochs.begin_sending()
    rewrite(state_dir, number=40)
    assert not epochs.begin_sending()
    assert not epochs.begin_sending()
    [told] = Event.objects.of_type("sending.held_back")
    assert told.content["data"] == {"why": "older_database", "number": 2, "file_number": 40}
    with pytest.raises(epochs.HeldBack, match="a backup was restored"):
        epochs.demand_same()
    client = Client()
    client.force_login(make_user("administrator"))
    page = client.get(reverse("status")).content.decode()
    assert page.count("Nothing is sent: the database is older") >= 2, "as an alarm, and among the parts"
    rewrite(state_dir, number=2)
    assert not epochs.begin_sending(), "it stays so until somebody says otherwise"

    rewrite(state_dir, number=40)
    call_command("reconcile", "--resume", "--without-log", "--reason", "Nothing was sent since this morning.")
    epochs.remember_here()  # what the commit does
    assert (SendingEpoch.objects.get().number, epochs.held()) == (41, None)
    assert epochs.begin_sending()
    said = Event.objects.of_type("sending.resumed").newest_first()[0]
    assert (said.content["data"]["why"], said.content["data"]["file_number"]) == ("older_database", 40)
    assert b"this morning" not in said.body


@pytest.mark.django_db(transaction=True)
def test_a_worker_may_do_all_of_it_with_its_own_rights(tmp_path: Path) -> None:
    with roles_in_use():
        call_command("sync_database_roles", verbosity=0)
        try:
            with connection.cursor() as cursor:
                cursor.execute("SET ROLE bd_worker")
            assert epochs.begin_sending()
            rewrite(tmp_path, number=40)
            assert not epochs.begin_sending()
            (tmp_path / "mail.log").touch()
            words = ["--postfix", str(tmp_path / "mail.log"), "--resume", "--reason", "The log is empty."]
            call_command("reconcile", *words)
            assert epochs.begin_sending()
        finally:
            connection.close()


@contextmanager
def database(name: str) -> Iterator[None]:
    """The product works on that one, in every thread."""
    told, usual = connections.databases["default"], connection.settings_dict["NAME"]
    connection.close()
    told["NAME"] = connection.settings_dict["NAME"] = name
    try:
        yield
    finally:
        connection.close()
        told["NAME"] = connection.settings_dict["NAME"] = usual


@pytest.fixture
def restored() -> Generator[str]:
    yield RESTORED
    with connection.cursor() as cursor:
        cursor.execute(f"DROP DATABASE IF EXISTS {RESTORED} WITH (FORCE)")


@pytest.mark.django_db(transaction=True)
def test_after_a_restore_nobody_gets_it_twice(
    tmp_path: Path,
    restored: str,
    through: Callable[..., None],  # noqa: F811
) -> None:
    edition = being_sent(12)
    with Sink() as sink:
        through(sink)
        assert drain(edition, seconds=0) is End.TIME  # its first drain, before the backup
        run_tool("pg_dump", "--format=custom", "--no-owner", "--no-privileges", f"--file={tmp_path / 'dump'}")
        assert drain(edition) is End.NOTHING_DUE
        assert sink.times() == dict.fromkeys(addresses(12), 1)
        sent = dict(Delivery.objects.values_list("pk", "generation"))

        with connection.cursor() as cursor:
            cursor.execute(f"CREATE DATABASE {restored}")
        with database(restored):
            run_tool("pg_restore", "--exit-on-error", "--no-owner", str(tmp_path / "dump"))
            assert states(edition) == {"planned": 12}
            assert drain(edition) is End.NOT_FROM_HERE
            assert drain(edition) is End.NOT_FROM_HERE
            assert Event.objects.of_type("sending.held_back").count() == 1
            log = tmp_path / "mail.log"
            log.write_text("".join(whole(f"4F1A2B{n:04X}", pk, stamp(timezone.now())) for n, pk in enumerate(sent)))
            words = ["--postfix", str(log), "--resume", "--reason", "The relay's log of the whole day was compared."]
            call_command("reconcile", *words)
            assert states(edition) == {"blocked": 12}
            assert drain(edition) is End.NOTHING_DUE
            finish_if_done(edition.pk)
        assert sink.times() == dict.fromkeys(addresses(12), 1), "nobody twice"
        assert MailEvent.objects.count() == 0, "the database that was left alone knows nothing of it"


@pytest.mark.django_db(transaction=True)
def test_another_database_in_the_middle_of_sending_ends_it(
    tmp_path: Path,
    through: Callable[..., None],  # noqa: F811
) -> None:
    edition = being_sent(400)
    with Sink(delay=0.02) as sink:
        through(sink, smtp_connections=2, send_window=2)
        ends: list[End] = []
        worker = threading.Thread(target=lambda: ends.append(drain(edition)))
        worker.start()
        while len(sink.caught) < 20:
            threading.Event().wait(0.01)
        rewrite(tmp_path, number=1_000)  # as if what answers from now on were behind
        with connection.cursor() as cursor:
            cursor.execute(
                "SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE datname = current_database() "
                "AND pid <> pg_backend_pid()"
            )
        worker.join(60)
        assert ends in ([End.NO_DATABASE], [End.CLOSED])
        assert len(sink.caught) < 100
        known = sum(states(edition)[state] for state in ("handed_over", "handing_over"))
        assert len(sink.caught) <= known, "none went that the database does not know to be on its way"
        assert drain(edition) is End.NOT_FROM_HERE
        assert len(sink.caught) <= known


@pytest.mark.django_db(transaction=True)
def test_a_new_connection_is_asked_before_anything_is_told_over_it(tmp_path: Path) -> None:
    assert epochs.begin_sending()

    async def lose_it() -> None:
        ledger = Ledger(uuid4())
        try:
            await ledger.call(delivery.now_of_database)
            await ledger.call(lambda: connection.close())
            assert await ledger.call(delivery.now_of_database), "another one to the same database is as good"
            await ledger.call(lambda: connection.close())
            rewrite(tmp_path, number=40)
            for _ in range(2):
                with pytest.raises(epochs.HeldBack):
                    await ledger.call(delivery.now_of_database)
        finally:
            ledger.close()

    asyncio.run(lose_it())
