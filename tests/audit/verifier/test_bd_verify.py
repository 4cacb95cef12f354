"""bd_verify.py as a command: by itself, on any Python, with what somebody brought along."""

import ast
import json
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from breachdesk.audit.canonical import canonical
from breachdesk.audit.verifier import SCRIPT
from tests.audit.forge import Forge, sealed, small_story, whole_story, zipped


def run(*arguments: str | Path) -> subprocess.CompletedProcess[str]:
    command = [sys.executable, "-I", "-S", SCRIPT, *arguments]
    return subprocess.run(command, capture_output=True, text=True, check=False)


@pytest.fixture
def bundle(tmp_path: Path) -> Path:
    path = tmp_path / "bundle.zip"
    path.write_bytes(zipped(whole_story().files()))
    return path


def test_valid(bundle: Path) -> None:
    done = run(bundle)
    assert (done.returncode, done.stderr) == (0, "")
    assert done.stdout.startswith("VALID\n")
    for said in ("BD-2026-0007", "What this proves", "What it does not prove", "come from the bundle itself"):
        assert said in done.stdout


def test_invalid(bundle: Path) -> None:
    files = whole_story().files()
    files["private.jsonl"] = files["private.jsonl"].replace(b"Too long", b"Too late")
    bundle.write_bytes(zipped(sealed(files)))
    done = run(bundle)
    assert (done.returncode, done.stderr) == (1, "")
    assert done.stdout.startswith("INVALID\n\nRule 7, openings of private values. The private value")
    assert "What this proves" not in done.stdout


def test_incomplete(tmp_path: Path) -> None:
    done = run(tmp_path / "nothing.zip")
    assert (done.returncode, done.stderr) == (2, "")
    assert done.stdout.startswith("INCOMPLETE\n\nMissing: ")
    assert run().returncode == 2


def test_json(bundle: Path) -> None:
    forge = whole_story()
    answer = json.loads(run(bundle, "--json").stdout)
    public = forge.all_keys[0].public_key().public_bytes_raw()
    digits = __import__("hashlib").sha256(public).hexdigest()
    assert list(answer) == [
        *("verdict", "rule", "n", "sentence", "missing", "notes", "size", "root", "entries", "incident", "reference"),
        "keys",
    ]
    assert answer["keys"][0] == " ".join(digits[at : at + 4] for at in range(0, 64, 4))
    assert (answer["verdict"], answer["rule"], answer["n"], answer["missing"]) == ("VALID", None, None, [])
    assert (answer["size"], answer["entries"]) == (len(forge.log), len(forge.shown()))
    assert answer["root"] == forge.note().split("\n")[2]


def test_a_trust_file_from_elsewhere(bundle: Path, tmp_path: Path) -> None:
    trust = tmp_path / "trust.json"
    trust.write_bytes(canonical(whole_story().trust()) + b"\n")
    done = run(bundle, "--trust", trust)
    assert done.returncode == 0
    assert "come from the bundle itself" not in done.stdout
    trust.write_bytes(canonical(Forge(seed=99).trust()))
    done = run(bundle, "--trust", trust)
    assert done.returncode == 1
    assert "Rule 1, " in done.stdout


def test_a_kept_note_that_fits(bundle: Path, tmp_path: Path) -> None:
    for size, note in whole_story().kept.items():
        (tmp_path / f"{size}.note").write_text(note)
    notes = [part for path in sorted(tmp_path.glob("*.note")) for part in ("--note", path)]
    done = run(bundle, *notes)
    assert done.returncode == 0
    assert "3 kept checkpoints" in done.stdout


def test_a_kept_note_without_a_proof(verify: Callable[..., Any]) -> None:
    forge = whole_story()
    report = verify(forge.files(), kept=[forge.note(size=11, keys=forge.all_keys[:1]).encode()])
    assert report.verdict == "INCOMPLETE"
    assert "no proof" in report.missing[0]


def test_a_kept_note_that_a_whole_log_can_judge(verify: Callable[..., Any]) -> None:
    forge = whole_story(whole=True)
    assert verify(forge.files(), kept=[forge.note(size=11).encode()]).verdict == "VALID"
    other = Forge(seed=8)
    for _ in range(11):
        other.append("heartbeat", data={"log_size": 1})
    note = other.note(keys=forge.all_keys[:1])
    assert verify(forge.files(), kept=[note.encode()]).first_fault().rule == 2


def test_a_kept_note_that_is_later_than_the_bundle(verify: Callable[..., Any]) -> None:
    forge = whole_story()
    files = forge.files()
    forge.append("heartbeat", data={"log_size": 1})
    report = verify(files, kept=[forge.note().encode()])
    assert report.verdict == "INCOMPLETE"
    assert "later than this bundle" in report.missing[0]


def withheld(forge: Forge, n: int) -> dict[str, bytes]:
    files = forge.files()
    lines = [json.loads(line) for line in files["entries.jsonl"].splitlines()]
    for line in lines:
        if line["n"] == n:
            line["body"] = None
    return sealed(files | {"entries.jsonl": b"".join(canonical(line) + b"\n" for line in lines)})


def test_withheld_bodies_of_the_case(verify: Callable[..., Any]) -> None:
    forge = whole_story()
    for row in forge.log:
        if forge.is_own(row) and row.type not in ("incident.opened", "edition.rejected", "edition.saved"):
            report = verify(withheld(forge, row.n))
            expected = "INVALID" if row.private and row.type != "privacy.erased" else "INCOMPLETE"
            assert report.verdict in (expected, "INCOMPLETE"), (row.type, report.first_fault())


def test_no_entries_of_the_case(verify: Callable[..., Any]) -> None:
    forge = small_story(private=False)
    forge.incident = forge.uuid()
    report = verify(forge.files())
    assert report.verdict == "INCOMPLETE"
    assert "no entry of the case" in report.missing[0]


def test_a_destroyed_key_explains_what_is_not_shown(verify: Callable[..., Any]) -> None:
    forge = whole_story(export=False)
    forge.append("key.destroyed", incident=forge.incident, private={"reason": "The term is over"})
    forge.erased = {f"{row.event}/{name}" for row in forge.log for name in row.private}
    forge.export()
    forge.erased |= {f"{row.event}/{name}" for row in forge.log for name in row.private}
    assert verify(forge.files()).verdict == "VALID"


def test_it_imports_nothing_but_the_standard_library() -> None:
    tree = ast.parse(SCRIPT.read_text())
    names = {alias.name for node in ast.walk(tree) if isinstance(node, ast.Import) for alias in node.names}
    names |= {str(node.module) for node in ast.walk(tree) if isinstance(node, ast.ImportFrom)}
    assert {name.split(".")[0] for name in names} <= sys.stdlib_module_names


def test_it_is_written_for_python_3_9() -> None:
    """So no match statement, no union in a type that is looked at when it runs, and no except*."""
    ast.parse(SCRIPT.read_text(), feature_version=(3, 9))
