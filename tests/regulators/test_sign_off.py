"""From a complete draft to a version that nothing changes any more."""

from collections.abc import Callable
from datetime import timedelta
from hashlib import sha256
from typing import Any

import pytest
from django.core import mail
from django.core.exceptions import PermissionDenied, ValidationError
from django.db import IntegrityError, connection, transaction
from django.utils import timezone

from breachdesk.accounts.decisions import waiting_for
from breachdesk.accounts.models import User
from breachdesk.audit.canonical import parse
from breachdesk.audit.models import Event
from breachdesk.incidents.actions import Facts, StatedMoment, change_facts, state_moment
from breachdesk.incidents.models import Incident
from regulators import actions
from regulators.actions import NewAnswer
from regulators.models import Filing, FilingVersion
from tests.factories import make_user, unguarded
from tests.regulators.conftest import digest, fresh, in_days, sheet, sign, signed_in
from tests.regulators.test_save_answers import address

Unchanged = Callable[[], tuple[Any, ...]]


@pytest.fixture
def state() -> Callable[[Filing], tuple[Any, ...]]:
    """What must stay as it is when an action refuses."""
    return lambda filing: (
        *Filing.objects.values_list("state", "version").get(pk=filing.pk),
        FilingVersion.objects.count(),
        Event.objects.count(),
    )


# ---- asking for it


def test_asking_fixes_the_answers_and_asks_whoever_may(complete: Filing, dpo: User) -> None:
    other = make_user("dpo")
    filing = actions.submit_for_sign_off(complete, expected_version=1, by=dpo)
    assert (filing.state, filing.version, filing.review_asked_by) == ("in_review", 2, dpo)
    assert waiting_for(other).get().object_id == filing.pk
    assert "customers" not in waiting_for(other).get().sentence
    assert Event.objects.filter(type="filing.submitted_for_review").exists()


def test_missing_answers_are_named(draft: Filing, dpo: User, state: Any) -> None:
    before = state(draft)
    with pytest.raises(ValidationError) as refusal:
        actions.submit_for_sign_off(draft, expected_version=1, by=dpo)
    assert "4.4 How many data subjects could be affected?: an answer is missing." in refusal.value.messages
    assert len(refusal.value.messages) == 1 + len(sheet(draft).missing)
    assert state(draft) == before


def test_a_promise_fills_a_gap(complete: Filing, dpo: User) -> None:
    promise = {"people_count": NewAnswer(1, promised_on=in_days(3))}
    actions.save_answers(complete, promise, by=dpo)
    assert actions.submit_for_sign_off(complete, expected_version=1, by=dpo).state == "in_review"


def test_an_answer_over_its_limit_is_named(complete: Filing, dpo: User, state: Any) -> None:
    actions.save_answers(complete, {"actions_taken": NewAnswer(1, "x" * 4_010)}, by=dpo)
    before = state(complete)
    with pytest.raises(ValidationError) as refusal:
        actions.submit_for_sign_off(complete, expected_version=1, by=dpo)
    assert any("10 characters too many" in sentence for sentence in refusal.value.messages)
    assert state(complete) == before


def test_a_late_report_must_say_why(complete: Filing, dpo: User) -> None:
    earlier = StatedMoment("aware", timezone.now() - timedelta(hours=80), basis="It was in the post room.")
    incident = Incident.objects.get(pk=complete.incident_id)
    state_moment(incident, earlier, expected_version=incident.version, reason="The letter came first.", by=dpo)
    assert [given.key for given in sheet(complete).missing] == ["delay_reason"]


def test_asking_twice_is_refused(in_review: Filing, dpo: User, state: Any) -> None:
    before = state(in_review)
    with pytest.raises(ValidationError, match="Somebody moved this filing on"):
        actions.submit_for_sign_off(in_review, expected_version=1, by=dpo)
    with pytest.raises(ValidationError, match="Only a filing that is draft can be asked for sign-off"):
        actions.submit_for_sign_off(in_review, expected_version=2, by=dpo)
    assert state(in_review) == before


# ---- sending it back


def test_it_goes_back_with_a_reason(in_review: Filing, dpo: User) -> None:
    filing = actions.send_back(in_review, reason="The count is wrong.", expected_version=2, by=dpo)
    assert filing.state == "draft"
    assert not waiting_for(dpo).exists()
    assert not waiting_for(make_user("dpo")).exists()


def test_it_does_not_go_back_without_a_reason(in_review: Filing, dpo: User, state: Any) -> None:
    before = state(in_review)
    with pytest.raises(ValidationError, match="Say what has to change"):
        actions.send_back(in_review, reason=" ", expected_version=2, by=dpo)
    assert state(in_review) == before


def test_a_draft_is_not_sent_back(complete: Filing, dpo: User) -> None:
    with pytest.raises(ValidationError, match="Only a filing that is waiting for sign-off can be sent back"):
        actions.send_back(complete, reason="Because.", expected_version=1, by=dpo)


# ---- signing


def test_it_fixes_the_content_to_the_byte(in_review: Filing, dpo: User) -> None:
    version = sign(in_review, dpo)
    content = bytes(version.content)
    assert bytes(version.digest) == sha256(content).digest()
    assert parse(content)["incident"] == in_review.incident.reference
    assert fresh(in_review).state == "signed_off"
    event = Event.objects.get(event_id=version.sign_event)
    assert event.content["object"]["kind"] == "regulators.filingversion"
    assert event.content["data"]["number"] == 1
    assert not waiting_for(dpo).exists()


def test_what_is_signed_holds_no_origin_and_no_colleague(in_review: Filing, dpo: User) -> None:
    content = bytes(sign(in_review, dpo).content).decode()
    assert "From the incident" not in content
    assert dpo.name not in content


def test_later_facts_do_not_reach_it(signed: Filing, dpo: User) -> None:
    content = bytes(signed.signed.content)  # type: ignore[union-attr]
    incident = Incident.objects.get(pk=signed.incident_id)
    facts = Facts(what_happened="Something else.", kinds=["health"])
    change_facts(incident, facts, expected_version=incident.version, by=dpo)
    page = signed_in(dpo).get(address(signed)).text
    assert "Something else." not in page
    assert "A parcel carrier lost a list" in page
    assert bytes(fresh(signed).signed.content) == content  # type: ignore[union-attr]


def test_a_report_that_changed_meanwhile_is_not_signed(in_review: Filing, dpo: User, state: Any) -> None:
    seen = digest(in_review)
    incident = Incident.objects.get(pk=in_review.incident_id)
    facts = Facts(what_happened="Something else.", kinds=["health"])
    change_facts(incident, facts, expected_version=incident.version, by=make_user("responder"))
    before = state(in_review)
    with pytest.raises(ValidationError, match="changed since you opened it"):
        actions.sign_off_filing(in_review, digest=seen, expected_version=2, by=dpo)
    assert state(in_review) == before


@pytest.mark.parametrize("role", ["responder", "author", "approver", "auditor", "administrator"])
def test_only_a_dpo_signs(in_review: Filing, role: str, state: Any) -> None:
    somebody, before = make_user(role), state(in_review)
    with pytest.raises(PermissionDenied, match="Data protection officer"):
        sign(in_review, somebody)
    assert state(in_review) == before


def test_a_draft_is_not_signed(complete: Filing, dpo: User, state: Any) -> None:
    before = state(complete)
    with pytest.raises(ValidationError, match="Only a filing that is waiting for sign-off"):
        sign(complete, dpo)
    assert state(complete) == before


def test_a_second_press_signs_nothing(signed: Filing, dpo: User, state: Any) -> None:
    before = state(signed)
    with pytest.raises(ValidationError, match="Somebody moved this filing on"):
        actions.sign_off_filing(signed, digest=digest(signed), expected_version=2, by=dpo)
    assert state(signed) == before


# ---- on the page


def test_the_page_signs_what_it_shows(in_review: Filing, dpo: User) -> None:
    client = signed_in(dpo)
    page = client.get(address(in_review))
    assert "Sign off this text" in page.text
    sent = {"version": in_review.version, "digest": page.context["digest"]}
    answer = client.post(address(in_review, "sign-off/"), sent, follow=True)
    assert "Signed off. Nothing in this report changes any more." in answer.text
    again = client.post(address(in_review, "sign-off/"), sent)
    assert again.status_code == 409
    assert "Somebody moved this filing on" in again.text


def test_a_page_that_is_not_whole_is_a_sentence(in_review: Filing, dpo: User) -> None:
    client = signed_in(dpo)
    assert "This page is not whole" in client.post(address(in_review, "sign-off/"), {"version": 2, "digest": "zz"}).text
    assert "This page is not whole" in client.post(address(in_review, "review/"), {}).text


def test_an_auditor_reads_it_and_sees_no_button(in_review: Filing, auditor: User) -> None:
    page = signed_in(auditor).get(address(in_review)).text
    assert "Sign off as" not in page
    assert "A data protection officer signs off." in page


def test_nobody_is_told_personal_data_by_mail(complete: Filing, dpo: User) -> None:
    actions.submit_for_sign_off(complete, expected_version=1, by=dpo)
    assert all("Larkfield" not in message.body for message in mail.outbox)


# ---- what the database holds by itself


@pytest.mark.parametrize(
    "statement",
    [
        "UPDATE regulators_filingversion SET content = 'x', digest = sha256('x')",
        "DELETE FROM regulators_filingversion",
        "SET CONSTRAINTS ALL IMMEDIATE; TRUNCATE regulators_filingversion CASCADE",
        "UPDATE regulators_filing SET state = 'draft'",
        "UPDATE regulators_filing SET state = 'submitted'",
        "UPDATE regulators_filing SET form_version = 2",
        "DELETE FROM regulators_filing",
        "UPDATE regulators_answer SET value = '7' WHERE question = 'people_count'",
    ],
)
def test_sql_cannot_change_it(signed: Filing, statement: str) -> None:
    with pytest.raises(IntegrityError), transaction.atomic(), connection.cursor() as cursor:
        cursor.execute(statement)


def test_sql_cannot_sign_a_draft(complete: Filing, dpo: User) -> None:
    with unguarded():
        Filing.objects.filter(pk=complete.pk).update(state="in_review")
    with pytest.raises(IntegrityError, match="together with its content"), transaction.atomic():
        Filing.objects.filter(pk=complete.pk).update(state="signed_off")
