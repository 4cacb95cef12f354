"""The tables that the repository keeps of what runs for hours: complete, sound, and with what the aims ask for."""

import json
import re
from collections import Counter
from pathlib import Path
from typing import Any

from tests.faults.sending_plan import plan_of
from tests.faults.smtp_faults import FAULTS, VERBS

TESTS = Path(__file__).parent.parent
HAPPENED = {
    "kill", "freeze", "thaw", "deploy", "flush", "fill memory", "free memory", "restore snapshot", "cut off",
    "fill disk", "free disk", "clock", "clock of", "reports", "press", "ring", "ask for tls", "no more tls",
    "change rate", "answer after",
}  # fmt: skip
KILLED = {"worker", "worker 2", "web", "beat", "sweeper", "sequencer", "signer", "redis", "database"}
NAMED = {"resends unknowns", "settles before the 250", "drops the token check", "ignores cancel"}
NAMED |= {"moves a checkpoint on read"}


def table(name: str) -> Any:
    return json.loads((TESTS / name).read_text())


def test_fifty_schedules_of_five_thousand_met_every_fault_and_broke_nothing() -> None:
    kept = table("faults/results/sending-5000.json")
    schedules = kept["schedules"]
    assert (kept["people"], kept["wrong"]) == (5_000, {})
    assert len({one["seed"] for one in schedules}) == len(schedules) >= 50
    assert all(one["commit"] and one["wrong"] == [] for one in schedules)
    assert {fault for one in schedules for fault in one["smtp"]} == {*FAULTS, *VERBS}
    assert set(kept["happened"]) == HAPPENED
    assert kept["clock"] == "moved"
    met = [one for schedule in schedules for one in plan_of(schedule["seed"], 5_000).happenings]
    assert {one.words[0] for one in met if one.act == "kill"} == KILLED
    assert {one.words[0] for one in met if one.act == "freeze"} == KILLED


def test_each_broken_build_was_caught_by_a_test_that_is_there() -> None:
    kept = table("faults/results/broken.json")
    assert kept["not_caught"] == []
    assert kept["builds"].keys() >= NAMED
    for name in NAMED:
        assert kept["builds"][name]["caught_by"], name
        for caught in kept["builds"][name]["caught_by"]:
            file, _, test = caught.partition("::")
            source = (TESTS / "notifications" / file).read_text()
            assert f"def {test.partition('[')[0]}(" in source, f"{name}: {caught}"


def test_the_bench_has_every_row_it_was_asked_for() -> None:
    kept = table("bench/results/send-60000.json")
    rows = kept["rows"]
    assert {"raw x8", "django-post-office", "django-mailer", "Celery, a task each"} <= rows.keys()
    ours = [re.fullmatch(r"ours (\d+)x(\d+) window (\d+)( 20 ms)?", name) for name in rows if name.startswith("ours")]
    named = Counter((found[1], bool(found[4])) for found in ours if found)
    assert {("1", False), ("2", False), ("3", False), ("1", True), ("2", True)} <= named.keys()
    for name, row in rows.items():
        told = ("per_second", "sender_cpu_ms", "database_cpu_ms", "wal_bytes", "memory_mb", "doubles")
        assert all(column in row for column in told), name
        assert row["doubles"] == 0, name
    assert re.match(r"smtp_sink.c: \d+ a second by itself", kept["sink"])
    whole = table("bench/results/send-whole-430000.json")
    assert whole["430000"]["doubles"] == 0
    assert whole["viewers"] == 20
    assert max(whole[size]["memory_mb"] for size in ("43000", "430000")) < 200
    assert whole["430000"]["per_second"] >= 0.9 * whole["43000"]["per_second"]
