"""What the European Data Protection Board looks at, and its 18 published cases: shown beside the score, to check it by.

Factors: Guidelines 9/2022 version 2.0 (28 March 2023), section IV. Cases: Guidelines 01/2021 version 2.0 (14 December
2021), in edpb_cases.yaml. The outcomes are the Board's; the scores are ours, made by severity_of() from the readings
that stand beside each case, and were made while the outcomes were known: where they differ is what there is to learn.
"""

from collections.abc import Iterator
from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path
from typing import Any, Literal

import yaml

from breachdesk.incidents.assessment import Inputs, Severity, Suggestion, inputs_from, severity_of

FILE = Path(__file__).parent / "edpb_cases.yaml"


@dataclass(frozen=True)
class Factor:
    title: str
    ask: str
    raises: str
    lowers: str


FACTORS = (
    Factor(
        "Kind of breach",
        "Was it seen, changed or lost?",
        "Hostile people have it; changed data was used; vital data cannot be reached.",
        "A short time out, everything restored.",
    ),
    Factor(
        "Nature, sensitivity and volume",
        "Which data, and how much about each person?",
        "Special categories, identity papers, finance, places; several kinds together; lists that show who is away.",
        "Public or trivial data.",
    ),
    Factor(
        "Ease of identification",
        "Does it say whose it is, or can that be found out with other data?",
        "Names and unique numbers.",
        "Sound encryption, or pseudonyms whose key is somewhere else.",
    ),
    Factor(
        "Severity of the consequences",
        "Identity theft, bodily harm, distress, humiliation, loss of standing: how lasting?",
        "The recipient is unknown or hostile.",
        "A trusted recipient confirms that it is deleted.",
    ),
    Factor(
        "Particular people",
        "Are children, patients or other vulnerable people affected?",
        "They are.",
        "",
    ),
    Factor(
        "Particular controller",
        "Does it matter who held it?",
        "A hospital, a bank: that they held it says something by itself.",
        "",
    ),
    Factor(
        "Number of people",
        "How many are affected?",
        "Many.",
        "Few; for one person alone the risk can still be high.",
    ),
    Factor(
        "All together",
        "How likely is harm, and how severe?",
        "Doubt: then the authority is told.",
        "",
    ),
)


@dataclass(frozen=True)
class EdpbCase:
    number: int
    title: str
    facts: str
    why: str
    outcome: Suggestion
    """As the Board sees it. Every case is recorded (GDPR Article 33(5))."""
    readings: tuple[Inputs, ...]
    """One, or two where the data can be read as telling less or more."""

    @property
    def severities(self) -> tuple[Severity, ...]:
        return tuple(severity_of(reading) for reading in self.readings)

    @property
    def agrees(self) -> Literal["yes", "no", "depends"]:
        """Whether the house rule comes to the Board's outcome: by every reading, by none, or by one of two."""
        same = {severity.suggestion == self.outcome for severity in self.severities}
        return "depends" if len(same) > 1 else "yes" if True in same else "no"


@lru_cache(maxsize=1)
def edpb_cases() -> tuple[EdpbCase, ...]:
    """All 18, in the Board's order."""
    return tuple(_case(given) for given in yaml.safe_load(FILE.read_text("utf-8")))


def _case(given: dict[str, Any]) -> EdpbCase:
    outcome = Suggestion(tell_authority=given["tell_authority"], tell_people=given["tell_people"])
    return EdpbCase(given["case"], given["title"], given["facts"], given["why"], outcome, tuple(_readings(given)))


def _readings(given: dict[str, Any]) -> Iterator[Inputs]:
    """The readings differ in what the data tells, and in nothing else."""
    for context in given["readings"]:
        yield inputs_from({**given["inputs"], "contexts": [context]})
