"""A report after its time says why: through the pages, it is neither reviewed nor signed off without."""

from datetime import timedelta

from django.utils import timezone

from breachdesk.accounts.models import User
from breachdesk.audit.canonical import parse
from breachdesk.incidents.actions import StatedMoment, state_moment
from breachdesk.incidents.models import Incident
from regulators import actions
from regulators.models import Filing, FilingVersion
from regulators.standing import due_of_filing
from tests.regulators.conftest import digest, fresh, signed_in
from tests.regulators.test_save_answers import address

MISSING = "Reasons for any delay in reporting: an answer is missing."


def make_late(filing: Filing, by: User, hours: int = 80) -> Filing:
    earlier = StatedMoment("aware", timezone.now() - timedelta(hours=hours), basis="It was in the post room.")
    incident = Incident.objects.get(pk=filing.incident_id)
    state_moment(incident, earlier, expected_version=incident.version, reason="The letter came first.", by=by)
    return fresh(filing)


def test_a_late_report_does_not_go_to_sign_off_without_its_reason(complete: Filing, dpo: User) -> None:
    late, client = make_late(complete, dpo), signed_in(dpo)
    due = due_of_filing(late)
    assert due
    assert due.at == late.incident.aware_at + timedelta(hours=72) < timezone.now()
    assert "Reasons for any delay in reporting" in client.get(address(late)).text
    refused = client.post(address(late, "review/"), {"version": late.version})
    assert refused.status_code == 409
    assert MISSING in refused.text
    assert fresh(late).state == "draft"
    actions.save_answers(late, {"delay_reason": actions.NewAnswer(0, "The office was flooded.")}, by=dpo)
    assert client.post(address(late, "review/"), {"version": late.version}).status_code == 302
    assert fresh(late).state == "in_review"


def test_what_became_late_while_it_waited_is_not_signed_off(in_review: Filing, dpo: User) -> None:
    client = signed_in(dpo)
    late = make_late(in_review, dpo)
    refused = client.post(address(late, "sign-off/"), {"version": late.version, "digest": digest(late).hex()})
    assert refused.status_code == 409
    assert MISSING in refused.text
    assert (fresh(late).state, FilingVersion.objects.count()) == ("in_review", 0)
    client.post(address(late, "send-back/"), {"version": late.version, "reason": "It is late."})
    late = fresh(late)
    actions.save_answers(late, {"delay_reason": actions.NewAnswer(0, "The office was flooded.")}, by=dpo)
    client.post(address(late, "review/"), {"version": late.version})
    late = fresh(late)
    signing = {"version": late.version, "digest": digest(late).hex()}
    assert client.post(address(late, "sign-off/"), signing).status_code == 302
    content = parse(bytes(FilingVersion.objects.get().content))
    answers = {one["key"]: one["answer"] for part in content["sections"] for one in part["questions"]}
    assert answers["delay_reason"] == "The office was flooded."


def test_at_seventy_two_hours_it_is_in_time_and_asks_for_nothing(complete: Filing, dpo: User) -> None:
    just = make_late(complete, dpo, hours=71)
    assert signed_in(dpo).post(address(just, "review/"), {"version": just.version}).status_code == 302
