"""Builds that are broken on purpose, each in a copy of the source: some test must fail, or the tests are worth nothing.

    python -m tests.faults.broken [name ...] [--keep]

The table names the tests that caught each. The working tree is never touched.
"""

import argparse
import json
import os
import re
import subprocess
import sys
import tempfile
from dataclasses import dataclass
from pathlib import Path

from tests.bench.measuring import keep

ROOT = Path(__file__).parent.parent.parent
RESULTS = Path(__file__).parent / "results"
FAILED = re.compile(r"^(?:FAILED|ERROR) (\S+)", re.M)
STATES, CHANCE, FIRE = "test_delivery_states", "test_delivery_by_chance", "test_under_fire"
GAPS, JOURNAL, DRAIN, SWEEP = "test_failpoints", "test_journal", "test_drain", "test_sweep"


@dataclass(frozen=True)
class Build:
    """What it does wrong, by which change of which file, and the tests that are asked."""

    what: str
    file: str
    before: str
    after: str
    tests: tuple[str, ...]


BUILDS = {
    "resends what may have left": Build(
        "a dead worker's message whose dot was written is sent again",
        "notifications/journal.py",
        "return Outcome(Kind.UNKNOWN, Phase.DOT) if attempt in self.dots else None",
        "return None",
        (GAPS, JOURNAL, FIRE),
    ),
    "resends unknowns": Build(
        "the sweeper plans again what nobody answered for",
        "notifications/sweeping.py",
        "SET state = 'unknown', settled_at = now()",
        "SET state = 'planned', token = NULL, next_at = now(), settled_at = now()",
        (SWEEP, CHANCE),
    ),
    "settles before the 250": Build(
        "a message counts as handed over once its dot is written",
        "notifications/smtp.py",
        "return self._final(await self._wire.reply(self.relay.dot_timeout))",
        "return Outcome(Kind.HANDED_OVER, Phase.DOT, 250)",
        (DRAIN, GAPS),
    ),
    "drops the token check": Build(
        "a worker begins rows that another one has by now",
        "notifications/delivery.py",
        "WHERE d.id = i.id AND d.token IS NOT DISTINCT FROM %(token)s AND d.state = 'claimed' AND EXISTS",
        "WHERE d.id = i.id AND d.state = 'claimed' AND EXISTS",
        (CHANCE, STATES),
    ),
    "believes anybody's answer": Build(
        "an answer settles a row that another worker has begun since",
        "notifications/delivery.py",
        "FROM answer AS a WHERE d.id = a.id AND d.token IS NOT DISTINCT FROM %(token)s",
        "FROM answer AS a WHERE d.id = a.id",
        (STATES, CHANCE),
    ),
    "ignores cancel": Build(
        "hand-overs go on after a pause or a cancellation",
        "notifications/delivery.py",
        "      AND e.epoch = b.epoch AND {may_be_sent}\n)\nUPDATE notifications_delivery AS d\n"
        "SET state = 'handing_over'",
        ")\nUPDATE notifications_delivery AS d\nSET state = 'handing_over'",
        (CHANCE, STATES, DRAIN),
    ),
    "moves a checkpoint on read": Build(
        "what a worker took counts as done, whether it was sent or not",
        "notifications/delivery.py",
        "UPDATE notifications_delivery SET state = 'planned', token = NULL, next_at = now()\n"
        "WHERE token = %(token)s AND state = 'claimed'",
        "UPDATE notifications_delivery SET state = 'suppressed', token = NULL\n"
        "WHERE token = %(token)s AND state = 'claimed'",
        (GAPS, CHANCE, FIRE),
    ),
    "trusts the journal of the living": Build(
        "a journal counts while its worker works",
        "notifications/journal.py",
        "        fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)\n",
        "",
        (JOURNAL, GAPS),
    ),
    "trusts the journal of another start": Build(
        "a journal counts though the machine began anew and may have lost lines",
        "notifications/journal.py",
        "if boot and boot == boot_id() and path.exists():",
        "if path.exists():",
        (JOURNAL,),
    ),
    "writes the dot before its line": Build(
        "the journal learns of a dot after it was written",
        "notifications/smtp.py",
        '            reach("G7")\n',
        '            reach("G7")\n            self._note(before_dot)\n',
        (GAPS,),
    ),
    "asks for no deadline": Build(
        "a worker that was frozen beyond its lease writes its dot when it goes on",
        "notifications/smtp.py",
        "if asyncio.get_running_loop().time() > deadline:",
        "if False:",
        (GAPS, "test_transport"),
    ),
    "sends without an intent": Build(
        "messages go on the wire whose intent was not committed",
        "notifications/ledger.py",
        "return [granted[token].intersection(recipients) for token, recipients in wishes]",
        "return [set(recipients) for token, recipients in wishes]",
        (DRAIN, FIRE),
    ),
    "forgets a doubtful commit": Build(
        "a journal goes though the answer to a commit was lost",
        "notifications/ledger.py",
        "self.is_in_doubt = self.is_in_doubt or any(recipients for _, recipients in wishes)",
        "pass",
        (GAPS,),
    ),
}
# Where a change alone would not do: the line that it replaces goes.
GONE = {
    "writes the dot before its line": (
        "notifications/smtp.py",
        "            self._note(before_dot)\n            reach(",
    )
}


def main(names: list[str], is_kept: bool) -> int:
    table = {}
    for name in names or BUILDS:
        table[name] = _try(name, BUILDS[name])
        print(f"{name}: {', '.join(table[name]) or 'NOT CAUGHT'}", file=sys.stderr, flush=True)
    survived = [name for name, caught in table.items() if not caught]
    results = {
        "builds": {name: {"what": BUILDS[name].what, "caught_by": caught} for name, caught in table.items()},
        "not_caught": survived,
    }
    print(json.dumps(results, indent=1))
    if is_kept:
        keep("broken", results, RESULTS)
    return 1 if survived else 0


def _try(name: str, build: Build) -> list[str]:
    with tempfile.TemporaryDirectory(prefix="breachdesk-broken-") as folder:
        copy = Path(folder)
        archive = subprocess.run(["git", "archive", "HEAD"], cwd=ROOT, stdout=subprocess.PIPE, check=True).stdout
        subprocess.run(["tar", "-x"], cwd=copy, input=archive, check=True)
        if name in GONE:
            _change(copy / GONE[name][0], GONE[name][1], "            reach(")
        _change(copy / build.file, build.before, build.after)
        tests = [f"tests/notifications/{test}.py" for test in build.tests]
        words = [sys.executable, "-m", "pytest", "-q", "-x", "-n", "0", "-p", "no:cacheprovider", "--tb", "no", *tests]
        environment = {**os.environ, "PYTHONDONTWRITEBYTECODE": "1"}
        done = subprocess.run(words, cwd=copy, env=environment, stdout=subprocess.PIPE, check=False)
        said = done.stdout.decode()
    assert "passed" in said or "failed" in said, said[-3_000:]
    return sorted({test.removeprefix("tests/notifications/") for test in FAILED.findall(said)})


def _change(file: Path, before: str, after: str) -> None:
    text = file.read_text()
    assert text.count(before) == 1, f"{file.name} does not have, once: {before}"
    file.write_text(text.replace(before, after))


if __name__ == "__main__":
    parser = argparse.ArgumentParser()
    parser.add_argument("names", nargs="*")
    parser.add_argument("--keep", action="store_true")
    given = parser.parse_args()
    raise SystemExit(main(given.names, given.keep))
