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
SMTP, THE_PACE, THE_TURNS = "notifications/smtp.py", "notifications/pace.py", "notifications/turns.py"
FAILED = re.compile(r"^(?:FAILED|ERROR) (\S+)", re.M)
STATES, CHANCE, FIRE = "test_delivery_states", "test_delivery_by_chance", "test_under_fire"
GAPS, JOURNAL, DRAIN, SWEEP = "test_failpoints", "test_journal", "test_drain", "test_sweep"
PACE, DOMAIN, RATE, CLOCK = "test_pace", "test_one_domain", "test_change_rate", "test_clock"


@dataclass(frozen=True)
class Build:
    """What it does wrong, by which change of which file, and the tests that are asked."""

    what: str
    file: str
    before: str
    after: str
    tests: tuple[str, ...]
    also: tuple[tuple[str, str, str], ...] = ()  # where one change would not do: file, before, after


BUILDS = {
    "resends what may have left": Build(
        "a dead worker's message whose dot was written is sent again",
        "notifications/journal.py",
        "answer or Outcome(Kind.UNKNOWN, Phase.DOT)",
        "answer",
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
        SMTP,
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
        SMTP,
        '            reach("G7")\n',
        '            reach("G7")\n            self._note(before_dot)\n',
        (GAPS,),
        ((SMTP, "            self._note(before_dot)\n            reach(", "            reach("),),
    ),
    "asks for no deadline": Build(
        "a worker that was frozen beyond its lease writes its dot when it goes on",
        SMTP,
        "if asyncio.get_running_loop().time() > deadline:",
        "if False:",
        (GAPS, "test_transport"),
    ),
    "sends without an intent": Build(
        "messages go on the wire whose intent was not committed",
        "notifications/ledger.py",
        ".intersection(recipients) for",
        ".union(recipients) for",
        (DRAIN, FIRE),
    ),
    "forgets a doubtful commit": Build(
        "a journal goes though the answer to a commit was lost",
        "notifications/ledger.py",
        "self.is_in_doubt = self.is_in_doubt or any(recipients for _, recipients in wishes)",
        "pass",
        (GAPS,),
    ),
    "keeps a pace for each worker": Build(
        "every claim may take a second's messages, whatever other workers took",
        THE_PACE,
        "rate_allows(limits.schedule.per_minute, pace.free_at, now)",
        "rate_allows(limits.schedule.per_minute, now, now)",
        (PACE, "test_two_processes"),
    ),
    "keeps its pace where it can be emptied": Build(
        "how much was let go is remembered beside the queue, and forgotten with it",
        THE_PACE,
        '    pace.save(update_fields=["free_at", "taken",',
        '    cache.set("pace", pace.free_at)\n    pace.save(update_fields=["free_at", "taken",',
        (PACE,),
        (
            (THE_PACE, "from django.db import conn", "from django.core.cache import cache\nfrom django.db import conn"),
            (
                THE_PACE,
                "    gate = _gate(limits, pace, now)\n    wanted = ",
                '    pace.free_at = cache.get("pace", now)\n    gate = _gate(limits, pace, now)\n    wanted = ',
            ),
        ),
    ),
    "ignores a domain's limit": Build(
        "one domain gets as much a minute as all together",
        THE_TURNS,
        "most, _ = rate_allows(schedule.per_domain, pace.free_at, now)",
        "most = LOOKED_AT",
        (PACE, "test_two_processes"),
    ),
    "ignores how many are out at once": Build(
        "one domain gets a worker's whole claim at the same time, each time",
        THE_TURNS,
        "schedule.at_once - len(pace.in_hand)",
        "schedule.at_once",
        (DOMAIN,),
    ),
    "does not take up a changed rate": Build(
        "a worker goes by what was approved, whatever a person chose since",
        "notifications/composing.py",
        "schedule = in_force(edition.schedule, edition.rate)",
        "schedule = in_force(edition.schedule, None)",
        (RATE,),
    ),
    "goes on by the old rate": Build(
        "a change begins no new epoch, so that a worker at work never hears of it",
        "notifications/actions/sending.py",
        "locked.epoch += 1",
        "locked.epoch += 0",
        (RATE,),
    ),
    "queues behind turns of the old rate": Build(
        "whoever comes next waits behind turns that were given out before the change",
        THE_PACE,
        "    paces.update(queued_until=None)\n",
        "",
        (RATE, CLOCK),
    ),
    "leaves people where the old rate put them": Build(
        "who was put back waits for a turn of the old numbers",
        "notifications/actions/sending.py",
        'transaction.on_commit(partial(pace.bring_forward, locked.pk, why="rate_changed"), robust=True)',
        "pass",
        (RATE,),
    ),
    "sleeps through a turn": Build(
        "the sweeper looks when it always does, though somebody's turn comes before",
        "notifications/management/commands/run_sweeper.py",
        "or applied else swept.next_in",
        "or applied else sweeping.LOOK_EVERY",
        (PACE,),
    ),
    "waits for the hour of a clock that went back": Build(
        "what stands in the future by the database's mistake stays there",
        "notifications/sweeping.py",
        "    clock.mend()\n",
        "",
        (CLOCK,),
    ),
    "lets a burst go when a clock went back": Build(
        "a pace of the wrong hour begins anew with a second's messages to give away",
        THE_PACE,
        "soon = now + timedelta(seconds=longest_wait(rate))",
        "soon = now",
        (CLOCK,),
    ),
    "ends leases when a clock went back": Build(
        "who works loses the people in its hand",
        "notifications/clock.py",
        '"lease": terms.lease,',
        '"lease": 0.0,',
        (CLOCK,),
    ),
    "lets a slow host hold every connection": Build(
        "no connection takes the place of one that waits for an answer",
        "notifications/sending.py",
        "if late and not self.hosts.are_alone(now):",
        "if False:",
        (DOMAIN,),
    ),
    "gives a silent relay twice the connections": Build(
        "every connection that waits is replaced, also where nothing at all is answered",
        "notifications/sending.py",
        "if self.replaced and self.hosts.quick == self.quick_before:",
        "if False:",
        (DOMAIN,),
    ),
    "lets a late turn go": Build(
        "what a worker has in hand goes whenever it goes on, however long it was held up",
        "notifications/claiming.py",
        "NEVER if may_be_late else began + IN_TIME",
        "NEVER",
        ("test_two_processes",),
    ),
    "mends a wait again and again": Build(
        "whoever is to be tried again comes sooner with every look",
        THE_PACE,
        "settled_at <= next_at AND ",
        "",
        (CLOCK,),
    ),
    "asks nothing of a new connection": Build(
        "a database that answers in the middle of a send is taken for the one it began in",
        "notifications/ledger.py",
        "epochs.demand_same()",
        "pass",
        ("test_epochs",),
    ),
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
        for file, before, after in (*build.also, (build.file, build.before, build.after)):
            _change(copy / file, before, after)
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
