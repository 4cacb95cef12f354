from typing import Any

import pytest
from django.core.exceptions import PermissionDenied, ValidationError
from django.db import IntegrityError, transaction
from django.utils import timezone

from breachdesk.accounts.models import User
from breachdesk.audit.models import Event
from breachdesk.audit.timeline import describe
from breachdesk.incidents.actions import Facts, change_facts
from breachdesk.incidents.models import Incident
from regulators import actions
from regulators.actions import NewAnswer
from regulators.models import Answer, Filing
from tests.factories import make_user
from tests.regulators.conftest import fresh, in_days, sheet, signed_in


def address(filing: Filing, part: str = "") -> str:
    return f"/incidents/{filing.incident.reference}/filings/{filing.pk}/{part}"


def save(filing: Filing, by: User, **values: Any) -> Filing:
    return actions.save_answers(filing, {key: NewAnswer(0, value) for key, value in values.items()}, by=by)


def test_an_answer_is_kept_with_who_gave_it(draft: Filing, dpo: User) -> None:
    save(draft, dpo, people_count=432_198_765)
    given = sheet(draft).of("people_count")
    assert (given.value, given.by, given.version, given.live) == (432_198_765, dpo, 1, False)
    event = Event.objects.newest_first()[0]
    assert event.content["data"]["questions"] == ["people_count"]
    assert event.content["object"]["version"] == 1
    assert b"432198765" not in bytes(event.body)  # long enough not to stand in an id or a hash by chance
    assert describe([event], private=True)[0].private == {"answers": "432,198,765"}


def test_what_nobody_touched_follows_the_facts(draft: Filing, dpo: User) -> None:
    incident = Incident.objects.get(pk=draft.incident_id)
    facts = Facts(what_happened="It was two lists.", origin="own", kinds=["password"], people_low=10, people_high=20)
    change_facts(incident, facts, expected_version=incident.version, by=make_user("responder"))
    assert sheet(draft).of("what_happened").value == "It was two lists."
    assert sheet(draft).of("data_categories").value == ["identification"]
    assert sheet(draft).of("people_count").value == 20
    assert sheet(draft).of("people_count").origin == "From the incident’s estimate: 10 to 20."


def test_what_somebody_wrote_does_not(draft: Filing, dpo: User) -> None:
    save(draft, dpo, what_happened="In our words.")
    incident = Incident.objects.get(pk=draft.incident_id)
    facts = Facts(what_happened="It was two lists.", kinds=["name"])
    change_facts(incident, facts, expected_version=incident.version, by=make_user("responder"))
    given = sheet(draft).of("what_happened")
    assert given.value == "In our words."
    assert given.can_follow
    assert given.known_text.startswith("It was two lists.")


def test_it_can_follow_the_facts_again(draft: Filing, dpo: User) -> None:
    save(draft, dpo, what_happened="In our words.")
    actions.save_answers(draft, {"what_happened": NewAnswer(1, follows_facts=True)}, by=dpo)
    given = sheet(draft).of("what_happened")
    assert given.live
    assert given.version == 2
    assert given.value.startswith("A parcel carrier")


def test_not_yet_known_is_an_answer_with_a_day(draft: Filing, dpo: User) -> None:
    promise = NewAnswer(0, promised_on=in_days(7), so_far="The forensic firm is counting.")
    actions.save_answers(draft, {"people_count": promise}, by=dpo)
    given = sheet(draft).of("people_count")
    assert (given.state, given.promised_on) == ("not_known", in_days(7))
    assert given in sheet(draft).still_to_come
    assert given not in sheet(draft).missing


def test_a_promise_in_the_past_is_refused(draft: Filing, dpo: User) -> None:
    with pytest.raises(ValidationError) as refusal:
        actions.save_answers(draft, {"people_count": NewAnswer(0, promised_on=in_days(-2))}, by=dpo)
    assert refusal.value.message_dict["people_count"][0].startswith("The promised date has passed.")


def test_some_questions_cannot_wait(draft: Filing, dpo: User) -> None:
    with pytest.raises(ValidationError) as refusal:
        actions.save_answers(draft, {"controller_name": NewAnswer(0, promised_on=in_days(7))}, by=dpo)
    assert "is not open for this question" in refusal.value.message_dict["controller_name"][0]


def test_a_later_question_is_asked_when_an_answer_raises_it(draft: Filing, dpo: User) -> None:
    assert not sheet(draft).of("data_restoration").asked
    save(draft, dpo, is_cyber_incident="yes")
    assert sheet(draft).of("data_restoration").state == "missing"
    assert sheet(draft).of("cia_affected").state == "blank"


@pytest.mark.parametrize("role", ["responder", "author", "approver", "auditor", "administrator"])
def test_it_refuses_every_other_role(draft: Filing, role: str) -> None:
    with pytest.raises(PermissionDenied):
        save(draft, make_user(role), people_count=1)
    assert not Answer.objects.exists()


@pytest.mark.parametrize("state", ["in_review", "signed", "submitted"])
def test_it_refuses_once_it_is_no_draft(state: str, dpo: User, request: pytest.FixtureRequest) -> None:
    filing: Filing = request.getfixturevalue(state)
    before = Event.objects.count()
    with pytest.raises(ValidationError, match="its answers stand as they are"):
        actions.save_answers(filing, {"people_count": NewAnswer(1, 7)}, by=dpo)
    assert Event.objects.count() == before


def test_the_database_refuses_it_too(signed: Filing) -> None:
    with pytest.raises(IntegrityError, match="Only the answers of a draft"), transaction.atomic():
        Answer.objects.filter(filing=signed, question="people_count").update(value=7)
    with pytest.raises(IntegrityError, match="never deleted"), transaction.atomic():
        Answer.objects.filter(filing=signed).delete()


def test_a_stale_page_overwrites_nobody(draft: Filing, dpo: User) -> None:
    save(draft, make_user("dpo"), what_happened="Their words.", people_count=3)
    before = Event.objects.count()
    with pytest.raises(ValidationError) as refusal:
        save(draft, dpo, what_happened="My words.", record_count=9)
    assert "Theirs: “Their words.”" in refusal.value.message_dict["what_happened"][0]
    assert sheet(draft).of("what_happened").value == "Their words."
    assert sheet(draft).of("record_count").value is None
    assert Event.objects.count() == before


# ---- on the page


def posted(filing: Filing, by: User, **typed: str) -> Any:
    """The whole page sent back as a browser does, with `typed` put into its boxes."""
    client = signed_in(by)
    page = client.get(address(filing))
    fields = {}
    for part in page.context["rows"]:
        for row in part.rows:
            for bound in row.form:
                value = bound.value()
                name = bound.html_name
                if isinstance(value, list):
                    fields[name] = [str(item) for item in value]
                elif value is not None and value is not False and value != "":
                    fields[name] = bound.field.widget.format_value(bound.value())
    return client, {**fields, **typed}


def test_a_page_sent_back_untouched_changes_nothing(draft: Filing, dpo: User) -> None:
    client, fields = posted(draft, dpo)
    answer = client.post(address(draft, "answers/"), fields, follow=True)
    assert "Nothing was changed, so nothing was saved." in answer.text
    assert not Answer.objects.exists()


def test_only_what_was_typed_is_saved(draft: Filing, dpo: User) -> None:
    client, fields = posted(draft, dpo, **{"people_count-value": "428,316", "is_cyber_incident-value": "yes"})
    answer = client.post(address(draft, "answers/"), fields, follow=True)
    assert "2 answers are saved." in answer.text
    assert sorted(Answer.objects.values_list("question", flat=True)) == ["is_cyber_incident", "people_count"]
    assert sheet(draft).of("people_count").value == 428_316


def test_not_yet_known_needs_its_day(draft: Filing, dpo: User) -> None:
    client, fields = posted(draft, dpo, **{"people_count-not_known": "not_known", "what_happened-value": "Kept text."})
    answer = client.post(address(draft, "answers/"), fields)
    assert answer.status_code == 422
    assert "Promise a day" in answer.text
    assert "Kept text." in answer.text
    assert not Answer.objects.exists()
    fields["people_count-promised_on"] = in_days(5).isoformat()
    client.post(address(draft, "answers/"), fields)
    assert sheet(draft).of("people_count").promised_on == in_days(5)


def test_a_stale_page_keeps_my_words_and_shows_theirs(draft: Filing, dpo: User) -> None:
    client, fields = posted(draft, dpo, **{"what_happened-value": "My long words."})
    colleague = make_user("dpo")
    save(draft, colleague, what_happened="Their words.")
    answer = client.post(address(draft, "answers/"), fields)
    assert answer.status_code == 422
    assert "My long words." in answer.text
    assert f"{colleague.name} changed this answer while you were typing" in answer.text
    assert sheet(draft).of("what_happened").value == "Their words."
    fields |= {"what_happened-version": "1"}
    client.post(address(draft, "answers/"), fields)
    assert sheet(draft).of("what_happened").value == "My long words."


def test_words_that_are_saved_already_stand_in_nobodys_way(draft: Filing, dpo: User) -> None:
    """“Save” is pressed while the last answer is still saving itself: the whole page comes with its version before."""
    client, fields = posted(draft, dpo, **{"what_happened-value": "My words.", "people_count-value": "7"})
    save(draft, dpo, what_happened="My words.")
    before = Event.objects.count()
    answer = client.post(address(draft, "answers/"), fields)
    assert answer.status_code == 302
    assert Event.objects.count() == before + 1, "the other answer"
    assert sheet(draft).of("what_happened").version == 1
    assert sheet(draft).of("people_count").value == 7


def test_facts_that_moved_under_an_open_page_are_nobodys_answer(draft: Filing, dpo: User) -> None:
    client, fields = posted(draft, dpo, **{"people_count-value": "7"})
    incident = Incident.objects.get(pk=draft.incident_id)
    facts = Facts(what_happened="It was two lists.", kinds=["name"])
    change_facts(incident, facts, expected_version=incident.version, by=make_user("responder"))
    client.post(address(draft, "answers/"), fields)
    assert list(Answer.objects.values_list("question", flat=True)) == ["people_count"]
    assert sheet(draft).of("what_happened").value == "It was two lists."


def test_a_moment_is_read_in_its_zone(draft: Filing, dpo: User) -> None:
    day = timezone.now().date()
    typed = {"happened_at-date": day.isoformat(), "happened_at-time": "00:30", "happened_at-zone": "Europe/Berlin"}
    client, fields = posted(draft, dpo, **typed, **{"happened_at-precision": "about"})
    client.post(address(draft, "answers/"), fields)
    given = sheet(draft).of("happened_at")
    assert given.value["zone"] == "Europe/Berlin"
    assert given.text.startswith("About ")
    assert "00:30" in given.text


def test_a_nonexistent_time_is_a_sentence(draft: Filing, dpo: User) -> None:
    typed = {"happened_at-date": "2026-03-29", "happened_at-time": "01:30", "happened_at-zone": "Europe/London"}
    client, fields = posted(draft, dpo, **typed, **{"happened_at-precision": "exact"})
    answer = client.post(address(draft, "answers/"), fields)
    assert "01:30 did not exist in Europe/London" in answer.text


def test_one_button_follows_the_facts_again(draft: Filing, dpo: User) -> None:
    save(draft, dpo, what_happened="In our words.")
    client, fields = posted(draft, dpo, follow="what_happened", **{"people_count-value": "7"})
    client.post(address(draft, "answers/"), fields)
    assert sheet(draft).of("what_happened").live
    assert sheet(draft).of("people_count").value == 7


def test_hostile_text_is_text(draft: Filing, dpo: User) -> None:
    save(draft, dpo, what_happened="</textarea><script>alert(1)</script>{{ 1 }}")
    page = signed_in(dpo).get(address(draft)).text
    assert "<script>alert" not in page
    assert "&lt;/textarea&gt;&lt;script&gt;" in page


def test_a_limit_is_counted_and_nothing_is_cut(draft: Filing, dpo: User) -> None:
    save(draft, dpo, actions_taken="x" * 4_010)
    page = signed_in(dpo).get(address(draft)).text
    assert "10 characters too many" in page
    assert len(sheet(draft).of("actions_taken").value) == 4_010


def test_an_auditor_reads_the_draft_without_a_box(draft: Filing, auditor: User) -> None:
    page = signed_in(auditor).get(address(draft))
    assert "A parcel carrier lost a list" in page.text
    assert "<textarea" not in page.text
    assert signed_in(auditor).post(address(draft, "answers/"), {}).status_code == 403


def test_an_administrator_sees_no_filing(draft: Filing) -> None:
    assert signed_in(make_user("administrator")).get(address(draft)).status_code == 403


def test_a_page_costs_few_queries(complete: Filing, dpo: User, django_assert_max_num_queries: Any) -> None:
    client = signed_in(dpo)
    client.get(address(complete))
    with django_assert_max_num_queries(60):
        client.get(address(fresh(complete)))
