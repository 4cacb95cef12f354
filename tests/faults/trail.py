"""The trail under fire: 16 writers, two sequencers and a signer, one of which, or the database, dies every few seconds.

    python -m tests.faults.trail [seconds] [--every S] [--keep]

Each writer notes an event before its COMMIT and again once the COMMIT has returned. In the middle the database's clock
jumps an hour ahead, a day ahead and back (where libfaketime is installed). Afterwards:

- every event whose COMMIT returned is in the log exactly once; none is there that nobody began to write;
- positions run from 0 without a gap, each incident's numbers from 1; nothing waits any more;
- the whole trail and all its checkpoints verify, and the lag is gone soon after the last fault.
"""

import argparse
import json
import random
import subprocess
import sys
import time
from collections import Counter
from collections.abc import Callable
from contextlib import suppress
from dataclasses import dataclass, field, replace
from itertools import cycle
from pathlib import Path
from typing import Any

from breachdesk.embedded import postgres, servers
from breachdesk.embedded.processes import end_session, launch
from tests.bench.measuring import installation, keep, run_if_child, start_child

MODULE = "tests.faults.trail"
RESULTS = Path(__file__).parent / "results"
WRITERS = 16
STOP = "stop"
RECOVERY = 60.0  # seconds the lag may take to go
JUMPS = ("+1h", "+1d", "+0")
FAKETIME = sorted(Path("/usr/lib").glob("*/faketime/libfaketime.so.1"))
COMMANDS = {"sequencer": "run_sequencer", "second sequencer": "run_sequencer", "signer": "run_signer"}


@dataclass
class Field:
    """What can be shot at, and how often it was."""

    folder: Path
    running: servers.Servers
    parts: dict[str, "subprocess.Popen[bytes]"] = field(default_factory=dict)
    kills: Counter[str] = field(default_factory=Counter)

    def start(self, name: str) -> None:
        command = [sys.executable, "manage.py", COMMANDS[name]]
        with (self.folder / f"{name}.log").open("ab") as log:
            self.parts[name] = subprocess.Popen(command, stdout=log, stderr=log)

    def kill(self, name: str) -> None:
        self.kills[name] += 1
        if name == "database":
            self._kill_database()
            return
        self.parts[name].kill()
        self.parts[name].wait()
        self.start(name)

    def _kill_database(self) -> None:
        """SIGKILL of the main process; its children notice and go. Then it recovers from its write-ahead log."""
        program, process = self.running.running[0]
        process.kill()
        process.wait()
        end_session(process)
        postgres.end_earlier_postgres(self.running.state)
        with (self.folder / "database.log").open("ab") as log:
            self.running.running[0] = program, launch(program, log)
        _wait_until("the database answers", lambda: postgres.is_ready(self.running.state))

    def stop(self) -> None:
        for process in self.parts.values():
            process.terminate()
        for process in self.parts.values():
            process.wait()


def main(seconds: float, every: float, is_kept: bool) -> int:
    with installation() as place:
        results = _campaign(Field(place.folder, place.running), seconds, every)
    print(json.dumps(results, indent=1))
    if is_kept:
        keep(f"trail-{round(seconds)}s", results, RESULTS)
    return 1 if results["wrong"] else 0


def _campaign(fire: Field, seconds: float, every: float) -> dict[str, Any]:
    incidents = json.loads(start_child(MODULE, "prepare", fire.folder).communicate()[0])["incidents"]
    clock = Clock(fire) if FAKETIME else None
    for name in COMMANDS:
        fire.start(name)
    writers = [start_child(MODULE, "write", fire.folder, n, *incidents) for n in range(WRITERS)]
    _wait_until("every writer has begun", lambda: len(list(fire.folder.glob("journal-*"))) == WRITERS)
    _shoot(fire, clock, time.time() + seconds, every)
    (fire.folder / STOP).touch()
    for writer in writers:
        writer.wait()
    calm = time.monotonic()
    found = json.loads(start_child(MODULE, "settle", fire.folder).communicate()[0])
    fire.stop()
    checked = json.loads(start_child(MODULE, "check", fire.folder).communicate()[0])
    return {
        "seconds": seconds,
        "writers": WRITERS,
        "kills": dict(fire.kills),
        "clock": list(JUMPS) if clock else "not moved: libfaketime is not installed",
        "recovered_after_seconds": round(found["at"] - calm, 1),
        **checked,
    }


def _shoot(fire: Field, clock: "Clock | None", until: float, every: float) -> None:
    targets = cycle(["database", *COMMANDS])
    jumps = list(JUMPS) if clock else []
    quarter = (until - time.time()) / (len(JUMPS) + 1)
    next_jump = time.time() + quarter
    while time.time() + every < until:
        time.sleep(every)
        fire.kill(next(targets))
        if clock and jumps and time.time() > next_jump:
            clock.jump(jumps.pop(0))
            next_jump += quarter


class Clock:
    """The database's own clock; the writers keep the right time."""

    def __init__(self, fire: Field) -> None:
        program, process = fire.running.running[0]
        self.file = fire.running.state / "postgres" / "clock"
        self.jump("+0")
        faked = {
            "LD_PRELOAD": str(FAKETIME[0]),
            "FAKETIME_TIMESTAMP_FILE": "/proc/self/cwd/clock",
            "FAKETIME_NO_CACHE": "1",
            "FAKETIME_DONT_FAKE_MONOTONIC": "1",
        }
        fire.running.running[0] = replace(program, environment={**program.environment, **faked}), process
        fire.kill("database")
        fire.kills.clear()

    def jump(self, to: str) -> None:
        self.file.write_text(f"{to}\n")
        self.file.chmod(0o644)


def _wait_until(what: str, is_so: Callable[[], bool], within: float = 60.0) -> None:
    deadline = time.monotonic() + within
    while not is_so():
        assert time.monotonic() < deadline, f"In {within:g} seconds it did not come so far that {what}."
        time.sleep(0.05)


def prepare(folder: Path) -> dict[str, Any]:
    from django.core.management import call_command

    from tests.factories import make_incident

    call_command("migrate", verbosity=0)
    call_command("make_signing_key", verbosity=0)
    return {"incidents": [str(make_incident().pk) for _ in range(5)]}


def write(folder: Path, number: str, *incidents: str) -> dict[str, Any]:
    """Changes facts until it is told to stop; whatever the database says, it begins again."""
    from django.db import Error, connection, transaction

    from breachdesk.accounts.models import User
    from breachdesk.audit.record import record
    from breachdesk.incidents.models import Incident

    by, written = User.objects.earliest("pk"), 0
    with (folder / f"journal-{number}").open("a", buffering=1) as journal:
        while not (folder / STOP).exists():
            try:
                with transaction.atomic():
                    incident = Incident.objects.select_for_update(no_key=True).get(pk=random.choice(incidents))
                    incident.what_happened, incident.version = f"{number}, {written}", incident.version + 1
                    incident.save(update_fields=["what_happened", "version"])
                    private = {"what_happened": incident.what_happened}
                    event = record(
                        "incident.facts_changed", by=by, on=incident, private=private, fields=["what_happened"]
                    )
                    journal.write(f"begun {event.event_id}\n")
                journal.write(f"committed {event.event_id}\n")
                written += 1
            except Error:
                connection.close()
                time.sleep(0.2)
    return {"written": written}


def settle(folder: Path) -> dict[str, Any]:
    """Waits for the sequencer and the signer that run, and says when nothing was left to do."""
    from django.db import Error, connection

    from breachdesk.audit.entries import log_size
    from breachdesk.audit.models import Checkpoint, Pending

    def is_done() -> bool:
        with suppress(Error):
            return not Pending.objects.exists()
        connection.close()
        return False

    _wait_until("nothing waits for the sequencer", is_done, RECOVERY)
    at = time.monotonic()
    size = log_size()
    _wait_until("a checkpoint covers it", lambda: Checkpoint.objects.filter(size__gte=size).exists(), 2 * RECOVERY)
    return {"at": at}


def check(folder: Path) -> dict[str, Any]:
    from breachdesk.audit.models import Checkpoint, Entry, Event
    from breachdesk.audit.verification import verify

    begun, committed = _journals(folder)
    written = Event.objects.of_type("incident.facts_changed").values_list("event_id", flat=True)
    events = {str(event) for event in written}
    linked = Counter(str(event) for event in Entry.objects.values_list("event_id", flat=True))
    report = verify()
    wrong = {
        "nothing was written": not committed,
        "events lost": len(committed - linked.keys()),
        "events twice": sum(number > 1 for number in linked.values()),
        "events nobody began": len(events - begun),
        "events not linked": len(events - linked.keys()),
        "signatures refused": Event.objects.of_type("checkpoint.refused").count(),
        "trail": report.finding.sentence if report.finding else "" if report.verdict == "VALID" else report.verdict,
        **_gaps(),
    }
    return {
        "committed": len(committed),
        "in_doubt_and_kept": len(events - committed),
        "entries": sum(linked.values()),
        "checkpoints": Checkpoint.objects.count(),
        "clock_anomalies": Event.objects.of_type("clock.anomaly").count(),
        "verdict": report.verdict,
        "wrong": {what: found for what, found in wrong.items() if found},
    }


def _gaps() -> dict[str, int]:
    from django.db import connection

    with connection.cursor() as cursor:
        cursor.execute("SELECT coalesce(max(idx) + 1, 0) - count(*) FROM audit_entry")
        positions = cursor.fetchone()[0]
        cursor.execute(
            """SELECT count(*) FROM (SELECT FROM audit_entry WHERE incident IS NOT NULL
               GROUP BY incident HAVING max(inc_n) <> count(*)) AS broken"""
        )
        return {"gaps in positions": positions, "incidents with gaps": cursor.fetchone()[0]}


def _journals(folder: Path) -> tuple[set[str], set[str]]:
    lines = [line.split() for path in folder.glob("journal-*") for line in path.read_text().splitlines()]
    return {event for word, event in lines if word == "begun"}, {event for word, event in lines if word == "committed"}


TASKS = {task.__name__: task for task in (prepare, write, settle, check)}

if __name__ == "__main__":
    run_if_child(TASKS)
    parser = argparse.ArgumentParser()
    parser.add_argument("seconds", type=float, nargs="?", default=60)
    parser.add_argument("--every", type=float, default=5)
    parser.add_argument("--keep", action="store_true")
    given = parser.parse_args()
    raise SystemExit(main(given.seconds, given.every, given.keep))
