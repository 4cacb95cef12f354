"""Every form, filled from an invented incident to the last question, signed off, exported and read back.

    python -m tests.faults.forms [--keep]

Four times each: with the first choice of every list, the third and the last, which open other questions, and with the
second and 2,000 characters of Arabic, Chinese and script in every field that takes text. One of them is late. Then:

- a field that is over its limit is refused before sign-off, by its name; cut to the limit it is taken;
- the text of the PDF holds every answer, line by line, and no letter is the box of a missing glyph;
- the JSON inside is what was signed; qpdf finds nothing wrong, where the machine has it;
- veraPDF finds PDF/A-3a and PDF/UA-1 kept, where VERAPDF_CLASSPATH names it (tests/faults/conformance.py);
- a question that none of the runs asked is named.
"""

import argparse
import json
import shutil
import subprocess
import sys
import tempfile
import time
from datetime import timedelta
from pathlib import Path
from typing import TYPE_CHECKING, Any

from tests.bench.measuring import child, installation, keep, run_if_child

if TYPE_CHECKING:
    from breachdesk.accounts.models import User
    from regulators.catalogue.schema import Form, Question
    from regulators.models import Filing
    from regulators.sheet import Sheet

MODULE = "tests.faults.forms"
RESULTS = Path(__file__).parent / "results"
RUNS = {"first": 0, "hostile": 1, "third": 2, "last": 99}  # by the place in a list of the choice taken
LATE = "third"
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

    call_command("migrate", verbosity=0)
    call_command("sync_roles", verbosity=0)
    make_organisation()
    dpo, forms, wrong = make_user("dpo"), all_forms(), []
    asked: dict[str, set[str]] = {form.id: set() for form in forms}
    for run in RUNS:
        # Each of its own case: what one form was told, another one of the same case would take over.
        for form in forms:
            sheet, faults = _through(_incident(run), form, run, dpo)
            asked[form.id] |= {given.key for given in sheet.asked}
            wrong += [f"{form.id}, {run}: {fault}" for fault in faults]
    never = {form.id: [q.key for q in form.questions if q.key not in asked[form.id]] for form in forms}
    return {
        "forms": len(forms),
        "questions": sum(len(form.questions) for form in forms),
        "filings": len(forms) * len(RUNS),
        "never asked": {form: keys for form, keys in never.items() if keys},
        "wrong": wrong,
    }


def _incident(run: str) -> Any:
    from django.utils import timezone

    from breachdesk.incidents.actions import Facts, StatedMoment, open_incident
    from tests.factories import make_user

    aware = StatedMoment("aware", timezone.now() - timedelta(hours=100 if run == LATE else 5), basis="They rang us.")
    facts = Facts(what_happened="A list was lost.", origin="processor", processor="Larkfield Parcels", kinds=["name"])
    return open_incident(facts, [aware], by=make_user("responder"))


def _through(incident: Any, form: "Form", run: str, dpo: "User") -> tuple["Sheet", list[str]]:
    from django.utils import timezone

    from regulators.filing_pdf import filing_pdf
    from tests.regulators.filling import fill, open_one, sign

    filing, faults = open_one(incident, form, by=dpo), []
    if run == "hostile":
        faults = _refused_over_the_limit(filing, dpo)
        sheet = fill(filing, by=dpo, words=_to_the_limit, choice=RUNS[run])
    else:
        sheet = fill(filing, by=dpo, choice=RUNS[run])
    if sheet.missing or sheet.too_long:
        return sheet, [*faults, f"not complete: {[given.key for given in [*sheet.missing, *sheet.too_long]]}"]
    signed = sign(filing, by=dpo)
    return sheet, [*faults, *_faults_of(filing_pdf(signed, at=timezone.now()).pdf, signed, sheet)]


def _refused_over_the_limit(filing: "Filing", dpo: "User") -> list[str]:
    from django.core.exceptions import ValidationError

    from regulators import actions
    from tests.regulators.filling import fill

    sheet = fill(filing, by=dpo, words=lambda _: LONG, choice=RUNS["hostile"])
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
    return [*faults, *_faults_by_qpdf(pdf), *_faults_by_verapdf(pdf)]


def _faults_by_qpdf(pdf: bytes) -> list[str]:
    if not shutil.which("qpdf"):
        return []
    with tempfile.NamedTemporaryFile(suffix=".pdf") as file:
        file.write(pdf)
        file.flush()
        done = subprocess.run(["qpdf", "--check", file.name], capture_output=True, check=False, timeout=60)
    return [] if done.returncode == 0 else [f"qpdf: {(done.stdout + done.stderr).decode()[-200:]}"]


def _faults_by_verapdf(pdf: bytes) -> list[str]:
    from tests.faults.conformance import breaches_of, is_here

    if not is_here():
        return []
    with tempfile.NamedTemporaryFile(suffix=".pdf") as file:
        file.write(pdf)
        file.flush()
        return breaches_of([Path(file.name)])


if __name__ == "__main__":
    run_if_child({"fill": _fill})
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--keep", action="store_true", help="keep the results among tests/faults/results")
    sys.exit(main(is_kept=parser.parse_args().keep))
