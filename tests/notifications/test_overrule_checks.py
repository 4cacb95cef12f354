"""A failing check keeps a text back, until somebody who wrote none of it takes the responsibility in writing."""

import pytest
from django.core.exceptions import ValidationError
from django.db import IntegrityError, connection, transaction
from django.test import Client
from django.urls import reverse
from django.utils import timezone

from breachdesk.audit.models import Event
from breachdesk.audit.sections import collect_sections
from notifications.actions import overrule_checks, save_draft, submit_for_review
from notifications.models import Edition, Override
from notifications.wording import text_digest
from tests.factories import make_edition, make_user

pytestmark = pytest.mark.django_db
HURRY = "scam.hurries.within 24 hours"


@pytest.fixture(scope="module", autouse=True)
def made(made_once: None) -> Edition:
    """A draft that hurries people."""
    draft = make_edition()
    author = draft.authors.get().author
    return save_draft(draft, subject=draft.subject, body=f"{draft.body}\nCall us within 24 hours.\n", by=author)


@pytest.fixture
def edition(made: Edition) -> Edition:
    return Edition.objects.with_incident().get(pk=made.pk)


def overrule(edition: Edition, **given: object) -> list[Override]:
    by = given.pop("by", None) or make_user("approver")
    return overrule_checks(edition, checks=[HURRY], reason=given.pop("reason", "The shop closes."), by=by)  # type: ignore[arg-type]


def address(name: str, edition: Edition) -> str:
    return reverse(name, args=[edition.notice.incident.reference, edition.pk])


def test_it_is_refused_then_overruled_and_shown_where_it_is_approved(edition: Edition, client: Client) -> None:
    author = edition.authors.get().author
    with pytest.raises(ValidationError, match=r"Not a scam\. Line 30: “within 24 hours” hurries people"):
        submit_for_review(edition, by=author)
    second = make_user("approver")
    client.force_login(second)
    page = client.get(address("edition-overrule", edition)).content.decode()
    assert "One check fails" in page
    form = {"checks": [HURRY], "reason": "The shop closes for good.", "version": edition.version}
    assert client.post(address("edition-overrule", edition), form).status_code == 302
    event = Event.objects.newest_first().filter(type="edition.overruled")[0]
    assert b"shop closes" not in event.body
    assert event.content["data"]["checks"] == 1
    submit_for_review(edition, by=author)
    page = client.get(address("edition-review", edition)).content.decode()
    assert "The shop closes for good." in page
    assert f"Overruled by {second.name}" in page
    for private in (True, False):
        section = collect_sections(edition.incident_id, private=private)["notices"]
        [told] = section["notices"][0]["editions"][0]["overrides"]
        assert ("reason" in told) == private
        assert told["group"] == "scam"


def test_it_is_void_when_the_text_changes(edition: Edition, client: Client) -> None:
    overrule(edition)
    author = edition.authors.get().author
    client.force_login(author)
    typed = {"subject": edition.subject, "body": edition.body}
    assert "Nothing to fix" in client.post(address("edition-check", edition), typed).content.decode()
    typed["body"] += "A word more."
    assert "1 to fix" in client.post(address("edition-check", edition), typed).content.decode()
    changed = save_draft(edition, subject=edition.subject, body=f"{edition.body}More.\n", by=author)
    assert not changed.overrides.in_force().exists()
    with pytest.raises(ValidationError, match="hurries people"):
        submit_for_review(changed, by=author)


def test_an_author_overrules_nothing(edition: Edition) -> None:
    second = make_user("author", "approver")
    changed = save_draft(edition, subject="Another subject", body=edition.body, by=second)
    with pytest.raises(ValidationError, match="You wrote a part"):
        overrule(changed, by=second)


def test_it_needs_a_reason_and_something_that_fails(edition: Edition) -> None:
    with pytest.raises(ValidationError, match="Say why"):
        overrule(edition, reason=" ")
    with pytest.raises(ValidationError, match="None of what was chosen is failing"):
        overrule_checks(edition, checks=["scam.from"], reason="Because.", by=make_user("approver"))
    assert not Override.objects.exists()


def test_the_database_refuses_an_author_other_words_and_a_text_that_leaves_it_behind(edition: Edition) -> None:
    def raw(digest: bytes, by: object) -> None:
        with transaction.atomic():
            Override.objects.create(
                edition=edition, check_key=HURRY, sentence="s", reason="r", text_sha256=digest, given_by=by,
                given_at=timezone.now(),
            )  # fmt: skip

    with pytest.raises(IntegrityError, match="Whoever wrote a part"):
        raw(text_digest(edition.subject, edition.body), edition.authors.get().author)
    with pytest.raises(IntegrityError, match="for other words"):
        raw(b"0" * 32, make_user("approver"))
    overrule(edition)
    with pytest.raises(IntegrityError, match="are voided when it changes"), transaction.atomic():
        connection.cursor().execute("UPDATE notifications_edition SET body = 'x' WHERE id = %s", [edition.pk])
    with pytest.raises(IntegrityError, match="can only be voided"), transaction.atomic():
        Override.objects.update(reason="Another")
    with pytest.raises(IntegrityError, match="never deleted"):
        Override.objects.all()._raw_delete("default")
