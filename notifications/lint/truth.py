"""Is it so? Numbers, days, names and kinds of data in the text, each beside the fact it is tied to.

What equals a fact is tied to it. What equals an older value of one is a fault, and so is a kind of data that is said to
have been taken, or not taken, of people of whom the list says otherwise. What equals nothing is stated by the author
alone: shown and not refused, for facts do not hold everything that is true.
"""

import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from datetime import date

from breachdesk.incidents.mentions import days_in, numbers_in
from notifications.lint import Finding, Level
from notifications.lint.contents import MEASURES
from notifications.lint.kind_words import claims_in
from notifications.lint.passages import Passage, Text

_NAME = re.compile(
    r"(?<![\w’'-])[A-ZÄÖÜÉÈÀÇ][\w’'-]++(?:\s++(?:(?:&|of|de|für|et|und|and)\s*+)?[A-ZÄÖÜÉÈÀÇ][\w’'-]++)+"
)
_NO_COUNT = re.compile(
    r"https?://\S+|(?<!\S)[^\s@]++@\S+|\+?\d[\d ()/-]{6,}\d|\b\d{1,2}[:.]\d\d\b|\bBD-\S+|(?<![\d.,])\d[\d.,]*+ ?%"
)


@dataclass(frozen=True)
class Then:
    """A value that was stated once, and what stands in its place now."""

    what: str
    now: str


@dataclass(frozen=True)
class Known:
    """What is known of the case, and what was thought before."""

    numbers: Mapping[int, str] = field(default_factory=dict)
    old_numbers: Mapping[int, Then] = field(default_factory=dict)
    days: tuple[tuple[date, str, str], ...] = ()
    """(day, kind of moment, its name)"""
    old_days: tuple[tuple[date, Then], ...] = ()
    names: Mapping[str, str] = field(default_factory=dict)
    old_names: Mapping[str, Then] = field(default_factory=dict)
    measures: bool = False
    """Whether the facts say what was done."""
    authority_told: bool = True
    changed: tuple[str, ...] = ()
    """Facts that changed since this text was saved, a sentence each."""


@dataclass(frozen=True)
class Mention:
    """A number, a day or a name of the text. `fact`: what it equals now; `then`: what it equalled before."""

    kind: str
    words: str
    line: int
    at: int
    fact: str = ""
    then: Then | None = None
    day_of: tuple[str, ...] = ()


def mentions_in(text: Text, known: Known) -> list[Mention]:
    return [mention for passage in text.with_subject for mention in _of_passage(passage, text.language, known)]


def truth_findings(
    text: Text, known: Known, combinations: Mapping[frozenset[str], int], kinds: frozenset[str]
) -> list[Finding]:
    """`kinds`: those the incident's facts name; `combinations`: those people's rows hold, with their number."""
    mentions = mentions_in(text, known)
    return [
        *_older(mentions),
        *_claims(text, combinations, kinds),
        *_measures(text, known),
        *(Finding(f"true.changed.{n}", Level.LOOK, sentence) for n, sentence in enumerate(known.changed)),
        *_alone(mentions),
        *_tied(mentions),
    ]


def _of_passage(passage: Passage, language: str, known: Known) -> Iterator[Mention]:
    """A constant is a fact itself, and so is nothing in it looked at."""
    taken = _Taken(passage)
    for day in days_in(passage.text):
        if taken.is_free(day.start, day.end):
            taken.add(day.start, day.end)
            equal = [(kind, name) for on, kind, name in known.days if day.is_on(on)]
            older = next((then for on, then in known.old_days if day.is_on(on)), None)
            fact, kinds = equal[0][1] if equal else "", tuple(kind for kind, _ in equal)
            yield Mention("day", day.words, passage.line, day.start, fact, None if equal else older, kinds)
    for found in _NO_COUNT.finditer(passage.text):
        taken.add(*found.span())
    for number in numbers_in(passage.text):
        if taken.is_free(number.start, number.end):
            fact = known.numbers.get(number.value, "")
            older = None if fact else known.old_numbers.get(number.value)
            yield Mention("number", number.words, passage.line, number.start, fact, older)
    yield from _names(passage, language, known, taken)


def _names(passage: Passage, language: str, known: Known, taken: "_Taken") -> Iterator[Mention]:
    for names, is_old in ((known.names, False), (known.old_names, True)):
        for name, what in names.items():
            if name[:4] not in passage.text:  # there are hundreds of names, and most stand nowhere
                continue
            for found in re.finditer(rf"(?<!\w){_loosely(name)}(?!\w)", passage.text):
                if taken.is_free(*found.span()):
                    taken.add(*found.span())
                    then = what if isinstance(what, Then) else None
                    fact = "" if is_old or then else str(what)
                    yield Mention("name", found[0], passage.line, found.start(), fact, then)
    # In German every noun has a capital, in a heading often every word.
    for found in _NAME.finditer(passage.text) if language != "de" and passage.shape != "heading" else ():
        if taken.is_free(*found.span()):
            yield Mention("name", found[0], passage.line, found.start())


def _loosely(name: str) -> str:
    """A name, whichever apostrophe and however many spaces."""
    return re.sub(r"\\?[’']", "[’']", re.escape(name)).replace(r"\ ", r"\s+")


class _Taken:
    """The characters of a passage that say something already. A long text of numbers has thousands of such places."""

    def __init__(self, passage: Passage) -> None:
        self.characters = bytearray(len(passage.text))
        for start, end, _ in passage.constants:
            self.add(start, end)

    def add(self, start: int, end: int) -> None:
        self.characters[start:end] = b"\1" * (end - start)

    def is_free(self, start: int, end: int) -> bool:
        return not any(self.characters[start:end])


def _older(mentions: list[Mention]) -> Iterator[Finding]:
    for mention in mentions:
        if mention.then:
            sentence = f"“{mention.words}” is not so any more: {mention.then.what} is {mention.then.now} now."
            yield Finding(f"true.older.{mention.words}", Level.FAULT, sentence, "Write it as it is", mention.line)


def _claims(text: Text, combinations: Mapping[frozenset[str], int], kinds: frozenset[str]) -> Iterator[Finding]:
    for passage in text.with_subject:
        for claim in claims_in(passage, text.language):
            concerned = {held: n for held, n in combinations.items() if claim.guard <= held}
            wrong = sum(n for held, n in concerned.items() if (claim.kind in held) != claim.is_taken)
            if not combinations:
                wrong = (claim.kind in kinds) != claim.is_taken
            if not wrong:
                continue
            key = f"true.{'taken' if claim.is_taken else 'not_taken'}.{claim.kind}"
            name = claim.kind.replace("_", " ")
            if claim.is_taken:
                sentence = f"“{claim.words}” is said to have been taken, and that is not true of {_people(wrong)}."
                note = f"Say it only to those it is true of: (({name}??…))"
            else:
                sentence = f"“{claim.words}” is said not to have been taken, and of {_people(wrong)} it was."
                note = "The list says so; take the sentence out, or correct the list"
            yield Finding(key, Level.FAULT, sentence, note, passage.line)


def _people(number: int) -> str:
    return "one person" if number == 1 else f"{number:,} people"


def _measures(text: Text, known: Known) -> Iterator[Finding]:
    line = next((p.line for p in text.passages for one in p.covered if one.content == MEASURES), 0)
    if line and known.measures:
        yield Finding("true.measures", Level.GOOD, "What was done is in the facts too", "Action taken", line)
    elif line:
        sentence = "What was done stands in the notice and not in the facts."
        yield Finding("true.measures", Level.LOOK, sentence, "Write it there, so that the regulator reads it too", line)
    if not known.authority_told:
        for passage in text.passages:
            if re.search(_TOLD.get(text.language, r"(?!)"), passage.text, re.IGNORECASE):
                sentence = "The text says that an authority was told: no report is recorded as submitted yet."
                yield Finding("true.authority", Level.LOOK, sentence, "See the filings", passage.line)


_TOLD = {
    "en": r"\b(?:have|has) (?:told|informed|notified) (?:the )?[^.]{0,120}(?:commissioner|authority|regulator)",
    "fr": r"autorité[^.]{0,120}(?:est|a été) (?:informée|avertie)|avons (?:informé|averti) l[’']autorité",
    "de": r"aufsichtsbehörde[^.]{0,120}(?:unterrichtet|informiert)",
}


def _alone(mentions: list[Mention]) -> Iterator[Finding]:
    found = {mention.words: mention for mention in mentions if not mention.fact and not mention.then}
    for words, mention in found.items():
        sentence = f"“{words}” is stated by you alone: no fact of this case says it."
        yield Finding(f"true.alone.{words}", Level.LOOK, sentence, line=mention.line)


def _tied(mentions: list[Mention]) -> Iterator[Finding]:
    found = {mention.words: mention for mention in mentions if mention.fact}
    for words, mention in found.items():
        yield Finding(f"true.tied.{words}", Level.GOOD, f"“{words}”: {mention.fact}", line=mention.line)
