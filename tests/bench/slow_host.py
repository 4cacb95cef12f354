"""What a mail host that answers nothing costs everybody else: the same notice with and without it, in one run.

    python -m tests.bench.slow_host [people] [--keep]

One worker, the default window and connections, the compiled sink. The list is on five domains; in the second round one
of them, a fifth of all people, never answers after the dot. What counts is how fast the people on the other four are
taken in both rounds, from the first message to the last.
"""

import argparse
import sys
import time

from tests.bench.measuring import child, installation, say_go, start_child, wait_until_ready
from tests.bench.measuring import keep as keep_results
from tests.bench.send import Bench
from tests.bench.send_cases import MODULE
from tests.bench.sink import has_compiler

HANGS = "post.example.net"
LONGEST = 300  # seconds


def others_only(bench: Bench) -> dict[str, float]:
    """Until everybody at another domain was taken; then the worker ends, for the people at this one wait for hours."""
    made = child(MODULE, "make_edition", bench.folder, bench.people)
    others = child(MODULE, "people_elsewhere", bench.folder, made["edition"], HANGS)["people"]
    bench.database.settle()
    bench.sink.begin()
    bench.sink.ask(f"XHANG @{HANGS}")
    worker = start_child(MODULE, "worker", bench.folder, made["edition"], waits=True)
    try:
        wait_until_ready(worker)
        say_go(worker)
        until = time.monotonic() + LONGEST
        while (seen := bench.sink.ask("XSTAT"))["msgs"] < others:
            assert time.monotonic() < until, f"only {seen['msgs']} of {others} were taken"
            time.sleep(0.2)
    finally:
        worker.kill()
        worker.communicate()
        bench.sink.ask("XHANG")
    return {"others": others, "waits": seen["hung"], "per_second": round(others / seen["span"])}


def main(people: int, keep: bool) -> int:
    if not has_compiler():
        print("No C compiler is here, and a sink in Python would flatter every ratio. Nothing was measured.")
        return 0
    with installation("tests.bench.settings") as place:
        bench = Bench(place.folder, people, people)
        try:
            head = bench.prepare()
            bench.ours(1, 8, 8, 0)
            span = bench.sink.ask("XSTAT")["span"]
            beside = others_only(bench)
            usual = round(beside["others"] / span)
        finally:
            bench.close()
    table = [
        f"all domains answer:       {usual:>6,} messages/s to four of the five domains",
        f"one in five never does:   {beside['per_second']:>6,} messages/s to these four; {beside['waits']} were tried",
        f"ratio:                    {beside['per_second'] / usual:>6.2f}",
    ]
    print("\n".join(table))
    if keep:
        keep_results(f"slow-host-{people}", {**head, "usual": usual, **beside, "table": table})
    return 0


if __name__ == "__main__":
    parser = argparse.ArgumentParser()
    parser.add_argument("people", type=int, nargs="?", default=60_000)
    parser.add_argument("--keep", action="store_true")
    given = parser.parse_args()
    sys.exit(main(given.people, given.keep))
