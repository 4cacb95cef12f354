"""What a severity score is made of, in words and numbers: see assessment.py for the method and its source."""

from collections.abc import Mapping
from dataclasses import dataclass
from decimal import Decimal
from enum import StrEnum

QUARTER, HALF, NOTHING = Decimal("0.25"), Decimal("0.5"), Decimal(0)
BORDERS = (Decimal(2), Decimal(3), Decimal(4))


class Category(StrEnum):
    SIMPLE = "simple"
    BEHAVIOURAL = "behavioural"
    FINANCIAL = "financial"
    SENSITIVE = "sensitive"


@dataclass(frozen=True)
class Ladder:
    """A category's base, and what raises or lowers it, in words."""

    label: str
    base: int
    steps: Mapping[int, str]


LADDERS: Mapping[Category, Ladder] = {
    Category.SIMPLE: Ladder(
        "Simple data: who somebody is, how to reach them, family, education, work",
        1,
        {
            0: "nothing more can be told from it",
            1: "its volume or who held it allows a profile, or a guess at wealth or standing",
            2: "it allows a guess at health, sexuality, politics or religion",
            3: "it names people whose safety or health depends on staying unknown",
        },
    ),
    Category.BEHAVIOURAL: Ladder(
        "Behaviour: places, traffic, habits",
        2,
        {
            -1: "it gives no real insight, or everybody could know it",
            0: "it shows some of what somebody does",
            1: "its volume or who held it allows a profile of what somebody does",
            2: "it allows a profile built on sensitive data",
        },
    ),
    Category.FINANCIAL: Ladder(
        "Finance: income, accounts, cards, bills",
        3,
        {
            -2: "it gives no real insight",
            -1: "some of it is financial, without real insight",
            0: "it shows part of somebody's finances",
            1: "it is complete enough for fraud or a detailed profile",
        },
    ),
    Category.SENSITIVE: Ladder(
        "Sensitive data: health, politics, religion, sexuality",
        4,
        {
            -3: "it gives no real insight, or everybody could know it",
            -2: "it allows general guesses alone",
            -1: "it allows guesses at sensitive facts",
            0: "it states sensitive facts",
        },
    ),
}


class Identification(StrEnum):
    NEGLIGIBLE = "negligible"
    LIMITED = "limited"
    SIGNIFICANT = "significant"
    MAXIMUM = "maximum"


class Extent(StrEnum):
    NONE = "none"
    PARTLY = "partly"
    WHOLLY = "wholly"


EASE: Mapping[Identification, tuple[Decimal, str]] = {
    Identification.NEGLIGIBLE: (QUARTER, "it is extremely hard to find out whose data it is"),
    Identification.LIMITED: (HALF, "whose data it is can be found out with other data"),
    Identification.SIGNIFICANT: (Decimal("0.75"), "it is likely to be found out whose data it is"),
    Identification.MAXIMUM: (Decimal(1), "the data says whose it is"),
}
AMOUNTS: Mapping[Extent, Decimal] = {Extent.NONE: NOTHING, Extent.PARTLY: QUARTER, Extent.WHOLLY: HALF}
CIRCUMSTANCES: Mapping[str, Mapping[Extent, str]] = {
    "confidentiality": {
        Extent.NONE: "no sign that anybody saw it",
        Extent.PARTLY: "known people saw it or could",
        Extent.WHOLLY: "nobody knows how many saw it, or it was published",
    },
    "integrity": {
        Extent.NONE: "nothing was changed, or it was put right before anybody used it",
        Extent.PARTLY: "it was changed and may have been used; it can be put right",
        Extent.WHOLLY: "it was changed and may have been used; it cannot be put right",
    },
    "availability": {
        Extent.NONE: "it was there throughout, or back without difficulty",
        Extent.PARTLY: "it could not be reached for a time",
        Extent.WHOLLY: "it is lost for good",
    },
}


class Level(StrEnum):
    LOW = "low"
    MEDIUM = "medium"
    HIGH = "high"
    VERY_HIGH = "very_high"


MEANINGS: Mapping[Level, str] = {
    Level.LOW: "People are not affected, or meet small inconveniences.",
    Level.MEDIUM: "People meet serious inconveniences that they can overcome.",
    Level.HIGH: "People meet serious consequences that they overcome with real difficulty.",
    Level.VERY_HIGH: "People meet serious consequences, some of which cannot be undone.",
}


def level_of(score: Decimal) -> Level:
    """A border belongs to the band above it."""
    return list(Level)[sum(score >= border for border in BORDERS)]


def level_words(level: Level) -> str:
    return level.value.replace("_", " ")
