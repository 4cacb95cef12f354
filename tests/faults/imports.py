"""Imports under fire: the worker, or PostgreSQL itself, is killed at a random moment of reading a list, taking it in or
taking it out again.

    python -m tests.faults.imports [schedules] [--seed N] [--keep]

Each schedule takes one list through its whole life, on top of a list that was there before and that it changes, and
shoots once. Afterwards:

- all or nothing: the people are exactly those of before or exactly those of afterwards, opened and compared with what
  Python made of the same rows; nothing half-done lies in any table, seen or not;
- what was not finished still has its sealed file, and what beat does begins it again; the repeat comes to its end;
- the repeat adds nothing, and neither does one more: one event of each kind for each list, and every sum holds.
"""

import argparse
import json
import os
import random
import signal
import sys
import time
from collections import Counter
from collections.abc import Callable
from contextlib import suppress
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any
from uuid import UUID

from breachdesk.embedded import postgres, servers
from breachdesk.embedded.processes import end_session, launch
from tests.bench.measuring import installation, keep

RESULTS = Path(__file__).parent / "results"
HEADING = "customer_id,name,email,street,data_exposed\n"
KNOWN, NEW, BROKEN = 300, 1_200, 20
WORKS = {"reading": "checked", "taking in": "loaded", "taking out": "left"}
PATIENCE = 90.0  # seconds
LATEST = 1.15  # of the time that the work takes unharmed: some shots come too late, and then nothing may be undone


@dataclass(frozen=True)
class Shot:
    work: str
    target: str
    moment: float  # as a share of the time the work takes


@dataclass
class Field:
    folder: Path
    running: servers.Servers
    seconds: dict[str, float] = field(default_factory=dict)
    results: Counter[str] = field(default_factory=Counter)

    def kill_database(self) -> None:
        """SIGKILL of the main process; its children notice and go. Then it recovers from its write-ahead log."""
        program, process = self.running.running[0]
        process.kill()
        process.wait()
        end_session(process)
        deadline = time.monotonic() + PATIENCE
        while process.poll() is not None or not postgres.is_ready(self.running.state):
            assert time.monotonic() < deadline, (self.folder / "database.log").read_text()[-2_000:]
            if process.poll() is not None:  # killed, or refused while a child of the killed one holds its memory
                postgres.end_earlier_postgres(self.running.state)
                with (self.folder / "database.log").open("ab") as log:
                    process = launch(program, log)
                self.running.running[0] = program, process
            time.sleep(0.05)


def main(schedules: int, seed: int, is_kept: bool) -> int:
    chance = random.Random(seed)
    works = [work for work in WORKS for _ in range(-(-schedules // len(WORKS)))][:schedules]
    shots = [Shot(work, chance.choice(["worker", "database"]), chance.uniform(0, LATEST)) for work in works]
    with installation() as place:
        assert place.running.running, "only servers of its own are shot at"
        import django

        django.setup()
        fire, wrong = Field(place.folder, place.running), []
        began = time.monotonic()
        campaign = Campaign(fire)
        for number, shot in enumerate(shots):
            wrong += [f"schedule {number} ({shot}): {fault}" for fault in campaign.play(number, shot)]
            print(f"{number + 1} of {schedules}, {len(wrong)} wrong", file=sys.stderr)
    results = {
        "schedules": schedules,
        "seed": seed,
        "seconds": round(time.monotonic() - began),
        "rows": KNOWN + NEW + BROKEN,
        "unharmed_seconds": {work: round(seconds, 3) for work, seconds in fire.seconds.items()},
        "shots": dict(Counter(f"{shot.work}, {shot.target} killed" for shot in shots)),
        "found": dict(sorted(fire.results.items())),
        "wrong": wrong,
    }
    print(json.dumps(results, indent=1))
    if is_kept:
        keep(f"imports-{schedules}", results, RESULTS)
    return 1 if wrong else 0


class Campaign:
    """One incident with one list; each schedule brings a second one, and takes it out again."""

    def __init__(self, fire: Field) -> None:
        from django.core.management import call_command

        from tests.factories import make_incident, make_people, make_user

        call_command("migrate", verbosity=0)
        self.fire, self.by = fire, make_user("responder")
        self.incident = make_incident()
        first = HEADING + "".join(f"{n},Ana N{n},ana{n}@home.test,1 Quay,name\n" for n in range(KNOWN))
        make_people(self.incident, first, by=self.by)
        self.before = {(str(n), f"Ana N{n}", f"ana{n}@home.test", "1 Quay", ("name",)) for n in range(KNOWN)}
        for work in WORKS:
            fire.seconds[work] = 0.0
        self.play(-1, Shot("", "", 0.0))  # unharmed, so that the times are known

    def play(self, number: int, shot: Shot) -> list[str]:
        """What was wrong with the list's life."""
        from breachdesk.people.actions import accept_upload, undo_upload
        from tests.factories import make_upload, match_upload

        text, after = self._list(number)
        upload = match_upload(make_upload(self.incident, text, by=self.by), "update")
        faults = self._work(upload.pk, "reading", shot, self.before, self.before)
        upload.refresh_from_db()
        explained = {signal["key"]: "The carrier confirmed it." for signal in upload.signals}
        accept_upload(upload, explained, by=self.by, ring=False)
        faults += self._work(upload.pk, "taking in", shot, self.before, after)
        undo_upload(upload, reason="The next schedule comes.", by=self.by, ring=False)
        leaving = {row for row in after if int(row[0]) < KNOWN}  # its own people do not count while it leaves
        faults += self._work(upload.pk, "taking out", shot, leaving, self.before)
        return faults

    def _list(self, number: int) -> tuple[str, set[tuple[Any, ...]]]:
        """Newer data of everybody known, new people, one of them twice, and rows that are broken."""
        street = f"{number + 2} Mill"
        newer = [(str(n), f"Ana N{n}", f"new{n}@home.test", street, "name;health") for n in range(KNOWN)]
        new = [(str(n), f"Bo N{n}", f"bo{n}@home.test", street, "orders") for n in range(KNOWN, KNOWN + NEW - 1)]
        rows = [*newer, *new, new[0], *[("", "Cy", "no address", "", "")] * BROKEN]
        after = {(*row[:4], tuple(row[4].split(";"))) for row in (*newer, *new)}
        return HEADING + "".join(",".join(row) + "\n" for row in rows), after

    def _work(
        self, upload: UUID, work: str, shot: Shot, before: set[tuple[Any, ...]], after: set[tuple[Any, ...]]
    ) -> list[str]:
        if work != shot.work:
            began = time.monotonic()
            self._run(upload)
            self.fire.seconds[work] = self.fire.seconds[work] or time.monotonic() - began
            return self._look(upload, work, after, is_done=True)
        self._shoot(upload, shot)
        is_done = self._is_done(upload, work)
        self.fire.results[f"{work}: {'done before the shot' if is_done else 'nothing was done'}"] += 1
        faults = self._look(upload, work, after if is_done else before, is_done=is_done)
        if not is_done:
            faults += self._begin_again(upload)
        faults += self._look(upload, work, after, is_done=True)
        self._run(upload)
        return faults + self._look(upload, work, after, is_done=True)

    def _shoot(self, upload: UUID, shot: Shot) -> None:
        """The worker is a process of its own, forked warm: the shot meets the work and not the start of Python."""
        from django.db import connections

        connections.close_all()
        worker = os.fork()
        if not worker:
            with suppress(BaseException):
                self._run(upload)
            os._exit(0)
        time.sleep(shot.moment * self.fire.seconds[shot.work])
        if shot.target == "database":
            self.fire.kill_database()
        with suppress(ProcessLookupError):
            os.kill(worker, signal.SIGKILL)
        os.waitpid(worker, 0)

    def _run(self, upload: UUID) -> None:
        from breachdesk.people.working import work_on_upload

        work_on_upload(upload)

    def _begin_again(self, upload: UUID) -> list[str]:
        """As beat does, once the lease has lapsed."""
        from datetime import timedelta

        from django.utils import timezone

        from breachdesk.people.models import Reading, Upload
        from tests.factories import unguarded

        _settle()
        long_ago = timezone.now() - timedelta(minutes=5)
        with unguarded():
            Upload.objects.filter(pk=upload).update(rung_at=long_ago)
        Reading.objects.filter(upload=upload).update(lease_until=long_ago)
        if not Upload.objects.stalled_at(timezone.now()).filter(pk=upload).exists():
            return ["beat would not begin it again"]
        self._run(upload)
        return []

    def _is_done(self, upload: UUID, work: str) -> bool:
        from breachdesk.people.models import Upload

        _settle()
        states = {"reading": "checked", "taking in": "loaded", "taking out": "gone"}
        return Upload.objects.get(pk=upload).state == states[work]

    def _look(self, upload_id: UUID, work: str, people: set[tuple[Any, ...]], *, is_done: bool) -> list[str]:
        from breachdesk.audit.models import Event
        from breachdesk.people.models import Person, PersonMatch, RejectedRow, Upload
        from breachdesk.people.uploads import sealed_path

        upload = Upload.objects.get(pk=upload_id)
        is_there = is_done if work != "taking out" else not is_done
        is_there |= work == "taking in"  # its rows lie there, whether they count or not
        rows = (NEW - 1, KNOWN + 1, BROKEN) if is_there else (0, 0, 0)
        found = tuple(model.objects.filter(upload=upload).count() for model in (Person, PersonMatch, RejectedRow))
        events = Event.objects.of_type(f"upload.{WORKS[work]}").on_objects([str(upload.pk)]).count()
        needs_file = upload.state not in (Upload.State.LOADED, Upload.State.LEAVING, Upload.State.GONE)
        checks: dict[str, Callable[[], bool]] = {
            "the people are neither those of before nor those of afterwards": lambda: self._people() == people,
            f"its rows are {found} instead of {rows}": lambda: found == rows,
            f"there are {events} events of its end": lambda: events == is_done,
            "the sums do not hold": lambda: not is_there or upload.state == "reading" or _adds_up(upload),
            "its sealed file is gone too early": lambda: not needs_file or sealed_path(upload.pk).exists(),
        }
        return [
            f"{work}, {'done' if is_done else 'not done'}: {fault}" for fault, holds in checks.items() if not holds()
        ]

    def _people(self) -> set[tuple[Any, ...]]:
        """Everybody affected, opened; none of them twice."""
        from breachdesk.people.models import Person
        from breachdesk.people.personal import personal_of
        from breachdesk.vault.sealing import cipher_for

        cipher = cipher_for(self.incident.pk)
        opened = [(personal_of(cipher, person), person) for person in Person.objects.of(self.incident)]
        keys = ("reference", "full_name", "email", "street")
        people = [(*(personal[key] for key in keys), tuple(person.kinds)) for personal, person in opened]
        return set(people) if len(set(people)) == len(people) else {("somebody is there twice",)}


def _adds_up(upload: Any) -> bool:
    return upload.rows_read == upload.rows_valid + upload.rows_repeated + upload.rows_rejected == KNOWN + NEW + BROKEN


def _settle() -> None:
    """A new connection, once what the dead worker left in the database has ended, too."""
    from django.db import Error, connection

    left: list[Any] = []
    deadline = time.monotonic() + PATIENCE
    while time.monotonic() < deadline:
        try:
            connection.close()
            with connection.cursor() as cursor:
                cursor.execute(OTHERS)
                left = cursor.fetchall()
            if not left:
                return
        except Error:
            pass
        time.sleep(0.02)
    raise AssertionError(f"somebody is still connected to the database: {left}")


OTHERS = """
SELECT pid, state, wait_event_type, wait_event, now() - state_change, left(query, 100) FROM pg_stat_activity
WHERE datname = current_database() AND backend_type = 'client backend' AND pid <> pg_backend_pid()
"""


if __name__ == "__main__":
    parser = argparse.ArgumentParser()
    parser.add_argument("schedules", type=int, nargs="?", default=100)
    parser.add_argument("--seed", type=int, default=4)
    parser.add_argument("--keep", action="store_true")
    given = parser.parse_args()
    raise SystemExit(main(given.schedules, given.seed, given.keep))
