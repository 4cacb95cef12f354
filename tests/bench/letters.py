"""What a letter costs when many are made for one file, beside reportlab laying out the same words, in one run.

    python -m tests.bench.letters [letters] [--turns N] [--keep]

Invented people get one approved notice of a page and a half by post. Both begin one process for the file, as the
product does, and both are asked for their processor time:

- ours: page_of() for each person, then the product's child process, tagged, PDF/A-3a and PDF/UA-1, in one file.
- reportlab: the same words and addresses by its own means (reportlab_letters.py), for it reads no HTML.

`page` is our HTML alone, without making a PDF of it; `two` is a file of two letters: what beginning costs. What each
of them keeps of the two standards is asked of veraPDF.
"""

import argparse
import json
import os
import resource
import subprocess
import sys
import time
from collections.abc import Callable
from datetime import UTC, date, datetime
from io import BytesIO
from pathlib import Path
from statistics import median
from tempfile import TemporaryDirectory
from typing import Any

import django
import pikepdf

import tests.typing_settings  # noqa: F401  throw-away values: no database is used
from tests.bench.measuring import keep
from tests.faults.conformance import breaches_of

os.environ["DJANGO_SETTINGS_MODULE"] = "tests.settings"
LETTERS = 250
MOMENT = datetime(2026, 11, 22, 12, 0, tzinfo=UTC)
HAPPENED = "On 18 November a list with your details was copied from a carrier of ours. We have closed the way in. "
COPIED = "It is what the carrier needed to bring you a parcel. No password and no card number was on the list. "
CAREFUL = "Be careful with messages about a parcel of yours. We never ask for a password, nor for a payment by a link. "
SOURCE = """Dear ((first name)),

### What happened

{happened}

{copied}

### What was copied

((data list))

{copied}

### What you can do

{careful}

- Look at what comes by post.
- Change a password that you used twice.
- Tell us if something looks wrong.

### What we do

{happened}

{careful}

{copied}
"""


def main(letters: int, turns: int, is_kept: bool) -> int:
    django.setup()
    with TemporaryDirectory(prefix="breachdesk-bench-") as name:
        works = _works(Path(name), letters)
        pdfs = {which: bytes(work()) for which, work in works.items() if which != "page"}
        times: dict[str, list[float]] = {which: [] for which in works}
        for _ in range(turns):
            for which, work in works.items():
                times[which].append(_processor_seconds(work))
    results = _results(letters, times, pdfs)
    print(json.dumps(results, indent=1))
    if is_kept:
        keep("letters", results)
    return 0 if results["ours"]["breaks"] == [] else 1


def people(letters: int) -> list[dict[str, str]]:
    names = ("Amelia Okafor", "Ben Low", "Zoë O’Brien", "Łukasz Wójcik", "Chloé Lefèvre")
    found = []
    for number in range(1, letters + 1):
        given, family = names[number % len(names)].split()
        home = {"street": f"{number} Mill Lane", "city": "Leeds", "postcode": "LS1 9ZZ", "country": "GB"}
        found.append({"given_name": given, "family_name": family, **home})
    return found


def _works(folder: Path, letters: int) -> dict[str, Callable[[], bytes]]:
    from breachdesk.accounts.models import Organisation
    from breachdesk.pdf import PdfLimits, render_bound_pdf
    from notifications.letter_pages import WINDOWS, Stationery, address_lines, blank_page, page_of
    from notifications.rendering import Layout, Skeleton
    from notifications.wording import Vocabulary, compile_message

    source = SOURCE.format(happened=2 * HAPPENED, copied=2 * COPIED, careful=2 * CAREFUL)
    vocabulary = Vocabulary(kinds={"email": "your email address", "name": "your name"}, domains=["halden-rowe.example"])
    address = "a@halden-rowe.example"
    layout = Layout("Halden & Rowe", "", "Halden & Rowe", address, address, "x", "en", "halden-rowe.example/genuine")
    organisation = Organisation(
        legal_name="Halden & Rowe Ltd",
        short_name="Halden & Rowe",
        address="4 Quay Street\nLeeds LS1 9ZZ",
        hotline="0113 496 0000",
    )
    skeleton = Skeleton(compile_message("Your details were copied", source, vocabulary), layout)
    stationery = Stationery(skeleton, organisation, WINDOWS["uk"], date(2026, 11, 22))
    limits, kinds = PdfLimits(cpu_seconds=600, wall_seconds=900), ("email", "name")

    def pages(number: int) -> list[str]:
        return [page_of(stationery, one, kinds, "7HTM-2WKX") for one in people(number)]

    def ours(number: int) -> bytes:
        return render_bound_pdf(pages(number), blank=blank_page(stationery), moment=MOMENT, limits=limits).pdf

    def reportlab() -> bytes:
        given, target = folder / "letters.json", folder / "letters.pdf"
        written = [{"address": address_lines(one, WINDOWS["uk"]), "name": one["given_name"]} for one in people(letters)]
        given.write_text(json.dumps({"letters": written, "source": source}))
        subprocess.run([sys.executable, "-m", "tests.bench.reportlab_letters", str(given), str(target)], check=True)
        return target.read_bytes()

    return {
        "ours": lambda: ours(letters),
        "reportlab": reportlab,
        "page": lambda: "".join(pages(letters)).encode(),
        "two": lambda: ours(2),
    }


def _processor_seconds(work: Callable[[], bytes]) -> float:
    """Of this process and of those it began, which have ended."""
    before = time.process_time(), _of_children()
    work()
    return time.process_time() - before[0] + _of_children() - before[1]


def _of_children() -> float:
    used = resource.getrusage(resource.RUSAGE_CHILDREN)
    return used.ru_utime + used.ru_stime


def _results(letters: int, times: dict[str, list[float]], pdfs: dict[str, bytes]) -> dict[str, Any]:
    ours, said = median(times["ours"]), breaches_of(pdfs)
    results: dict[str, Any] = {"letters": letters, "load": round(os.getloadavg()[0], 1)}
    for which, taken in times.items():
        number = 2 if which == "two" else letters
        results[which] = {
            "cpu_s": round(median(taken), 2),
            "ms_a_letter": round(1000 * median(taken) / number, 1),
            "ratio_to_ours": round(median(taken) / ours, 2),
        }
    for which, pdf in pdfs.items():
        with pikepdf.open(BytesIO(pdf)) as document:
            results[which] |= {"pages": len(document.pages), "bytes": len(pdf)}
        results[which]["breaks"] = [line.split()[2] for line in said if line.startswith(f"{which}: ")]
    return results


if __name__ == "__main__":
    parser = argparse.ArgumentParser()
    parser.add_argument("letters", type=int, nargs="?", default=LETTERS)
    parser.add_argument("--turns", type=int, default=3)
    parser.add_argument("--keep", action="store_true")
    given = parser.parse_args()
    raise SystemExit(main(given.letters, given.turns, given.keep))
