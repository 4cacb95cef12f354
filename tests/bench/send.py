"""Sending one notice, beside a ready message blasted over as many connections (the limit) and three peers.

    python -m tests.bench.send [people] [--few N] [--peers N] [--keep] [--only WORD ...]

All of them go to the same compiled sink, one after the other, in one run: the limit, our own connections alone, ours
with 1, 2 and 3 worker processes and several windows, django-post-office, django-mailer, one Celery task for each
recipient. Then the limit and ours again with 20 ms of delay in the sink, where real relays are. Ours goes through the
real settings: vault, journal, trail and limits. `--keep` adds the result to tests/bench/results/.
"""

import argparse
import json
import os
import subprocess
import sys
import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from tests.bench.database_use import Database
from tests.bench.measuring import child, cpu_of_all, installation, memory_of_all, say_go, start_child, wait_until_ready
from tests.bench.measuring import keep as keep_results
from tests.bench.ready_message import NAME
from tests.bench.send_cases import MODULE
from tests.bench.send_table import printed
from tests.bench.sink import Sink, has_compiler

DELAY = 20
# Worker processes, window, connections of each, delay in the sink.
OURS = [(1, 8, 8, 0), (2, 8, 8, 0), (3, 8, 8, 0), (1, 50, 8, 0), (2, 50, 8, 0), (1, 50, 50, 0)]
OURS += [(1, 8, 8, DELAY), (1, 8, 50, DELAY), (1, 50, 50, DELAY), (2, 8, 50, DELAY)]
CELERY = ["-A", "tests.bench.naive.tasks", "worker", "-Q", "naive", "-c", "2", "-P", "prefork", "-l", "ERROR"]
CELERY += ["--without-gossip", "--without-mingle", "--without-heartbeat"]


class Bench:
    """One installation, one sink, and a row of results for each case."""

    def __init__(self, folder: Path, people: int, few: int) -> None:
        self.folder, self.people, self.few = folder, people, few
        self.sink = Sink(folder)
        os.environ.update({"BREACHDESK_SMTP_PORT": str(self.sink.port), NAME: str(folder / "message.json")})
        self.database = Database(os.environ["DATABASE_URL"])
        self.rows: dict[str, dict[str, Any]] = {}

    def prepare(self) -> dict[str, Any]:
        made = child(MODULE, "prepare", self.folder, *dict.fromkeys([self.people, self.few]))
        size = made["message_bytes"]
        rate = self.sink.own_rate(60_000, size, 8)
        return {"people": self.people, "few": self.few, **made, "sink": f"smtp_sink.c: {rate} a second by itself"}

    def measure(self, name: str, messages: int, delay: int, *commands: Sequence[object], **settings: object) -> None:
        """Start the processes, let all begin at once, and wait for the last."""
        environment = {f"BREACHDESK_{key.upper()}": str(value) for key, value in settings.items()}
        children = [start_child(MODULE, *words, environment=environment, waits=True) for words in commands]
        for process in children:
            wait_until_ready(process)
        with self._row(name, messages, delay) as row:
            for process in children:
                say_go(process)
            answers = [json.loads(process.communicate()[0]) for process in children]
            row["seconds"] = max(answer["seconds"] for answer in answers)  # without the processes' own end
            row["cpu"] = sum(answer["cpu"] for answer in answers)
            row["memory_mb"] = max(answer["memory_mb"] for answer in answers)

    @contextmanager
    def _row(self, name: str, messages: int, delay: int) -> Iterator[dict[str, Any]]:
        sink_cpu, before, began = self.sink.begin(delay), self.database.used(), time.perf_counter()
        row: dict[str, Any] = {}
        yield row
        seconds = row.pop("seconds", time.perf_counter() - began)
        used, seen = self.database.used() - before, self.sink.ask("XSTAT")
        self.rows[name] = {
            "messages": messages,
            "per_second": round(messages / seconds),
            "sender_cpu_ms": round(row.pop("cpu") / messages * 1000, 3),
            "database_cpu_ms": round(used.cpu / messages * 1000, 3),
            "sink_cpu_ms": round((seen["cpu"] - sink_cpu) / messages * 1000, 4),
            "wal_bytes": round(used.wal / messages),
            "doubles": seen["dups"],
            "delay_ms": delay,
            **row,
        }
        assert seen["msgs"] == messages, f"{name}: the sink took {seen['msgs']} messages, not {messages}"
        print(f"{name}: {self.rows[name]}", file=sys.stderr, flush=True)

    def ours(self, workers: int, window: int, connections: int, delay: int) -> None:
        made = child(MODULE, "make_edition", self.folder, self.few if delay else self.people)
        self.database.settle()
        name = f"ours {workers}x{connections} window {window}" + (f" {delay} ms" if delay else "")
        work = ["worker", self.folder, made["edition"]]
        self.measure(
            name, made["recipients"], delay, *[work] * workers, smtp_connections=connections, send_window=window
        )
        ended = child(MODULE, "outcome", self.folder, made["edition"])
        assert ended["states"] == {"handed_over": made["recipients"]}, ended
        row = self.rows[name]
        row |= {"workers": workers, "window": window, "connections": connections, "shares": ended["shares"]}
        # Two people may share an address: that is no double. More than that would be.
        row["doubles"] -= made["recipients"] - made["addresses"]
        row["submit_seconds"] = made["submit_seconds"]

    def limit(self, messages: int, connections: int, delay: int, case: str = "raw") -> None:
        name = f"{case.replace('_', ' ')} x{connections}" + (f" {delay} ms" if delay else "")
        self.measure(name, messages, delay, [case, self.folder, messages, connections])
        self.rows[name] |= {"connections": connections}

    def naive(self, messages: int, delay: int = 0) -> None:
        """Two worker processes of Celery on the Redis-compatible server."""
        worker = subprocess.Popen(
            [sys.executable, "-m", "celery", *CELERY], stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL
        )
        queue = start_child(MODULE, "naive_queue", self.folder, messages, waits=True)
        try:
            wait_until_ready(queue)
            time.sleep(5)  # its worker says nothing when it is ready
            used = cpu_of_all(worker.pid)
            with self._row("Celery, a task each" + (f" {delay} ms" if delay else ""), messages, delay) as row:
                say_go(queue)
                queued = json.loads(queue.communicate()[0])
                while self.sink.ask("XSTAT")["msgs"] < messages:
                    time.sleep(0.1)
                row["cpu"] = queued["cpu"] + cpu_of_all(worker.pid) - used
                row["memory_mb"] = memory_of_all(worker.pid)
        finally:
            worker.terminate()
            worker.wait()

    def close(self) -> None:
        self.database.close()
        self.sink.stop()


def all_cases(bench: Bench, peers: int, only: Sequence[str]) -> None:
    def wanted(word: str) -> bool:
        return not only or word in only

    if wanted("raw"):
        bench.limit(bench.people, 8, 0)
        bench.limit(bench.people, 8, 0, "connection_alone")
    for workers, window, connections, delay in OURS:
        if wanted("delay" if delay else "ours") or wanted(f"{workers}x{connections}w{window}d{delay}"):
            bench.ours(workers, window, connections, delay)
    if wanted("peers"):
        bench.measure("django-post-office", peers, 0, ["post_office", bench.folder, peers])
        bench.measure("django-mailer", peers, 0, ["mailer", bench.folder, peers])
        bench.naive(peers)
    if wanted("delay"):
        for connections in (8, 50, 100):
            bench.limit(bench.few, connections, DELAY)
        some = peers // 6
        bench.measure(f"django-post-office {DELAY} ms", some, DELAY, ["post_office", bench.folder, some])
        bench.measure(f"django-mailer {DELAY} ms", some, DELAY, ["mailer", bench.folder, some])
        bench.naive(some, DELAY)


def main(people: int, few: int, peers: int, keep: bool, only: Sequence[str]) -> int:
    if not has_compiler():
        print("No C compiler is here, and a sink in Python would flatter every ratio. Nothing was measured.")
        return 0
    with installation("tests.bench.settings") as place:
        bench = Bench(place.folder, people, few)
        try:
            head = bench.prepare()
            all_cases(bench, peers, only)
        finally:
            bench.close()
    table, is_met = printed(bench.rows)
    print(table)
    if keep:
        keep_results(f"send-{people}", {**head, "rows": bench.rows, "table": table.splitlines()})
    return 0 if is_met else 1


if __name__ == "__main__":
    parser = argparse.ArgumentParser()
    parser.add_argument("people", type=int, nargs="?", default=60_000)
    parser.add_argument("--few", type=int, default=16_000, help="on the list that is sent with a delay")
    parser.add_argument("--peers", type=int, default=3_000, help="messages of each peer: their rate does not grow")
    parser.add_argument("--keep", action="store_true")
    parser.add_argument("--only", nargs="*", default=[], help="raw, ours, peers, delay, or one case as 2x8w8d0")
    given = parser.parse_args()
    raise SystemExit(main(given.people, given.few, given.peers, given.keep, given.only))
