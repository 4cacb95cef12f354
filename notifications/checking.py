"""What keeps an edition from being sent, said in words: beside the text while it is written, and at submission."""

from collections import Counter
from collections.abc import Collection
from dataclasses import dataclass, field
from uuid import UUID

from django.core.exceptions import ValidationError

from breachdesk.accounts.models import Organisation
from breachdesk.incidents.kinds import KINDS
from notifications.editions import layout_of, vocabulary_of
from notifications.models import Edition
from notifications.placeholders import LIST_FIELD, Problem, ValueRefused
from notifications.recipients import Likeness, likenesses_of, remembered_likenesses
from notifications.rendering import MAX_BYTES, Recipient, Skeleton, render_message
from notifications.wording import Compiled, WordingError, compile_message, missing_fields, parse, parse_subject

NEEDED_OF_ORGANISATION = {
    "short_name": "the short name",
    "sender_email": "the sender's address",
    "reply_to": "the address for answers",
    "dpo_name": "the data protection officer's name",
    "dpo_email": "the data protection officer's email address",
}
# A made-up person for previews and sizes. Nobody real is shown unless somebody asks for it, and that is recorded.
MADE_UP = {
    "first name": "Anwen",
    "last name": "Example-Thorvaldsen",
    "full name": "Anwen Example-Thorvaldsen",
    "reference": "EXAMPLE-0001",
}
NOBODY = "Nobody would get this edition: nobody with an email address reads it and was not sent another one."
_NO_DELIVERY = UUID(int=0)


@dataclass(frozen=True)
class Check:
    """Everything found, in the order in which a person would mend it."""

    people: int = 0
    lacking: list[str] = field(default_factory=list)
    subject_problems: tuple[Problem, ...] = ()
    body_problems: tuple[Problem, ...] = ()
    missing: dict[str, int] = field(default_factory=dict)
    unnamed_kinds: dict[str, int] = field(default_factory=dict)
    size: int = 0
    size_problem: str = ""
    links: tuple[str, ...] = ()

    @property
    def problems(self) -> int:
        found = [*self.lacking, *self.subject_problems, *self.body_problems, *self.missing]
        return len(found) + bool(self.size_problem)

    @property
    def share_of_size(self) -> int:
        return 100 * self.size // MAX_BYTES

    def sentences(self) -> list[str]:
        """One per fault, as a refusal says it."""
        said = [f"Subject: {problem.sentence}" for problem in self.subject_problems]
        said += [f"Line {p.line}, column {p.column}: {p.sentence}" for p in self.body_problems]
        said += [self.sentence_for_missing(name) for name in self.missing]
        if self.lacking:
            said.append(f"The organisation's page lacks {' and '.join(self.lacking)}. An administrator fills it in.")
        return said + ([self.size_problem] if self.size_problem else [])

    def sentence_for_missing(self, name: str) -> str:
        number = self.missing[name]
        people = "person has" if number == 1 else "people have"
        return f"{number:,} {people} no usable value for (({name})). Give a default: (({name}|customer))."


def check(edition: Edition, organisation: Organisation, *, subject: str, body: str, fresh: bool = False) -> Check:
    """`fresh` reads everybody's data again; otherwise what this process remembers of the same list will do."""
    alike = likenesses_of(edition) if fresh else remembered_likenesses(edition)
    lacking = [words for name, words in NEEDED_OF_ORGANISATION.items() if not getattr(organisation, name)]
    vocabulary = vocabulary_of(edition, organisation)
    people = sum(alike.values())
    unnamed = _unnamed_kinds(alike, edition.notice.incident.kinds)
    try:
        compiled = compile_message(subject, body, vocabulary)
    except WordingError:
        return Check(
            people,
            lacking,
            parse_subject(subject, vocabulary)[1],
            parse(body, vocabulary).problems,
            unnamed_kinds=unnamed,
        )
    size, size_problem = (0, "") if lacking else _largest(Skeleton(compiled, layout_of(edition, organisation)), alike)
    return Check(
        people=people,
        lacking=lacking,
        body_problems=_untranslated(compiled),
        missing=_missing(compiled, alike),
        unnamed_kinds=unnamed,
        size=size,
        size_problem=size_problem,
        links=compiled.body.links,
    )


def refuse_what_cannot_be_sent(edition: Edition, organisation: Organisation) -> None:
    found = check(edition, organisation, subject=edition.subject, body=edition.body, fresh=True)
    if not found.people:
        raise ValidationError(NOBODY)
    if found.problems:
        raise ValidationError(found.sentences())


def _missing(compiled: Compiled, alike: Counter[Likeness]) -> dict[str, int]:
    missing: Counter[str] = Counter()
    for likeness, number in alike.items():
        for name in missing_fields(compiled, dict.fromkeys(likeness.usable, "x"), likeness.kinds):
            missing[name] += number
    return dict(missing.most_common())


def _unnamed_kinds(alike: Counter[Likeness], named: Collection[str]) -> dict[str, int]:
    """Kinds of data, in words, that people's rows hold and the facts do not name. The people are told anyway."""
    unnamed: Counter[str] = Counter()
    for likeness, number in alike.items():
        for kind in (k for k in KINDS if k in likeness.kinds and k not in named):
            unnamed[KINDS[kind].label] += number
    return dict(unnamed.most_common())


def _untranslated(compiled: Compiled) -> tuple[Problem, ...]:
    if compiled.vocabulary.language.split("-")[0] == "en" or LIST_FIELD not in {s.name for s in compiled.body.slots}:
        return ()
    return (Problem(1, 1, f"(({LIST_FIELD})) speaks English only. Write out what was taken, with conditions."),)


def _largest(skeleton: Skeleton, alike: Counter[Likeness]) -> tuple[int, str]:
    """The size of the largest message among all combinations of kinds, and a sentence if it is too large."""
    largest = 0
    for kinds in {likeness.kinds for likeness in alike} or {tuple(skeleton.compiled.vocabulary.kinds)}:
        person = Recipient(delivery=_NO_DELIVERY, address="somebody@example.com", kinds=kinds, values=MADE_UP)
        try:
            message = render_message(skeleton, person, b"Thu, 01 Jan 1970 00:00:00 +0000")
        except ValueRefused as refusal:
            return largest, str(refusal)
        largest = max(largest, len(message))
    return largest, ""
