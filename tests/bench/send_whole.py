"""A whole send as an installation does it, from *start* to the signed trail, watched by 20 people.

    python -m tests.bench.send_whole [people] [--viewers N] [--keep]

A tenth of the people first, then all: the rate may not fall by more than 10 %, nor a worker's memory grow. Sequencer,
signer and the real web server run beside one worker; each viewer is signed in and asks for the numbers every two
seconds and for the reasons every fifteen, as the page does. Told are the times until the edition is finished and every
batch sealed, until the last event stands in the log, and until a signed checkpoint covers it, which the signer makes
once a minute; and how long freezing the list took.
"""

import argparse
import json
import os
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from pathlib import Path
from typing import Any

from tests.bench.database_use import Database
from tests.bench.measuring import child, installation, memory_of_all, say_go, start_child, wait_until_ready
from tests.bench.measuring import keep as keep_results
from tests.bench.ready_message import NAME
from tests.bench.send_cases import MODULE
from tests.bench.sink import Sink, free_port, has_compiler

MOST_SLOWER, MOST_MEMORY_MB, MOST_GROWTH_MB = 0.10, 200, 10
GUNICORN = ["gunicorn", "breachdesk.wsgi:application", "--worker-class", "gthread", "--workers", "2", "--threads", "4"]


@contextmanager
def running(*words: object) -> Iterator["subprocess.Popen[bytes]"]:
    process = subprocess.Popen([sys.executable, *map(str, words)], stdout=subprocess.DEVNULL, env=os.environ)
    try:
        yield process
    finally:
        process.terminate()
        process.wait()


def main(people: int, viewers: int, keep: bool) -> int:
    if not has_compiler():
        print("No C compiler is here, and a sink in Python would flatter every ratio. Nothing was measured.")
        return 0
    with installation("tests.bench.settings") as place, ExitStack() as stack:
        sink, port = Sink(place.folder), free_port()
        stack.callback(sink.stop)
        names = {"BREACHDESK_SMTP_PORT": str(sink.port), NAME: str(place.folder / "message.json"), "WEB": str(port)}
        os.environ.update(names)
        subprocess.run([sys.executable, "manage.py", "migrate", "-v", "0"], check=True)
        subprocess.run([sys.executable, "manage.py", "make_signing_key"], check=True, stdout=subprocess.DEVNULL)
        child(MODULE, "prepare", place.folder, people // 10, people)
        for words in (["manage.py", "run_sequencer"], ["manage.py", "run_signer"]):
            stack.enter_context(running(*words))
        stack.enter_context(running("-m", *GUNICORN, "--bind", f"127.0.0.1:{port}", "--log-level", "error"))
        results = {str(number): _one(place.folder, sink, number, viewers) for number in (people // 10, people)}
    lines, is_met = _judged(results, people)
    print("\n".join(lines))
    if keep:
        keep_results(f"send-whole-{people}", {"viewers": viewers, **results, "judged": lines})
    return 0 if is_met else 1


def _one(folder: Path, sink: Sink, people: int, viewers: int) -> dict[str, Any]:
    made = child(MODULE, "make_edition", folder, people)
    watching = start_child(MODULE, "watch", folder, made["edition"], viewers, waits=True)
    worker = start_child(MODULE, "worker", folder, made["edition"], waits=True)
    wait_until_ready(watching)
    wait_until_ready(worker)
    database = Database(os.environ["DATABASE_URL"])
    sink.begin()
    before, began = database.used(), time.perf_counter()
    say_go(watching)
    say_go(worker)
    early = _memory_after(worker.pid, 5)
    sent = json.loads(worker.communicate()[0])
    child(MODULE, "wait_until_linked", folder)
    linked, used = time.perf_counter() - began, database.used() - before
    child(MODULE, "wait_until_signed", folder)
    signed = time.perf_counter() - began
    say_go(watching)
    seen, counted = json.loads(watching.communicate()[0]), sink.ask("XSTAT")
    database.close()
    assert counted["msgs"] == made["recipients"], counted
    assert child(MODULE, "outcome", folder, made["edition"])["states"] == {"handed_over": made["recipients"]}
    messages = made["recipients"]
    return {
        "messages": messages,
        "doubles": counted["dups"] - (messages - made["addresses"]),
        "seconds_until_sent": round(sent["seconds"], 1),
        "seconds_until_linked": round(linked, 1),
        "seconds_until_signed": round(signed, 1),
        "per_second": round(messages / sent["seconds"]),
        "sender_cpu_ms": round(sent["cpu"] / messages * 1000, 3),
        "database_cpu_ms": round(used.cpu / messages * 1000, 3),
        "wal_bytes": round(used.wal / messages),
        "memory_mb_after_5_s": early,
        "memory_mb": sent["memory_mb"],
        "submit_seconds": made["submit_seconds"],
        "page": seen,
    }


def _memory_after(worker: int, seconds: float) -> int:
    time.sleep(seconds)
    return memory_of_all(worker)


def _judged(results: dict[str, dict[str, Any]], people: int) -> tuple[list[str], bool]:
    few, many = results[str(people // 10)], results[str(people)]
    slower = 1 - many["per_second"] / few["per_second"]
    aims = [
        (f"from {few['messages']:,} to {many['messages']:,} the rate falls by {slower:.0%}", slower <= MOST_SLOWER),
        (
            f"a worker's memory: {few['memory_mb']} and {many['memory_mb']} MB",
            many["memory_mb"] < MOST_MEMORY_MB and many["memory_mb"] - few["memory_mb"] <= MOST_GROWTH_MB,
        ),
        (f"nobody twice: {many['doubles']} doubles", many["doubles"] == 0 == few["doubles"]),
        (f"every answer of the page was one: {many['page']}", not many["page"]["failures"]),
    ]
    lines = [f"{name}: {json.dumps(row)}" for name, row in results.items()]
    lines += [f"{'met    ' if is_met else 'NOT MET'}  {words}" for words, is_met in aims]
    return lines, all(is_met for _, is_met in aims)


if __name__ == "__main__":
    parser = argparse.ArgumentParser()
    parser.add_argument("people", type=int, nargs="?", default=430_000)
    parser.add_argument("--viewers", type=int, default=20)
    parser.add_argument("--keep", action="store_true")
    given = parser.parse_args()
    raise SystemExit(main(given.people, given.viewers, given.keep))
