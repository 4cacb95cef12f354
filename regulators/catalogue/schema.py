"""The shape of a form and of a regime, as their YAML files have it. Every file is read into these, or refused."""

from collections.abc import Iterator, Mapping
from datetime import date
from enum import StrEnum
from typing import Annotated, Literal

from pydantic import BaseModel, ConfigDict, Field, HttpUrl, model_validator

Key = Annotated[str, Field(pattern=r"^[a-z][a-z0-9_]*$", max_length=60)]
FactKey = Annotated[str, Field(pattern=r"^[a-z][a-z0-9_]*\.[a-z][a-z0-9_]*$")]
Text = Annotated[str, Field(min_length=1)]
PlaceCode = Annotated[str, Field(pattern=r"^[A-Z]{2}(-[A-Z0-9]{1,3})?$")]
"""A country, or a part of one: US-TX, DE-BY (ISO 3166-2)."""
Plain = str | int | bool
Confidence = Literal["seen", "memory"]
"""seen: read in a public page or file. memory: from general knowledge, to be checked before anybody relies on it."""

Values = Mapping[str, object]
"""What is answered: question key to value. A question that is empty or *not yet known* has no entry."""


class Strict(BaseModel):
    """An unknown key is a fault, so that a misspelt one is never silently without effect."""

    model_config = ConfigDict(
        extra="forbid", frozen=True, str_strip_whitespace=True, populate_by_name=True, defer_build=True
    )


class Source(Strict):
    title: Text
    url: HttpUrl | None = None
    """None where nothing was read: then the confidence is memory."""
    seen_on: date


class Comparison(Strict):
    """One comparison of a question's answer or of a fact, for example `{question: report_type, is: follow_up}`."""

    question: Key | None = None
    fact: FactKey | None = None
    is_: Plain | None = Field(default=None, alias="is")
    is_one_of: tuple[Plain, ...] = ()
    includes: Plain | None = None
    is_answered: bool | None = None
    more_than: int | None = None

    @model_validator(mode="after")
    def compares_one_thing(self) -> "Comparison":
        if (self.question is None) == (self.fact is None):
            raise ValueError("a comparison names either a question or a fact")
        given = [self.is_, self.is_one_of or None, self.includes, self.is_answered, self.more_than]
        if sum(value is not None for value in given) != 1:
            raise ValueError("a comparison has exactly one of: is, is_one_of, includes, is_answered, more_than")
        return self

    def holds(self, answers: Values, facts: Values) -> bool:
        """Something not known holds no comparison: only `is_answered: false` is true of it."""
        value = answers.get(self.question) if self.question else facts.get(self.fact or "")
        if self.is_answered is not None:
            return (value is not None) == self.is_answered
        if self.more_than is not None:
            return isinstance(value, int) and value > self.more_than
        if self.includes is not None:
            return isinstance(value, list | tuple) and self.includes in value
        return value in self.is_one_of if self.is_one_of else value == self.is_

    @property
    def compared_with(self) -> tuple[Plain, ...]:
        return tuple(v for v in (self.is_, self.includes, *self.is_one_of) if v is not None)

    def comparisons(self) -> "Iterator[Comparison]":
        yield self


class AllOf(Strict):
    all: tuple["Condition", ...] = Field(min_length=1)

    def holds(self, answers: Values, facts: Values) -> bool:
        return all(part.holds(answers, facts) for part in self.all)

    def comparisons(self) -> Iterator[Comparison]:
        for part in self.all:
            yield from part.comparisons()


class AnyOf(Strict):
    any: tuple["Condition", ...] = Field(min_length=1)

    def holds(self, answers: Values, facts: Values) -> bool:
        return any(part.holds(answers, facts) for part in self.any)

    def comparisons(self) -> Iterator[Comparison]:
        for part in self.any:
            yield from part.comparisons()


Condition = Comparison | AllOf | AnyOf


class Kind(StrEnum):
    TEXT = "text"
    LONG_TEXT = "long_text"
    CHOICE = "choice"
    CHOICES = "choices"
    YES_NO = "yes_no"
    NUMBER = "number"
    DATE = "date"
    DATES = "dates"
    MOMENT = "moment"
    CONTACT = "contact"
    MONEY = "money"
    PERCENT = "percent"
    URL = "url"


TYPED = {Kind.TEXT, Kind.LONG_TEXT}
CHOSEN = {Kind.CHOICE, Kind.CHOICES}
YES_NO = ("yes", "no")


class Choice(Strict):
    """One thing to choose. It fits a fact that is one of what it `means` (its own value, if nothing is said), or, where
    the fact is a number, one from `least` to `most`. It means a kind of data only if it covers all of that kind."""

    value: Key
    label: Text
    label_local: str = ""
    means: tuple[Key, ...] = ()
    least: int | None = Field(default=None, ge=0)
    most: int | None = Field(default=None, ge=0)

    @property
    def said(self) -> str:
        """In both languages, where the authority's own is known."""
        return f"{self.label} / {self.label_local}" if self.label_local else self.label

    @property
    def is_a_range(self) -> bool:
        return self.least is not None or self.most is not None

    def fits(self, value: object) -> bool:
        if isinstance(value, int) and self.is_a_range:
            return (self.least or 0) <= value and (self.most is None or value <= self.most)
        return value in (self.means or (self.value,))


class Question(Strict):
    key: Key
    label: Text
    label_local: str = ""
    """In the authority's own language, where we have read it."""
    kind: Kind
    choices: tuple[Choice, ...] = ()
    required: bool = False
    required_when: Condition | None = None
    asked_when: Condition | None = None
    not_known: str | None = None
    """The words of the form for *not yet known*; without them that answer is not open here."""
    max_length: int | None = Field(default=None, ge=1)
    fact: FactKey | None = None
    help: str = ""
    generation: Literal["2018-2021", "2022+"] | None = None
    note: str = ""
    confidence: Confidence

    @model_validator(mode="after")
    def fits_its_kind(self) -> "Question":
        if (self.kind in CHOSEN) != bool(self.choices):
            raise ValueError("choices belong to the kinds choice and choices, and to no other")
        if (self.kind in TYPED) != (self.max_length is not None):
            raise ValueError("max_length belongs to the kinds text and long_text, and to no other")
        if len({choice.value for choice in self.choices}) != len(self.choices):
            raise ValueError("two choices have the same value")
        if self.required and self.required_when:
            raise ValueError("a question is required always or under a condition, not both")
        return self

    @property
    def values(self) -> tuple[str, ...]:
        return YES_NO if self.kind == Kind.YES_NO else tuple(choice.value for choice in self.choices)

    def label_of(self, value: str) -> str:
        if self.kind == Kind.YES_NO:
            return value.capitalize()
        return next((choice.said for choice in self.choices if choice.value == value), value)

    def is_asked(self, answers: Values, facts: Values) -> bool:
        return self.asked_when is None or self.asked_when.holds(answers, facts)

    def is_required(self, answers: Values, facts: Values) -> bool:
        return self.required or (self.required_when is not None and self.required_when.holds(answers, facts))


class Section(Strict):
    key: Key
    title: Text
    title_local: str = ""
    note: str = ""
    questions: tuple[Question, ...] = Field(min_length=1)


class Authority(Strict):
    """Whom a form belongs to. Its key is the authority's own in authorities/, where it is one of the catalogue's."""

    id: Key
    place: PlaceCode | None = None
    name: Text
    short_name: Text
    website: HttpUrl | None = None
    filing_url: HttpUrl | None = None
    filing_channel: Text


class Form(Strict):
    """One version of a regulator's form. A new version is a new file; a filing keeps the one it began with."""

    id: Key
    version: int = Field(ge=1)
    title: Text
    title_local: str = ""
    authority: Authority | None = None
    """None: it goes to every authority that names it as its form."""
    is_common: bool = False
    """It goes besides to every authority of its laws, and to any that is named by hand."""
    law: Text
    regimes: tuple[Key, ...] = Field(min_length=1)
    languages: tuple[Annotated[str, Field(pattern=r"^[a-z]{2}$")], ...] = ()
    """What the authority takes; none for a form that goes to many, each in its own."""
    rules: tuple[Text, ...] = ()
    phases: str = ""
    """The sentence that a report with open answers carries, where the law lets it come in phases."""
    takes_csv: bool = False
    limits_note: Text
    source: Source
    confidence: Confidence
    confidence_note: str = ""
    reviewed_by: str = ""
    sections: tuple[Section, ...] = Field(min_length=1)

    @model_validator(mode="after")
    def belongs_to_somebody_or_to_many(self) -> "Form":
        if self.authority and self.is_common:
            raise ValueError("a form with an authority of its own is not a common one")
        return self

    @property
    def questions(self) -> tuple[Question, ...]:
        return tuple(question for section in self.sections for question in section.questions)

    def question(self, key: str) -> Question:
        return next(question for question in self.questions if question.key == key)

    @property
    def numbers(self) -> dict[str, str]:
        """Section and place in it, by key, as screens and documents print it: 3.2."""
        return {q.key: f"{s}.{n}" for s, part in enumerate(self.sections, 1) for n, q in enumerate(part.questions, 1)}
