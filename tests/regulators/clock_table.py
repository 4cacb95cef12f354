"""Reads clock_cases.yaml and says which cases come out otherwise. `python -m tests.regulators.clock_table` prints them.

Without Django, so that a child process can run the whole table under another time zone or another date.
"""

import sys
from datetime import UTC, date, datetime, timedelta
from functools import cache
from pathlib import Path
from zoneinfo import ZoneInfo

import yaml

from regulators.catalogue.conditions import AllOfTests
from regulators.catalogue.rules import Clock, Start
from regulators.clocks import Due, due_of
from regulators.facts import Stated

MOMENT = timedelta(microseconds=1)


@cache
def table():
    return yaml.load(Path(__file__).with_name("clock_cases.yaml").read_text(), yaml.BaseLoader)


def groups() -> dict[str, int]:
    return {name: len(cases) for name, cases in table()["cases"].items()}


def faults_in(group: str) -> list[str]:
    """Each with the case, what the law gives and what came out."""
    return [fault for case in table()["cases"][group] for fault in _faults_of(*case)]


def faults_in_readings() -> list[str]:
    return [fault for case in table()["readings"] for fault in _faults_of_readings(*case)]


def due_in(rule: str, stated: dict[str, str], more: dict | None = None, **by) -> Due:
    written, more = table()["rules"][rule], more or {}
    zone = written["zone"]
    starts = {Start(event): Stated(moment(at, zone)) for event, at in stated.items()}
    return due_of(
        Clock.model_validate({"limits": written["limits"], "reading": written["law"]}),
        starts,
        zone=zone,
        owed={Start(event): moment(at, zone) for event, at in more.get("owed", {}).items()},
        applies=lambda test: _answer(test, more.get("answers", {})),
        article=written["law"],
        **{"calendar": written.get("calendar"), **by},
    )


def _answer(test, answers: dict[str, str]) -> bool | None:
    if isinstance(test, AllOfTests):
        parts = {_answer(part, answers) for part in test.all}
        return False if False in parts else None if None in parts else True
    return {"true": True, "false": False}.get(answers.get(test.fact, ""))


def moment(text: str, zone: str) -> datetime:
    """A local time of the zone, or an instant with its own offset."""
    read = datetime.fromisoformat(text)
    return read if read.tzinfo else read.replace(tzinfo=ZoneInfo(zone))


def instant(text: str, zone: str) -> datetime | None:
    if text == "none":
        return None
    if text.startswith("end of "):
        day = date.fromisoformat(text.removeprefix("end of ")) + timedelta(days=1)
        return datetime(day.year, day.month, day.day, tzinfo=ZoneInfo(zone)).astimezone(UTC) - MOMENT
    if text.startswith("until "):
        return moment(text.removeprefix("until "), zone).astimezone(UTC) - MOMENT
    return moment(text, zone).astimezone(UTC)


def _faults_of(rule, what, stated, expected, more=None):
    zone = table()["rules"][rule]["zone"]
    due = due_in(rule, stated, more)
    if due.at != instant(expected, zone):
        yield f"{rule}, {what}: {expected} by the law, and it gave {_local(due.at, zone)}"
    missing = [str(event) for event in due.missing]
    if missing != (more or {}).get("missing", []):
        yield f"{rule}, {what}: it says that {missing} are missing"


def _faults_of_readings(rule, calendar, what, stated, expected):
    zone = table()["rules"][rule]["zone"]
    found = {reading.name: reading.at for reading in due_in(rule, stated, calendar=calendar, by_1182=True).readings}
    if found != {name: instant(text, zone) for name, text in expected.items()}:
        yield f"{rule}, {what}: {expected} by the law, and it gave {found}"


def _local(at, zone):
    return at.astimezone(ZoneInfo(zone)).isoformat() if at else "no date"


if __name__ == "__main__":
    found = [fault for group in groups() for fault in faults_in(group)] + faults_in_readings()
    print(*found, sep="\n")
    here = datetime.now(UTC).astimezone()
    print(f"{sum(groups().values())} cases, {len(found)} faults, here it is {here:%Y %z}")
    sys.exit(bool(found))
