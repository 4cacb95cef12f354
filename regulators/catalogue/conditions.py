"""Conditions: the tests on facts that a rule is made of. Every one may come out undecided (see deciding.py)."""

from collections.abc import Iterator
from typing import Annotated

from pydantic import Discriminator, Field, Tag, model_validator

from regulators.catalogue.schema import FactKey, Key, Strict


class IsTrue(Strict):
    """The fact is yes, or, with `is: false`, no. Not known: undecided."""

    fact: FactKey
    is_: bool = Field(alias="is")


class IsOneOf(Strict):
    fact: FactKey
    is_one_of: tuple[Key, ...] = Field(min_length=1)


class IncludesAny(Strict):
    """A set of values has at least one of these. One not known for certain is never without: undecided."""

    fact: FactKey
    includes_any: tuple[Key, ...] = Field(min_length=1)


class Reaches(Strict):
    """A number of people. A range that holds the threshold, or no number at all, is undecided."""

    fact: FactKey
    at_least: int | None = Field(default=None, ge=1)
    more_than: int | None = Field(default=None, ge=0)
    fewer_than: int | None = Field(default=None, ge=1)

    @model_validator(mode="after")
    def compares_once(self) -> "Reaches":
        if sum(value is not None for value in (self.at_least, self.more_than, self.fewer_than)) != 1:
            raise ValueError("a number is compared with exactly one of: at_least, more_than, fewer_than")
        return self


class AllOfTests(Strict):
    all: tuple["Test", ...] = Field(min_length=1)


class AnyOfTests(Strict):
    any: tuple["Test", ...] = Field(min_length=1)


class NotTest(Strict):
    not_: "Test" = Field(alias="not")


_SHAPES = {key: key for key in ("all", "any", "not", "is", "is_one_of", "includes_any")}
_SHAPES |= dict.fromkeys(("at_least", "more_than", "fewer_than"), "number")


def _shape_of(written: object) -> str | None:
    """By the key only one shape has, so that a fault is named in the shape that was meant and not in all seven."""
    if isinstance(written, dict):
        return next((shape for key, shape in _SHAPES.items() if key in written), None)
    return next((shape for kind, shape in _KINDS.items() if isinstance(written, kind)), None)


_KINDS: dict[type, str] = {
    IsTrue: "is",
    IsOneOf: "is_one_of",
    IncludesAny: "includes_any",
    Reaches: "number",
    AllOfTests: "all",
    AnyOfTests: "any",
    NotTest: "not",
}

Test = Annotated[
    Annotated[IsTrue, Tag("is")]
    | Annotated[IsOneOf, Tag("is_one_of")]
    | Annotated[IncludesAny, Tag("includes_any")]
    | Annotated[Reaches, Tag("number")]
    | Annotated[AllOfTests, Tag("all")]
    | Annotated[AnyOfTests, Tag("any")]
    | Annotated[NotTest, Tag("not")],
    Discriminator(
        _shape_of,
        custom_error_type="test",
        custom_error_message="a test has one key of: all, any, not, is, is_one_of, includes_any, at_least, more_than, "
        "fewer_than",
    ),
]


def comparisons_in(test: "Test") -> Iterator[IsTrue | IsOneOf | IncludesAny | Reaches]:
    match test:
        case AllOfTests(all=parts) | AnyOfTests(any=parts):
            for part in parts:
                yield from comparisons_in(part)
        case NotTest(not_=part):
            yield from comparisons_in(part)
        case _:
            yield test


def facts_in(test: "Test") -> Iterator[str]:
    return (compared.fact for compared in comparisons_in(test))
