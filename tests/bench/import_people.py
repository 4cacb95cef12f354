"""Taking in a list of people, beside COPY of the same file into a table with the same indexes, which is the limit of
the machine, and beside django-import-export.

    python -m tests.bench.import_people [people ...] [--rounds N] [--keep]

Without numbers: 43,000, 430,000 and 4,300,000 people. Each round of each size has servers and a database of its own,
and each measurement a process of its own, one after the other, so that nothing but the size differs.

- ours: the whole flow, by the command that does what the page does: the file sealed, its columns guessed and confirmed,
  read, validated, merged, each person sealed and indexed, every row watched by the gate, accepted and taken in.
- raw: COPY of the file as it is. PostgreSQL refuses a file with a NUL or a wrong number of columns, so this is the file
  without its broken rows.
- peer: django-import-export on the same file as raw, at most 43,000 rows of it.

Memory is that of the process and of those it began, at their peak together: each page by the share that a process has
of it (PSS), so that what a forked process shares is counted once.

Judged are the aims of the product: the share of raw at 430,000, the memory and its growth, and the time's growth.
`--keep` adds the result to tests/bench/results/.
"""

import argparse
import csv
import json
import time
from itertools import islice, pairwise
from pathlib import Path
from statistics import median
from typing import Any

from tests.bench.measuring import child, installation, keep, memory_together, peak_memory_mb, run_if_child

MODULE = "tests.bench.import_people"
SIZES = (43_000, 430_000, 4_300_000)
JUDGED_AT = 430_000
MOST_FOR_PEER = 43_000
LEAST_SHARE_OF_RAW = 0.4
MOST_MEMORY_MB = 200
MOST_MEMORY_GROWTH = 1.1
MOST_SECONDS_PER_ROW_GROWTH = 1.1  # no more than linear, and a tenth for the disk's moods


def main(sizes: list[int], rounds: int, is_kept: bool) -> int:
    results: dict[str, Any] = {"rounds": rounds, "sizes": {}}
    for people in sizes:
        results["sizes"][str(people)] = measured = _compare(people, rounds)
        print(json.dumps({people: measured}, indent=1), flush=True)
    results["judged"] = _judged(results["sizes"])
    print(json.dumps(results["judged"], indent=1))
    if is_kept:
        keep(f"import-{max(sizes)}", results)
    return 0 if all(results["judged"].values()) else 1


def _compare(people: int, rounds: int) -> dict[str, Any]:
    """The kinds take turns, because the disk is not equally quick in every minute; the median round counts."""
    turns: dict[str, list[dict[str, Any]]] = {"raw": [], "ours": [], "peer": []}
    for number in range(rounds):
        with installation("tests.bench.settings") as place:
            _measure_round(place.folder, people, turns, with_peer=number == 0)
    results: dict[str, Any] = {name: _median(measured) for name, measured in turns.items()}
    ours = results["ours"]["rows_per_second"]
    results["share_of_raw"] = round(ours / results["raw"]["rows_per_second"], 2)
    results["times_peer"] = round(ours / results["peer"]["rows_per_second"], 1)
    return results


def _measure_round(folder: Path, people: int, turns: dict[str, list[dict[str, Any]]], *, with_peer: bool) -> None:
    from breachdesk.embedded.invented_people import write_people

    expected = write_people(folder / "people.csv", people)
    _without_broken_rows(folder / "people.csv", folder / "raw.csv")
    reference = child(MODULE, "prepare", folder)["reference"]
    turns["raw"].append(child(MODULE, "raw", folder))
    turns["ours"].append(child(MODULE, "ours", folder, reference))
    _refuse_other_counts(turns["ours"][-1], expected.rows, expected.people)
    if with_peer:
        turns["peer"].append(child(MODULE, "peer", folder))


def _refuse_other_counts(counted: dict[str, Any], rows: int, people: int) -> None:
    if (counted["rows"], counted["people"]) != (rows, people):
        raise SystemExit(f"The file has {rows:,} rows about {people:,} people, and the import says {counted}.")


def _median(measured: list[dict[str, Any]]) -> dict[str, Any]:
    """The round whose time is in the middle, with the most memory of any."""
    middle = median(one["seconds"] for one in measured)
    nearest = min(measured, key=lambda one: abs(one["seconds"] - middle))
    return nearest | {"memory_mb": max(one["memory_mb"] for one in measured)}


def _judged(sizes: dict[str, dict[str, Any]]) -> dict[str, bool]:
    """Which of the aims were reached; only what these sizes can tell."""
    ours = [measured["ours"] for _, measured in sorted(sizes.items(), key=lambda size: int(size[0]))]
    memory = [one["memory_mb"] for one in ours]
    judged = {"memory": max(memory) <= MOST_MEMORY_MB, "memory_growth": max(memory) <= MOST_MEMORY_GROWTH * min(memory)}
    if at_size := sizes.get(str(JUDGED_AT)):
        judged["share_of_raw"] = at_size["share_of_raw"] >= LEAST_SHARE_OF_RAW
    judged["linear"] = all(
        more["seconds"] / more["rows"] <= MOST_SECONDS_PER_ROW_GROWTH * less["seconds"] / less["rows"]
        for less, more in pairwise(ours)
    )
    return judged


def _without_broken_rows(whole: Path, raw: Path) -> None:
    with whole.open(newline="", encoding="utf-8") as source, raw.open("w", newline="", encoding="utf-8") as target:
        rows = csv.reader(source)
        heading = next(rows)
        writer = csv.writer(target)
        writer.writerow(heading)
        writer.writerows(row for row in rows if len(row) == len(heading) and "\x00" not in "".join(row))


def prepare(folder: Path) -> dict[str, Any]:
    """A case for our people, and empty tables for the others."""
    from django.core.management import call_command
    from django.db import connection

    from breachdesk.embedded.invented_people import HEADINGS
    from tests.factories import make_incident

    call_command("migrate", verbosity=0)
    incident = make_incident()
    with connection.cursor() as cursor:
        columns = ", ".join(f"{heading} text" for heading in HEADINGS)
        cursor.execute("DROP TABLE IF EXISTS bench_raw")
        cursor.execute(
            f"""CREATE TABLE bench_raw (id uuid PRIMARY KEY DEFAULT gen_random_uuid(), incident_id uuid NOT NULL
            DEFAULT '{incident.pk}' REFERENCES incidents_incident DEFERRABLE INITIALLY DEFERRED, {columns})"""
        )
        for index in ("customer_id", "email", "email, last_name, first_name"):
            cursor.execute(f"CREATE INDEX ON bench_raw (incident_id, {index})")
    return {"reference": incident.reference}


def raw(folder: Path) -> dict[str, Any]:
    from django.db import connection

    from breachdesk.embedded.invented_people import HEADINGS

    _settle()
    began = time.perf_counter()
    with connection.cursor() as cursor, (folder / "raw.csv").open("rb") as file:
        with cursor.copy(f"COPY bench_raw ({', '.join(HEADINGS)}) FROM STDIN (FORMAT CSV, HEADER)") as copy:
            while piece := file.read(1 << 20):
                copy.write(piece)
        rows = cursor.rowcount
    return _measured(rows, began)


def ours(folder: Path, reference: str) -> dict[str, Any]:
    from io import StringIO

    from django.core.management import call_command

    _settle()
    output = StringIO()
    began = time.perf_counter()
    with memory_together() as memory:
        call_command(
            "import_people", reference, str(folder / "people.csv"), explain_all="Invented.", json=True, stdout=output
        )
    counts = json.loads(output.getvalue())
    result = _measured(counts["rows"], began) | {"people": counts["people"], "reading_seconds": counts["seconds"]}
    return result | {"memory_mb": memory.peak_mb}


def peer(folder: Path) -> dict[str, Any]:
    """In a transaction, as ours: all or nothing."""
    from uuid import uuid4

    from django.db import connection, transaction
    from tablib import Dataset  # type: ignore[import-untyped]

    from tests.bench.peer import Customer, CustomerResource

    with connection.schema_editor() as editor:
        editor.create_model(Customer)
    _settle()
    began = time.perf_counter()
    with (folder / "raw.csv").open(newline="", encoding="utf-8") as file:
        rows = csv.reader(file)
        dataset = Dataset(headers=next(rows))
        dataset.extend(islice(rows, MOST_FOR_PEER))
    with transaction.atomic():
        CustomerResource(str(uuid4())).import_data(dataset, use_transactions=True)
    return _measured(len(dataset), began) | {"people": Customer.objects.count()}


def _settle() -> None:
    """What others wrote is on the disk before the clock starts."""
    from django.db import connection

    with connection.cursor() as cursor:
        cursor.execute("CHECKPOINT")


def _measured(rows: int, began: float) -> dict[str, Any]:
    seconds = time.perf_counter() - began
    return {
        "rows": rows,
        "seconds": round(seconds, 2),
        "rows_per_second": round(rows / seconds),
        "memory_mb": peak_memory_mb(),
    }


if __name__ == "__main__":
    run_if_child({"prepare": prepare, "raw": raw, "ours": ours, "peer": peer})
    parser = argparse.ArgumentParser(description=(__doc__ or "").partition("\n\n")[0])
    parser.add_argument("people", nargs="*", type=int, default=list(SIZES))
    parser.add_argument("--rounds", type=int, default=1)
    parser.add_argument("--keep", action="store_true", help="add the result to tests/bench/results/")
    asked = parser.parse_args()
    raise SystemExit(main(asked.people, asked.rounds, asked.keep))
