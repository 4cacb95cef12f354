"""What `send` measures, each in a process of its own that gets ready first and begins at the word."""

import asyncio
import json
import logging
import os
import sys
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any
from uuid import UUID

from tests.bench.measuring import peak_memory_mb
from tests.bench.ready_message import NAME, SENDER, keep_ready_message, ready_message

MODULE = "tests.bench.send_cases"


def prepare(folder: Path, *lists: str) -> dict[str, Any]:
    """An organisation, a case for each list of so many people, and the message that the peers send."""
    from io import StringIO

    from django.core.management import call_command

    from breachdesk.embedded.invented_people import write_people
    from tests.factories import make_incident, make_organisation, make_user

    call_command("migrate", run_syncdb=True, verbosity=0)
    make_organisation()
    people = {"author": make_user("author"), "approver": make_user("approver")}
    cases = {}
    for number in lists:
        incident = make_incident()
        write_people(folder / "people.csv", int(number))
        call_command("import_people", incident.reference, str(folder / "people.csv"), json=True, stdout=StringIO())
        cases[number] = str(incident.pk)
    kept: dict[str, Any] = {"cases": cases, **{role: str(user.pk) for role, user in people.items()}}
    (folder / "cases.json").write_text(json.dumps(kept))
    edition = make_edition(folder, lists[-1])["edition"]
    return {"message_bytes": keep_ready_message(edition, Path(os.environ[NAME]))}


def make_edition(folder: Path, people: str) -> dict[str, Any]:
    """A notice of its own to everybody of one list, by the product's own actions, up to the button."""
    from breachdesk.accounts.models import User
    from breachdesk.incidents.models import Incident
    from notifications import actions
    from notifications.models import Delivery, Notice
    from tests.factories import approve

    kept = json.loads((folder / "cases.json").read_text())
    author, approver = (User.objects.get(pk=kept[role]) for role in ("author", "approver"))
    incident = Incident.objects.get(pk=kept["cases"][people])
    notice = actions.create_notice(incident, title=f"To everybody, {Notice.objects.count() + 1}", by=author)
    began = time.perf_counter()
    edition = actions.submit_for_review(notice.editions.get(), by=author)
    submitted = time.perf_counter() - began
    edition = actions.start_edition(approve(edition, by=approver), by=approver)
    rows = Delivery.objects.filter(edition=edition)
    return {
        "edition": str(edition.pk),
        "recipients": rows.count(),
        "addresses": rows.values("person__email_index").distinct().count(),
        "submit_seconds": round(submitted, 2),
    }


def at_the_word() -> tuple[float, float]:
    """Says that all is ready, and waits for the word. Wall and processor time at which it came."""
    print("ready", flush=True)
    assert sys.stdin.readline() == "go\n"
    return time.perf_counter(), time.process_time()


def done(messages: int, began: tuple[float, float]) -> dict[str, Any]:
    seconds, cpu = time.perf_counter() - began[0], time.process_time() - began[1]
    return {"messages": messages, "seconds": seconds, "cpu": cpu, "memory_mb": peak_memory_mb()}


def worker(folder: Path, edition_id: str) -> dict[str, Any]:
    """A worker's task again and again until the edition is finished: unsealing, journal, trail and limits included."""
    from django.db import connection

    from notifications import sending
    from notifications.ends import End
    from notifications.models import Edition
    from notifications.routes import connect

    began = at_the_word()
    while Edition.objects.sending().filter(pk=edition_id).exists():
        if sending.drain_edition(UUID(edition_id), connect=connect) is End.HELD_BACK:
            time.sleep(0.1)
    connection.close()
    return done(0, began)


def outcome(folder: Path, edition_id: str) -> dict[str, Any]:
    """What the database says of it, and how many of the messages each worker took, by their journals."""
    from django.db.models import Sum

    from notifications.models import Batch, Delivery, Edition

    edition = Edition.objects.get(pk=edition_id)
    shares = Batch.objects.filter(edition=edition).values_list("journal").annotate(messages=Sum("rows")).order_by()
    by_worker: dict[Any, int] = {}
    for journal, messages in shares:
        by_worker[journal] = by_worker.get(journal, 0) + messages
    states = Delivery.objects.tally([edition])[edition.pk]
    return {"state": edition.state, "states": states, "shares": sorted(by_worker.values(), reverse=True)}


def people_elsewhere(folder: Path, edition_id: str, domain: str) -> dict[str, Any]:
    """How many messages go to other domains than this one."""
    from notifications.composing import open_edition
    from notifications.delivery import Claimed
    from notifications.models import Delivery

    composer = open_edition(UUID(edition_id))
    assert composer is not None
    rows = Delivery.objects.filter(edition=edition_id).select_related("person")
    found = (
        Claimed(row.pk, row.person_id, row.person.sealed, row.person.row_checksum, [], 0, 0, row.rung, True)
        for row in rows.iterator(chunk_size=5_000)
    )
    return {"people": sum(composer.host_of(row) != domain.encode() for row in found)}


def watch(folder: Path, edition_id: str, viewers: str) -> dict[str, Any]:
    """People who look at its progress until the next word."""
    from django.urls import reverse

    from notifications.models import Edition
    from tests.bench.watching import watched

    edition = Edition.objects.with_incident().get(pk=edition_id)
    return watched(reverse("send", args=[edition.notice.incident.reference, edition.pk]), int(viewers))


def wait_until_linked(folder: Path) -> dict[str, Any]:
    """Until every event stands in the log."""
    from breachdesk.audit.models import Pending

    return _waited(lambda: not Pending.objects.exists(), "linked")


def wait_until_signed(folder: Path) -> dict[str, Any]:
    """Until a signed checkpoint covers the last of them; the signer signs once a minute, and what is urgent at once."""
    from breachdesk.audit.models import Checkpoint, Entry

    size = Entry.objects.count()
    return _waited(lambda: Checkpoint.objects.filter(size__gte=size).exists(), "signed")


def _waited(is_done: Callable[[], bool], what: str) -> dict[str, Any]:
    began = time.monotonic()
    while not is_done():
        assert time.monotonic() < began + 300, f"the trail was not {what} within five minutes"
        time.sleep(0.05)
    return {"seconds": round(time.monotonic() - began, 1)}


def connection_alone(folder: Path, count: str, connections: str) -> dict[str, Any]:
    """The ready message over our own connections: what they cost without vault, database and journal."""
    from notifications.routes import connect

    messages, lanes = int(count), int(connections)

    async def blast() -> None:
        async def one(first: int) -> None:
            way = await connect()
            for number in range(first, messages, lanes):
                after = (SENDER.encode(), b"person%d@example.com" % (number + lanes))
                following = after if number + lanes < messages else None
                to, message = b"person%d@example.com" % number, ready_message().wire
                await way.hand_over(SENDER.encode(), to, message, 1e12, following=following)
            await way.close()

        await asyncio.gather(*(one(first) for first in range(lanes)))

    ready_message()
    began = at_the_word()
    asyncio.run(blast())
    return done(messages, began)


def raw(folder: Path, count: str, connections: str) -> dict[str, Any]:
    """The limit: a ready message, MAIL, RCPT and DATA in one write, the message in another, and lines counted."""
    from django.conf import settings

    messages, lanes, message = int(count), int(connections), ready_message().wire + b".\r\n"

    async def one(first: int) -> None:
        _, line = await asyncio.get_running_loop().create_connection(_Line, "127.0.0.1", settings.BREACHDESK.smtp_port)
        await line.answers(1)
        line.transport.write(b"EHLO blast\r\n")
        await line.answers(4)
        for number in range(first, messages, lanes):
            line.transport.write(b"MAIL FROM:<care@example.com>\r\nRCPT TO:<person%d@example.com>\r\nDATA\r\n" % number)
            await line.answers(3)
            line.transport.write(message)
            await line.answers(1)
        line.transport.close()

    async def blast() -> None:
        await asyncio.gather(*(one(first) for first in range(lanes)))

    began = at_the_word()
    asyncio.run(blast())
    return done(messages, began)


class _Line(asyncio.Protocol):
    """Believes every answer: no limit could be higher."""

    def __init__(self) -> None:
        self.lines, self.wanted, self.waiter = 0, 0, asyncio.get_running_loop().create_future()

    def connection_made(self, transport: Any) -> None:
        self.transport = transport

    def data_received(self, data: bytes) -> None:
        self.lines += data.count(b"\n")
        if self.lines >= self.wanted and not self.waiter.done():
            self.waiter.set_result(None)

    async def answers(self, lines: int) -> None:
        self.wanted = lines
        if self.lines < lines:
            self.waiter = asyncio.get_running_loop().create_future()
            await self.waiter
        self.lines -= lines


def post_office(folder: Path, count: str) -> dict[str, Any]:
    """The ready message from django-post-office's queue with its own command; queueing included."""
    from django.core.management import call_command
    from post_office import mail

    ready, people = ready_message(), int(count)
    began = at_the_word()
    queued = {"sender": SENDER, "subject": ready.subject, "message": ready.words, "html_message": ready.page}
    mail.send_many([{"recipients": [f"person{number}@example.com"], **queued} for number in range(people)])
    call_command("send_queued_mail", processes=1, log_level=0)
    return done(people, began)


def mailer(folder: Path, count: str) -> dict[str, Any]:
    """The ready message from django-mailer's queue with its own engine; queueing included."""
    from django.core.mail import get_connection
    from mailer.engine import send_all

    logging.getLogger("mailer").setLevel(logging.WARNING)  # it would be charged for a line each
    ready, people = ready_message(), int(count)
    began = at_the_word()
    queue = get_connection("mailer.backend.DbBackend")
    for first in range(0, people, 500):
        numbers = range(first, min(first + 500, people))
        queue.send_messages([ready.to(f"person{number}@example.com") for number in numbers])
    send_all()
    return done(people, began)


def naive_queue(folder: Path, count: str) -> dict[str, Any]:
    """One task for each recipient. That all of them were run is seen at the sink."""
    from tests.bench.naive.models import Recipient
    from tests.bench.naive.tasks import app, send_one

    people = int(count)
    made = Recipient.objects.bulk_create([Recipient(email=f"person{number}@example.com") for number in range(people)])
    began = at_the_word()
    with app.producer_or_acquire() as producer:
        for recipient in made:
            send_one.apply_async((recipient.pk,), producer=producer)
    return done(people, began)


_TASKS = [prepare, make_edition, worker, outcome, watch, wait_until_linked, wait_until_signed]
_TASKS += [people_elsewhere, connection_alone, raw, post_office, mailer, naive_queue]
TASKS: dict[str, Callable[..., dict[str, Any]]] = {task.__name__: task for task in _TASKS}

if __name__ == "__main__":
    from tests.bench.measuring import run_if_child

    run_if_child(TASKS)
