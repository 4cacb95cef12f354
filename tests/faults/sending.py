"""Sending under fire: every process of the product, killed, frozen, cut off and starved while one notice goes out.

    python -m tests.faults.sending [schedules] [--people N] [--seed N] [--only SEED ...] [--again] [--keep]

A schedule is what happens during one send, and all of it follows from its seed. After each, when everything has run
again for a while, the checker (notifications/invariants) reads what the sink took, the database and the trail, and the
trail is verified. What was played on this commit already is not played again, unless `--again` asks for it. With
`--keep` the table stays in tests/faults/results/sending-PEOPLE.json.
"""

import argparse
import json
import signal
import subprocess
import sys
import tempfile
import time
from collections import Counter
from pathlib import Path
from typing import Any

from tests.bench.sink import has_compiler
from tests.faults.sending_field import FAKETIME, Field, installation
from tests.faults.sending_plan import plan_of

RESULTS = Path(__file__).parent / "results"


def main(seeds: list[int], people: int, is_kept: bool, again: bool) -> int:
    table = Table(RESULTS / f"sending-{people}.json", people, is_kept)
    wanted = [seed for seed in seeds if again or not table.has(seed)]
    print(f"{len(seeds) - len(wanted)} schedules were played before, {len(wanted)} are played now.", file=sys.stderr)
    if wanted:
        with tempfile.TemporaryDirectory(prefix="breachdesk-faults-") as name, installation(Path(name)) as fire:
            campaign = _campaign(fire, people)
            for seed in wanted:
                played = campaign.play(plan_of(seed, people))
                table.add(played)
                _tell(played)
    print(json.dumps(table.summary(), indent=1))
    return 1 if table.summary()["wrong"] else 0


def _campaign(fire: Field, people: int) -> Any:
    from tests.faults.sending_campaign import Campaign  # needs Django, which the installation sets up

    return Campaign(fire, people)


def _clocks() -> str:
    if not FAKETIME:
        return "the database's was not moved: libfaketime is not installed"
    return "moved" if has_compiler() else "the database's alone was moved: no C compiler is here"


def _tell(played: dict[str, Any]) -> None:
    wrong = played["wrong"] or "sound"
    print(f"seed {played['seed']}: {played['seconds']} s, {played['states']}, {wrong}", file=sys.stderr, flush=True)


class Table:
    """One row for each seed, with the commit it was played on; written after every schedule."""

    def __init__(self, path: Path, people: int, is_kept: bool) -> None:
        self.path, self.people, self.is_kept = path, people, is_kept
        self.rows: dict[int, dict[str, Any]] = {}
        if path.exists():
            self.rows = {row["seed"]: row for row in json.loads(path.read_text())["schedules"]}
        words = ["git", "rev-parse", "--short", "HEAD"]
        self.commit = subprocess.run(words, stdout=subprocess.PIPE, check=True).stdout.decode().strip()

    def has(self, seed: int) -> bool:
        return seed in self.rows and self.rows[seed]["commit"] == self.commit and not self.rows[seed]["wrong"]

    def add(self, played: dict[str, Any]) -> None:
        self.rows[played["seed"]] = {"commit": self.commit, **played}
        if self.is_kept:
            rows = [self.rows[seed] for seed in sorted(self.rows)]
            lines = ",\n  ".join(json.dumps(row) for row in rows)
            summary = json.dumps(self.summary(), indent=1).removesuffix("\n}")
            self.path.parent.mkdir(exist_ok=True)
            self.path.write_text(f'{summary},\n "schedules": [\n  {lines}\n ]\n}}\n')

    def summary(self) -> dict[str, Any]:
        rows = self.rows.values()
        happened: Counter[str] = Counter()
        for row in rows:
            happened.update(row["happened"])
        return {
            "people": self.people,
            "played": len(self.rows),
            "sound": sum(not row["wrong"] for row in rows),
            "taken_by_the_sink": sum(row["taken"] for row in rows),
            "unknown": sum(row["states"].get("unknown", 0) for row in rows),
            "unknown_and_taken": sum(row["unknown_and_taken"] for row in rows),
            "happened": dict(sorted(happened.items())),
            "clock": _clocks(),
            "wrong": {row["seed"]: row["wrong"] for row in rows if row["wrong"]},
        }


def seeds_of(schedules: int, first: int) -> list[int]:
    return list(range(first, first + schedules))


if __name__ == "__main__":
    parser = argparse.ArgumentParser()
    parser.add_argument("schedules", type=int, nargs="?", default=50)
    parser.add_argument("--people", type=int, default=5_000)
    parser.add_argument("--seed", type=int, default=1, help="of the first schedule; the next have the next ones")
    parser.add_argument("--only", type=int, nargs="+", help="these seeds alone")
    parser.add_argument("--again", action="store_true")
    parser.add_argument("--keep", action="store_true")
    given = parser.parse_args()
    # Asked to stop, it tidies up: servers, processes and the disk in memory.
    signal.signal(signal.SIGTERM, lambda number, frame: sys.exit(128 + number))
    began = time.monotonic()
    code = main(given.only or seeds_of(given.schedules, given.seed), given.people, given.keep, given.again)
    print(f"{time.monotonic() - began:.0f} s", file=sys.stderr)
    raise SystemExit(code)
