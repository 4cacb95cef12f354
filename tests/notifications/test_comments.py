"""Comments beside the paragraph they are about, and what differs from the words that were approved last."""

import pytest
from django.core.exceptions import PermissionDenied, ValidationError
from django.db import IntegrityError, transaction
from django.test import Client
from django.urls import reverse

from breachdesk.accounts.models import User
from breachdesk.audit.models import Event
from breachdesk.audit.timeline import describe
from notifications.actions import (
    add_edition,
    approve_edition,
    comment_on,
    save_draft,
    settle_comment,
    submit_for_review,
)
from notifications.commenting import quotable, read
from notifications.comparing import compare, paragraphs_of
from notifications.models import Comment, Edition
from tests.factories import approve, make_edition_in_review, make_user, open_everything


@pytest.fixture(scope="module")
def edition(made_once: None) -> Edition:
    return make_edition_in_review()


@pytest.fixture(scope="module")
def approver(made_once: None) -> User:
    return make_user("approver")


def about(edition: Edition) -> str:
    return paragraphs_of(edition.body)[1]


# What differs


def marked(before: str, now: str) -> list[str]:
    signs = {"same": "{}", "ins": "+{}+", "del": "-{}-"}
    return ["".join(signs[kind].format(text) for kind, text in one.pieces) for one in compare(before, now)]


def test_words_are_marked_within_a_paragraph_and_whole_paragraphs_where_they_are_others() -> None:
    before = "A list was lost on Monday.\n\nOnly addresses.\n\nCall us: 01632."
    now = "A list was lost on Friday.\n\nCall us: 01632.\n\nWe are sorry, and say so with all our hearts."
    assert marked(before, now) == [
        "A list was lost on -Monday.-+Friday.+",
        "-Only addresses.-",
        "Call us: 01632.",
        "+We are sorry, and say so with all our hearts.+",
    ]


def test_the_same_text_has_no_mark_and_a_new_one_only_new_ones() -> None:
    assert marked("One.\n\nTwo.", "One.\n\nTwo.") == ["One.", "Two."]
    assert marked("", "One.\n\n\nTwo.") == ["+One.+", "+Two.+"]
    assert marked("One.", "") == ["-One.-"]


@pytest.mark.parametrize("words", [20_000 * "a", 9_000 * "a ", 5_000 * "a\n\n"])
def test_the_longest_text_is_compared_too(words: str) -> None:
    found = compare(words, words[:-3] + "b")
    assert "".join(text for one in found for kind, text in one.pieces if kind != "del").strip().endswith("b")


# Beside the paragraph


@pytest.mark.django_db
def test_a_comment_stands_beside_its_paragraph_and_makes_no_author(edition: Edition, approver: User) -> None:
    comment_on(edition, quote=about(edition), text="Say the day.", by=approver)
    [passage] = [one for one in read(edition).passages if one.comments]
    assert passage.compared.text == about(edition)
    assert read(edition).open == 1
    [line] = describe(Event.objects.of_incident(edition.incident_id).filter(type="edition.commented"), private=True)
    assert line.private["text"] == "Say the day."
    assert approve(edition, by=approver).state == Edition.State.APPROVED


@pytest.mark.django_db
def test_only_words_that_stand_there_can_be_commented_on(edition: Edition, approver: User) -> None:
    assert edition.subject in quotable(edition)
    with pytest.raises(ValidationError, match="changed since you opened the page"):
        comment_on(edition, quote="Something else.", text="Say the day.", by=approver)
    with pytest.raises(ValidationError, match="Write what you want to say"):
        comment_on(edition, quote=about(edition), text=" ", by=approver)
    with pytest.raises(PermissionDenied):
        comment_on(edition, quote=about(edition), text="Say the day.", by=make_user("auditor"))
    assert not Comment.objects.exists()


@pytest.mark.django_db
def test_it_is_settled_once_and_never_changed(edition: Edition, approver: User) -> None:
    comment = comment_on(edition, quote=about(edition), text="Say the day.", by=approver)
    settle_comment(comment, by=edition.authors.get().author)
    assert read(edition).open == 0
    with pytest.raises(ValidationError, match="settled already"):
        settle_comment(comment, by=approver)
    for change in (lambda: Comment.objects.update(text="x"), lambda: Comment.objects.all()._raw_delete("default")):
        with pytest.raises(IntegrityError, match="can only be settled"), transaction.atomic():
            change()


@pytest.mark.django_db
def test_words_that_go_leave_the_comment_with_its_quote(edition: Edition, approver: User, client: Client) -> None:
    gone, author = about(edition), edition.authors.get().author
    comment_on(edition, quote=gone, text="Take this out.", by=approver)
    draft = save_draft(edition, subject=edition.subject, body=edition.body.replace(gone, ""), by=author)
    assert [one.text for one in read(draft).gone] == ["Take this out."]
    client.force_login(author)
    for page in ("edition-review", "edition-edit"):
        shown = client.get(reverse(page, args=[edition.notice.incident.reference, edition.pk])).content.decode()
        assert "On words that are gone" in shown
        assert "Take this out." in shown


@pytest.mark.django_db
def test_the_pages_take_and_settle_a_comment(edition: Edition, approver: User, client: Client) -> None:
    arguments = [edition.notice.incident.reference, edition.pk]
    client.force_login(approver)
    quote = next(one for one in paragraphs_of(edition.body) if "\n" in one or one).replace("\n", "\r\n")
    said = {"quote": quote, "text": "Say the day.", "page": "review"}
    answer = client.post(reverse("edition-comment", args=arguments), said, follow=True)
    assert "Say the day." in answer.content.decode()
    assert "1 comment not settled" in answer.content.decode()
    open_everything(edition, by=approver)
    assert "1 comment is not settled" in client.get(reverse("edition-approve", args=arguments)).content.decode()
    settle = reverse("comment-settle", args=[*arguments, Comment.objects.get().pk])
    assert client.post(settle, {"page": "edit"}).status_code == 302
    assert Comment.objects.get().settled_by == approver
    assert client.post(settle).status_code == 409


# From the last approved words


@pytest.mark.django_db
def test_the_words_approved_last_are_compared_whatever_became_of_them(
    edition: Edition, approver: User, client: Client
) -> None:
    author = edition.authors.get().author
    open_everything(edition, by=approver)
    approve_edition(edition, by=approver)
    body = f"{edition.body}\n\nWe will write again by Friday.\n"
    changed = submit_for_review(save_draft(edition, subject="A new subject", body=body, by=author), by=author)
    words = read(changed)
    assert words.earlier is not None
    assert (words.earlier.voided_at is not None, words.changes) == (True, 2)
    client.force_login(approver)
    page = client.get(reverse("edition-review", args=[edition.notice.incident.reference, edition.pk])).content.decode()
    assert "<ins>We will write again by Friday.</ins>" in page
    assert f"from what {approver.name} approved" in page


@pytest.mark.django_db
def test_another_language_is_not_compared_with(edition: Edition, approver: User) -> None:
    approve(edition, by=approver)
    french = add_edition(edition.notice, language="fr", by=edition.authors.get().author)
    assert read(french).earlier is None
