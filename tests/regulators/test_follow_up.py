"""Filing again when the facts change: the next version starts from the last, and says what changed."""

import pytest
from django.core.exceptions import ValidationError
from django.db import IntegrityError, transaction
from django.utils import timezone

from breachdesk.accounts.models import User
from breachdesk.audit.models import Event
from breachdesk.desk.deadlines import open_deadlines
from breachdesk.incidents.models import Incident
from regulators import actions
from regulators.actions import NewAnswer, ReceiptFile
from regulators.content import content_of
from regulators.filing_pdf import filing_pdf
from regulators.models import Filing
from regulators.sheet import sheet_of
from tests.factories import make_user
from tests.pdfs import attachment_of, text_of_pdf
from tests.regulators.conftest import fresh, sign, signed_in, submit
from tests.regulators.test_save_answers import address


@pytest.fixture
def followed(submitted: Filing, dpo: User) -> Filing:
    actions.begin_follow_up(submitted, expected_version=submitted.version, by=dpo)
    return fresh(submitted)


def answered(filing: Filing, key: str, value: object, by: User) -> Filing:
    given = sheet_of(filing, at=timezone.now()).of(key)
    actions.save_answers(filing, {key: NewAnswer(given.version, value)}, by=by)
    return fresh(filing)


def test_it_starts_from_what_was_said(followed: Filing) -> None:
    assert (followed.state, followed.number) == ("draft", 2)
    sheet = sheet_of(followed, at=timezone.now())
    assert sheet.of("record_count").value == 5_120
    assert sheet.of("report_type").value == "follow_up"
    assert Event.objects.newest_first()[0].type == "filing.followed_up"


def test_only_what_was_submitted_is_followed_up(signed: Filing, dpo: User) -> None:
    with pytest.raises(ValidationError, match="Only a filing that is submitted"):
        actions.begin_follow_up(signed, expected_version=signed.version, by=dpo)


def test_two_who_begin_it_begin_one(submitted: Filing, dpo: User) -> None:
    expected = submitted.version
    actions.begin_follow_up(submitted, expected_version=expected, by=dpo)
    with pytest.raises(ValidationError, match="moved this filing on"):
        actions.begin_follow_up(submitted, expected_version=expected, by=dpo)


def test_the_first_version_stays_to_the_byte_and_the_second_is_signed(followed: Filing, dpo: User) -> None:
    first = bytes(followed.versions.get().content)
    changed = answered(followed, "record_count", 5_300, dpo)
    actions.submit_for_sign_off(changed, expected_version=changed.version, by=dpo)
    sign(fresh(followed), dpo)
    one, two = fresh(followed).versions.all()
    assert (bytes(one.content), two.number) == (first, 2)
    assert b"5300" in bytes(two.content)
    assert fresh(followed).signed == two


def test_it_cannot_be_called_submitted_again_without_its_own_receipt(followed: Filing, dpo: User) -> None:
    changed = answered(followed, "record_count", 5_300, dpo)
    actions.submit_for_sign_off(changed, expected_version=changed.version, by=dpo)
    sign(fresh(followed), dpo)
    with pytest.raises(IntegrityError, match="submitted when its receipt says so"), transaction.atomic():
        Filing.objects.filter(pk=followed.pk).update(state="submitted")


def test_the_clock_stays_stopped(followed: Filing, incident: Incident, dpo: User) -> None:
    assert incident not in [deadline.incident for deadline in open_deadlines(dpo, timezone.now())]
    assert followed.is_reported


def test_the_page_says_what_changed(followed: Filing, dpo: User) -> None:
    changed = answered(followed, "record_count", 5_300, dpo)
    client = signed_in(dpo)
    page = client.get(address(changed)).content.decode()
    assert "Version 2, a follow-up" in page
    assert "Changed since version 1, which said: 5,120" in page
    between = client.get(address(changed, "changes/")).content.decode()
    assert "<del>5,120</del>" in between
    assert "<ins>5,300</ins>" in between
    same = client.get(address(changed, "changes/?from=1&to=1")).content.decode()
    assert "Nothing changed" in same
    old = client.get(address(changed, "versions/1/")).content.decode()
    assert "5,120" in old
    assert client.get(address(changed, "versions/7/")).status_code == 404


def test_paper_says_what_changed(followed: Filing, dpo: User) -> None:
    changed = answered(followed, "record_count", 5_300, dpo)
    text = text_of_pdf(filing_pdf(changed, at=timezone.now()).pdf)
    assert "What changed since version 1" in text
    assert "5,120" in text
    assert "5,300" in text


def second(filing: Filing, dpo: User) -> Filing:
    """Its next version, signed off after another one asked for it."""
    actions.begin_follow_up(filing, expected_version=filing.version, by=dpo)
    changed = answered(fresh(filing), "record_count", 5_300, dpo)
    actions.submit_for_sign_off(changed, expected_version=changed.version, by=make_user("dpo"))
    sign(fresh(changed), dpo)
    return fresh(changed)


def test_an_earlier_version_leaves_as_it_was_and_has_its_own_receipt(signed: Filing, dpo: User) -> None:
    client = signed_in(dpo)
    submit(signed, dpo, authority_reference="IC-1", file=ReceiptFile("first.eml", b"We got the first"))
    before = client.post(address(signed, "pdf/")).content
    filing = second(fresh(signed), dpo)
    assert client.post(address(filing, "versions/1/pdf/")).content == before
    told = Event.objects.newest_first()[0].content["data"]
    assert (told["number"], told["state"]) == (1, "submitted")
    submit(filing, dpo, file=ReceiptFile("second.eml", b"We got the second"))
    got = [client.get(address(filing, f"versions/{number}/receipt/")) for number in (1, 2)]
    assert [one.content for one in got] == [b"We got the first", b"We got the second"]
    assert address(filing, "versions/2/receipt/") in client.get(address(filing)).text
    page = client.get(address(filing, "versions/1/")).text
    assert address(filing, "versions/1/receipt/") in page
    assert address(filing, "versions/1/pdf/") in page
    assert client.post(address(filing, "versions/7/pdf/")).status_code == 404


def test_paper_compares_any_two(submitted: Filing, dpo: User) -> None:
    client, twice = signed_in(dpo), second(submitted, dpo)
    made = client.post(address(twice, "changes/pdf/"), {"from": "1", "to": "2"})
    assert f'filename="{twice.incident.reference}-uk_ico-v2-since-v1.pdf"' in made["Content-Disposition"]
    pages = text_of_pdf(made.content).split("\f")[:-1]
    for version in twice.versions.all():
        assert attachment_of(made.content, f"version-{version.number}.json") == bytes(version.content)
        assert all(bytes(version.digest).hex() in page for page in pages)
    text = " ".join(" ".join(pages).split())
    assert text.index("5,120") < text.index("5,300")
    assert "answers differ" in text
    assert "DRAFT" not in text
    told = Event.objects.newest_first()[0].content["data"]
    assert (told["number"], told["compared_with"]) == (2, 1)


def test_others_read_and_do_not_begin(submitted: Filing) -> None:
    responder = signed_in(make_user("responder"))
    assert responder.post(address(submitted, "follow-up/"), {"version": submitted.version}).status_code == 403
    assert content_of(sheet_of(submitted, at=timezone.now()))["number"] == 1
