"""What a stopped worker leaves behind comes back, or is called unknown; nobody gets it twice."""

import asyncio
import os
import signal
import subprocess
import sys
import time
from typing import Any
from uuid import uuid4

import pytest
from django.core.management import call_command
from django.db import Error, connection, transaction
from psycopg import Connection as PgConnection
from psycopg import connect as open_connection
from pytest_django import Settings

from breachdesk.audit.models import Event
from breachdesk.people.personal import personal_of
from breachdesk.vault.sealing import cipher_for
from notifications import delivery, ledger, sweeping, tasks
from notifications.actions import pause_edition
from notifications.batches import close_batch, root_of_rows, rows_of_batch
from notifications.management.commands.run_sweeper import Command
from notifications.models import Attempt, Batch, Delivery, Edition
from notifications.transport import Kind, Outcome, Phase
from tests.factories import make_edition_being_sent, make_user, unguarded
from tests.notifications.sink import Sink
from tests.notifications.test_drain import addresses, being_sent, states

ACCEPTED = Outcome(Kind.HANDED_OVER, Phase.DOT, 250)


def claim_and_begin(edition: Edition, begun: int) -> tuple[Any, list[Any]]:
    token, rows = delivery.claim(edition.pk, 10)
    delivery.share_hand_overs(edition.pk)
    assert len(delivery.begin_hand_over(token, {row.id: b"c" * 32 for row in rows[:begun]})) == begun
    return token, [row.id for row in rows]


def pass_time(seconds: float) -> None:
    with connection.cursor() as cursor:
        cursor.execute(
            "UPDATE notifications_batch SET lease_until = lease_until - make_interval(secs => %s)", [seconds]
        )


@pytest.mark.django_db
def test_a_living_workers_rows_are_left_alone() -> None:
    edition = make_edition_being_sent()
    claim_and_begin(edition, 1)
    swept = sweeping.sweep()
    assert (swept.returned, swept.unknown, swept.finished, swept.unattended) == (0, 0, [], [])


@pytest.mark.django_db
def test_what_was_only_claimed_comes_back_and_what_was_begun_is_unknown_later() -> None:
    edition = make_edition_being_sent()
    token, rows = claim_and_begin(edition, 1)
    pass_time(delivery.terms().lease + 1)
    assert sweeping.sweep().returned == 2
    assert states(edition) == {"planned": 2, "handing_over": 1}, "a slow worker may still settle what it began"
    pass_time(delivery.terms().margin)
    assert sweeping.sweep().unknown == 1
    assert states(edition) == {"planned": 2, "unknown": 1}
    assert Attempt.objects.get().phase == "lost"
    told = Event.objects.get(type="delivery.batch_settled").content["data"]
    assert (told["unknown"], told["handed_over"], told["batch"]) == (1, 0, str(token))
    assert delivery.tell_late(token, delivery.settle(token, [(rows[0], 0, ACCEPTED)])) == 1
    assert states(edition) == {"planned": 2, "handed_over": 1}, "a late answer under its token is believed"
    late = Event.objects.get(type="delivery.answered_late").content
    assert (late["data"]["count"], late["object"]["id"]) == (1, str(token))


@pytest.mark.django_db
def test_the_rows_of_a_settled_batch_give_the_same_root_whatever_comes_later() -> None:
    edition = make_edition_being_sent()
    token, rows = claim_and_begin(edition, 3)
    lost = Outcome(Kind.UNKNOWN, Phase.DOT)
    delivery.settle(
        token, [(rows[0], 0, ACCEPTED), (rows[1], 0, lost), (rows[2], 0, Outcome(Kind.REFUSED, Phase.RCPT, 550))]
    )
    assert close_batch(token)
    root = bytes(Batch.objects.get().rows_root or b"")
    delivery.tell_late(token, delivery.settle(token, [(rows[1], 0, ACCEPTED)]))
    with unguarded():
        Delivery.objects.filter(pk=rows[0]).update(state="delivered")
    assert root_of_rows(rows_of_batch(token)) == root
    assert not close_batch(token)


@pytest.mark.django_db
def test_an_edition_with_something_left_is_not_finished() -> None:
    edition = make_edition_being_sent()
    token, rows = claim_and_begin(edition, 3)
    assert not sweeping.finish_if_done(edition.pk)
    delivery.settle(
        token, [(rows[0], 0, Outcome(Kind.RETRY_WAIT, Phase.RCPT, 450)), *((r, 0, ACCEPTED) for r in rows[1:])]
    )
    close_batch(token)
    assert not sweeping.finish_if_done(edition.pk)


@pytest.mark.django_db
def test_a_paused_edition_is_swept_but_not_finished_or_rung_for() -> None:
    edition = make_edition_being_sent()
    claim_and_begin(edition, 0)
    pause_edition(edition, by=make_user("dpo"))
    pass_time(delivery.terms().lease + 1)
    swept = sweeping.sweep()
    assert (swept.returned, swept.finished, swept.unattended) == (3, [], [])


@pytest.mark.django_db
def test_it_names_what_nobody_works_on() -> None:
    edition = make_edition_being_sent()
    assert sweeping.sweep().unattended == [edition.pk]
    claim_and_begin(edition, 0)
    pass_time(delivery.terms().margin)
    assert sweeping.sweep().unattended == [], "all is claimed"


def another_session() -> "PgConnection[Any]":
    ours = connection.settings_dict
    return open_connection(
        host=ours["HOST"], user=ours["USER"], password=ours["PASSWORD"], dbname=ours["NAME"], port=ours["PORT"] or None
    )


@pytest.mark.django_db(transaction=True)
def test_a_worker_frozen_inside_its_transaction_does_not_stop_the_sweeper() -> None:
    edition = being_sent(3)
    claim_and_begin(edition, 1)
    pass_time(1000)
    with another_session() as frozen:
        frozen.execute("SELECT 1 FROM notifications_delivery FOR UPDATE")
        assert sweeping.sweep().returned == 0
    assert sweeping.sweep().returned == 2


@pytest.mark.django_db(transaction=True)
def test_the_server_ends_a_workers_transaction_that_stands_still(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(ledger, "LONGEST_TRANSACTION", 1)

    def stand_still() -> None:
        with transaction.atomic(), connection.cursor() as cursor:
            cursor.execute("SELECT 1")
            time.sleep(2)
            cursor.execute("SELECT 1")

    async def try_it() -> None:
        ours = ledger.Ledger(uuid4())
        try:
            await ours.call(stand_still)
        finally:
            ours.close()

    with pytest.raises(Error):
        asyncio.run(try_it())


@pytest.mark.django_db(transaction=True)
def test_one_sweeper_at_a_time() -> None:
    command = Command()
    with another_session() as other:
        other.execute("SELECT pg_advisory_lock(%s)", [sweeping.SWEEPER_LOCK])
        assert command._pass() == 1.0
    wait_for(lambda: command._pass() == 15.0)


@pytest.mark.django_db(transaction=True)
def test_a_dead_broker_stops_neither_the_user_nor_the_sweeper(monkeypatch: pytest.MonkeyPatch) -> None:
    app = tasks.drain.app
    dead = app.connection_for_write("redis://127.0.0.1:1/0")
    monkeypatch.setattr(type(app), "connection_for_write", lambda *_, **__: dead)
    monkeypatch.setattr(app.amqp, "_producer_pool", None)
    monkeypatch.setattr(app, "_pool", None)
    edition = being_sent(3)
    began = time.monotonic()
    tasks.ring(edition.pk)
    assert time.monotonic() - began < 5
    command = Command()
    assert command._pass() == 2.0
    assert command.sender
    command.stopping.set()
    command.sender.join()


WORKER = """
import django, sys, uuid
django.setup()
from notifications import sending
from notifications.routes import connect
sending.drain_edition(uuid.UUID(sys.argv[1]), connect=connect)
"""


def start_worker(edition: Edition, sink: Sink, **more: str) -> "subprocess.Popen[bytes]":
    ours = connection.settings_dict
    environment = os.environ | {
        "DJANGO_SETTINGS_MODULE": "tests.settings",
        "DATABASE_URL": os.environ["DATABASE_URL"].replace("/breachdesk?", f"/{ours['NAME']}?"),
        "BREACHDESK_SMTP_PORT": str(sink.port),
        "BREACHDESK_SMTP_TIMEOUT": "5",
        "BREACHDESK_LEASE_MARGIN": "2",
        "BREACHDESK_SMTP_CONNECTIONS": "4",
        **more,
    }
    return subprocess.Popen([sys.executable, "-c", WORKER, str(edition.pk)], env=environment)


@pytest.mark.django_db(transaction=True)
def test_a_worker_that_freezes_doubles_nobody_when_it_goes_on(settings: Settings) -> None:
    edition = being_sent(200)
    settings.BREACHDESK = settings.BREACHDESK.model_copy(update={"smtp_timeout": 5, "lease_margin": 2})
    with Sink(delay=0.01) as sink:
        worker = start_worker(edition, sink)
        wait_for(lambda: len(sink.caught) > 60)
        worker.send_signal(signal.SIGSTOP)
        wait_for(lambda: sweeping.sweep().unknown >= 0 and not Batch.objects.filter(settled_at=None).exists())
        left = start_worker(edition, sink)
        left.wait(60)
        worker.send_signal(signal.SIGCONT)
        worker.wait(60)
        time.sleep(0.3)
    found = states(edition)
    assert set(sink.times().values()) == {1}
    assert found["unknown"] <= 4 * 8, "at most one window for each connection: its journal is its own while it lives"
    assert addresses(200) - set(sink.times()) <= unknown_addresses(edition)
    assert found["handed_over"] + found["unknown"] == 200
    assert Edition.objects.get().state == Edition.State.FINISHED


def unknown_addresses(edition: Edition) -> set[str]:
    cipher = cipher_for(edition.notice.incident_id)
    rows = Delivery.objects.filter(state="unknown").select_related("person")
    return {personal_of(cipher, row.person)["email"] for row in rows}


def wait_for(condition: Any, seconds: float = 60) -> None:
    until = time.monotonic() + seconds
    while not condition():
        assert time.monotonic() < until, "it took too long"
        time.sleep(0.1)


def test_the_sweeper_is_a_command() -> None:
    with pytest.raises(SystemExit):
        call_command("run_sweeper", "--help")
