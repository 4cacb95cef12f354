"""What it costs when many colleagues watch one send: the product's own web server, asked as their browsers ask it.

    python -m tests.bench.progress_viewers [people] [--seconds N] [--keep]

One notice to so many people, half of them handed over, some refused, in doubt and put off. Gunicorn runs as the image
runs it: two processes of eight threads. Each viewer is signed in and asks for the numbers every two seconds and for the
reasons every fifteen. The table tells, for each number of viewers, how long an answer takes, how many transactions of
the database one poll costs (each query is one), and the share of one core that database and web server use.
"""

import argparse
import json
import os
import socket
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from http.client import HTTPConnection
from pathlib import Path
from threading import Thread
from typing import Any

from tests.bench.database_use import Database
from tests.bench.measuring import child, cpu_of_all, installation, keep, run_if_child

MODULE = "tests.bench.progress_viewers"
PEOPLE = 430_000
VIEWERS = (0, 1, 10, 20, 50)
EVERY, REASONS_EVERY = 2.0, 15.0
PROCESSES, THREADS = 2, 8
MOST_DATABASE, MOST_P95_MS = 0.35, 200  # of one core, at the most viewers; judged on a quiet machine

ROWS = """
INSERT INTO notifications_delivery (id, notice_id, edition_id, person_id, state, token, next_at, tries, generation,
    rung, code, recipient, frozen, handing_over_at, settled_at)
SELECT gen_random_uuid(), %(notice)s, %(edition)s, gen_random_uuid(),
    CASE WHEN n %% 100 < 48 THEN 'handed_over' WHEN n %% 100 < 49 THEN 'refused' WHEN n %% 1000 = 999 THEN 'unknown'
         WHEN n %% 1000 = 998 THEN 'retry_wait' ELSE 'planned' END,
    CASE WHEN n %% 100 < 49 OR n %% 1000 = 999 THEN gen_random_uuid() END,
    CASE WHEN n %% 100 < 49 OR n %% 1000 = 999 THEN NULL ELSE now() END,
    1, 0, 0, 250, sha256(n::text::bytea), sha256(n::text::bytea), now() - n * interval '8 ms',
    now() - n * interval '8 ms'
FROM generate_series(1, %(people)s) AS n
"""
TRIES = """
INSERT INTO notifications_attempt (id, delivery_id, batch_id, n, phase, outcome, code, enhanced, reason, remote_id,
    domain, closed_at)
SELECT gen_random_uuid(), d.id, gen_random_uuid(), 1, 'rcpt', d.state, 550, '5.1.1', '', '',
    substr(sha256((random() * 300)::int::text::bytea), 1, 16), d.settled_at
FROM notifications_delivery AS d WHERE d.state IN ('refused', 'unknown', 'retry_wait')
"""


def main(people: int, seconds: float, is_kept: bool) -> int:
    with installation("tests.bench.settings") as place:
        prepared = child(MODULE, "prepare", place.folder, people)
        postmaster = _postmaster()
        with web_server() as (port, web):
            rows = [_watched(prepared, viewers, seconds, port, web.pid, postmaster) for viewers in VIEWERS]
    most = rows[-1]
    judged = {"database": most["database_cores"] <= MOST_DATABASE, "p95": most["p95_ms"] <= MOST_P95_MS}
    results = {"people": people, "look_ms": prepared["look_ms"], "rows": rows, "judged": judged}
    print(_table(results))
    if is_kept:
        keep(f"progress-viewers-{people}", results)
    return 0 if all(judged.values()) else 1


def _table(results: dict[str, Any]) -> str:
    heads = ("viewers", "polls", "p50_ms", "p95_ms", "most_ms", "per_poll", "database_cores", "web_cores")
    lines = ["".join(f"{row[head]:>16}" for head in heads) for row in results["rows"]]
    told = {key: results[key] for key in ("people", "look_ms", "judged")}
    return "\n".join(["".join(f"{head:>16}" for head in heads), *lines, json.dumps(told)])


def prepare(folder: Path, people: str) -> dict[str, Any]:
    from django.core.management import call_command
    from django.db import connection
    from django.test import Client
    from django.urls import reverse

    from breachdesk.accounts.permissions import ROLES
    from notifications.progress import progress_of
    from tests.factories import make_edition_being_sent, make_user, unguarded

    call_command("migrate", verbosity=0)
    call_command("createcachetable", verbosity=0)
    call_command("sync_roles", verbosity=0)
    assert ROLES
    edition = make_edition_being_sent()
    with unguarded(), connection.cursor() as cursor:
        cursor.execute(ROWS, {"notice": edition.notice_id, "edition": edition.pk, "people": int(people)})
        cursor.execute(TRIES)
    with connection.cursor() as cursor:
        cursor.execute("VACUUM ANALYZE notifications_delivery")
        cursor.execute("VACUUM ANALYZE notifications_attempt")
    looks = []
    for _ in range(5):
        began = time.perf_counter()
        progress_of(edition, fresh=True)
        looks.append(round(1000 * (time.perf_counter() - began), 1))
    client = Client()
    sessions = []
    for number in range(VIEWERS[-1]):
        client.force_login(make_user(("auditor", "dpo", "approver")[number % 3], email=f"viewer{number}@example.com"))
        sessions.append(client.cookies["session"].value)
        client.cookies.clear()
    where = [
        reverse(name, args=[edition.notice.incident.reference, edition.pk]) for name in ("send-numbers", "send-reasons")
    ]
    return {"numbers": where[0], "reasons": where[1], "sessions": sessions, "look_ms": sorted(looks)[2]}


@contextmanager
def web_server() -> Iterator[tuple[int, "subprocess.Popen[bytes]"]]:
    with socket.socket() as listener:
        listener.bind(("127.0.0.1", 0))
        port = listener.getsockname()[1]
    words = f"breachdesk.wsgi:application --bind 127.0.0.1:{port} --worker-class gthread --no-control-socket"
    shape = f"--workers {PROCESSES} --threads {THREADS}"
    server = subprocess.Popen(
        [sys.executable, "-m", "gunicorn", *words.split(), *shape.split()], stderr=subprocess.DEVNULL
    )
    try:
        _until_it_answers(port)
        yield port, server
    finally:
        server.terminate()
        server.wait()


def _until_it_answers(port: int) -> None:
    for _ in range(200):
        with socket.socket() as asking:
            if asking.connect_ex(("127.0.0.1", port)) == 0:
                return
        time.sleep(0.1)
    raise RuntimeError("The web server does not answer.")


def _watched(
    prepared: dict[str, Any], viewers: int, seconds: float, port: int, web: int, postmaster: int
) -> dict[str, Any]:
    took: list[float] = []
    until = time.monotonic() + seconds
    threads = [
        Thread(target=_view, args=(prepared, prepared["sessions"][number], EVERY * number / viewers, until, port, took))
        for number in range(viewers)
    ]
    time.sleep(1.5)  # so that what was before is counted
    before = _transactions(), cpu_of_all(postmaster), cpu_of_all(web)
    began = time.monotonic()
    for thread in threads:
        thread.start()
    time.sleep(seconds)
    for thread in threads:
        thread.join()
    span = time.monotonic() - began
    database, asked = cpu_of_all(postmaster) - before[1], cpu_of_all(web) - before[2]
    time.sleep(1.5)
    ordered = sorted(took) or [0.0]
    return {
        "viewers": viewers,
        "polls": len(took),
        "p50_ms": round(1000 * ordered[len(ordered) // 2], 1),
        "p95_ms": round(1000 * ordered[int(len(ordered) * 0.95)], 1),
        "most_ms": round(1000 * ordered[-1], 1),
        "per_poll": round((_transactions() - before[0]) / len(took), 2) if took else 0,
        "database_cores": round(database / span, 3),
        "web_cores": round(asked / span, 3),
    }


def _view(prepared: dict[str, Any], session: str, offset: float, until: float, port: int, took: list[float]) -> None:
    time.sleep(offset)
    connection, reasons_at = HTTPConnection("127.0.0.1", port, timeout=30), time.monotonic() + REASONS_EVERY * offset
    due = time.monotonic()
    while due < until:
        began = time.perf_counter()
        _ask(connection, prepared["numbers"], session)
        took.append(time.perf_counter() - began)
        if time.monotonic() > reasons_at:
            reasons_at += REASONS_EVERY
            _ask(connection, prepared["reasons"], session)
        due += EVERY
        time.sleep(max(0.0, due - time.monotonic()))


def _ask(connection: HTTPConnection, address: str, session: str) -> None:
    try:
        connection.request(
            "GET", address, headers={"Cookie": f"session={session}", "HX-Request": "true", "Host": "localhost"}
        )
        answer = connection.getresponse()
        body = answer.read()
    except OSError:
        connection.close()  # the server ended an idle connection, as it may; a browser asks again
        return
    assert answer.status == 200, (answer.status, body[:500])


def _postmaster() -> int:
    return Database(os.environ["DATABASE_URL"]).postmaster


def _transactions() -> int:
    import psycopg

    with psycopg.connect(os.environ["DATABASE_URL"], autocommit=True) as connection:
        row = connection.execute(
            "SELECT sum(xact_commit) FROM pg_stat_database WHERE datname = current_database()"
        ).fetchone()
    assert row is not None
    return int(row[0])


if __name__ == "__main__":
    run_if_child({"prepare": prepare})
    parser = argparse.ArgumentParser()
    parser.add_argument("people", nargs="?", type=int, default=PEOPLE)
    parser.add_argument("--seconds", type=float, default=20)
    parser.add_argument("--keep", action="store_true")
    given = parser.parse_args()
    raise SystemExit(main(given.people, given.seconds, given.keep))
