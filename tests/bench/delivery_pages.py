"""How long the pages around a send take with 430,000 messages, of which 5,000 are in doubt, and one look of the alarms.

    python -m tests.bench.delivery_pages [people] [--asks N] [--keep]

A case of invented people whose notice is being sent: most were handed over in the last fifty minutes, some came back
or were refused, 5,000 are unknown since yesterday, a few hundred were stopped, a tenth still wait, and a run of letters
is ready. Each page is asked for N times by the product's own views, middleware and templates, in one process, without a
network between. What the product keeps for some seconds is kept: so half of the asks come while the case stands still,
and before each of the others something happened in it (`after`), so that what is counted once per event is counted
anew. `processor` is what a page costs this process; what the database does beside it is in the other columns alone.

- reach: who was reached, with the next steps; second: the question before the second addresses are tried.
- unknowns: the first page of those in doubt; deep: its last; domain: those of one domain; blocked: those stopped.
- letters: a run of letters; begin: the page before one.
- send: the page of the send while it goes; numbers: what each who watches asks for every two seconds; ended: the page
  once it is over.
- look: the page of the send for whoever comes when nothing is kept any more: of all who watch, one in twenty times.
- alarms: one look of what stops a send by itself, by the sweeper. Neither this nor `look` is judged: they are seldom.
"""

import argparse
import json
import os
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

from tests.bench.measuring import child, installation, keep, run_if_child
from tests.bench.people_page import MOST_MS, _spread

MODULE = "tests.bench.delivery_pages"
MANY, IN_DOUBT = 430_000, 5_000
UNJUDGED = {"alarms", "look"}

ID = "('00000000-0000-4000-8000-' || lpad(to_hex({0}), 12, '0'))::uuid"
BATCHES = f"""
INSERT INTO notifications_batch (id, edition_id, epoch, opened_at, lease_until, settled_at, rows, route)
SELECT {ID.format("n")}, %(edition)s, 1, at, at + interval '45 s', at + interval '3 s', 500, 1
FROM generate_series(0, %(people)s / 500) AS n,
    LATERAL (SELECT now() - interval '50 minutes' + n * interval '3 s' AS at)
"""
# By the order of their ids: the first are in doubt, then some stopped, the last wait, and of the others some failed.
BECAME = f"""
WITH placed AS (
    SELECT id, row_number() OVER (ORDER BY id) AS n FROM notifications_delivery WHERE edition_id = %(edition)s),
became AS (
    SELECT id, n, CASE WHEN n <= %(doubts)s + 300 THEN now() - interval '30 hours'
        ELSE now() - 0.9 * interval '50 minutes' * (1 - n::float / (0.9 * %(people)s)) END AS at FROM placed)
UPDATE notifications_delivery AS d SET next_at = NULL, token = {ID.format("n / 500")}, tries = 1,
    handing_over_at = at, settled_at = at,
    state = CASE WHEN n <= %(doubts)s THEN 'unknown' WHEN n <= %(doubts)s + 300 THEN 'blocked'
        WHEN n %% 100 < 2 THEN 'refused' WHEN n %% 100 < 3 THEN 'bounced' WHEN n %% 1000 = 999 THEN 'complained'
        WHEN n %% 2 = 0 THEN 'delivered' ELSE 'handed_over' END
FROM became WHERE became.id = d.id AND n <= 0.9 * %(people)s
"""
TRIES = """
INSERT INTO notifications_attempt (id, delivery_id, batch_id, n, phase, outcome, code, enhanced, reason, remote_id,
    domain, closed_at)
SELECT gen_random_uuid(), d.id, d.token, 1,
    CASE d.state WHEN 'unknown' THEN 'dot' WHEN 'blocked' THEN 'render' ELSE 'rcpt' END, d.state,
    CASE d.state WHEN 'refused' THEN 550 END, CASE d.state WHEN 'refused' THEN '5.1.1' ELSE '' END,
    CASE d.state WHEN 'blocked' THEN 'The row of this person changed after approval.' ELSE '' END, '',
    substr(sha256((random() * 300)::int::text::bytea), 1, 16), d.settled_at
FROM notifications_delivery AS d WHERE d.edition_id = %(edition)s AND d.state IN ('refused', 'unknown', 'blocked')
"""


def main(people: int, asks: int, is_kept: bool) -> int:
    with installation("tests.bench.settings") as place:
        measured = child(MODULE, "measure", place.folder, people, asks)
    judged = {name: page["p95_ms"] <= MOST_MS for name, page in measured["pages"].items() if name not in UNJUDGED}
    results = {"people": people, "asks": asks, "processors": os.cpu_count(), **measured, "judged": judged}
    print(_table(results))
    if is_kept:
        keep(f"delivery-pages-{people}", results)
    return 0 if all(judged.values()) else 1


def _table(results: dict[str, Any]) -> str:
    head = f"{'page':12}{'p50 ms':>10}{'p95 ms':>10}{'most ms':>10}{'processor':>11}{'after p50':>12}{'after most':>12}"
    lines = [
        f"{name:12}{page['p50_ms']:>10}{page['p95_ms']:>10}{page['most_ms']:>10}"
        f"{page['processor_ms']:>11}{page['after_p50_ms']:>12}{page['after_most_ms']:>12}"
        for name, page in results["pages"].items()
    ]
    return "\n".join([head, *lines, json.dumps({key: results[key] for key in ("counts", "load", "seconds", "judged")})])


def _prepare(folder: Path, people: int) -> Any:
    """An edition that was sent, with what became of it written by the one who may do anything."""
    from io import StringIO

    from django.core.management import call_command

    from breachdesk.embedded.invented_people import write_people
    from notifications.actions import begin_letters, start_edition
    from notifications.models import Edition, LetterRun
    from tests.factories import (
        make_approved_edition,
        make_edition,
        make_edition_in_review,
        make_incident,
        make_organisation,
        make_user,
        unguarded,
    )

    make_organisation()
    incident = make_incident()
    write_people(folder / "people.csv", people)
    words = {"explain_all": "Invented.", "json": True, "stdout": StringIO()}
    call_command("import_people", incident.reference, str(folder / "people.csv"), **words)
    edition = make_approved_edition(make_edition_in_review(make_edition(incident)))
    edition = start_edition(edition, by=make_user("approver"))
    _write_what_became(edition, people)
    edition = Edition.objects.with_incident().get(pk=edition.pk)
    run = begin_letters(edition, window="uk", by=make_user("approver"))
    with unguarded():
        files = [{"part": part, "letters": 250, "pages": 500, "bytes": 1, "sha256": "0" * 64} for part in range(1, 41)]
        LetterRun.objects.filter(pk=run.pk).update(state="ready", files=files)
    return edition, run


def _write_what_became(edition: Any, people: int) -> None:
    from django.db import connection

    from tests.factories import unguarded

    with unguarded(), connection.cursor() as cursor:
        doubts = IN_DOUBT * people // MANY or 50
        cursor.execute(BATCHES, {"edition": edition.pk, "people": people})
        cursor.execute(BECAME, {"edition": edition.pk, "people": people, "doubts": doubts})
        cursor.execute(TRIES, {"edition": edition.pk})
        _note_domains(edition, cursor)
    with connection.cursor() as cursor:
        cursor.execute("VACUUM ANALYZE")


def _note_domains(edition: Any, cursor: Any) -> None:
    """Of those in doubt, as the worker notes them: the blind index of the domain that was tried."""
    from breachdesk.people.models import Person
    from breachdesk.people.personal import personal_of
    from breachdesk.vault.sealing import cipher_for
    from notifications.composing import domain_index, domain_of
    from notifications.models import Delivery

    cipher = cipher_for(edition.incident_id)
    doubts = dict(Delivery.objects.filter(edition=edition, state="unknown").values_list("person", "pk"))
    people = Person.objects.filter(pk__in=doubts)
    noted = [
        (domain_index(cipher, domain_of(personal_of(cipher, person)["email"])), doubts[person.pk]) for person in people
    ]
    cursor.executemany("UPDATE notifications_attempt SET domain = %s WHERE delivery_id = %s", noted)


def measure(folder: Path, people: str, asks: str) -> dict[str, Any]:
    from django.core.management import call_command

    call_command("migrate", verbosity=0)
    call_command("createcachetable", verbosity=0)
    call_command("sync_roles", verbosity=0)
    began = time.monotonic()
    case = Case(*_prepare(folder, int(people)))
    prepared = time.monotonic()
    few = max(3, int(asks) // 5)
    pages = {name: _of_one(case, ask, few if name in UNJUDGED else int(asks)) for name, ask in ASKED.items()}
    seconds = {"prepare": round(prepared - began), "measure": round(time.monotonic() - prepared)}
    return {"pages": pages, "counts": case.counts(), "load": round(os.getloadavg()[0], 1), "seconds": seconds}


def _of_one(case: "Case", ask: Callable[["Case"], float], asks: int) -> dict[str, float]:
    ask(case)
    used = time.process_time()
    still = [ask(case) for _ in range(asks)]
    processor = round(1000 * (time.process_time() - used) / asks, 1)
    after = []
    for _ in range(max(3, asks // 10)):
        case.something_happens()
        after.append(ask(case))
    changed = _spread(after)
    return {
        **_spread(still),
        "processor_ms": processor,
        "after_p50_ms": changed["p50_ms"],
        "after_most_ms": changed["most_ms"],
    }


class Case:
    def __init__(self, edition: Any, run: Any) -> None:
        from django.test import Client

        from tests.factories import make_user

        self.edition, self.run, self.client = edition, run, Client()
        self.by = make_user("approver", "dpo", "responder")
        self.client.force_login(self.by)
        self.number = 0

    def counts(self) -> dict[str, int]:
        from notifications.progress import progress_of

        return dict(progress_of(self.edition, fresh=True).counts)

    def something_happens(self) -> None:
        """An event of the case that may change who was reached: somebody is put on hold."""
        from breachdesk.people import actions
        from breachdesk.people.models import Person

        self.number += 1
        person = Person.objects.of(self.edition.notice.incident).filter(held=False).in_order()[self.number]
        actions.hold_person(person, reason="Asked.", kind="other", expected_version=person.version, by=self.by)

    def get(self, name: str, *words: Any, query: str = "") -> float:
        from django.urls import reverse

        address = reverse(name, args=[self.edition.notice.incident.reference, *words]) + query
        began = time.perf_counter()
        answer = self.client.get(address)
        taken = 1000 * (time.perf_counter() - began)
        if answer.status_code != 200:
            raise SystemExit(f"{answer.status_code}: {answer.content[:500]!r}")
        return taken

    def send(self) -> float:
        return self.get("send", self.edition.pk)

    def looked_anew(self) -> float:
        """Nobody has looked lately: this one counts."""
        from django.core.cache import cache

        from notifications import progress

        cache.delete_many([f"send-{self.edition.pk}", f"trouble-{self.edition.pk}"])
        progress._remembered.clear()
        return self.send()

    def ended(self) -> float:
        from django.utils import timezone

        from notifications.models import Edition
        from tests.factories import unguarded

        if self.edition.state != Edition.State.FINISHED:
            with unguarded():
                Edition.objects.filter(pk=self.edition.pk).update(state="finished", finished_at=timezone.now())
            self.edition.refresh_from_db()
        return self.send()

    def alarms(self) -> float:
        from notifications.alarms import standing_of

        began = time.perf_counter()
        standing_of(self.edition)
        return 1000 * (time.perf_counter() - began)

    def of_a_domain(self) -> float:
        from notifications.unknowns import Rule, chosen_by

        if not hasattr(self, "domain"):
            self.domain = chosen_by(self.edition, Rule(), with_domains=True).domain_choices[0].value
        return self.get("unknown", self.edition.pk, query=f"?domain={self.domain}")


ASKED: dict[str, Callable[[Case], float]] = {
    "reach": lambda case: case.get("notice-reach", case.edition.notice_id),
    "second": lambda case: case.get("edition-second-address", case.edition.pk),
    "unknowns": lambda case: case.get("unknown", case.edition.pk),
    "deep": lambda case: case.get("unknown", case.edition.pk, query="?page=last"),
    "domain": Case.of_a_domain,
    "blocked": lambda case: case.get("unknown", case.edition.pk, query="?of=blocked"),
    "begin": lambda case: case.get("letters-begin", case.edition.pk),
    "letters": lambda case: case.get("letters", case.run.pk),
    "send": Case.send,
    "numbers": lambda case: case.get("send-numbers", case.edition.pk),
    "look": Case.looked_anew,
    "alarms": Case.alarms,
    "ended": Case.ended,
}
TASKS = {"measure": measure}

if __name__ == "__main__":
    run_if_child(TASKS)
    parser = argparse.ArgumentParser()
    parser.add_argument("people", type=int, nargs="?", default=MANY)
    parser.add_argument("--asks", type=int, default=50)
    parser.add_argument("--keep", action="store_true")
    given = parser.parse_args()
    raise SystemExit(main(given.people, given.asks, given.keep))
