"""The story, step by step, through the same actions as the screens and by the people whose job each step is."""

import json
import secrets
import tempfile
import time
from collections.abc import Callable, Iterable, Iterator
from datetime import timedelta
from pathlib import Path

from django.core.management import call_command
from django.utils import timezone

from breachdesk.accounts import actions as accounts
from breachdesk.accounts.models import User
from breachdesk.accounts.permissions import ROLES, demand_now
from breachdesk.audit.models import Entry, Pending
from breachdesk.embedded.invented_people import Expected, write_people
from breachdesk.embedded.story import words
from breachdesk.incidents.actions import (
    Facts,
    StatedMoment,
    Verdict,
    change_facts,
    decide_notification,
    make_assessment,
    open_incident,
)
from breachdesk.incidents.models import Decision, Incident
from breachdesk.people.actions import accept_upload, match_columns, receive_upload
from breachdesk.people.models import Person, Upload
from breachdesk.people.reading.guessing import guess_for
from breachdesk.people.uploads import seal_chunks
from breachdesk.vault.sealing import cipher_for
from notifications import actions as notices
from notifications.checking import check
from notifications.editions import the_organisation
from notifications.models import Delivery, Edition, Notice
from regulators import actions as filings
from regulators.case_facts import digest_of_facts, facts_of
from regulators.content import content_of, digest_of
from regulators.facts import Count
from regulators.filing_pdf import filing_pdf
from regulators.models import Filing
from regulators.sheet import sheet_of
from regulators.standing import standing_of

Say = Callable[[str], None]
PATIENCE = 3600.0  # seconds to wait for what a part of the product does by itself


class StoryStopped(Exception):
    """A part of the product did not do its work in time, or left something undone."""


class Story:
    """`tell()` yields the name of each step once it is done."""

    def __init__(
        self,
        people: int,
        say: Say,
        *,
        write: Callable[..., Expected] = write_people,
        tick: Callable[[], object] = lambda: None,
        patience: float = PATIENCE,
    ) -> None:
        self.people, self.say, self.write, self.tick, self.patience = people, say, write, tick, patience
        self.cast: dict[str, User] = {}
        self.sign_ins: list[dict[str, str]] = []
        self.steps: dict[str, Callable[[], str]] = {
            "cast": self.gather_the_cast,
            "organisation": self.describe_the_organisation,
            "position": self.say_where_we_stand,
            "log": self.log_the_breach,
            "load": self.load_the_people,
            "decide": self.assess_and_decide,
            "write": self.write_the_notice,
            "approve": self.approve_and_start,
            "send": self.wait_for_the_send,
            "file": self.sign_off_the_report,
            "verify": self.verify_the_trail,
            "open case": self.leave_something_to_do,
        }

    def tell(self) -> Iterator[str]:
        for name, step in self.steps.items():
            began = time.monotonic()
            sentence = step()
            self.say(f"{sentence} ({time.monotonic() - began:.1f} s)")
            yield name

    def gather_the_cast(self) -> str:
        name, email = words.CAST["administrator"]
        self.cast["administrator"] = self._join(
            accounts.appoint_administrator(email=email, name=name, by=None), "administrator"
        )
        for role, (name, email) in words.CAST.items():
            if role != "administrator":
                invited = accounts.invite_user(email=email, name=name, roles=[role], by=self.cast["administrator"])
                self.cast[role] = self._join(invited, role)
        return f"{len(self.cast)} colleagues joined, one for each role"

    def _join(self, user: User, role: str) -> User:
        password = "-".join(secrets.token_hex(3) for _ in range(3))
        self.sign_ins.append({"role": ROLES[role].label, "email": user.email, "password": password})
        return accounts.join(user, password=password, by=user)

    def describe_the_organisation(self) -> str:
        organisation = accounts.change_organisation(by=self.cast["administrator"], **words.ORGANISATION)
        return f"{organisation.legal_name} described itself, its sender and its data protection officer"

    def say_where_we_stand(self) -> str:
        for key, (value, basis) in words.POSITION.items():
            filings.state_position(filings.Statement(key, value, basis), by=self.cast["dpo"])
        return "What laws ask about the organisation is answered, once for all cases"

    def log_the_breach(self) -> str:
        now = timezone.now()
        moments = [
            StatedMoment("aware", now - timedelta(hours=9), basis=words.LOST_LIST_AWARE),
            StatedMoment("told_by_processor", now - timedelta(hours=9), basis=words.LOST_LIST_TOLD),
            StatedMoment("began", now - timedelta(days=3), "about", basis=words.LOST_LIST_BEGAN),
        ]
        self.incident = open_incident(Facts(**words.LOST_LIST), moments, by=self.cast["responder"])
        return f"{self.incident.reference} is logged and its clocks run"

    def load_the_people(self) -> str:
        upload = self._load(self.incident, self.people, "larkfield-deliveries.csv", seed=430)
        return (
            f"{upload.rows_valid:,} people loaded from {upload.rows_read:,} rows, {upload.rows_repeated:,} of them "
            f"repetitions and {upload.rows_rejected:,} rejected with a reason"
        )

    def _load(self, incident: Incident, people: int, name: str, *, seed: int) -> Upload:
        with tempfile.TemporaryDirectory() as folder:
            path = Path(folder) / name
            expected = self.write(path, people, seed=seed)
            with path.open("rb") as file:
                sealed = seal_chunks(incident.pk, name, iter(lambda: file.read(1 << 18), b""))
        by = self.cast["responder"]
        upload = receive_upload(incident, sealed, by=by)
        plan = guess_for(upload, cipher_for(incident.pk))
        match_columns(upload, plan, purpose="add", expected_version=upload.version, by=by)
        self._wait("the list to be read", lambda: not _reread(upload).is_under_way)
        upload = _reread(upload)
        if upload.state == Upload.State.CHECKED:
            accept_upload(upload, {signal["key"]: words.EXPLANATION for signal in upload.signals}, by=by)
            self._wait("the people to be taken in", lambda: not _reread(upload).is_under_way)
            upload = _reread(upload)
        if (upload.state, upload.rows_valid) != (Upload.State.LOADED, expected.people):
            raise StoryStopped(f"{upload.rows_valid:,} of {expected.people:,} people were loaded. {upload.failure}")
        return upload

    def assess_and_decide(self) -> str:
        told = Facts(**words.LOST_LIST, **words.LOST_LIST_EFFECTS)
        dpo, incident = self.cast["dpo"], self.incident
        self.incident = incident = change_facts(incident, told, expected_version=incident.version, by=dpo)
        facts = facts_of(incident)
        inputs = words.score_of(people=Count.of(facts.people_all).high, kinds=facts.kinds)
        made = make_assessment(incident, inputs, note=words.SCORE_NOTE, by=self.cast["responder"])
        for about, reason in words.REASONS.items():
            decide_notification(incident, Verdict(Decision.About(about), True, reason, digest_of_facts(facts)), by=dpo)
        owed = standing_of(incident, timezone.now()).owed
        places = {duty.obligation.place for duty in owed}
        return (
            f"The risk scores {made.score}; {dpo.name} decided, and {len(owed)} duties in {len(places)} places follow"
        )

    def write_the_notice(self) -> str:
        author = self.cast["author"]
        notice = notices.create_notice(self.incident, title="Customer notice", default_language="en", by=author)
        read = set(Person.objects.of(self.incident).reachable_by_email().values_list("language", flat=True))
        languages = [tag for tag in words.NOTICE_LANGUAGES if tag in read or tag == notice.default_language]
        editions = self._write(notice, languages)
        for edition in editions:
            self._overrule(edition)
        self.editions = [notices.submit_for_review(edition, by=author) for edition in editions]
        people = sum(edition.recipients_count or 0 for edition in self.editions)
        return f"A notice in {len(languages)} languages is written for {people:,} people and waits for approval"

    def _write(self, notice: Notice, languages: Iterable[str]) -> list[Edition]:
        """The default language last: whoever has no edition of their own gets that one."""
        author, written = self.cast["author"], []
        for language in sorted(languages, key=lambda tag: tag == notice.default_language):
            edition = notice.editions.filter(language=language).first() or notices.add_edition(
                notice, language=language, by=author
            )
            began = notice.incident.moment("began")
            subject, body = words.notice_text(language, began.at if began else None)
            written.append(notices.save_draft(edition, subject=subject, body=body, by=author))
        return written

    def _overrule(self, edition: Edition) -> None:
        """The list reaches countries whose law asks for more than this notice says: the approver answers for that."""
        found = check(edition, the_organisation(), subject=edition.subject, body=edition.body, fresh=True)
        if keys := {fault.key for fault in found.faults}:
            notices.overrule_checks(edition, checks=keys, reason=words.OVERRULED, by=self.cast["approver"])

    def approve_and_start(self) -> str:
        approver = self.cast["approver"]
        for edition in self.editions:
            open_everything(edition, by=approver)
            notices.approve_edition(edition, by=approver)
            notices.start_edition(edition, by=approver)
        return f"{approver.name}, who wrote none of it, approved each edition and started it"

    def wait_for_the_send(self) -> str:
        def is_finished() -> bool:
            return not Edition.objects.of(self.incident).exclude(state=Edition.State.FINISHED).exists()

        self._wait("every customer to be told", is_finished)
        told = Delivery.objects.filter(edition__in=self.editions, state=Delivery.State.HANDED_OVER).count()
        unknown = Delivery.objects.filter(edition__in=self.editions, state=Delivery.State.UNKNOWN).count()
        without = Person.objects.of(self.incident).filter(has_email=False).count()
        doubt = f", {unknown:,} unknown" if unknown else ""
        return f"{told:,} people told{doubt}; {without:,} have no address and wait for a letter"

    def sign_off_the_report(self) -> str:
        dpo = self.cast["dpo"]
        filing = filings.open_filing(self.incident, "uk_ico", by=dpo)
        filing = self._answer(filing, words.ANSWERS)
        filing = filings.submit_for_sign_off(filing, expected_version=filing.version, by=dpo)
        digest = digest_of(content_of(sheet_of(filing, at=timezone.now())))
        filings.sign_off_filing(filing, digest=digest, expected_version=filing.version, by=dpo)
        return f"The ICO report is signed off; {self._export(Filing.objects.with_case().get(pk=filing.pk))}"

    def _answer(self, filing: Filing, answers: dict[str, object]) -> Filing:
        """Only what the facts do not say already. One answer can raise the next question, so it asks again."""
        for _ in range(4):
            open_questions = {given.key for given in sheet_of(filing, at=timezone.now()).asked if not given.text}
            if not (open_questions & answers.keys()):
                break
            given = {key: filings.NewAnswer(0, answers[key]) for key in open_questions & answers.keys()}
            filing = filings.save_answers(filing, given, by=self.cast["dpo"])
        return filing

    def _export(self, filing: Filing) -> str:
        from breachdesk.pdf import PdfError

        try:
            document = filing_pdf(filing, at=timezone.now())
        except PdfError as error:
            return f"no PDF was made: {error}"
        filings.export_filing(filing, document, by=self.cast["dpo"])
        return f"its PDF has {len(document.pdf) / 1024:,.0f} KB"

    def verify_the_trail(self) -> str:
        demand_now(self.cast["auditor"], "audit.view_trail")
        self._wait("the sequencer to link every event", lambda: not Pending.objects.exists())
        call_command("verify_audit", verbosity=0)
        return f"The trail of {Entry.objects.count():,} entries was recomputed from its bytes and holds"

    def leave_something_to_do(self) -> str:
        aware = StatedMoment("aware", timezone.now() - timedelta(hours=50), "about", basis=words.STOLEN_HANDHELD_AWARE)
        incident = open_incident(Facts(**words.STOLEN_HANDHELD), [aware], by=self.cast["responder"])
        self._load(incident, min(self.people, 240), "handheld-deliveries.csv", seed=72)
        author = self.cast["author"]
        notice = notices.create_notice(incident, title="Notice about the stolen handheld", by=author)
        subject, body = words.handheld_notice()
        edition = notices.save_draft(notice.editions.get(), subject=subject, body=body, by=author)
        notices.submit_for_review(edition, by=author)
        filing = filings.open_filing(incident, "uk_ico", by=self.cast["dpo"])
        self._answer(filing, {key: words.ANSWERS[key] for key in words.HALF_FILLED})
        return f"{incident.reference} is open: its clock runs, a notice waits for approval, its report is half filled"

    def _wait(self, what: str, is_done: Callable[[], bool]) -> None:
        began = told = time.monotonic()
        while not is_done():
            self.tick()
            now = time.monotonic()
            if now - began > self.patience:
                raise StoryStopped(f"Waited {self.patience:.0f} seconds for {what}. The other parts say more.")
            if now - told > 15:
                self.say(f"… waiting for {what} ({now - began:.0f} s)")
                told = now
            time.sleep(0.1)

    def keep_sign_ins(self, path: Path) -> None:
        path.touch(mode=0o600)
        path.write_text(json.dumps(self.sign_ins, indent=1))


def open_everything(edition: Edition, *, by: User) -> None:
    """An approver reads what must be seen before a yes."""
    for rendering in edition.renderings:
        notices.open_rendering(edition, rendering=rendering, by=by)


def _reread(upload: Upload) -> Upload:
    return Upload.objects.get(pk=upload.pk)
