"""sheet_of(): a filing as it stands: every question with its answer, its origin, and what is still missing."""

from collections.abc import Iterator
from dataclasses import dataclass, replace
from datetime import date, datetime
from functools import cached_property
from hashlib import sha256
from typing import Any

from django.db.models import prefetch_related_objects

from breachdesk.accounts.models import User
from breachdesk.audit.canonical import canonical
from regulators.catalogue.schema import TYPED, Question, Section
from regulators.known import Known
from regulators.models import Answer, Filing
from regulators.prefill import known_answers, known_facts
from regulators.wording import text_of

BY_HAND = "Written by hand."


@dataclass(frozen=True)
class Given:
    """One question and what stands as its answer: typed by a person, or live from the facts."""

    question: Question
    number: str
    asked: bool
    required: bool
    value: Any = None
    promised_on: date | None = None
    so_far: str = ""
    origin: str = ""
    url: str = ""
    by: User | None = None
    at: datetime | None = None
    version: int = 0
    live: bool = False
    known: Known | None = None

    @property
    def key(self) -> str:
        return self.question.key

    @property
    def text(self) -> str:
        return text_of(self.question, self.value)

    @property
    def state(self) -> str:
        """not_asked, answered, not_known (with a promised date), missing (it is required), or blank."""
        if not self.asked:
            return "not_asked"
        if self.value is not None:
            return "answered"
        if self.promised_on:
            return "not_known"
        return "missing" if self.required else "blank"

    @property
    def over_limit(self) -> int:
        """How many characters too many."""
        if self.question.kind not in TYPED or self.value is None:
            return 0
        return max(0, len(self.value) - (self.question.max_length or 0))

    @property
    def fingerprint(self) -> str:
        """What the page showed, so that only what a person really changed is taken as theirs."""
        return fingerprint_of(self.value, self.promised_on, self.so_far)

    @property
    def known_text(self) -> str:
        """What the facts would answer now."""
        return text_of(self.question, self.known.value) if self.known else ""

    @property
    def can_follow(self) -> bool:
        """A person's answer stands where the facts have one too."""
        return not self.live and self.known is not None


@dataclass(frozen=True)
class Part:
    section: Section
    number: int
    given: tuple[Given, ...]

    @property
    def asked(self) -> list[Given]:
        return [given for given in self.given if given.asked]

    @property
    def missing(self) -> list[Given]:
        return [given for given in self.given if given.state == "missing"]

    @property
    def answered(self) -> int:
        return sum(given.state in {"answered", "not_known"} for given in self.given)

    @property
    def is_complete(self) -> bool:
        return not self.missing and not any(given.over_limit for given in self.given)


@dataclass(frozen=True)
class Sheet:
    filing: Filing
    parts: tuple[Part, ...]

    def __iter__(self) -> Iterator[Given]:
        return (given for part in self.parts for given in part.given)

    @cached_property
    def asked(self) -> list[Given]:
        return [given for given in self if given.asked]

    @cached_property
    def missing(self) -> list[Given]:
        return [given for given in self if given.state == "missing"]

    @cached_property
    def too_long(self) -> list[Given]:
        return [given for given in self if given.asked and given.over_limit]

    @cached_property
    def still_to_come(self) -> list[Given]:
        return [given for given in self if given.state == "not_known"]

    @property
    def answered(self) -> int:
        return sum(part.answered for part in self.parts)

    def of(self, key: str) -> Given:
        return next(given for given in self if given.key == key)


def fingerprint_of(value: Any, promised_on: date | None, so_far: str) -> str:
    """The same for what a page showed and what came back from it untouched: it has no seconds and no odd spaces."""
    if isinstance(value, str):
        value = tidy(value)
    elif isinstance(value, dict) and "at" in value:
        value = {**value, "at": value["at"][: len("2026-11-21T09:30")]}
    promised = promised_on.isoformat() if promised_on else None
    return sha256(canonical([value, promised, tidy(so_far)])).hexdigest()[:16]


def tidy(text: str) -> str:
    """Line ends as \\n, no space around: a browser sends them otherwise than they were."""
    return text.replace("\r\n", "\n").strip()


def sheet_of(filing: Filing, *, at: datetime) -> Sheet:
    """`at` decides whether the report is late; the facts are read now."""
    form, numbers = filing.definition, filing.definition.numbers
    stated = known_facts(filing, at=at)
    known = known_answers(filing, stated)
    facts = {key: fact.value for key, fact in stated.items()}
    written = {answer.question: answer for answer in _answers_of(filing)}
    answers: dict[str, object] = {}
    parts = []
    for number, section in enumerate(form.sections, 1):
        given = []
        for question in section.questions:
            one = _given(question, numbers[question.key], written.get(question.key), known.get(question.key))
            one = _asked(one, answers, facts)
            if one.asked and one.value is not None:
                answers[question.key] = one.value
            given.append(one)
        parts.append(Part(section, number, tuple(given)))
    return Sheet(filing, tuple(parts))


def _answers_of(filing: Filing) -> list[Answer]:
    """With whoever gave them: otherwise each answer of a filing that was just locked asks for its author alone."""
    answers = list(filing.answers.all())
    prefetch_related_objects(answers, "answered_by")
    return answers


def _given(question: Question, number: str, answer: Answer | None, known: Known | None) -> Given:
    blank = Given(question, number, asked=True, required=False, known=known, version=answer.version if answer else 0)
    if answer and not answer.follows_facts:
        return replace(
            blank,
            value=answer.value,
            promised_on=answer.promised_on,
            so_far=answer.so_far,
            origin=BY_HAND,
            by=answer.answered_by,
            at=answer.answered_at,
        )
    if known:
        return replace(blank, value=known.value, origin=known.origin, url=known.url, live=True)
    return replace(blank, live=True)


def _asked(given: Given, answers: dict[str, object], facts: dict[str, object]) -> Given:
    question = given.question
    return replace(given, asked=question.is_asked(answers, facts), required=question.is_required(answers, facts))
