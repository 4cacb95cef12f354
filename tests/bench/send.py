"""Sending one notice, beside a ready message blasted over as many connections (the limit) and django-post-office.

    python -m tests.bench.send [people] [--delay MS] [--keep]

All three go to the same compiled sink, one after the other, in one run; the table says what the sink itself can take.
`--keep` adds the result to tests/bench/results/.
"""

import argparse
import asyncio
import json
import os
import shutil
import smtplib
import socket
import subprocess
import sys
import time
from pathlib import Path
from typing import Any

from tests.bench.measuring import child, installation, peak_memory_mb
from tests.bench.measuring import keep as keep_results

MODULE = "tests.bench.send"
HERE = Path(__file__).parent
LEAST_TIMES_POST_OFFICE = 5
CONNECTIONS = 8
POST_OFFICE_PEOPLE = 5_000  # it is slow; its rate does not depend on the number


class Sink:
    """The compiled sink: counts messages, distinct recipients and doubles; the delay stands for a real relay's."""

    def __init__(self, folder: Path, port: int, delay: int) -> None:
        program = folder / "smtp_sink"
        subprocess.run(["cc", "-O2", "-o", program, HERE / "smtp_sink.c"], check=True)
        self.port = port
        self.process = subprocess.Popen([program, str(port), str(delay)])
        time.sleep(0.3)

    def ask(self, verb: str) -> Any:
        with smtplib.SMTP("127.0.0.1", self.port) as connection:
            _, answer = connection.docmd(verb)
        return json.loads(answer) if verb == "XSTAT" else None

    def stop(self) -> None:
        self.process.terminate()
        self.process.wait()


def main(people: int, delay: int, keep: bool) -> int:
    if shutil.which("cc") is None:
        print("No C compiler is here, and a sink in Python would flatter every ratio. Nothing was measured.")
        return 0
    with installation("tests.bench.settings") as place:
        sink = Sink(place.folder, port := _free_port(), delay)
        os.environ.update(BREACHDESK_SMTP_PORT=str(port), BREACHDESK_SMTP_CONNECTIONS=str(CONNECTIONS))
        try:
            return _compare(place.folder, sink, people, delay, keep)
        finally:
            sink.stop()


def _free_port() -> int:
    with socket.socket() as listener:
        listener.bind(("127.0.0.1", 0))
        return int(listener.getsockname()[1])


def _compare(folder: Path, sink: Sink, people: int, delay: int, keep: bool) -> int:
    prepared = child(MODULE, "prepare", folder, people)
    results: dict[str, Any] = {"people": prepared["recipients"], "delay_ms": delay, "connections": CONNECTIONS}
    for name, count in (("raw", prepared["recipients"]), ("ours", 0), ("post_office", POST_OFFICE_PEOPLE)):
        sink.ask("XRESET")
        before = sink.ask("XSTAT")
        measured = child(MODULE, name, folder, prepared["edition"], count)
        after = sink.ask("XSTAT")
        measured["sink"] = {"messages": after["msgs"], "distinct": after["distinct"], "doubles": after["dups"]}
        measured["sink_cpu_ms"] = round((after["cpu"] - before["cpu"]) / max(1, after["msgs"]) * 1000, 4)
        results[name] = measured
    results["share_of_raw"] = round(results["ours"]["per_second"] / results["raw"]["per_second"], 3)
    results["times_post_office"] = round(results["ours"]["per_second"] / results["post_office"]["per_second"], 1)
    print(json.dumps(results, indent=1))
    if keep:
        keep_results(f"send-{results['people']}-{results['delay_ms']}ms", results)
    assert results["ours"]["sink"]["distinct"] == prepared["addresses"], "everybody once, at their own address"
    assert results["ours"]["sink"]["messages"] == prepared["recipients"]
    return 0 if results["times_post_office"] >= LEAST_TIMES_POST_OFFICE else 1


def prepare(folder: Path, people: int) -> dict[str, Any]:
    """The story up to the button, by the product's own actions: people loaded, a notice approved and started."""
    from io import StringIO

    from django.core.management import call_command

    from breachdesk.embedded.invented_people import write_people
    from notifications import actions
    from notifications.models import Delivery
    from tests.factories import approve, make_incident, make_organisation, make_user

    call_command("migrate", verbosity=0)
    make_organisation()
    incident = make_incident()
    write_people(folder / "people.csv", people)
    call_command("import_people", incident.reference, str(folder / "people.csv"), json=True, stdout=StringIO())
    author, approver = make_user("author"), make_user("approver")
    notice = actions.create_notice(incident, title="To everybody", by=author)
    edition = actions.submit_for_review(notice.editions.get(), by=author)
    edition = actions.start_edition(approve(edition, by=approver), by=approver)
    rows = Delivery.objects.filter(edition=edition)
    addresses = rows.values("person__email_index").distinct().count()
    return {"edition": str(edition.pk), "recipients": rows.count(), "addresses": addresses}


def ours(edition_id: str) -> dict[str, Any]:
    """The worker's task again and again until the edition is finished, unsealing, trail and limits included."""
    from uuid import UUID

    from django.db import connection

    from notifications import sending
    from notifications.models import Edition
    from notifications.routes import connect

    wal = _wal()
    began = time.perf_counter(), time.process_time()
    while Edition.objects.sending().filter(pk=edition_id).exists():
        sending.drain_edition(UUID(edition_id), connect=connect)
    edition = Edition.objects.get(pk=edition_id)
    assert edition.state == Edition.State.FINISHED, edition.state
    connection.close()
    return _measured(edition.recipients_count or 0, began) | {
        "wal_bytes": round((_wal() - wal) / (edition.recipients_count or 1))
    }


def _wal() -> int:
    from django.db import connection

    with connection.cursor() as cursor:
        cursor.execute("SELECT pg_current_wal_insert_lsn() - '0/0'::pg_lsn")
        return int(cursor.fetchone()[0])


def raw(edition_id: str, count: int) -> dict[str, Any]:
    """One ready message of this edition again and again: what the machine, the loop and the sink can do at most."""
    from uuid import uuid4

    from notifications.editions import skeleton_of
    from notifications.models import Edition
    from notifications.rendering import Recipient, render_message
    from notifications.routes import connect

    skeleton = skeleton_of(Edition.objects.with_incident().get(pk=edition_id))
    recipient = Recipient(uuid4(), "somebody@example.com", ("name", "email"), {"first name": "Ana", "full name": "Ana"})
    message = render_message(skeleton, recipient, b"Sat, 21 Nov 2026 20:00:00 +0000")

    async def blast() -> None:
        async def one(first: int) -> None:
            way = await connect()
            for number in range(first, count, CONNECTIONS):
                after = (b"care@example.com", b"person%d@example.com" % (number + CONNECTIONS))
                following = after if number + CONNECTIONS < count else None
                await way.hand_over(b"care@example.com", b"person%d@example.com" % number, message, 1e12, following)
            await way.close()

        await asyncio.gather(*(one(first) for first in range(CONNECTIONS)))

    began = time.perf_counter(), time.process_time()
    asyncio.run(blast())
    return _measured(count, began) | {"message_bytes": len(message)}


def post_office(edition_id: str, count: int) -> dict[str, Any]:
    """The same message, already rendered, from django-post-office's queue with its own command; queueing included."""
    from django.core.management import call_command
    from post_office import mail

    from notifications.editions import skeleton_of
    from notifications.models import Edition

    skeleton = skeleton_of(Edition.objects.with_incident().get(pk=edition_id))
    kinds, values = ("name", "email"), {"first name": "Ana", "full name": "Ana"}
    words, page = skeleton.as_text(values, kinds), skeleton.as_html(values, kinds)
    began = time.perf_counter(), time.process_time()
    mail.send_many(
        [
            {
                "recipients": [f"person{number}@example.com"],
                "sender": "care@halden-rowe.example",
                "subject": skeleton.compiled.subject,
                "message": words,
                "html_message": page,
            }
            for number in range(count)
        ]
    )
    call_command("send_queued_mail", processes=1, log_level=0)
    return _measured(count, began)


def _measured(messages: int, began: tuple[float, float]) -> dict[str, Any]:
    seconds, cpu = time.perf_counter() - began[0], time.process_time() - began[1]
    return {
        "messages": messages,
        "seconds": round(seconds, 2),
        "per_second": round(messages / seconds),
        "sender_cpu_ms": round(cpu / max(1, messages) * 1000, 3),
        "memory_mb": peak_memory_mb(),
    }


def _child_main(task: str, folder: str, *rest: str) -> None:
    import django

    django.setup()
    match task:
        case "prepare":
            result = prepare(Path(folder), int(rest[0]))
        case "ours":
            result = ours(rest[0])
        case "raw":
            result = raw(rest[0], int(rest[1]))
        case _:
            result = post_office(rest[0], int(rest[1]))
    print(json.dumps(result))


if __name__ == "__main__":
    if sys.argv[1:2] == ["--child"]:
        _child_main(*sys.argv[2:])
        raise SystemExit(0)
    parser = argparse.ArgumentParser()
    parser.add_argument("people", type=int, nargs="?", default=430_000)
    parser.add_argument("--delay", type=int, default=0)
    parser.add_argument("--keep", action="store_true")
    given = parser.parse_args()
    raise SystemExit(main(given.people, given.delay, given.keep))
