"""What colleagues say of a text, beside the paragraph it is about, and what differs from the text approved last."""

from dataclasses import dataclass

from notifications.comparing import Compared, Piece, compare, compare_lines, paragraphs_of
from notifications.models import Approval, Comment, Edition

MOST_QUOTED = 2000


@dataclass(frozen=True)
class Passage:
    """A paragraph, or the subject, with what differs and what was said of it."""

    number: int
    compared: Compared
    comments: tuple[Comment, ...]
    is_subject: bool = False

    @property
    def pieces(self) -> tuple[Piece, ...]:
        return self.compared.pieces

    @property
    def quote(self) -> str:
        return quoted(self.compared.text or "")


@dataclass(frozen=True)
class Read:
    """`taken_back`: an approval of this edition that was voided. `gone`: comments on words that stand there no more."""

    earlier: Approval | None
    taken_back: Approval | None
    passages: tuple[Passage, ...]
    gone: tuple[Comment, ...]
    open: int

    @property
    def changes(self) -> int:
        return sum(one.compared.is_changed for one in self.passages)


def quoted(paragraph: str) -> str:
    return paragraph[:MOST_QUOTED]


def quotable(edition: Edition) -> set[str]:
    """What a comment may be about: the subject and each paragraph, as they stand."""
    return {quoted(part) for part in (edition.subject, *paragraphs_of(edition.body)) if part}


def last_approved(edition: Edition) -> Approval | None:
    """The latest other words of this notice in this language that somebody approved, even if it was voided since."""
    given = Approval.objects.of_wording(edition).exclude(subject=edition.subject, body=edition.body)
    return given.latest_first().first()


def read(edition: Edition) -> Read:
    earlier = last_approved(edition)
    comments = list(edition.comments.oldest_first())
    subject = compare_lines(earlier.subject if earlier else edition.subject, edition.subject)
    body = compare(earlier.body if earlier else edition.body, edition.body)
    passages = []
    for number, compared in enumerate([subject, *body]):
        about = _taken(comments, compared.text)
        passages.append(Passage(number, compared, about, is_subject=not number))
    is_open = sum(one.settled_at is None for one in edition.comments.all())
    taken_back = edition.approvals.exclude(voided_at=None).latest_first().first()
    return Read(earlier, taken_back, tuple(passages), tuple(comments), is_open)


def _taken(comments: list[Comment], text: str | None) -> tuple[Comment, ...]:
    """Those about this paragraph, taken out of the list: what two paragraphs say alike is spoken of at the first."""
    found = [one for one in comments if text and one.quote == quoted(text)]
    for one in found:
        comments.remove(one)
    return tuple(found)
