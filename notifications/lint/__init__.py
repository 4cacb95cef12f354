"""What a notice is looked at for before anybody gets it: law, truth, clarity, likeness to a scam.

Pure functions of the author's words and of what is known; checking.py brings both together. Each fault says what is
wrong, where, and what to do. Its key stays the same while words around it change, for somebody may overrule it.
"""

from collections.abc import Iterable
from dataclasses import dataclass
from enum import StrEnum
from hashlib import sha256

LONGEST_KEY = 160


class Group(StrEnum):
    LAW = "law"
    TRUE = "true"
    CLEAR = "clear"
    SCAM = "scam"
    WORKS = "works"


class Level(StrEnum):
    GOOD = "yes"
    LOOK = "look"
    FAULT = "no"


@dataclass(frozen=True)
class Finding:
    """One thing that was looked at. `line` is of the author's text, counted from 1; 0: of no line."""

    key: str
    level: Level
    sentence: str
    note: str = ""
    line: int = 0
    content: str = ""
    """Of the law's contents: which one, for the author to mark."""
    suggested: int = 0
    """The line that seems to cover it."""

    def __post_init__(self) -> None:
        """A key may quote the text; a long one is cut, and stays a different one for different words."""
        if len(self.key) > LONGEST_KEY:
            digest = sha256(self.key.encode()).hexdigest()[:16]
            object.__setattr__(self, "key", f"{self.key[: LONGEST_KEY - 17]}.{digest}")

    @property
    def is_fault(self) -> bool:
        return self.level == Level.FAULT

    @property
    def group(self) -> str:
        return self.key.split(".", 1)[0]


def faults_of(findings: Iterable[Finding]) -> list[Finding]:
    return [finding for finding in findings if finding.is_fault]
