"""A report after its time says why: through the pages, it is neither reviewed nor signed off without."""

from datetime import timedelta
from zoneinfo import ZoneInfo

from django.utils import timezone

from breachdesk.accounts.models import User
from breachdesk.audit.canonical import parse
from breachdesk.audit.models import Event
from breachdesk.incidents.actions import StatedMoment, state_moment
from breachdesk.incidents.models import Incident
from regulators import actions
from regulators.models import Filing, FilingVersion, Receipt
from regulators.standing import due_of_filing
from tests.factories import unguarded
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


def test_what_was_signed_in_time_and_sent_late_says_why_when_it_is_recorded(signed: Filing, dpo: User) -> None:
    with unguarded():
        FilingVersion.objects.update(signed_at=timezone.now() - timedelta(hours=3))
    late, client = make_late(signed, dpo, hours=73), signed_in(dpo)
    now = timezone.localtime(timezone.now(), ZoneInfo(dpo.zone))
    told = {
        "version": late.version,
        "way": "online",
        "date": f"{now:%Y-%m-%d}",
        "time": f"{now:%H:%M}",
        "zone": dpo.zone,
    }
    refused = client.post(address(late, "submission/"), told)
    assert refused.status_code == 422
    assert "Say why: the law asks for the reasons." in refused.text
    assert not Receipt.objects.exists()
    recorded = client.post(address(late, "submission/"), told | {"delay_reason": "Their form was down."})
    assert recorded.status_code == 302
    assert Receipt.objects.get().delay_reason == "Their form was down."
    assert "Their form was down." in client.get(address(late, "versions/1/")).text
    assert b"form was down" not in bytes(Event.objects.newest_first()[0].body)
