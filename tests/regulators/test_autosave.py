"""Words that are typed: kept at once, an answer when their field is left, and never lost to a colleague's."""

from typing import Any

import pytest
from django.test import Client

from breachdesk.accounts.models import User
from breachdesk.audit.models import Event
from regulators import actions
from regulators.forms import rows_of
from regulators.models import Answer, Filing, Typing
from regulators.unsaved import words_of
from tests.factories import make_incident, make_organisation, make_user
from tests.regulators.conftest import ANSWERS, fresh, in_days, sheet, sign, signed_in
from tests.regulators.test_save_answers import address

Q = "what_happened"


@pytest.fixture(scope="module", autouse=True)
def case(made_once: None) -> tuple[Filing, User, User]:
    make_organisation()
    first, second = make_user("dpo"), make_user("dpo")
    return actions.open_filing(make_incident(), "uk_ico", by=first), first, second


@pytest.fixture
def filing(case: tuple[Filing, User, User], db: None) -> Filing:
    return case[0]


@pytest.fixture
def ann(case: tuple[Filing, User, User], db: None) -> Client:
    return signed_in(case[1])


@pytest.fixture
def bob(case: tuple[Filing, User, User], db: None) -> Client:
    return signed_in(case[2])


def boxes(client: Client, filing: Filing, key: str, **typed: str) -> dict[str, Any]:
    """What htmx sends of one answer, from what the page is made of now: to draw all of it takes far longer."""
    unsaved = words_of(filing, User.objects.get(pk=client.session["_auth_user_id"]))
    rows = [row for part in rows_of(sheet(filing), unsaved=unsaved) for row in part.rows]
    form = next(row.form for row in rows if row.given.key == key)
    values = {bound.html_name: bound.value() for bound in form if str(bound.value()) not in ("None", "", "False")}
    return values | {f"{key}-{name}": value for name, value in typed.items()}


def send(client: Client, filing: Filing, fields: dict[str, Any], part: str = "", key: str = Q) -> Any:
    return client.post(address(filing, f"answers/{key}/{part}"), fields, headers={"HX-Request": "true"})


def test_typing_is_kept_for_oneself_and_is_no_answer(filing: Filing, ann: Client, bob: Client) -> None:
    before = Event.objects.count()
    fields = boxes(ann, filing, Q, value="Half a sent")
    assert "Not saved yet" in send(ann, filing, fields, "typed/").text
    assert "Not saved yet" in send(ann, filing, {**fields, f"{Q}-value": "Half a sentence"}, "typed/").text
    row = Typing.objects.get(question=Q)
    assert b"sentence" not in bytes(row.sealed)
    assert (Event.objects.count(), Answer.objects.count()) == (before, 0)
    page = ann.get(address(filing)).text
    assert "Half a sentence</textarea>" in page
    assert page.count("Not saved yet") == 1
    assert "Half a sentence" not in bob.get(address(filing)).text
    assert sheet(filing).of(Q).live


def test_leaving_the_field_makes_one_event_and_keeps_nothing(filing: Filing, ann: Client) -> None:
    before = Event.objects.count()
    fields = boxes(ann, filing, Q, value="A whole sentence.")
    send(ann, filing, fields, "typed/")
    answer = send(ann, filing, fields)
    assert answer.status_code == 200
    assert f'name="{Q}-version" value="1"' in answer.text
    assert "Not saved yet" not in answer.text
    assert sheet(filing).of(Q).value == "A whole sentence."
    assert [event.type for event in Event.objects.newest_first()[: Event.objects.count() - before]] == [
        "filing.answered"
    ]
    assert not Typing.objects.words().exists()
    send(ann, filing, boxes(ann, filing, Q))
    assert Event.objects.count() == before + 1, "an answer nobody changed is saved by nobody"
    late = send(ann, filing, fields, "typed/")
    assert "Not saved yet" not in late.text, "the last letters, told after they were saved, wait for nothing"


def test_words_taken_back_are_forgotten(filing: Filing, ann: Client) -> None:
    send(ann, filing, boxes(ann, filing, Q, value="Not this."), "typed/")
    send(ann, filing, {}, "forget/")
    assert not Typing.objects.words().exists()
    shown = boxes(ann, filing, Q)
    send(ann, filing, {**shown, f"{Q}-value": "Nor this."}, "typed/")
    send(ann, filing, shown, "typed/")
    assert not Typing.objects.words().exists()
    send(ann, filing, {**shown, f"{Q}-value": "Nor that."}, "typed/")
    send(ann, filing, shown)
    assert not Typing.objects.words().exists(), "the field was left as it had been"


def test_two_at_one_answer_lose_no_word(filing: Filing, ann: Client, bob: Client) -> None:
    mine, theirs = boxes(ann, filing, Q, value="Ann’s words."), boxes(bob, filing, Q, value="Bob’s words.")
    send(ann, filing, mine, "typed/")
    send(bob, filing, theirs, "typed/")
    assert send(bob, filing, theirs).status_code == 200
    for _ in range(2):  # leaving it again is no second thought: only the button is
        refused = send(ann, filing, mine)
        assert refused.status_code == 422
        assert "changed this answer while you were typing" in refused.text
        assert "Now: “Bob’s words.”" in refused.text
        assert "Ann’s words.</textarea>" in refused.text
    assert sheet(filing).of(Q).value == "Bob’s words."
    assert "Ann’s words.</textarea>" in ann.get(address(filing)).text
    again = ann.post(address(filing, "answers/"), boxes(ann, filing, Q))
    assert again.status_code == 422
    ann.post(address(filing, "answers/"), mine | {f"{Q}-version": "1"})
    assert sheet(filing).of(Q).value == "Ann’s words."
    assert not Typing.objects.words().exists()


def test_two_at_two_answers_do_not_meet(filing: Filing, ann: Client, bob: Client) -> None:
    other = boxes(bob, filing, "people_count", value="7")
    send(ann, filing, boxes(ann, filing, Q, value="Ann’s words."))
    assert send(bob, filing, other, key="people_count").status_code == 200
    assert (sheet(filing).of(Q).value, sheet(filing).of("people_count").value) == ("Ann’s words.", 7)


def test_the_page_says_who_else_is_there(filing: Filing, ann: Client, bob: Client, case: Any) -> None:
    here = {"headers": {"HX-Request": "true"}}
    assert bob.post(address(filing, "colleagues/"), **here).text.strip() == ""
    said = ann.post(address(filing, "colleagues/"), **here).text
    assert case[2].name in said
    assert "has this open too" in said
    send(bob, filing, boxes(bob, filing, Q, value="Bob’s words."), "typed/")
    number = filing.definition.numbers[Q]
    assert f"with unsaved words in {number}" in ann.get(address(filing)).text
    send(bob, filing, boxes(bob, filing, Q, value="Bob’s words."))
    assert f"changed {number} at" in ann.post(address(filing, "colleagues/"), **here).text
    assert case[1].name not in ann.post(address(filing, "colleagues/"), **here).text


def test_what_cannot_be_saved_yet_is_kept_with_its_reason(filing: Filing, ann: Client) -> None:
    fields = boxes(ann, filing, "people_count", not_known="not_known", so_far="Being counted.")
    answer = send(ann, filing, fields, key="people_count")
    assert answer.status_code == 422
    assert "Promise a day" in answer.text
    assert "Being counted." in ann.get(address(filing)).text
    send(ann, filing, fields | {"people_count-promised_on": in_days(5).isoformat()}, key="people_count")
    assert sheet(filing).of("people_count").promised_on == in_days(5)


def test_an_answer_that_asks_more_says_so(filing: Filing, ann: Client) -> None:
    answer = send(ann, filing, boxes(ann, filing, "is_cyber_incident", value="yes"), key="is_cyber_incident")
    assert "Other questions are asked now" in answer.text


def test_only_who_may_write_types_and_only_in_a_draft(filing: Filing, ann: Client) -> None:
    auditor = signed_in(make_user("auditor"))
    for part in ("", "typed/", "forget/"):
        assert send(auditor, filing, {f"{Q}-value": "x"}, part).status_code == 403
    assert auditor.post(address(filing, "colleagues/"), headers={"HX-Request": "true"}).status_code == 403
    assert send(ann, filing, {}, key="no_such_question").status_code == 404
    too_long = boxes(ann, filing, Q, value="x" * 100_001)
    assert "too long to be kept" in send(ann, filing, too_long, "typed/").text
    assert not Typing.objects.words().exists()


def test_words_stay_through_a_review_and_end_with_the_sign_off(filing: Filing, ann: Client, case: Any) -> None:
    dpo = case[1]
    answers = {key: actions.NewAnswer(0, value) for key, value in ANSWERS.items()}
    actions.save_answers(filing, answers, by=dpo)
    send(ann, filing, boxes(ann, filing, Q, value="Not in time."), "typed/")
    actions.submit_for_sign_off(filing, expected_version=1, by=dpo)
    assert send(ann, filing, {f"{Q}-value": "Late."}, "typed/").status_code == 409
    assert Typing.objects.words().count() == 1
    sign(fresh(filing), dpo)
    assert not Typing.objects.exists()
