"""Two verifiers, written apart: one in Python, one in the page a reader opens. They must never disagree."""

import json
from base64 import b64encode
from collections.abc import Iterator
from pathlib import Path
from random import Random
from typing import Any

import pytest

from breachdesk.audit.verifier import PAGE, bd_verify
from breachdesk.audit.verifier.joining import joined_page
from tests.audit.forge import zipped
from tests.audit.verifier import cases_file, cases_log, cases_state  # noqa: F401  (they fill CASES)
from tests.audit.verifier.cases import CASES, Case, exported, told
from tests.journeys.chromium import OneChromium


@pytest.fixture(scope="module")
def page(one_chromium: OneChromium) -> Iterator[Any]:
    """One page for all cases. None of these tests uses the database."""
    with one_chromium.in_use() as browser:
        page = browser.new_page()
        page.goto(PAGE.as_uri())
        yield page


def in_python(path: Path, kept: list[Path]) -> dict[str, Any]:
    answer: dict[str, Any] = json.loads(bd_verify.as_json(bd_verify.verify(str(path), kept=[str(one) for one in kept])))
    return answer


def in_browser(page: Any, content: bytes, kept: list[str]) -> dict[str, Any]:
    call = "([bytes, notes]) => window.verifyBundle(bytes, { notes })"
    answer: dict[str, Any] = page.evaluate(call, [b64encode(content).decode(), kept])
    return answer


def both(page: Any, folder: Path, content: bytes, *notes: str) -> tuple[dict[str, Any], dict[str, Any]]:
    path, kept = folder / "bundle.zip", [folder / f"{i}.note" for i in range(len(notes))]
    path.write_bytes(content)
    for one, note in zip(kept, notes, strict=True):
        one.write_text(note)
    return in_python(path, kept), in_browser(page, content, list(notes))


def outcome(answer: dict[str, Any]) -> tuple[str, int | None, int | None]:
    return answer["verdict"], answer["rule"], answer["n"]


@pytest.mark.parametrize("case", CASES, ids=lambda case: case.name)
def test_both_verifiers_say_the_same(page: Any, tmp_path: Path, case: Case) -> None:
    python, browser = both(page, tmp_path, case.make())
    said = {"python": (python["verdict"], python["rule"]), "browser": (browser["verdict"], browser["rule"])}
    assert said == {"python": (case.verdict, case.rule), "browser": (case.verdict, case.rule)}, (python, browser)
    assert python["n"] == browser["n"]


def test_there_are_cases_of_every_rule() -> None:
    assert {case.rule for case in CASES} == {*range(10), None}
    assert len({case.name for case in CASES}) == len(CASES)


def test_a_right_bundle_is_told_alike(page: Any, tmp_path: Path) -> None:
    python, browser = both(page, tmp_path, zipped(exported(told())))
    alike = ("size", "root", "entries", "incident", "reference", "keys")
    assert [python[key] for key in alike] == [browser[key] for key in alike]
    assert browser.keys() == python.keys()


def test_a_kept_note_that_fits(page: Any, tmp_path: Path) -> None:
    story = told()
    content = zipped(exported(story))
    assert {outcome(one) for one in both(page, tmp_path, content, story.forge.kept[2])} == {("VALID", None, None)}


@pytest.mark.parametrize(("whole", "verdict"), [(True, "VALID"), (False, "INCOMPLETE")])
def test_a_kept_note_of_a_size_between(page: Any, tmp_path: Path, whole: bool, verdict: str) -> None:
    """Only a whole log proves a size for which it carries no note."""
    story = told(whole=whole)
    content = zipped(exported(story))
    assert {outcome(one) for one in both(page, tmp_path, content, story.forge.note(3))} == {(verdict, None, None)}


@pytest.mark.parametrize("whole", [True, False])
def test_a_kept_note_of_another_history(page: Any, tmp_path: Path, whole: bool) -> None:
    """The key was stolen and the log written anew: what somebody kept gives it away."""
    other = told(whole=whole)
    kept = other.forge.note(2)
    rewritten = told(whole=whole)
    del rewritten.forge.kept[2]
    rewritten.marks.clear()
    rewritten.forge.log[1].body = rewritten.forge.log[1].body.replace(b"BD-2026-0007", b"BD-2026-0009")
    rewritten.forge.reference = "BD-2026-0009"
    rewritten.forge.kept.clear()
    rewritten.forge.anchors.clear()
    rewritten.forge.relink()
    rewritten.forge.keep(2)
    content = zipped(exported(rewritten))
    assert {outcome(one) for one in both(page, tmp_path, content)} == {("VALID", None, None)}
    assert {outcome(one) for one in both(page, tmp_path, content, kept)} == {("INVALID", 2, None)}


def test_no_flipped_bit_is_believed(page: Any, tmp_path: Path) -> None:
    """Every hundredth bit or so of a bundle in turn; with a ZIP as strict as this one, rule 0 sees each of them."""
    content = zipped(exported(told()))
    random = Random(3)
    for at in random.sample(range(len(content)), 60):
        changed = bytearray(content)
        changed[at] ^= 1 << random.randrange(8)
        python, browser = both(page, tmp_path, bytes(changed))
        assert (python["verdict"], browser["verdict"]) == ("INVALID", "INVALID"), at
        assert python["rule"] == browser["rule"] == 0


def test_both_know_the_events_of_today() -> None:
    assert joined_page() == PAGE.read_text(), "Run python -m breachdesk.audit.verifier"
