"""How long a filing of six pages takes to become a PDF, beside headless Chromium and reportlab in one run.

    python -m tests.bench.filing_pdf [--turns N] [--keep]

An invented report to the ICO, filled and signed off. The four take turns, and each begins a process for each document,
as the product does:

- ours: the child process of the product, from HTML to PDF/A-3a and PDF/UA-1 with filing.json inside.
- chromium: Debian's, printing the same HTML with the same style sheets and fonts.
- reportlab: the same answers laid out by its own means (reportlab_filing.py), for it reads no HTML.
- export: all that pressing the button does before the file is recorded: database, template and the child.

What each of them keeps of the two standards is asked of veraPDF. `empty` is the same with a page of one word: what
beginning alone costs.
"""

import argparse
import json
import os
import shutil
import subprocess
import sys
import time
from collections.abc import Callable
from datetime import UTC, datetime
from io import BytesIO
from pathlib import Path
from statistics import median
from typing import TYPE_CHECKING, Any

import pikepdf

from breachdesk.pdf import STATIC, PdfAttachment, render_pdf
from tests.bench.measuring import child, installation, keep, run_if_child
from tests.faults.conformance import breaches_of

if TYPE_CHECKING:
    from regulators.catalogue.schema import Question

MODULE = "tests.bench.filing_pdf"
PAGES = 6
MOMENT = datetime(2026, 11, 22, 12, 0, tzinfo=UTC)
CHROMIUM = (
    "--headless",
    "--no-sandbox",
    "--disable-gpu",
    "--no-pdf-header-footer",
    "--allow-file-access-from-files",
)
WORDS = "An account of the carrier was used by somebody who had guessed its password, and a list was copied. "
EMPTY = "<!doctype html><html lang='en'><head><title>Empty</title></head><body><p>Empty</p></body></html>"

Work = Callable[[str], bytes]


def main(turns: int, is_kept: bool) -> int:
    with installation() as place:
        exports = child(MODULE, "prepare", place.folder, turns)["seconds"]
        shutil.copytree(STATIC / "print", place.folder / "print")
        (place.folder / "empty.html").write_text(EMPTY)
        works = _works(place.folder)
        pdfs = {name: work("filing") for name, work in works.items()}
        times = _taking_turns(turns, works, "filing")
        empty = _taking_turns(turns, {name: works[name] for name in ("ours", "chromium")}, "empty")
    results = _results(pdfs, {**times, "export": exports}, empty)
    print(json.dumps(results, indent=1))
    if is_kept:
        keep("filing-pdf", results)
    return 0 if results["ours"]["pages"] == PAGES and results["ours"]["breaks"] == [] else 1


def _works(folder: Path) -> dict[str, Work]:
    attached = PdfAttachment("filing.json", (folder / "filing.json").read_bytes(), "The same answers for machines")

    def ours(name: str) -> bytes:
        attachments = [attached] if name == "filing" else []
        return render_pdf((folder / f"{name}.html").read_text(), moment=MOMENT, attachments=attachments)

    def chromium(name: str) -> bytes:
        target = folder / "chromium.pdf"
        words = (f"--user-data-dir={folder / 'profile'}", f"--print-to-pdf={target}", f"file://{folder}/{name}.html")
        return _made_by([_browser(), *CHROMIUM, *words], target)

    def reportlab(name: str) -> bytes:
        target = folder / "reportlab.pdf"
        module = "tests.bench.reportlab_filing"
        return _made_by([sys.executable, "-m", module, str(folder / f"{name}.json"), str(target)], target)

    return {"ours": ours, "chromium": chromium, "reportlab": reportlab}


def _browser() -> str:
    found = shutil.which("chromium") or shutil.which("google-chrome")
    if found is None:
        raise SystemExit("There is no Chromium to compare with: install Debian's package chromium.")
    return found


def _made_by(command: list[str], target: Path) -> bytes:
    target.unlink(missing_ok=True)
    subprocess.run(command, check=True, capture_output=True, timeout=120)
    return target.read_bytes()


def _taking_turns(turns: int, works: dict[str, Work], name: str) -> dict[str, list[float]]:
    times: dict[str, list[float]] = {which: [] for which in works}
    for _ in range(turns):
        for which, work in works.items():
            began = time.perf_counter()
            work(name)
            times[which].append(time.perf_counter() - began)
    return times


def _results(pdfs: dict[str, bytes], times: dict[str, list[float]], empty: dict[str, list[float]]) -> dict[str, Any]:
    ours = median(times["ours"])
    said = breaches_of(pdfs)
    results: dict[str, Any] = {}
    for name, taken in times.items():
        results[name] = {"p50_s": round(median(taken), 2), "most_s": round(max(taken), 2)}
        results[name]["ratio_to_ours"] = round(median(taken) / ours, 2)
        if name in empty:
            results[name]["empty_p50_s"] = round(median(empty[name]), 2)
        if name in pdfs:
            breaks = [line.split()[2] for line in said if line.startswith(f"{name}: ")]
            results[name] |= {"pages": _pages(pdfs[name]), "bytes": len(pdfs[name]), "breaks": breaks}
    return {**results, "turns": len(times["ours"]), "load": round(os.getloadavg()[0], 1)}


def _pages(pdf: bytes) -> int:
    with pikepdf.open(BytesIO(pdf)) as document:
        return len(document.pages)


# In a process that knows the installation


def _prepare(folder: Path, turns: str) -> dict[str, Any]:
    """Writes the filing as HTML and JSON, and says how long its whole PDF takes each time."""
    from django.core.management import call_command
    from django.template.loader import render_to_string
    from django.utils import timezone

    from regulators.catalogue import get_form
    from regulators.content import bytes_of, digest_of
    from regulators.filing_pdf import content_at, context_of, filing_pdf
    from tests.factories import make_incident, make_organisation, make_user
    from tests.regulators.filling import fill, open_one, sign

    call_command("migrate", verbosity=0)
    call_command("sync_roles", verbosity=0)
    make_organisation()
    dpo = make_user("dpo")
    filing = open_one(make_incident(), get_form("uk_ico"), by=dpo)
    fill(filing, by=dpo, words=_words, choice=1)
    signed = sign(filing, by=dpo)
    content = content_at(signed, signed.signed, MOMENT)
    context = context_of(signed, signed.signed, content, digest_of(content), None)
    (folder / "filing.html").write_text(render_to_string("regulators/filing_pdf.html", context))
    (folder / "filing.json").write_bytes(bytes_of(content))
    taken = _taking_turns(int(turns), {"export": lambda _: filing_pdf(signed, at=timezone.now()).pdf}, "filing")
    return {"seconds": taken["export"]}


def _words(question: "Question") -> str:
    """About as long as people write: a few sentences where the form has room for them."""
    return (WORDS * 4)[: min(question.max_length or 80, 320)].strip()


if __name__ == "__main__":
    run_if_child({"prepare": _prepare})
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--turns", type=int, default=10)
    parser.add_argument("--keep", action="store_true")
    arguments = parser.parse_args()
    raise SystemExit(main(arguments.turns, arguments.keep))
