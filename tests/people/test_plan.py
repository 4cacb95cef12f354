"""A plan comes back as it was confirmed, and one that cannot be read by is refused with a sentence for each fault."""

from uuid import uuid4

import pytest
from django.core.exceptions import ValidationError

from breachdesk.people.actions import match_columns
from breachdesk.people.models import Upload
from breachdesk.people.reading.fields import FIELDS, extra_name, is_field, label_of
from breachdesk.people.reading.plan import Column, Plan, plan_of, seal_plan, shown_plan
from breachdesk.people.reading.source import Source
from breachdesk.vault.sealing import SealBroken, cipher_for
from tests.factories import make_incident, make_upload
from tests.people.rows import plan_for

WHOLE = Plan(
    Source("zip", "list.csv", encoding="cp1252", delimiter=";", header_row=3),
    (Column("Wer", "full_name"), Column("Post", "email"), Column("Notiz"), Column("G", "kind:health")),
    "mdy",
    ("role_address",),
)


def problems(plan: Plan) -> list[str]:
    with pytest.raises(ValidationError) as caught:
        plan.check()
    return caught.value.messages


def test_it_comes_back_from_json() -> None:
    assert Plan.from_json(WHOLE.as_json()) == WHOLE
    assert WHOLE.stored == 3
    assert WHOLE.becomes == {"full_name", "email", "kind:health"}


@pytest.mark.django_db
def test_it_is_sealed_for_its_upload_alone() -> None:
    upload = make_upload(make_incident())
    cipher = cipher_for(upload.incident_id)
    upload.sealed_plan = seal_plan(cipher, upload.pk, WHOLE)
    assert b"Notiz" not in upload.sealed_plan
    assert plan_of(cipher, upload) == WHOLE
    with pytest.raises(SealBroken):
        plan_of(cipher, Upload(pk=uuid4(), sealed_plan=upload.sealed_plan))


@pytest.mark.django_db
def test_a_file_is_not_read_by_a_plan_that_names_nobody() -> None:
    upload = make_upload(make_incident())
    plan = plan_for("email", "email")
    with pytest.raises(ValidationError, match="No column holds a name"):
        match_columns(upload, plan, purpose="add", expected_version=1, by=upload.uploaded_by, ring=False)
    upload.refresh_from_db()
    assert (upload.state, upload.sealed_plan) == ("received", None)


@pytest.mark.parametrize(
    "becomes", [["full_name", "email"], ["given_name", "street"], ["family_name", "guardian_email"]]
)
def test_a_name_and_a_way_to_reach_somebody_are_enough(becomes) -> None:
    plan_for(*becomes).check()


@pytest.mark.parametrize(
    ("plan", "part"),
    [
        (plan_for("email"), "No column holds a name"),
        (plan_for("full_name", "phone"), "No column holds an email address or a street"),
        (plan_for("full_name", "email", "email"), "“Heading email” and “Heading email” cannot all be “Email”"),
        (plan_for("full_name", "email", "kind:health", "kind:health"), "cannot all be “Exposed: health”"),
        (plan_for("full_name", "email", "extra:tier", "extra:tier"), "cannot all be “((tier))”"),
        (plan_for("full_name", "email", "shoe_size"), "cannot become “shoe_size”"),
        (plan_for("full_name", "email", "kind:shoes"), "cannot become “kind:shoes”"),
        (plan_for("full_name", "email", "extra:((x))"), "cannot become “extra:((x))”"),
        (plan_for("full_name", "email", date_order="ymd"), "whether the day or the month comes first"),
        (plan_for("full_name", "email", allow=("reserved_domain",)), "Only these can be allowed"),
    ],
)
def test_what_cannot_be_read_by_is_refused_with_a_sentence(plan, part) -> None:
    (problem,) = problems(plan)
    assert part in problem


def test_every_fault_has_its_own_sentence() -> None:
    assert len(problems(plan_for("phone", "phone", "what"))) == 4


def test_it_is_laid_onto_another_file_by_its_headings() -> None:
    other = WHOLE.onto(Source(), ["g", "POST", "New", "wer"])
    assert other is not None
    assert [column.becomes for column in other.columns] == ["kind:health", "email", "", "full_name"]
    assert (other.source, other.date_order, other.allow) == (Source(), "mdy", ("role_address",))
    assert WHOLE.onto(Source(), ["Wer", "G"]) is None
    assert plan_for("", "").onto(Source(), ["Heading "]) is None


def test_it_is_shown_in_words() -> None:
    assert [(column.heading, column.label) for column in shown_plan(WHOLE)] == [
        ("Wer", "Full name"), ("Post", "Email"), ("Notiz", ""), ("G", "Exposed: health"),
    ]  # fmt: skip


@pytest.mark.parametrize(
    ("typed", "name"),
    [
        ("Tier", "tier"),
        (" Tier  Name ", "tier name"),
        ("tier-2", "tier-2"),
        ("", None),
        ("a(b", None),
        ("x" * 41, None),
    ],
)
def test_the_name_of_an_extra_can_stand_in_a_notice(typed, name) -> None:
    assert extra_name(typed) == name


def test_only_what_is_in_its_plain_form_is_a_field() -> None:
    assert is_field("extra:tier")
    assert not is_field("extra:Tier")
    assert not is_field("")
    assert all(map(is_field, FIELDS))
    assert label_of("") == ""
