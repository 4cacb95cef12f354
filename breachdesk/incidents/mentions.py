"""Days and numbers that a text mentions, wherever in the product words are compared with facts.

Days are found as people write them in English, French and German, and in digits: 25 September 2025, September 25, 2025,
le 25 septembre, 25. September 2025, 2025-09-25, 25.09.2025, 25/09/2025 (the day first, as everywhere but in the US).
"""

import re
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import date

_MONTHS = (
    ("january", "janvier", "januar", "jänner"),
    ("february", "février", "fevrier", "februar", "feber"),
    ("march", "mars", "märz"),
    ("april", "avril"),
    ("may", "mai"),
    ("june", "juin", "juni"),
    ("july", "juillet", "juli"),
    ("august", "août", "aout"),
    ("september", "septembre"),
    ("october", "octobre", "oktober"),
    ("november", "novembre"),
    ("december", "décembre", "decembre", "dezember"),
)
_MONTH_OF = {name: number for number, names in enumerate(_MONTHS, 1) for name in names}
_NAMES = "|".join(sorted(_MONTH_OF, key=len, reverse=True))
_DAY = re.compile(
    rf"\b(?P<d1>\d{{1,2}})(?:st|nd|rd|th|er|\.)?\s+(?:of\s+)?(?P<m1>{_NAMES})\b(?:,?\s+(?P<y1>(?:19|20)\d\d)\b)?"
    rf"|\b(?P<m2>{_NAMES})\s+(?P<d2>\d{{1,2}})(?:st|nd|rd|th)?\b(?:,?\s+(?P<y2>(?:19|20)\d\d)\b)?"
    r"|\b(?P<y3>(?:19|20)\d\d)-(?P<m3>\d\d)-(?P<d3>\d\d)\b"
    r"|\b(?P<d4>\d{1,2})[./](?P<m4>\d{1,2})[./](?P<y4>(?:19|20)\d\d)\b",
    re.IGNORECASE,
)
# 24937; 24,937; 24.937; 24 937 with any kind of space.
NUMBER = re.compile(r"(?<![\d.,])(?:\d{1,3}(?:[.,'’\u00a0\u2009\u202f ]\d{3})+|\d+)(?!\d)")
SHORTEST, LONGEST = 3, 15  # digits: a smaller number in a text is mostly not a count of people, nor a larger one


@dataclass(frozen=True)
class Day:
    """A day as it stands in a text; often its year is left out. `words` is text[start:end]."""

    start: int
    end: int
    words: str
    year: int | None
    month: int
    day: int

    def is_on(self, when: date) -> bool:
        return (self.month, self.day) == (when.month, when.day) and self.year in (None, when.year)


@dataclass(frozen=True)
class Number:
    start: int
    end: int
    words: str
    value: int


def days_in(text: str) -> Iterator[Day]:
    for found in _DAY.finditer(text):
        given = found.groupdict()
        kind = next(kind for kind in "1234" if given[f"d{kind}"])
        month = _MONTH_OF.get(given[f"m{kind}"].lower()) or int(given[f"m{kind}"])
        year = given[f"y{kind}"]
        yield Day(found.start(), found.end(), found[0], int(year) if year else None, month, int(given[f"d{kind}"]))


def numbers_in(text: str) -> Iterator[Number]:
    """Numbers long enough to be a count of people."""
    for found in NUMBER.finditer(text):
        digits = re.sub(r"\D", "", found[0])
        if SHORTEST <= len(digits) <= LONGEST:
            yield Number(found.start(), found.end(), found[0], int(digits))
