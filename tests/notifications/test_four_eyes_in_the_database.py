"""What must never happen is refused by the database, whatever code asks for it."""

import pytest
from django.db import IntegrityError, connection, transaction
from django.utils import timezone

from notifications.models import Approval, Edition, EditionAuthor
from tests.factories import make_approved_edition, make_edition, make_edition_in_review, make_user

pytestmark = pytest.mark.django_db


def approve(edition: Edition, digest: bytes, *, as_author: bool = False) -> None:
    approver = edition.authors.get().author if as_author else make_user("approver")
    words = {"subject": edition.subject, "body": edition.body}
    Approval.objects.create(edition=edition, digest=digest, approver=approver, approved_at=timezone.now(), **words)


def set_raw(edition: Edition, column: str, value: object) -> None:
    with connection.cursor() as cursor:
        cursor.execute(f"UPDATE notifications_edition SET {column} = %s WHERE id = %s", [value, edition.pk])


def test_an_author_cannot_approve() -> None:
    edition = make_edition_in_review()
    with pytest.raises(IntegrityError, match="Whoever wrote a part"):
        approve(edition, bytes(edition.digest or b""), as_author=True)


def test_another_digest_cannot_be_approved() -> None:
    with pytest.raises(IntegrityError, match="something else than what waits"):
        approve(make_edition_in_review(), b"0" * 32)


def test_a_draft_cannot_be_approved() -> None:
    with pytest.raises(IntegrityError, match="Only an edition that waits"):
        approve(make_edition(), b"0" * 32)


@pytest.mark.parametrize("state", ["approved", "sending"])
def test_no_approval_no_way_on(state: str) -> None:
    edition = make_edition_in_review()
    with pytest.raises(IntegrityError), transaction.atomic():
        set_raw(edition, "state", state)
    with pytest.raises(IntegrityError, match="No approval stands"):
        set_raw(edition, "state", "approved")


def test_a_voided_approval_is_none() -> None:
    edition = make_approved_edition()
    edition.approvals.update(voided_at=timezone.now())
    with pytest.raises(IntegrityError, match="No approval stands"), connection.cursor() as cursor:
        cursor.execute("UPDATE notifications_edition SET state = 'sending', epoch = 1 WHERE id = %s", [edition.pk])


@pytest.mark.parametrize(("column", "value"), [("subject", "Other"), ("body", "Other")])
def test_the_text_is_changed_in_a_draft_only(column: str, value: str) -> None:
    with pytest.raises(IntegrityError, match="Only the text of a draft"):
        set_raw(make_edition_in_review(), column, value)


@pytest.mark.parametrize(("column", "value"), [("language", "fr"), ("revision", 9)])
def test_what_names_an_edition_never_changes(column: str, value: object) -> None:
    with pytest.raises(IntegrityError, match="keeps its notice, language and revision"):
        set_raw(make_edition(), column, value)


@pytest.mark.parametrize(
    ("column", "value"), [("digest", b"0" * 32), ("recipients_root", b"0" * 32), ("recipients_count", 1)]
)
def test_what_is_frozen_stays(column: str, value: object) -> None:
    with pytest.raises(IntegrityError, match="is frozen"):
        set_raw(make_approved_edition(), column, value)


def test_the_epoch_moves_with_a_start_only() -> None:
    with pytest.raises(IntegrityError, match="epoch grows by one"):
        set_raw(make_edition(), "epoch", 5)


def test_authors_are_never_forgotten() -> None:
    edition = make_edition()
    with pytest.raises(IntegrityError, match="never changed or forgotten"):
        edition.authors.all()._raw_delete("default")  # type: ignore[attr-defined]


def test_nobody_becomes_an_author_of_what_waits() -> None:
    edition = make_edition_in_review()
    with pytest.raises(IntegrityError, match="Only a draft can get another author"):
        EditionAuthor.objects.create(edition=edition, author=make_user("author"))


def test_an_approval_is_never_changed_or_deleted() -> None:
    make_approved_edition()
    with pytest.raises(IntegrityError, match="can only be voided"), transaction.atomic():
        Approval.objects.update(digest=b"0" * 32)
    with pytest.raises(IntegrityError, match="never deleted"):
        Approval.objects.all()._raw_delete("default")


def test_a_draft_with_an_approval_in_force_cannot_be_committed() -> None:
    edition = make_approved_edition()
    with connection.cursor() as cursor:
        cursor.execute(
            "UPDATE notifications_edition SET state = 'draft', digest = NULL, recipients_root = NULL, "
            "recipients_count = NULL WHERE id = %s",
            [edition.pk],
        )
        with pytest.raises(IntegrityError, match="are voided when it becomes a draft"):
            cursor.execute("SET CONSTRAINTS guard_draft_has_no_approval IMMEDIATE")
