"""What is kept of a case's dates is what they are, whatever changes; and what is old is seen to be."""

import re
from collections.abc import Callable
from datetime import timedelta
from typing import Any

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext
from django.utils import timezone

from breachdesk.accounts.models import User
from breachdesk.incidents.actions import StatedMoment, Verdict, decide_notification, state_moment
from breachdesk.incidents.models import Decision, Incident
from notifications import actions as notices
from regulators import actions, open_dates, tasks
from regulators.actions import NewAnswer, Statement, Told, meet_duty, state_fact, state_position
from regulators.countdowns import Countdown, countdown_from, worked_out
from regulators.models import Filing, OpenDates
from regulators.open_dates import countdowns_of, open_dates_of
from regulators.standing import standing_of
from tests.factories import make_edition, make_incident, make_people
from tests.regulators.conftest import ANSWERS, fresh, sign, submit

pytestmark = pytest.mark.django_db

# What a standing reads and its basis leaves out, and why no date hangs on it.
READ_BESIDES = {
    "accounts_user": "who said it",
    "audit_event": "told whether to count again who was told",
    "people_person": "counted in the tally, whose moment is in the basis",
    "notifications_delivery": "who was told so far; beat works it out again, and the send's start and end are in it",
    "regulators_answer": "what a report says moves no date",
}


def tables_in(sql: str) -> set[str]:
    return set(re.findall(r'(?:FROM|JOIN) "?(\w+_\w+)"?', sql))


def test_everything_a_standing_reads_is_compared(incident: Incident, submitted: Filing) -> None:
    make_people(incident)
    make_edition(incident)
    with CaptureQueriesContext(connection) as asked:
        worked_out(incident, standing_of(fresh_case(incident), timezone.now()))
    read = set().union(*(tables_in(one["sql"]) for one in asked))
    assert {"people_tally", "regulators_receipt", "notifications_edition"} <= read
    assert read - tables_in(open_dates._BASES) == READ_BESIDES.keys() & read


def fresh_case(incident: Incident) -> Incident:
    return Incident.objects.with_moments().get(pk=incident.pk)


def said(incident: Incident) -> list[tuple[Any, ...]]:
    """What the desk, an e-mail or a calendar would say."""
    return [(one.key, one.at, one.is_decided, one.is_begun, one.filing_state) for one in countdowns_of(incident, now())]


def now() -> Any:
    return timezone.now()


def told(regime: str, duty: str, place: str) -> Told:
    return Told(regime, duty, place, timezone.now() - timedelta(minutes=1), "By telephone.")


def finish(filing: Filing, by: User) -> None:
    filing = actions.save_answers(filing, {key: NewAnswer(0, value) for key, value in ANSWERS.items()}, by=by)
    filing = actions.submit_for_sign_off(filing, expected_version=filing.version, by=by)
    sign(filing, by)
    submit(fresh(filing), by)


def test_whatever_changes_the_dates_are_those_of_now(incident: Incident, dpo: User) -> None:
    def decide_to_tell() -> None:
        verdict = Verdict(Decision.About.AUTHORITY, True, "Because.", b"facts")
        decide_notification(incident, verdict, by=dpo)

    def correct_awareness() -> None:
        earlier = StatedMoment("aware", timezone.now() - timedelta(hours=9), basis="An older e-mail.")
        version = Incident.objects.get(pk=incident.pk).version
        state_moment(incident, earlier, expected_version=version, reason="It was in spam.", by=dpo)

    def write_to_the_ico() -> None:
        begun.append(actions.open_filing(incident, "uk_ico", by=dpo))

    begun: list[Filing] = []
    steps: list[Callable[[], Any]] = [
        lambda: state_position(Statement("us.established_in", ["GB"]), by=dpo),
        lambda: make_people(incident),
        decide_to_tell,
        lambda: state_position(Statement("us.targets", ["DE", "FR", "GB", "IE"]), by=dpo),
        correct_awareness,
        lambda: state_fact(incident, Statement("reach.eu_gdpr", False), by=dpo),
        lambda: state_fact(incident, Statement("reach.eu_gdpr", True), by=dpo),
        lambda: meet_duty(incident, told("eu_gdpr", "authority", "IE"), by=dpo),
        write_to_the_ico,
        lambda: finish(begun[0], dpo),
    ]
    before = said(incident)
    for number, step in enumerate(steps):
        step()
        case = fresh_case(incident)
        after = said(case)
        assert after != before, f"step {number} changes nothing, so it shows nothing"
        assert countdowns_of(case, now()) == worked_out(case, standing_of(case, now())), number
        [kept] = open_dates_of([case], now()).values()
        assert kept.first == next((one_without_working(one) for one in countdowns_of(case, now()) if one.is_ours), None)
        before = after


def one_without_working(one: Countdown) -> Countdown:
    return countdown_from({**one.kept(), "working": []})


def test_a_notice_that_is_begun_is_seen(incident: Incident, dpo: User) -> None:
    state_position(Statement("us.established_in", ["GB"]), by=dpo)
    [kept] = open_dates_of([incident], now()).values()
    edition = make_edition(incident)
    begun = OpenDates.objects.get().worked_from
    [after] = open_dates_of([incident], now()).values()
    assert OpenDates.objects.get().worked_from != begun
    notices.cancel_edition(edition, expected_version=edition.version, reason="Not needed.", by=dpo)
    open_dates_of([incident], now())
    assert len(set(OpenDates.objects.values_list("worked_from", flat=True))) == 1
    assert kept.first == after.first


def test_what_nobody_changed_is_read_and_not_worked_out(incident: Incident) -> None:
    made = open_dates_of([incident], now())
    with CaptureQueriesContext(connection) as asked:
        assert open_dates_of([incident], now()) == made
    assert len(asked) == 2
    OpenDates.objects.all().delete()
    assert open_dates_of([incident], now()) == made


def test_another_catalogue_or_program_makes_every_date_old(incident: Incident, monkeypatch: pytest.MonkeyPatch) -> None:
    open_dates_of([incident], now())
    monkeypatch.setattr(open_dates, "_rules", lambda *_: b"another")
    monkeypatch.setattr(open_dates, "AT_ONCE", 0)
    [kept] = open_dates_of([incident], now()).values()
    assert not kept.is_current


def test_after_a_statement_about_us_some_wait_and_say_so_until_the_worker_comes(dpo: User) -> None:
    cases = [make_incident() for _ in range(open_dates.AT_ONCE + 1)]
    open_dates_of(cases, now())
    state_position(Statement("us.established_in", ["GB"]), by=dpo)
    waiting = [dates for dates in open_dates_of(cases, now()).values() if not dates.is_current]
    assert len(waiting) == 1
    assert waiting[0].first
    tasks.work_out_dates()
    assert all(dates.is_current for dates in open_dates_of(cases, now()).values())
