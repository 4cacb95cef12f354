"""How long the pages of a case with 430,000 people take, beside the same pages with 1,000 people in the same database.

    python -m tests.bench.people_page [people] [--asks N] [--keep]

Both cases hold invented people, one in a hundred of them on hold, and a notice that was handed over to everybody. Each
page is asked for N times by the product's own views, middleware and templates, in one process, without a network
between: what a server needs for it. The two cases take turns. The time that 95 of 100 answers need is judged, which
says something on a machine that does nothing else: `load` is how many processes wanted a processor meanwhile.

- numbers: the page with tally, waterfall, breakdowns and ledger; counts: the ledger with who was told which number.
- list: its first page; deep: pages from the middle of the list on; end: the last page.
- email, reference: exact search for somebody who is there; hold: putting somebody on hold and letting them go again.
- told: the page of numbers right after somebody was held, when who was told is counted afresh. Not judged: it is once
  after each change, while the others are every look.
"""

import argparse
import json
import os
import time
from collections.abc import Callable
from itertools import cycle
from pathlib import Path
from typing import Any

from tests.bench.measuring import child, installation, keep, run_if_child

MODULE = "tests.bench.people_page"
FEW, MANY = 1_000, 430_000
MOST_MS = 100
UNJUDGED = {"told", "hold"}


def main(people: int, asks: int, is_kept: bool) -> int:
    with installation("tests.bench.settings") as place:
        measured = child(MODULE, "measure", place.folder, people, asks)
    for page in measured["pages"].values():
        page["ratio"] = round(page["many"]["p95_ms"] / page["few"]["p95_ms"], 1)
    judged = {
        name: page["many"]["p95_ms"] <= MOST_MS for name, page in measured["pages"].items() if name not in UNJUDGED
    }
    results = {"people": people, "asks": asks, **measured, "judged": judged}
    print(_table(results))
    if is_kept:
        keep(f"people-page-{people}", results)
    return 0 if all(judged.values()) else 1


def _table(results: dict[str, Any]) -> str:
    head = f"{'page':12}{'p50 ms':>10}{'p95 ms':>10}{'most ms':>10}{'with 1,000':>12}{'ratio':>8}"
    lines = [
        f"{name:12}{page['many']['p50_ms']:>10}{page['many']['p95_ms']:>10}{page['many']['most_ms']:>10}"
        f"{page['few']['p95_ms']:>12}{page['ratio']:>8}"
        for name, page in results["pages"].items()
    ]
    return "\n".join(
        [head, *lines, json.dumps({key: results[key] for key in ("processors", "load", "recount_ms", "judged")})]
    )


def _prepare(folder: Path, people: int) -> str:
    """A case, by its reference."""
    from io import StringIO

    from django.core.management import call_command

    from breachdesk.accounts.models import Organisation
    from breachdesk.embedded.invented_people import write_people
    from tests.factories import make_incident, make_organisation

    if not Organisation.objects.exists():
        make_organisation()
    incident = make_incident()
    write_people(folder / f"{people}.csv", people)
    words = {"explain_all": "Invented.", "json": True, "stdout": StringIO()}
    call_command("import_people", incident.reference, str(folder / f"{people}.csv"), **words)
    _hold_some(incident, people // 100)
    _tell_everybody(incident)
    return str(incident.reference)


def _hold_some(incident: Any, number: int) -> None:
    from breachdesk.people import actions
    from breachdesk.people.models import Person
    from breachdesk.people.personal import personal_of
    from breachdesk.vault.sealing import cipher_for
    from tests.factories import make_user

    cipher = cipher_for(incident.pk)
    chosen = Person.objects.of(incident).filter(reference_index__isnull=False).in_order()[:number]
    pasted = "\n".join(personal_of(cipher, person)["reference"] for person in chosen)
    actions.hold_people(incident, pasted, kind="police", reason="Asked.", by=make_user("dpo"))


def _tell_everybody(incident: Any) -> None:
    """The deliveries are made by the product; that they were handed over is written by the one who may do anything."""
    from django.db import connection

    from notifications.models import Delivery
    from tests.factories import make_edition, make_edition_in_review, unguarded

    edition = make_edition_in_review(make_edition(incident))
    with unguarded():
        Delivery.objects.filter(edition=edition).update(
            state="handed_over", token="00000000-0000-4000-8000-000000000000", next_at=None
        )
    with connection.cursor() as cursor:
        cursor.execute("VACUUM ANALYZE")


def measure(folder: Path, people: str, asks: str) -> dict[str, Any]:
    from django.core.management import call_command

    call_command("migrate", verbosity=0)
    pages: dict[str, dict[str, list[float]]] = {}
    references = {"few": _prepare(folder, FEW), "many": _prepare(folder, int(people))}
    cases = {size: Case(reference) for size, reference in references.items()}
    for name in ASKED:
        pages[name] = {size: [] for size in cases}
        for _ in range(int(asks)):
            for size, case in cases.items():
                pages[name][size].append(ASKED[name](case))
    results = {name: {size: _spread(times) for size, times in page.items()} for name, page in pages.items()}
    load = round(os.getloadavg()[0], 1)
    return {
        "processors": os.cpu_count(),
        "load": load,
        "pages": results,
        "recount_ms": {size: case.recount() for size, case in cases.items()},
    }


def _spread(times: list[float]) -> dict[str, float]:
    ordered = sorted(times)
    middle, late = ordered[len(ordered) // 2], ordered[int(0.95 * (len(ordered) - 1))]
    return {"p50_ms": round(middle, 1), "p95_ms": round(late, 1), "most_ms": round(ordered[-1], 1)}


class Case:
    def __init__(self, reference: str) -> None:
        from django.test import Client

        from breachdesk.incidents.models import Incident
        from breachdesk.people.models import Person
        from breachdesk.people.personal import personal_of
        from breachdesk.vault.sealing import cipher_for
        from tests.factories import make_user

        self.incident = Incident.objects.get(reference=reference)
        self.client, self.by = Client(), make_user("responder", "dpo")
        self.client.force_login(self.by)
        people = Person.objects.of(self.incident).filter(held=False, has_email=True, reference_index__isnull=False)
        cipher, some = cipher_for(self.incident.pk), list(people.in_order()[:40])
        self.known = cycle([personal_of(cipher, person) for person in some])
        self.held = cycle(some[:5])
        self.deep = self._pages_from_the_middle()
        self.post("people-search", typed="nobody@example.com", reason="A measurement.")

    def _pages_from_the_middle(self) -> Any:
        """Where "Next" leads from there, again and again."""
        from breachdesk.people.models import Person

        while True:
            middle = Person.objects.of(self.incident).filter(identity_index__gte=b"\x80").in_order()
            for person in middle[:2000:50]:
                yield f"?after={person.pk}&place=500"

    def get(self, name: str, query: str = "") -> float:
        return self._timed(lambda: self.client.get(self._address(name) + query))

    def post(self, name: str, **typed: str) -> float:
        return self._timed(lambda: self.client.post(self._address(name), typed))

    def _address(self, name: str) -> str:
        from django.urls import reverse

        return reverse(name, args=[self.incident.reference])

    def _timed(self, ask: Callable[[], Any]) -> float:
        began = time.perf_counter()
        answer = ask()
        taken = 1000 * (time.perf_counter() - began)
        if answer.status_code != 200:
            raise SystemExit(f"{answer.status_code}: {answer.content[:500]!r}")
        return taken

    def search(self, field: str) -> float:
        return self.post("people-search", typed=next(self.known)[field])

    def deep_page(self) -> float:
        query = next(self.deep)
        return self.get("people-list", query)

    def hold_and_release(self) -> float:
        from breachdesk.people import actions
        from breachdesk.people.models import Person

        began = time.perf_counter()
        person = Person.objects.get(pk=next(self.held).pk)
        held = actions.hold_person(person, reason="Asked.", kind="other", expected_version=person.version, by=self.by)
        actions.release_person(held, reason="Over.", expected_version=held.version, by=self.by)
        return 1000 * (time.perf_counter() - began) / 2

    def after_a_hold(self) -> float:
        self.hold_and_release()
        return self.get("people")

    def recount(self) -> float:
        from django.db import transaction

        from breachdesk.people.counting import recount

        began = time.perf_counter()
        with transaction.atomic():
            recount(self.incident)
        return round(1000 * (time.perf_counter() - began))


ASKED: dict[str, Callable[[Case], float]] = {
    "numbers": lambda case: case.get("people"),
    "counts": lambda case: case.get("people-counts"),
    "list": lambda case: case.get("people-list"),
    "deep": Case.deep_page,
    "end": lambda case: case.get("people-list", "?from=end"),
    "email": lambda case: case.search("email"),
    "reference": lambda case: case.search("reference"),
    "hold": Case.hold_and_release,
    "told": Case.after_a_hold,
}
TASKS = {"measure": measure}

if __name__ == "__main__":
    run_if_child(TASKS)
    parser = argparse.ArgumentParser()
    parser.add_argument("people", type=int, nargs="?", default=MANY)
    parser.add_argument("--asks", type=int, default=100)
    parser.add_argument("--keep", action="store_true")
    given = parser.parse_args()
    raise SystemExit(main(given.people, given.asks, given.keep))
