"""The trail's price and speed: audited transactions, linking, verifying and proving, each beside its limit or a peer.

    python -m tests.bench.trail [entries] [--seconds S] [--keep]

- Writers: one small business transaction (lock the incident, change a fact, commit) without an event, with record(),
  and with record() behind one locked chain head, which is how a plain hash chain is kept. At 1 and at 8 writers.
- Linking: the sequencer alone over `entries` waiting events.
- Verifying: verify_audit over all of them, beside the bare tree over the same leaves; then bd_verify.py over a bundle
  of the whole log.
- Proving: the proof of single events anywhere in the log.
"""

import argparse
import json
import subprocess
import sys
import time
from pathlib import Path
from statistics import median
from typing import Any

from tests.bench.measuring import child, installation, keep, peak_memory_mb, run_if_child, start_child

MODULE = "tests.bench.trail"
WRITERS = (1, 8)
KINDS = ("plain", "audited", "chained")
ROUNDS = 3
LEAST_SHARE_OF_PLAIN = 0.6
MOST_VERIFY_SECONDS_A_MILLION = 60
MOST_VERIFY_MB = 500
MOST_PROOF_BYTES, MOST_PROOF_MS = 4096, 50


def main(entries: int, seconds: float, is_kept: bool) -> int:
    with installation() as place:
        folder = place.folder
        results: dict[str, Any] = {"entries": entries, "seconds": seconds}
        results["incidents"] = child(MODULE, "prepare", folder, max(WRITERS))["incidents"]
        results["transactions_per_second"] = _transactions(folder, results.pop("incidents"), seconds)
        for task in ("fill", "link", "bare_tree", "verify", "prove", "bundle", "bd_verify"):
            results[task] = child(MODULE, task, folder, entries)
    print(json.dumps(results, indent=1))
    if is_kept:
        keep(f"trail-{entries}", results)
    return _judged(results)


def _transactions(folder: Path, incidents: list[str], seconds: float) -> dict[str, Any]:
    """The kinds take turns, because the disk is not equally quick in every second; the median round counts."""
    measured: dict[str, Any] = {}
    for writers in WRITERS:
        turns = [(kind, _rate(folder, kind, incidents[:writers], seconds)) for _ in range(ROUNDS) for kind in KINDS]
        rates = {kind: int(median(rate for name, rate in turns if name == kind)) for kind in KINDS}
        measured[str(writers)] = rates | {
            "audited_share_of_plain": round(rates["audited"] / rates["plain"], 2),
            "audited_times_chained": round(rates["audited"] / rates["chained"], 2),
        }
    return measured


def _rate(folder: Path, kind: str, incidents: list[str], seconds: float) -> int:
    """All begin at one moment; each writer has an incident of its own, so that only the trail can make them wait."""
    start = time.time() + 2 + len(incidents) / 2
    writers = [start_child(MODULE, "write", folder, kind, incident, start, seconds) for incident in incidents]
    done = [json.loads(writer.communicate()[0]) for writer in writers]
    return round(sum(one["transactions"] / one["seconds"] for one in done))


def _judged(results: dict[str, Any]) -> int:
    shares = [rates["audited_share_of_plain"] for rates in results["transactions_per_second"].values()]
    verify, prove, millions = results["verify"], results["prove"], results["entries"] / 1_000_000
    kept = [
        min(shares) >= LEAST_SHARE_OF_PLAIN,
        verify["seconds"] <= MOST_VERIFY_SECONDS_A_MILLION * max(millions, 0.05),
        verify["memory_mb"] <= MOST_VERIFY_MB,
        prove["largest_bytes"] <= MOST_PROOF_BYTES and prove["slowest_ms"] <= MOST_PROOF_MS,
    ]
    return 0 if all(kept) else 1


def prepare(folder: Path, incidents: str) -> dict[str, Any]:
    from django.core.management import call_command
    from django.db import connection

    from breachdesk.audit.sequencer import sequence_everything
    from tests.factories import make_incident

    call_command("migrate", verbosity=0)
    made = [str(make_incident().pk) for _ in range(int(incidents))]
    sequence_everything()
    with connection.cursor() as cursor:
        cursor.execute("CREATE TABLE bench_head (id int PRIMARY KEY, seq bigint NOT NULL, hash bytea NOT NULL)")
        cursor.execute("INSERT INTO bench_head VALUES (1, 0, sha256(''))")
    return {"incidents": made}


def write(folder: Path, kind: str, incident_id: str, start: str, seconds: str) -> dict[str, Any]:
    from django.db import connection, transaction

    from breachdesk.accounts.models import User
    from breachdesk.audit.record import record
    from breachdesk.incidents.models import Incident

    by = User.objects.earliest("pk")
    with connection.cursor() as cursor:
        if kind == "plain":  # the guard would refuse a change without its event
            cursor.execute("SET session_replication_role = replica")
    time.sleep(max(0.0, float(start) - time.time()))
    done, began = 0, time.perf_counter()
    while time.perf_counter() - began < float(seconds):
        with transaction.atomic():
            incident = Incident.objects.select_for_update(no_key=True).get(pk=incident_id)
            incident.what_happened, incident.version = f"Change {done} of the story.", incident.version + 1
            incident.save(update_fields=["what_happened", "version"])
            if kind != "plain":
                private = {"what_happened": incident.what_happened}
                event = record("incident.facts_changed", by=by, on=incident, private=private, fields=["what_happened"])
            if kind == "chained":
                _extend_chain(bytes(event.body))
        done += 1
    return {"transactions": done, "seconds": time.perf_counter() - began}


def _extend_chain(body: bytes) -> None:
    """What a hash chain asks of every writer: the head's row is locked until COMMIT."""
    from hashlib import sha256

    from django.db import connection

    with connection.cursor() as cursor:
        cursor.execute("SELECT hash FROM bench_head WHERE id = 1 FOR UPDATE")
        digest = sha256(bytes(cursor.fetchone()[0]) + body).digest()
        cursor.execute("UPDATE bench_head SET seq = seq + 1, hash = %s WHERE id = 1", [digest])


def fill(folder: Path, entries: str) -> dict[str, Any]:
    """Events of 100 incidents and of none, every tenth with a sealed value; in bulk, with the product's own bytes."""
    from tests.bench.many_events import copy_events

    began = time.perf_counter()
    copy_events(int(entries))
    return {"seconds": round(time.perf_counter() - began, 1)}


def link(folder: Path, entries: str) -> dict[str, Any]:
    from breachdesk.audit.sequencer import sequence_pending

    linked, began = 0, time.perf_counter()
    while number := sequence_pending():
        linked += number
    seconds = time.perf_counter() - began
    return {"entries": linked, "seconds": round(seconds, 1), "per_second": round(linked / seconds)}


def bare_tree(folder: Path, entries: str) -> dict[str, Any]:
    """The least a verifier must do: read every entry, hash it, build the root."""
    from django.db import connection

    from breachdesk.audit.tree import leaf_of, root_of

    began = time.perf_counter()
    connection.ensure_connection()
    with connection.connection.transaction(), connection.connection.cursor("leaves") as cursor:
        cursor.itersize = 10_000
        cursor.execute("SELECT entry FROM audit_entry ORDER BY idx")
        root_of(leaf_of(bytes(entry)) for (entry,) in cursor)
    return {"seconds": round(time.perf_counter() - began, 1), "memory_mb": peak_memory_mb()}


def verify(folder: Path, entries: str) -> dict[str, Any]:
    from breachdesk.audit.verification import verify as verify_audit

    began = time.perf_counter()
    report = verify_audit()
    seconds = time.perf_counter() - began
    assert report.finding is None, report.finding
    return {
        "verdict": report.verdict,
        "entries": report.size,
        "seconds": round(seconds, 1),
        "per_second": round(report.size / seconds),
        "memory_mb": peak_memory_mb(),
    }


def prove(folder: Path, entries: str) -> dict[str, Any]:
    from random import Random

    from breachdesk.audit.entries import log_size
    from breachdesk.audit.proofs import event_proof
    from tests.bench.many_events import sign_the_log

    sign_the_log(folder)
    chosen = Random(3).sample(range(log_size()), 200)
    sizes, times = [], []
    for idx in chosen:
        began = time.perf_counter()
        proof = event_proof(idx)
        times.append((time.perf_counter() - began) * 1000)
        sizes.append(len(proof.as_tlog_proof().encode()))
    times.sort()
    return {
        "proofs": len(chosen),
        "largest_bytes": max(sizes),
        "median_ms": round(times[100], 2),
        "slowest_ms": round(times[-1], 2),
    }


def bundle(folder: Path, entries: str) -> dict[str, Any]:
    from io import StringIO

    from django.core.management import call_command

    from breachdesk.incidents.models import Incident
    from tests.bench.many_events import signer

    began = time.perf_counter()
    target = folder / "whole.zip"
    with signer(folder):
        reference = Incident.objects.earliest("opened_at").reference
        call_command("export_bundle", reference, output=target, whole=True, stdout=StringIO())
    seconds = time.perf_counter() - began
    megabytes = round(target.stat().st_size / 1_000_000)
    return {"seconds": round(seconds, 1), "megabytes": megabytes, "memory_mb": peak_memory_mb()}


def bd_verify(folder: Path, entries: str) -> dict[str, Any]:
    """By the very file that lies in the bundle, in an interpreter that has nothing of ours."""
    from resource import RUSAGE_CHILDREN, getrusage

    import breachdesk.audit.verifier

    script = Path(breachdesk.audit.verifier.__file__).with_name("bd_verify.py")
    began = time.perf_counter()
    command = [sys.executable, "-I", "-S", str(script), str(folder / "whole.zip"), "--json"]
    answer = json.loads(subprocess.run(command, stdout=subprocess.PIPE, check=True).stdout)
    return {
        "verdict": answer["verdict"],
        "seconds": round(time.perf_counter() - began, 1),
        "memory_mb": round(getrusage(RUSAGE_CHILDREN).ru_maxrss / 1024),
    }


TASKS = {task.__name__: task for task in (prepare, write, fill, link, bare_tree, verify, prove, bundle, bd_verify)}

if __name__ == "__main__":
    run_if_child(TASKS)
    parser = argparse.ArgumentParser()
    parser.add_argument("entries", type=int, nargs="?", default=1_000_000)
    parser.add_argument("--seconds", type=float, default=3, help="of each round")
    parser.add_argument("--keep", action="store_true")
    given = parser.parse_args()
    raise SystemExit(main(given.entries, given.seconds, given.keep))
