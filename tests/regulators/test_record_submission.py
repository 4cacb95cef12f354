from datetime import timedelta
from typing import Any

import pytest
from django.core.exceptions import PermissionDenied, ValidationError
from django.core.files.uploadedfile import SimpleUploadedFile
from django.db import IntegrityError, connection, transaction
from django.test import Client
from django.utils import timezone

from breachdesk.accounts.models import User
from breachdesk.audit.models import Event
from breachdesk.incidents.actions import close_incident
from breachdesk.incidents.models import Incident
from regulators.actions import ReceiptFile, Statement, state_position
from regulators.models import Filing, Receipt
from regulators.receipts import RECEIPT_BYTES
from regulators.standing import Progress, due_of_filing, standing_of
from tests.factories import make_user
from tests.regulators.conftest import fresh, signed_in, submit
from tests.regulators.test_save_answers import address


@pytest.fixture
def dpo(signed_once: tuple[Filing, User], db: None) -> User:
    return User.objects.get(pk=signed_once[1].pk)


@pytest.fixture
def signed(signed_once: tuple[Filing, User], db: None) -> Filing:
    return fresh(signed_once[0])


def test_it_says_how_when_and_by_whom(signed: Filing, dpo: User) -> None:
    receipt = submit(signed, dpo, authority_reference=" IC-000000-X0X0 ")
    assert (receipt.way, receipt.authority_reference, receipt.recorded_by) == ("online", "IC-000000-X0X0", dpo)
    assert fresh(signed).state == "submitted"
    event = Event.objects.newest_first()[0]
    assert event.type == "filing.submitted"
    assert b"IC-000000" not in bytes(event.body)


def test_the_clock_stops(signed: Filing, dpo: User) -> None:
    state_position(Statement("us.established_in", ["GB"]), by=dpo)
    submit(signed, dpo)
    duty = standing_of(signed.incident, timezone.now()).duty("uk_gdpr:authority:GB")
    assert duty
    assert (duty.filing, duty.progress, duty.is_open) == (signed, Progress.MET, False)
    assert due_of_filing(signed) == duty.due


def test_the_receipt_is_sealed_and_comes_back_whole(signed: Filing, dpo: User) -> None:
    receipt = submit(signed, dpo, file=ReceiptFile("receipt.pdf", b"%PDF- thank you"))
    assert b"thank you" not in bytes(receipt.file_sealed or b"")
    answer = signed_in(dpo).get(address(signed, "versions/1/receipt/"))
    assert answer.content == b"%PDF- thank you"
    assert answer["Content-Type"] == "application/octet-stream"
    assert answer["Content-Disposition"] == 'attachment; filename="receipt.pdf"'


def test_without_a_receipt_there_is_no_file(submitted: Filing, dpo: User) -> None:
    assert signed_in(dpo).get(address(submitted, "versions/1/receipt/")).status_code == 404


@pytest.mark.parametrize("role", ["responder", "author", "approver", "auditor", "administrator"])
def test_it_refuses_every_other_role(signed: Filing, role: str) -> None:
    with pytest.raises(PermissionDenied):
        submit(signed, make_user(role))
    assert not Receipt.objects.exists()


REFUSALS = [
    ({"submitted_at": lambda: timezone.now() + timedelta(hours=1)}, "submitted_at", "in the future"),
    ({"submitted_at": lambda: timezone.now() - timedelta(days=1)}, "submitted_at", "before the sign-off"),
    ({"way": lambda: "pigeon"}, "way", "Choose how"),
    ({"file": lambda: ReceiptFile("big", bytes(RECEIPT_BYTES + 1))}, "file", "larger than 10 MB"),
]


@pytest.mark.parametrize(("changes", "field", "said"), REFUSALS, ids=[said for _, _, said in REFUSALS])
def test_it_refuses_what_cannot_be(signed: Filing, dpo: User, changes: Any, field: str, said: str) -> None:
    with pytest.raises(ValidationError) as refusal:
        submit(signed, dpo, **{name: make() for name, make in changes.items()})
    assert said in refusal.value.message_dict[field][0]
    assert fresh(signed).state == "signed_off"
    assert not Receipt.objects.exists()


@pytest.mark.parametrize("state", ["draft", "in_review"])
def test_only_what_is_signed_off_is_submitted(state: str, dpo: User, request: pytest.FixtureRequest) -> None:
    with pytest.raises(ValidationError, match="Only a filing that is signed off can be submitted"):
        submit(request.getfixturevalue(state), dpo)


def test_a_second_press_records_nothing(signed: Filing, dpo: User) -> None:
    submit(signed, dpo)
    events = Event.objects.count()
    with pytest.raises(ValidationError, match="Somebody moved this filing on"):
        submit(signed, dpo)
    assert (Receipt.objects.count(), Event.objects.count()) == (1, events)


def test_a_closed_incident_can_still_say_that_it_was_filed(signed: Filing, dpo: User) -> None:
    incident = Incident.objects.get(pk=signed.incident_id)
    close_incident(incident, reason="Done.", expected_version=incident.version, by=dpo)
    assert submit(signed, dpo).pk


def test_the_page_records_it(signed: Filing, dpo: User) -> None:
    now = timezone.now()
    client = signed_in(dpo)
    typed = {
        "version": signed.version,
        "way": "online",
        "date": f"{now:%Y-%m-%d}",
        "time": f"{now:%H:%M}",
        "zone": "UTC",
    }
    file = SimpleUploadedFile("receipt.txt", b"Thank you.")
    answer = client.post(
        address(signed, "submission/"), {**typed, "authority_reference": "IC-1", "file": file}, follow=True
    )
    assert "Submitted to the ICO" in answer.text
    assert "receipt.txt" in answer.text
    assert Receipt.objects.get().authority_reference == "IC-1"


def test_a_receipt_that_is_too_large_is_refused_on_its_way_in(signed: Filing, dpo: User) -> None:
    file = SimpleUploadedFile("receipt.pdf", bytes(RECEIPT_BYTES + 1))
    answer = signed_in(dpo).post(address(signed, "submission/"), {"version": signed.version, "file": file})
    assert answer.status_code == 409
    assert "The receipt is larger than 10 MB. Nothing was recorded." in answer.text


def test_several_files_at_once_are_together_no_larger_than_one_may_be(signed: Filing, dpo: User) -> None:
    halves = [SimpleUploadedFile(f"{n}.pdf", bytes(RECEIPT_BYTES // 2 + 1)) for n in range(2)]
    answer = signed_in(dpo).post(address(signed, "submission/"), {"file": halves[0], "other": halves[1]})
    assert answer.status_code == 409
    assert "larger than 10 MB" in answer.text


def test_a_forged_form_is_refused(signed: Filing, dpo: User) -> None:
    client = Client(enforce_csrf_checks=True)
    client.force_login(dpo)
    assert client.post(address(signed, "submission/"), {"version": signed.version}).status_code == 403
    assert not Receipt.objects.exists()


def test_what_is_wrong_stands_beside_its_field(signed: Filing, dpo: User) -> None:
    answer = signed_in(dpo).post(
        address(signed, "submission/"), {"version": signed.version, "authority_reference": "IC-1"}
    )
    assert answer.status_code == 422
    assert 'value="IC-1"' in answer.text
    later = timezone.now() + timedelta(days=2)
    typed = {"version": signed.version, "way": "online", "date": f"{later:%Y-%m-%d}", "time": "10:00", "zone": "UTC"}
    answer = signed_in(dpo).post(address(signed, "submission/"), typed)
    assert "That is in the future." in answer.text


@pytest.mark.parametrize("statement", ["UPDATE regulators_receipt SET way = 'post'", "DELETE FROM regulators_receipt"])
def test_sql_cannot_change_it(submitted: Filing, statement: str) -> None:
    with pytest.raises(IntegrityError, match="never change"), transaction.atomic(), connection.cursor() as cursor:
        cursor.execute(statement)
