"""One schedule after the other: prepare a notice, send it under fire, let everything calm down, and look."""

import base64
import json
import random
import threading
import time
import urllib.error
import urllib.request
from collections import Counter
from collections.abc import Callable
from contextlib import suppress
from dataclasses import replace
from functools import partial
from typing import Any
from uuid import UUID, uuid4

import redis
from django.conf import settings
from django.db import Error, connection

from breachdesk.audit.models import Pending
from breachdesk.audit.verification import Report, Verdict, verify
from notifications import actions, invariants, tasks
from notifications.invariants import accepted
from notifications.invariants.paced import most_within_a_minute
from notifications.models import Batch, Delivery, Edition
from notifications.schedule import Schedule
from tests.factories import approve, make_incident, make_organisation, make_people, make_user, unguarded
from tests.faults.colleague import Colleague
from tests.faults.sending_field import PATIENCE, SECRET, Field, wait_until
from tests.faults.sending_plan import DOMAINS, Happening, Plan

HEADING = "customer_id,first_name,last_name,email,language,data_exposed\n"
LONGEST_REST, LONGEST_LIMITED = 150.0, 240.0  # seconds


class Campaign:
    """One case; its people are told once in each schedule, by a notice of its own."""

    def __init__(self, fire: Field, people: int) -> None:
        self.fire, self.people = fire, people
        self.misreported = set[UUID]()
        connection.close()  # of a server that has begun anew since
        make_organisation()
        self.incident, self.author = make_incident(), make_user("author")
        domains = ("example.com", "example.org", "post.example.net")
        assert len(domains) == DOMAINS
        rows = (f"HR-{n},Ana,Person {n},person{n:05}@{domains[n % DOMAINS]},en,name;email\n" for n in range(people))
        make_people(self.incident, HEADING + "".join(rows))
        address = fire.environment["BREACHDESK_BASE_URL"]
        self.colleagues = [Colleague(address, make_user(role).email) for role in ("approver", "dpo")]
        self.approver = make_user("approver")
        for colleague in self.colleagues:
            wait_until("the web server answers", colleague.sign_in)
        self.acts: dict[str, Callable[..., object]] = {
            "kill": lambda name, whom, down: fire.kill(name, whom, float(down)),
            "freeze": fire.freeze,
            "thaw": fire.thaw,
            "deploy": fire.deploy,
            "flush": lambda: fire.redis().flushall(),
            "fill memory": lambda: fire.redis().config_set("maxmemory", "1"),
            "free memory": lambda: fire.redis().config_set("maxmemory", "0"),
            "restore snapshot": fire.restore_snapshot,
            "cut off": self._cut_off,
            "fill disk": fire.fill_disk,
            "free disk": fire.free_disk,
            "clock": fire.jump,
            "clock of": fire.clocks.move,
            "reports": self._report,
            "press": self._press_both,
            "ring": self._ring,
            "change rate": self._change_rate,
            "answer after": lambda seconds="": self.slow_down(delay=float(seconds or self.usual_delay)),
            "ask for tls": lambda: self._with_tls("starttls"),
            "no more tls": lambda: self._with_tls("none"),
        }

    def play(self, plan: Plan) -> dict[str, Any]:
        began = time.monotonic()
        log, doubts = (self.fire.folder / f"{plan.seed}.{kind}" for kind in ("jsonl", "doubts"))
        log.touch()
        doubts.touch()
        self._lease_for(plan.terms)
        self.fire.keep_snapshot()
        self.edition = self._approved(plan)
        self.fire.sink_takes(log, doubts, plan.seed, plan.delay, plan.faults)
        self.slow_down = partial(self.fire.sink_takes, log, doubts, plan.seed, faults=plan.faults)
        self.usual_delay = plan.delay
        self._press_until_done(self.colleagues[0], "start")
        self._ring("2")
        failed = self._under_fire(plan)
        self._calm(plan)
        rested = self._rest(LONGEST_REST if not plan.limits else LONGEST_LIMITED)
        wrong = self._look(plan, log, doubts, rested)
        unknown = Delivery.objects.filter(edition=self.edition, state="unknown").values_list("pk", flat=True)
        taken = [one for one in accepted.read(log) if one.delivery]  # the product writes to colleagues, too
        return {
            "seed": plan.seed,
            "seconds": round(time.monotonic() - began, 1),
            "states": self._states(),
            "taken": len(taken),
            "unknown_and_taken": len(set(unknown) & {one.delivery for one in taken}),
            "smtp": sorted(plan.faults),
            **(
                {"terms": plan.terms, "limits": plan.limits, "worst_minute": self._worst_minute(taken)}
                if plan.limits
                else {}
            ),
            "happened": dict(plan.kinds()),
            "answers": self._answers(),
            "did_not_work": failed,
            "wrong": wrong,
        }

    def _lease_for(self, terms: tuple[int, int]) -> None:
        """The checker, too, knows what a lease is."""
        if self.fire.lease_for(terms):
            changed = {"smtp_timeout": terms[0], "lease_margin": terms[1]}
            settings.BREACHDESK = settings.BREACHDESK.model_copy(update=changed)
            wait_until("the web server answers", self._has_web)

    def _has_web(self) -> bool:
        self.fire.tend()
        return all(colleague.sign_in() for colleague in self.colleagues)

    def _approved(self, plan: Plan) -> UUID:
        """From a database that answers: the schedule before may have ended with its restart."""
        connection.close()
        title = f"Schedule {plan.seed}, {uuid4().hex[:8]}"
        notice = actions.create_notice(self.incident, title=title, by=self.author)
        edition = notice.editions.with_incident().get()
        edition = actions.set_schedule(edition, schedule=Schedule.from_json(plan.limits), by=self.author)
        edition = actions.submit_for_review(edition, by=self.author)
        return approve(edition, by=self.approver).pk

    def _under_fire(self, plan: Plan) -> list[str]:
        began, failed = time.monotonic(), []
        for happening in plan.happenings:
            while time.monotonic() < began + happening.at:
                self.fire.tend()
                time.sleep(0.05)
            problem = self._do(happening)
            if problem:
                failed.append(problem)
        return failed

    def _do(self, happening: Happening) -> str:
        """What could not be done, because what it is done to was down already."""
        try:
            self.acts[happening.act](*happening.words)
        except (OSError, redis.RedisError, Error) as problem:
            return f"{happening}: {type(problem).__name__}"
        return ""

    def _calm(self, plan: Plan) -> None:
        """Nothing happens any more; all that ran before runs again."""
        fire = self.fire
        fire.free_disk()
        fire.right_clocks()
        fire.down_until.clear()
        for name in ("database", "redis", *fire.programs):
            fire.thaw(name)
        self._with_tls("none")
        wait_until("the database answers", self._has_database)
        wait_until("the queue answers", self._has_memory)
        log, doubts = (fire.folder / f"{plan.seed}.{kind}" for kind in ("jsonl", "doubts"))
        fire.sink_takes(log, doubts, plan.seed, 0.002, {})

    def _has_database(self) -> bool:
        self.fire.tend()
        return self.fire.is_database_ready()

    def _has_linked_everything(self) -> bool:
        self.fire.tend()
        return not Pending.objects.exists()

    def _has_memory(self) -> bool:
        self.fire.tend()
        with suppress(redis.RedisError, OSError):
            return bool(self.fire.redis().config_set("maxmemory", "0"))
        return False

    def _rest(self, longest: float) -> str:
        """Until nothing is left to do; whoever waits for a later try is due at once. Else what is wrong with it."""
        began = time.monotonic()
        while time.monotonic() - began < longest:
            self.fire.tend()
            with suppress(Error):
                if self._is_at_rest():
                    return ""
            connection.close()
            time.sleep(0.5)
        return f"it had not come to rest {longest:g} s later"

    def _is_at_rest(self) -> bool:
        state = Edition.objects.values_list("state", flat=True).get(pk=self.edition)
        if state == Edition.State.PAUSED:
            self.colleagues[0].press(self._page("resume"))
        with unguarded(), connection.cursor() as cursor:
            cursor.execute(
                "UPDATE notifications_delivery SET next_at = now()"
                " WHERE edition_id = %s AND next_at > now() AND state = 'retry_wait'",
                [self.edition],
            )
        is_open = Batch.objects.filter(edition=self.edition, settled_at=None).exists()
        return state in (Edition.State.FINISHED, Edition.State.CANCELLED) and not is_open

    def _look(self, plan: Plan, log: Any, doubts: Any, restless: str) -> list[str]:
        wrong = [restless] if restless else []
        wait_until("nothing waits for the sequencer", self._has_linked_everything)
        most = plan.doubts + len(doubts.read_text().splitlines())
        found = invariants.check(
            edition=self.edition,
            accepted=accepted.read(log),
            skew=plan.skew,
            most_unknown=most,
            at_rest=True,
            jumps=plan.jumps,
            misreported=self.misreported,
        )
        report = self._verified()
        if report.verdict != "VALID":
            wrong.append(report.finding.sentence if report.finding else f"the trail is {report.verdict}")
        return wrong + [str(finding) for finding in found.findings]

    def _verified(self) -> Report:
        """The first signature may be a minute away."""
        report = verify()
        until = time.monotonic() + PATIENCE
        while report.verdict == Verdict.INCOMPLETE and time.monotonic() < until:
            self.fire.tend()
            time.sleep(2)
            report = verify()
        return report

    def _answers(self) -> dict[str, int]:
        """To the buttons that were pressed, by HTTP status; 0 is none, from a server that was down."""
        answers = Counter(status for colleague in self.colleagues for status in colleague.answers.elements())
        for colleague in self.colleagues:
            colleague.answers.clear()
        return {str(status): number for status, number in sorted(answers.items())}

    def _worst_minute(self, taken: list[accepted.Accepted]) -> int:
        return most_within_a_minute(sorted(one.begun or one.at for one in taken))

    def _states(self) -> dict[str, int]:
        return Delivery.objects.all().tally([Edition.objects.get(pk=self.edition)])[self.edition]

    # What people and the outside world do

    def _page(self, verb: str) -> str:
        return f"/incidents/{self.incident.reference}/editions/{self.edition}/{verb}/"

    def _press_until_done(self, colleague: Colleague, verb: str) -> None:
        def is_done() -> bool:
            self.fire.tend()
            colleague.press(self._page(verb))
            return Edition.objects.filter(pk=self.edition, started_at__isnull=False).exists()

        wait_until(f"somebody could press {verb}", is_done, PATIENCE)

    def _press_both(self, first: str, second: str) -> None:
        """Both at the same moment: one of them is told that the other was quicker, or both come through in turn."""
        words = {"confirm": self.incident.reference}
        pressing = [
            threading.Thread(target=colleague.press, args=(self._page(verb),), kwargs=words, daemon=True)
            for colleague, verb in zip(self.colleagues, (first, second), strict=True)
        ]
        for thread in pressing:
            thread.start()

    def _change_rate(self, *numbers: str) -> None:
        """By a person at the page of the send, for the reason that the form asks for."""
        words = dict(number.split("=") for number in numbers)
        arguments = self._page("send/rate"), self._page("send")
        threading.Thread(target=self.colleagues[0].press, args=arguments, kwargs=words, daemon=True).start()

    def _ring(self, times: str) -> None:
        """Doubled, and for an edition that does not exist."""
        for _ in range(int(times)):
            tasks.ring(self.edition)
        tasks.ring(uuid4())

    def _cut_off(self) -> None:
        with connection.cursor() as cursor:
            cursor.execute(
                "SELECT pg_terminate_backend(pid) FROM pg_stat_activity"
                " WHERE datname = current_database() AND pid <> pg_backend_pid()"
            )

    def _with_tls(self, security: str) -> None:
        """The second worker begins anew, and now asks for a protection that the sink does not offer, or no more."""
        program = self.fire.programs["worker 2"]
        if program.environment["BREACHDESK_SMTP_SECURITY"] != security:
            environment = {**program.environment, "BREACHDESK_SMTP_SECURITY": security}
            self.fire.programs["worker 2"] = replace(program, environment=environment)
            self.fire.deploy("worker 2")

    def _report(self, seed: str) -> None:
        """What a provider may send: of any delivery, twice, in the wrong order, and from somebody who is not it."""
        chance = random.Random(int(seed))
        rows = [str(row) for row in Delivery.objects.filter(edition=self.edition).values_list("pk", flat=True)[:400]]
        named = [chance.choice(rows) for _ in range(20)]
        self.misreported.update(map(UUID, named))
        reports = [self._one(chance, row) for row in named]
        reports += chance.sample(reports, 10)
        chance.shuffle(reports)
        threading.Thread(target=self._post_all, args=(reports, chance), daemon=True).start()

    def _one(self, chance: random.Random, row: str) -> bytes:
        kind = chance.choice(["Delivery", "Bounce", "SpamComplaint"])
        event = {
            "RecordType": kind,
            "MessageID": str(uuid4()),
            "ID": chance.randrange(10**9),
            "Type": "HardBounce" if kind == "Bounce" else kind,
            "TypeCode": 1,
            "Recipient": "somebody@example.com",
            "Email": "somebody@example.com",
            "Metadata": {"delivery": row if chance.random() < 0.9 else str(uuid4())},
            **dict.fromkeys(("DeliveredAt", "BouncedAt"), "2026-11-22T10:00:00Z"),
        }
        return json.dumps(event).encode()

    def _post_all(self, reports: list[bytes], chance: random.Random) -> None:
        for report in reports:
            secret = SECRET if chance.random() < 0.8 else "reports:a guess"
            headers = {
                "Authorization": "Basic " + base64.b64encode(secret.encode()).decode(),
                "Content-Type": "application/json",
            }
            address = self.fire.environment["BREACHDESK_BASE_URL"] + "/webhooks/postmark/tracking/"
            with suppress(OSError, urllib.error.HTTPError):
                urllib.request.urlopen(urllib.request.Request(address, report, headers), timeout=20).close()
