"""severity_of(): how grave a breach is for people, as a number with its working. It suggests and never decides.

The method is ENISA's (Recommendations for a methodology of the assessment of severity of personal data breaches,
working document version 1.0, December 2013, https://www.enisa.europa.eu/publications/dbn-severity):

    SE = DPC x EI + CB

    DPC  data processing context, 1 to 4: each category of data starts from a base and is raised or lowered within 1
         and 4 for what the data tells; the highest category counts
    EI   ease of identification: 0.25, 0.5, 0.75 or 1
    CB   circumstances of the breach, 0 to 2: loss of confidentiality, integrity and availability at 0, 0.25 or 0.5
         each, and 0.5 for malicious intent

SE runs from 0.25 to 6 without a unit, in steps of 0.25, so Decimals with two places are exact. Below 2 is low, from 2
medium, from 3 high, from 4 very high: a border belongs to the band above. Numbers of people and unreadable data are
flags beside the score and never change it.

The method gives no answer to whether somebody is told. HOUSE_RULE does, is a practice and no law, and is named so
wherever it is shown. Where a score misleads is known from the European Data Protection Board's 18 cases (Guidelines
01/2021 version 2.0, see edpb_cases.yaml): the warnings below are those of its five differences. A person decides, with
a reason; milder_than() says what that reason has to answer.

Raises ValueError for an adjustment that its category has not got. Everything here is a pure function of its arguments.
"""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from decimal import Decimal
from enum import StrEnum
from typing import Any

from breachdesk.incidents.kinds import KINDS
from breachdesk.incidents.scales import (
    AMOUNTS,
    BORDERS,
    CIRCUMSTANCES,
    EASE,
    HALF,
    LADDERS,
    MEANINGS,
    NOTHING,
    Category,
    Extent,
    Identification,
    Level,
    level_of,
    level_words,
)

METHOD = "enisa_2013"
NEAR = Decimal("0.5")
MANY, VERY_MANY = 100, 10_000


class Recipient(StrEnum):
    """Who may have it now."""

    NOBODY = "nobody"
    TRUSTED = "trusted"
    KNOWN = "known"
    """And not trusted."""
    UNKNOWN = "unknown"


@dataclass(frozen=True)
class Context:
    """One category of data that is affected, and how far it is raised or lowered from its base."""

    category: Category
    adjustment: int = 0

    def __post_init__(self) -> None:
        if self.adjustment not in LADDERS[self.category].steps:
            steps = ", ".join(f"{step:+d}" for step in LADDERS[self.category].steps)
            raise ValueError(f"{self.category} data is adjusted by one of {steps}, not by {self.adjustment:+d}")

    @property
    def points(self) -> int:
        """1 to 4: no step of a ladder leads below or above."""
        return LADDERS[self.category].base + self.adjustment


@dataclass(frozen=True)
class Inputs:
    """What a person says about a breach. None is not known, and changes no score."""

    contexts: tuple[Context, ...]
    identification: Identification
    confidentiality: Extent
    integrity: Extent
    availability: Extent
    is_malicious: bool
    people: int | None = None
    """How many are affected; of a range, the upper end."""
    is_unintelligible: bool | None = None
    kinds: frozenset[str] = frozenset()
    recipient: Recipient | None = None
    by_insider: bool | None = None

    def __post_init__(self) -> None:
        if not self.contexts:
            raise ValueError("a score needs at least one category of data")

    def extent_of(self, circumstance: str) -> Extent:
        extents = {
            "confidentiality": self.confidentiality,
            "integrity": self.integrity,
            "availability": self.availability,
        }
        return extents[circumstance]


@dataclass(frozen=True)
class Suggestion:
    tell_authority: bool
    tell_people: bool


HOUSE_RULE: Mapping[Level, Suggestion] = {
    Level.LOW: Suggestion(tell_authority=False, tell_people=False),
    Level.MEDIUM: Suggestion(tell_authority=True, tell_people=False),
    Level.HIGH: Suggestion(tell_authority=True, tell_people=True),
    Level.VERY_HIGH: Suggestion(tell_authority=True, tell_people=True),
}
HOUSE_RULE_LABEL = "House rule: a practice that many follow, neither the law nor part of the method"


@dataclass(frozen=True)
class Caution:
    """Something a score does not see. `suggests` is what it speaks for: a milder decision has to answer it."""

    key: str
    sentence: str
    suggests: Suggestion


@dataclass(frozen=True)
class Severity:
    score: Decimal
    level: Level
    context: int
    ease: Decimal
    circumstances: Decimal
    working: tuple[str, ...]
    flags: tuple[str, ...]
    """Shown beside the score, as the method asks; they change nothing."""
    warnings: tuple[Caution, ...]
    suggestion: Suggestion
    """By the house rule. Never a decision."""


def severity_of(inputs: Inputs, house_rule: Mapping[Level, Suggestion] = HOUSE_RULE) -> Severity:
    context = max(one.points for one in inputs.contexts)
    ease, _ = EASE[inputs.identification]
    circumstances = sum((AMOUNTS[inputs.extent_of(name)] for name in CIRCUMSTANCES), NOTHING)
    circumstances += HALF if inputs.is_malicious else NOTHING
    score = context * ease + circumstances
    level = level_of(score)
    return Severity(
        score,
        level,
        context,
        ease,
        circumstances,
        tuple(_working(inputs, context, ease, circumstances)),
        tuple(_flags(inputs)),
        tuple(_warnings(inputs, score, house_rule)),
        house_rule[level],
    )


# The sum in plain sentences


def _working(inputs: Inputs, context: int, ease: Decimal, circumstances: Decimal) -> Iterator[str]:
    for one in inputs.contexts:
        ladder = LADDERS[one.category]
        yield f"{ladder.label}: {ladder.base}{_adjusted(one)}."
    if len(inputs.contexts) > 1:
        yield f"The highest category counts: {context}."
    yield f"Ease of identification: {_plain(ease)}, because {EASE[inputs.identification][1]}."
    for name, words in CIRCUMSTANCES.items():
        extent = inputs.extent_of(name)
        yield f"{name.capitalize()}: {_plain(AMOUNTS[extent])}, because {words[extent]}."
    malice = (
        f"{_plain(HALF)}, because somebody meant to do harm"
        if inputs.is_malicious
        else "0, because nobody meant to do harm"
    )
    yield f"Malicious intent: {malice}."
    score = context * ease + circumstances
    yield (
        f"{context} × {_plain(ease)} + {_plain(circumstances)} = {_plain(score)}: {level_words(level_of(score))} "
        f"({_band(level_of(score))}). {MEANINGS[level_of(score)]}"
    )


def _adjusted(one: Context) -> str:
    ladder = LADDERS[one.category]
    words = ladder.steps[one.adjustment]
    if not one.adjustment:
        return f", because {words}"
    sign = "+" if one.adjustment > 0 else "−"
    return f" {sign} {abs(one.adjustment)} = {one.points}, because {words}"


def _band(level: Level) -> str:
    number = list(Level).index(level)
    if level == Level.VERY_HIGH:
        return f"{BORDERS[-1]} and more"
    return f"{BORDERS[number - 1]} to below {BORDERS[number]}" if number else f"below {BORDERS[0]}"


def _plain(number: Decimal) -> str:
    return f"{number.normalize():f}"


# What the score does not see


def _flags(inputs: Inputs) -> Iterator[str]:
    if inputs.people is not None and inputs.people > VERY_MANY:
        yield f"More than {VERY_MANY:,} people are affected."
    elif inputs.people is not None and inputs.people > MANY:
        yield f"More than {MANY} people are affected."
    if inputs.is_unintelligible:
        yield "Nobody without the right can read the data: it is encrypted or hashed, and the key is safe."


AUTHORITY = Suggestion(tell_authority=True, tell_people=False)
BOTH = Suggestion(tell_authority=True, tell_people=True)


def _warnings(inputs: Inputs, score: Decimal, house_rule: Mapping[Level, Suggestion]) -> Iterator[Caution]:
    yield from _near_border(score, house_rule)
    if inputs.people is None:
        yield Caution("people", "How many people are affected is not known yet.", AUTHORITY)
    elif inputs.people > VERY_MANY:
        sentence = f"More than {VERY_MANY:,} people are affected: scale alone can make the risk high (EDPB case 14)."
        yield Caution("people", sentence, BOTH)
    elif inputs.people > MANY:
        yield Caution("people", f"More than {MANY} people are affected.", AUTHORITY)
    delicate = [kind.label for key, kind in KINDS.items() if key in inputs.kinds and _is_delicate(key)]
    if delicate:
        yield Caution("kinds", f"Among the data: {', '.join(delicate).lower()}.", BOTH)
    recipient = inputs.recipient or (Recipient.UNKNOWN if inputs.confidentiality != Extent.NONE else Recipient.NOBODY)
    if recipient in (Recipient.UNKNOWN, Recipient.KNOWN):
        who = "Nobody knows who has it now" if recipient == Recipient.UNKNOWN else "Who has it is not trusted"
        yield Caution("recipient", f"{who}: even one letter can be a risk (EDPB case 16).", AUTHORITY)
    if inputs.by_insider:
        sentence = "One of our own people is behind it: what they mean to do with it is not assured (EDPB case 08)."
        yield Caution("insider", sentence, AUTHORITY)


def _near_border(score: Decimal, house_rule: Mapping[Level, Suggestion]) -> Iterator[Caution]:
    """Either side of a border: what stands for the band above speaks through the warning."""
    for border in BORDERS:
        if abs(score - border) <= NEAR:
            above = level_of(border)
            where = "on" if score == border else "below" if score < border else "above"
            distance = f"{_plain(abs(score - border))} {where}" if score != border else where
            sentence = f"The score is {distance} the border at {border}, where {level_words(above)} begins."
            yield Caution(f"border_{border}", sentence, house_rule[above])


def _is_delicate(kind: str) -> bool:
    return KINDS[kind].special or kind == "national_number"


def milder_than(severity: Severity, decision: Suggestion) -> tuple[Caution, ...]:
    """What a written reason has to answer: the house rule and the warnings that speak for more than was decided."""
    sentence = f"The house rule suggests more for a {level_words(severity.level)} score of {_plain(severity.score)}."
    by_rule = Caution("house_rule", sentence, severity.suggestion)
    return tuple(one for one in (by_rule, *severity.warnings) if _asks_more(one.suggests, decision))


def _asks_more(asked: Suggestion, decided: Suggestion) -> bool:
    return (asked.tell_authority and not decided.tell_authority) or (asked.tell_people and not decided.tell_people)


# As it is kept


def kept(inputs: Inputs) -> dict[str, object]:
    """Plain values for JSON. inputs_from() reads them back to the same Inputs."""
    return {
        "contexts": [[one.category.value, one.adjustment] for one in inputs.contexts],
        "identification": inputs.identification.value,
        **{name: inputs.extent_of(name).value for name in CIRCUMSTANCES},
        "is_malicious": inputs.is_malicious,
        "people": inputs.people,
        "is_unintelligible": inputs.is_unintelligible,
        "kinds": sorted(inputs.kinds),
        "recipient": inputs.recipient.value if inputs.recipient else None,
        "by_insider": inputs.by_insider,
    }


def inputs_from(values: Mapping[str, Any]) -> Inputs:
    return Inputs(
        contexts=tuple(Context(Category(category), adjustment) for category, adjustment in values["contexts"]),
        identification=Identification(values["identification"]),
        **{name: Extent(values[name]) for name in CIRCUMSTANCES},
        is_malicious=values["is_malicious"],
        people=values["people"],
        is_unintelligible=values["is_unintelligible"],
        kinds=frozenset(values["kinds"]),
        recipient=Recipient(values["recipient"]) if values["recipient"] else None,
        by_insider=values["by_insider"],
    )
