"""Loading a list of people, beside COPY of the same file into a table with the same indexes: the limit of the machine.

    python -m tests.bench.import_people [people]

Both run in one process each, one after the other, on the same server. The raw table holds the file as it is; PostgreSQL
refuses a file with a NUL or a wrong number of columns, so the raw file is the same one without its broken rows.
"""

import csv
import json
import sys
import time
from pathlib import Path

from tests.bench.measuring import child, installation, peak_memory_mb

MODULE = "tests.bench.import_people"
LEAST_SHARE_OF_RAW = 0.25
MOST_MEMORY_MB = 300


def main(people: int) -> int:
    with installation() as place:
        return _compare(place.folder, people)


def _compare(folder: Path, people: int) -> int:
    from breachdesk.embedded.invented_people import write_people

    expected = write_people(folder / "people.csv", people)
    _without_broken_rows(folder / "people.csv", folder / "raw.csv")
    reference = child(MODULE, "prepare", folder)["reference"]
    raw = child(MODULE, "raw", folder)
    ours = child(MODULE, "ours", folder, reference)
    assert (ours["rows"], ours["people"]) == (expected.rows, expected.people), "the counts must be exact"
    share = ours["rows_per_second"] / raw["rows_per_second"]
    print(json.dumps({"raw": raw, "ours": ours, "share_of_raw": round(share, 2)}, indent=1))
    return 0 if share >= LEAST_SHARE_OF_RAW and ours["memory_mb"] <= MOST_MEMORY_MB else 1


def _without_broken_rows(whole: Path, raw: Path) -> None:
    with whole.open(newline="", encoding="utf-8") as source, raw.open("w", newline="", encoding="utf-8") as target:
        rows = csv.reader(source)
        heading = next(rows)
        writer = csv.writer(target)
        writer.writerow(heading)
        writer.writerows(row for row in rows if len(row) == len(heading) and "\x00" not in "".join(row))


def prepare() -> dict[str, object]:
    from django.core.management import call_command
    from django.db import connection

    from breachdesk.embedded.invented_people import HEADINGS
    from tests.factories import make_incident

    call_command("migrate", verbosity=0)
    incident = make_incident()
    with connection.cursor() as cursor:
        columns = ", ".join(f"{heading} text" for heading in HEADINGS)
        cursor.execute(
            f"""CREATE TABLE bench_raw (id uuid PRIMARY KEY DEFAULT gen_random_uuid(), incident_id uuid NOT NULL
            DEFAULT '{incident.pk}' REFERENCES incidents_incident DEFERRABLE INITIALLY DEFERRED, {columns})"""
        )
        for index in ("customer_id", "email", "email, last_name, first_name"):
            cursor.execute(f"CREATE INDEX ON bench_raw (incident_id, {index})")
    return {"reference": incident.reference}


def raw(folder: Path) -> dict[str, object]:
    from django.db import connection

    from breachdesk.embedded.invented_people import HEADINGS

    connection.ensure_connection()
    began = time.perf_counter()
    with connection.cursor() as cursor, (folder / "raw.csv").open("rb") as file:
        with cursor.copy(f"COPY bench_raw ({', '.join(HEADINGS)}) FROM STDIN (FORMAT CSV, HEADER)") as copy:
            while piece := file.read(1 << 20):
                copy.write(piece)
        rows = cursor.rowcount
    return _measured(rows, time.perf_counter() - began)


def ours(folder: Path, reference: str) -> dict[str, object]:
    """All of it: sealing the file, reading, checking, merging, sealing each person, indexes, audit."""
    from io import StringIO

    from django.core.management import call_command
    from django.db import connection

    connection.ensure_connection()
    output = StringIO()
    began = time.perf_counter()
    call_command("import_people", reference, str(folder / "people.csv"), json=True, stdout=output)
    seconds = time.perf_counter() - began
    counts = json.loads(output.getvalue())
    return _measured(counts["rows"], seconds) | {"people": counts["people"]}


def _measured(rows: int, seconds: float) -> dict[str, object]:
    return {
        "rows": rows,
        "seconds": round(seconds, 2),
        "rows_per_second": round(rows / seconds),
        "memory_mb": peak_memory_mb(),
    }


if __name__ == "__main__":
    if sys.argv[1:2] != ["--child"]:
        raise SystemExit(main(int(sys.argv[1]) if len(sys.argv) > 1 else 430_000))
    import django

    django.setup()
    task, folder, *rest = [*sys.argv[2:], ""]
    result = {"prepare": prepare, "raw": lambda: raw(Path(folder)), "ours": lambda: ours(Path(folder), rest[0])}[task]()
    print(json.dumps(result))
