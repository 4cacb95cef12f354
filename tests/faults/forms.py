"""Every form, filled from an invented incident to the last question, signed off, exported and read back.

    python -m tests.faults.forms [--keep]

Four times each: with the first choice of every list, the third and the last, which open other questions, and with the
second and 2,000 characters of Arabic, Chinese and script in every field that takes text. One of them is late. What none
of the four was asked is opened once more by what its conditions say, with the same hostile text. Then:

- a field that is over its limit is refused before sign-off, by its name; cut to the limit it is taken;
- the text of the PDF holds every answer, line by line, and no letter is the box of a missing glyph;
- the JSON inside is what was signed; qpdf finds nothing wrong, where the machine has it;
- veraPDF finds PDF/A-3a and PDF/UA-1 kept;
- a question that no run asked is named.

Last, one report with lines on lines to its limits: 200 pages and more, which page through and keep both standards.
"""

import argparse
import json
import shutil
import subprocess
import sys
import tempfile
import time
from collections.abc import Mapping, Sequence
from datetime import timedelta
from io import BytesIO
from pathlib import Path
from types import MappingProxyType
from typing import TYPE_CHECKING, Any

import pikepdf

from tests.bench.measuring import child, installation, keep, run_if_child

if TYPE_CHECKING:
    from breachdesk.accounts.models import User
    from regulators.catalogue.schema import Form, Question
    from regulators.models import Filing
    from regulators.sheet import Sheet

MODULE = "tests.faults.forms"
RESULTS = Path(__file__).parent / "results"
RUNS = {"first": 0, "hostile": 1, "third": 2, "last": 99}  # by the place in a list of the choice taken
REST, LONGEST = "rest", "long"
HOSTILE, LATE = {"hostile", REST}, {"third", REST}
PAGES = 200
UNIT = "تسربت بيانات العملاء من خادم الشركة ليلة أمس. 客户的数据从公司的服务器泄露了。<script>alert('x')</script> "
LONG = (UNIT * 30)[:2_000]


def main(*, is_kept: bool) -> int:
    began = time.monotonic()
    with installation() as place:
        results = child(MODULE, "fill", place.folder)
    results["seconds"] = round(time.monotonic() - began)
    print(json.dumps(results, indent=1, ensure_ascii=False))
    if is_kept:
        keep("forms", results, RESULTS)
    return 1 if results["wrong"] else 0


def _fill(_: Path) -> dict[str, Any]:
    """The whole campaign, in a process that knows the installation."""
    from django.core.management import call_command

    from regulators.catalogue import all_forms
    from tests.factories import make_organisation, make_user
    from tests.faults.conformance import breaches_of

    call_command("migrate", verbosity=0)
    call_command("sync_roles", verbosity=0)
    make_organisation()
    dpo, forms, wrong = make_user("dpo"), all_forms(), []
    asked: dict[str, set[str]] = {form.id: set() for form in forms}
    for run in RUNS:
        made: dict[str, bytes] = {}
        # Each of its own case: what one form was told, another one of the same case would take over.
        for form in forms:
            sheet, pdf, faults = _through(_incident(run), form, run, dpo)
            asked[form.id] |= {given.key for given in sheet.asked}
            wrong += [f"{form.id}, {run}: {fault}" for fault in faults]
            made |= {f"{form.id}, {run}": pdf} if pdf else {}
        wrong += breaches_of(made)
        print(f"{run}: {len(made)} filings, {len(wrong)} faults so far", file=sys.stderr, flush=True)
    wrong += _rest(forms, asked, dpo)
    longest, faults = _longest(dpo)
    wrong += faults
    never = {form.id: [question.key for question in _left(form, asked)] for form in forms}
    return {
        "forms": len(forms),
        "questions": sum(len(form.questions) for form in forms),
        "filings": len(forms) * len(RUNS),
        "long": longest,
        "never asked": {form: keys for form, keys in never.items() if keys},
        "wrong": wrong,
    }


def _left(form: "Form", asked: dict[str, set[str]]) -> list["Question"]:
    return [question for question in form.questions if question.key not in asked[form.id]]


def _rest(forms: Sequence["Form"], asked: dict[str, set[str]], dpo: "User") -> list[str]:
    """What no run was asked yet, opened by what its conditions say."""
    from tests.faults.conformance import breaches_of

    made: dict[str, bytes] = {}
    wrong: list[str] = []
    for form in (form for form in forms if _left(form, asked)):
        sheet, pdf, faults = _through(_incident(REST), form, REST, dpo, _opening(form, _left(form, asked)))
        asked[form.id] |= {given.key for given in sheet.asked}
        wrong += [f"{form.id}, {REST}: {fault}" for fault in faults]
        made |= {f"{form.id}, {REST}": pdf} if pdf else {}
    return [*wrong, *(breaches_of(made) if made else [])]


def _opening(form: "Form", left: Sequence["Question"]) -> dict[str, Any]:
    """The answers that open these questions, and those that open them in turn; None for one that is to stay open."""
    wanted: dict[str, Any] = {}
    questions, to_open = {question.key: question for question in form.questions}, list(left)
    while to_open:
        condition = to_open.pop().asked_when
        for one in condition.comparisons() if condition else ():
            if one.question and one.question not in wanted:
                wanted[one.question] = next(iter(one.compared_with), None)
                to_open.append(questions[one.question])
    return wanted


def _longest(dpo: "User") -> tuple[dict[str, Any], list[str]]:
    """A report whose long answers are short lines: what takes the most pages for its characters."""
    from django.utils import timezone

    from regulators.catalogue import get_form
    from regulators.filing_pdf import filing_pdf
    from tests.faults.conformance import breaches_of
    from tests.regulators.filling import fill, open_one, sign

    filing = open_one(_incident(LONGEST), get_form("uk_ico"), by=dpo)
    sheet = fill(filing, by=dpo, words=_lines)
    signed, began = sign(filing, by=dpo), time.monotonic()
    pdf = filing_pdf(signed, at=timezone.now()).pdf
    seconds = round(time.monotonic() - began, 1)
    with pikepdf.open(BytesIO(pdf)) as document:
        pages = len(document.pages)
    faults = [*_faults_of(pdf, signed, sheet), *breaches_of({LONGEST: pdf})]
    too_few = [f"{pages} pages are fewer than {PAGES}"] if pages < PAGES else []
    return {"pages": pages, "seconds": seconds, "bytes": len(pdf)}, [f"{LONGEST}: {one}" for one in faults + too_few]


def _lines(question: "Question") -> str:
    if question.max_length is None or question.max_length < 1_000:
        return "In short."
    return "\n".join(f"{number:04}" for number in range(question.max_length // 5))


def _incident(run: str) -> Any:
    from django.utils import timezone

    from breachdesk.incidents.actions import Facts, StatedMoment, open_incident
    from tests.factories import make_user

    aware = StatedMoment("aware", timezone.now() - timedelta(hours=100 if run in LATE else 5), basis="They rang us.")
    facts = Facts(what_happened="A list was lost.", origin="processor", processor="Larkfield Parcels", kinds=["name"])
    return open_incident(facts, [aware], by=make_user("responder"))


def _through(
    incident: Any, form: "Form", run: str, dpo: "User", wanted: Mapping[str, Any] = MappingProxyType({})
) -> tuple["Sheet", bytes, list[str]]:
    from django.utils import timezone

    from regulators.filing_pdf import filing_pdf
    from tests.regulators.filling import fill, open_one, sign

    filing, faults = open_one(incident, form, by=dpo), []
    if run in HOSTILE:
        faults = _refused_over_the_limit(filing, dpo, wanted)
        sheet = fill(filing, by=dpo, words=_to_the_limit, choice=RUNS["hostile"], wanted=wanted)
    else:
        sheet = fill(filing, by=dpo, choice=RUNS[run])
    if sheet.missing or sheet.too_long:
        return sheet, b"", [*faults, f"not complete: {[given.key for given in [*sheet.missing, *sheet.too_long]]}"]
    signed = sign(filing, by=dpo)
    pdf = filing_pdf(signed, at=timezone.now()).pdf
    return sheet, pdf, [*faults, *_faults_of(pdf, signed, sheet)]


def _refused_over_the_limit(filing: "Filing", dpo: "User", wanted: Mapping[str, Any]) -> list[str]:
    from django.core.exceptions import ValidationError

    from regulators import actions
    from tests.regulators.filling import fill

    sheet = fill(filing, by=dpo, words=lambda _: LONG, choice=RUNS["hostile"], wanted=wanted)
    over = [given.question.label for given in sheet.too_long]
    try:
        actions.submit_for_sign_off(filing, expected_version=filing.version, by=dpo)
    except ValidationError as refusal:
        said = " ".join(refusal.messages)
        return [f"not named as too long: {label}" for label in over if label not in said]
    return ["taken over its limits"] if over else []


def _to_the_limit(question: "Question") -> str:
    return LONG[: question.max_length].strip()


def _faults_of(pdf: bytes, filing: "Filing", sheet: "Sheet") -> list[str]:
    from tests.pdfs import attachment_of, body_of_pdf, holes_of
    from tests.regulators.filling import not_printed

    signed = filing.signed
    faults = [f"the PDF lacks the answer to {key}" for key in not_printed(sheet, body_of_pdf(pdf))]
    if holes := holes_of(pdf):
        faults.append(f"{holes} letters are the box of a missing glyph")
    if signed is None or attachment_of(pdf, "filing.json") != bytes(signed.content):
        faults.append("the JSON inside is not what was signed")
    return [*faults, *_faults_by_qpdf(pdf)]


def _faults_by_qpdf(pdf: bytes) -> list[str]:
    if not shutil.which("qpdf"):
        return []
    with tempfile.NamedTemporaryFile(suffix=".pdf") as file:
        file.write(pdf)
        file.flush()
        done = subprocess.run(["qpdf", "--check", file.name], capture_output=True, check=False, timeout=60)
    return [] if done.returncode == 0 else [f"qpdf: {(done.stdout + done.stderr).decode()[-200:]}"]


if __name__ == "__main__":
    run_if_child({"fill": _fill})
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--keep", action="store_true", help="keep the results among tests/faults/results")
    sys.exit(main(is_kept=parser.parse_args().keep))
