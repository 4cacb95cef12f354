"""((fields)) and ((kind??text)) conditions: found in the source with their positions, and filled for one person.

((first name))            the person's value; a person without one is an error before approval
((first name|Customer))   the same with a default
((passport??text))        only for people whose data held a passport; the text may be several paragraphs
((organisation))          a constant, the same for everybody, put in when the text is compiled
((covers what happened))  a mark of the author: these words cover that content of the law. It never reaches the message
"""

import re
import unicodedata
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field

from notifications.lint.contents import CONTENT_OF

COVERS = "covers "
ENCODED_WORD = "=?"
"""How mail writes letters in headers (RFC 2047). Read back, one may hold a line break, and so another header."""
PERSON_FIELDS: dict[str, str] = {
    "first name": "the person's first name",
    "last name": "the person's last name",
    "full name": "the person's first and last name",
    "reference": "the person's customer reference",
    "data list": "the kinds of data about this person that were involved, in words",
}
LIST_FIELD = "data list"
MAX_SOURCE = 60_000
MAX_VALUE = 200
MAX_DEPTH = 20  # of conditions in one another: writing them is recursive
_FIRST_MARK = 0xE000  # private use: never in an author's text, and plain letters to the Markdown parser
_LAST_MARK = 0xF8FF
_NAME = re.compile(r"\s{0,20}+([^()|?\n]{1,200}+)\s{0,20}+(\)\)|\||\?\?)")
_BRACKETS = re.compile(r"\(\(|\)\)")
_BIDI = "\u061c\u200e\u200f\u2028\u2029" + "".join(map(chr, (*range(0x202A, 0x202F), *range(0x2066, 0x206A))))
# What a value from a person's row may never hold: it could start a line, turn the reading direction or forge a mark.
_REFUSED_IN_VALUES = re.compile(
    f"[\x00-\x1f\x7f-\x9f{_BIDI}\ufeff\ufff9-\ufffb\ud800-\udfff{chr(_FIRST_MARK)}-{chr(_LAST_MARK)}]"
)
_LOOKS_LIKE_LINK = re.compile(r"://|\bwww\.|@|//", re.IGNORECASE)


@dataclass(frozen=True)
class Problem:
    """What is wrong in a text, where (counted from 1), and what to do."""

    line: int
    column: int
    sentence: str


class WordingError(ValueError):
    """A text that cannot be sent. `problems` says why, by line and column."""

    def __init__(self, problems: Sequence[Problem]) -> None:
        self.problems = tuple(problems)
        super().__init__(" ".join(f"Line {p.line}, column {p.column}: {p.sentence}" for p in problems))


class ValueRefused(ValueError):
    """A value from a person's row that is missing or could change the message around it."""


@dataclass(frozen=True)
class Slot:
    """A place for one value of the person."""

    name: str
    default: str | None = None


@dataclass(frozen=True)
class Choice:
    """Pieces that exist only for people whose data held this kind."""

    kind: str
    pieces: tuple["Piece", ...]


Piece = str | Slot | Choice


@dataclass(frozen=True)
class Opening:
    """Where a condition begins in the marked text."""

    kind: str
    number: int


@dataclass(frozen=True)
class Closing:
    """Where the condition with this number ends."""

    number: int


@dataclass(frozen=True)
class Constant:
    """Words that are the same for everybody; never read as Markdown."""

    words: str


@dataclass(frozen=True)
class Covering:
    """The author's word that the text before it covers contents of the law. `offset` is one of the marked text."""

    offset: int
    contents: tuple[str, ...]


Mark = Slot | Opening | Closing | Constant


@dataclass
class Marked:
    """A source in which every ((…)) became one private character, so that Markdown sees plain letters."""

    text: str = ""
    marks: list[Mark] = field(default_factory=list)
    places: list[tuple[int, int]] = field(default_factory=list)
    origin: list[int] = field(default_factory=lambda: [1])
    problems: list[Problem] = field(default_factory=list)
    coverings: list[Covering] = field(default_factory=list)

    def mark_at(self, character: str) -> Mark | None:
        index = ord(character) - _FIRST_MARK
        return self.marks[index] if 0 <= index < len(self.marks) else None

    def line_of(self, row: int) -> int:
        return self.origin[min(row, len(self.origin) - 1)]


def normal_name(name: str) -> str:
    """((First_Name)) and ((first name)) are the same field."""
    return " ".join(name.replace("_", " ").lower().split())


def check_value(name: str, value: str) -> str:
    """The value itself, or ValueRefused: no control, bidi or line character, and nothing a mail client makes a link."""
    if _REFUSED_IN_VALUES.search(value):
        raise ValueRefused(
            f"The value of (({name})) holds a control or line character. Correct it in the people's list."
        )
    if len(value) > MAX_VALUE and name != LIST_FIELD:
        raise ValueRefused(f"The value of (({name})) is longer than {MAX_VALUE} characters.")
    if _LOOKS_LIKE_LINK.search(value):
        raise ValueRefused(f"The value of (({name})) looks like a link or an address. Correct it in the people's list.")
    return value


def mark_source(
    source: str, *, fields: Mapping[str, str], constants: Mapping[str, str], kinds: Iterable[str]
) -> Marked:
    """Find every ((…)); constants are put in at once, fields and conditions become marks.

    What an author marked as covering the law leaves no letter: the rest reads as if it had never stood there.
    """
    scanner = _Scanner(source, fields, constants, {normal_name(kind): kind for kind in kinds})
    return scanner.run()


def flatten(pieces: Sequence[Piece], kinds: Iterable[str]) -> Iterator[str | Slot]:
    """The pieces that a person with these kinds of data gets, in order."""
    held = frozenset(kinds)
    for piece in pieces:
        if isinstance(piece, Choice):
            if piece.kind in held:
                yield from flatten(piece.pieces, held)
        else:
            yield piece


def value_of(slot: Slot, values: Mapping[str, str]) -> str:
    """The checked value for one slot, its default, or ValueRefused."""
    value = values.get(slot.name, "").strip()
    if value:
        return check_value(slot.name, value)
    if slot.default is not None:
        return slot.default
    raise ValueRefused(f"This person has no value for (({slot.name})) and the text gives no default.")


def slots_in(pieces: Iterable[Piece]) -> Iterator[Slot]:
    for piece in pieces:
        if isinstance(piece, Slot):
            yield piece
        elif isinstance(piece, Choice):
            yield from slots_in(piece.pieces)


def conditions_in(pieces: Iterable[Piece]) -> Iterator[str]:
    for piece in pieces:
        if isinstance(piece, Choice):
            yield piece.kind
            yield from conditions_in(piece.pieces)


def _ends_in(source: str) -> dict[int, int]:
    """Where each (( that has an end is closed."""
    ends, begun = {}, []
    for found in _BRACKETS.finditer(source):
        if found[0] == "((":
            begun.append(found.start())
        elif begun:
            ends[begun.pop()] = found.start()
    return ends


class _Scanner:
    """One pass over the source, from (( to )). Positions are of the source as the author sees it."""

    def __init__(
        self, source: str, fields: Mapping[str, str], constants: Mapping[str, str], kinds: Mapping[str, str]
    ) -> None:
        self.source = unicodedata.normalize("NFC", source.replace("\r\n", "\n").replace("\r", "\n"))
        self.fields, self.constants, self.kinds = fields, constants, kinds
        self.marked = Marked()
        self.written: list[str] = []
        self.line = 1
        self.open: list[tuple[int, bool, int]] = []  # number, several paragraphs, position
        self.ends = _ends_in(self.source)

    def run(self) -> Marked:
        if len(self.source) > MAX_SOURCE:
            self._complain(0, f"The text is longer than {MAX_SOURCE} characters.")
            return self.marked
        for unseen in re.finditer(r"[\x00-\x08\x0b-\x1f\x7f-\x9f\ue000-\uf8ff" + _BIDI + "]", self.source):
            self._complain(unseen.start(), "An invisible control character stands here. Delete it.")
        position = 0
        while found := _BRACKETS.search(self.source, position):
            self._write(self.source[position : found.start()])
            position = self._begin(found.start()) if found[0] == "((" else self._end(found.start())
        self._write(self.source[position:])
        for _, _, start in self.open:
            self._complain(start, "This condition has no )) at its end.")
        self.marked.text = "".join(self.written)
        return self.marked

    def _begin(self, start: int) -> int:
        head = _NAME.match(self.source, start + 2)
        if head is None:
            self._complain(start, "This (( has no name and no )) after it.")
            return start + 2
        name = normal_name(head[1])
        if name.startswith(COVERS) and head[2] == "))":
            self._covers(start, name.removeprefix(COVERS))
            return head.end()
        if head[2] == "??":
            return self._condition(start, name, head.end())
        if head[2] == "))":
            self._place(start, name, None)
            return head.end()
        end = self.source.find("))", head.end())
        default = self.source[head.end() : end].strip() if end >= 0 else ""
        if not default or "\n" in default or "((" in default or _LOOKS_LIKE_LINK.search(default):
            self._complain(start, f"The default in (({name}|…)) must be a few plain words on one line, closed by )).")
            return head.end()
        self._place(start, name, default)
        return end + 2

    def _covers(self, start: int, names: str) -> None:
        """Strictly after words of its own line: taken out anywhere else, it could change how the rest is read."""
        named = [name.strip() for name in names.split(",")]
        self._end_of_words()
        for name in named:
            if name not in CONTENT_OF:
                self._complain(start, f"“{name}” is no content of a law. They are: {', '.join(CONTENT_OF)}.")
        if not re.search(r"\w", "".join(self.written).rpartition("\n")[2]):
            self._complain(start, "((covers …)) stands after the words it speaks of, on their line.")
        contents = tuple(CONTENT_OF[name] for name in named if name in CONTENT_OF)
        self.marked.coverings.append(Covering(sum(map(len, self.written)), contents))

    def _end_of_words(self) -> None:
        """The spaces before a mark go with it."""
        if self.written:
            self.written[-1] = self.written[-1].rstrip(" ")

    def _place(self, start: int, name: str, default: str | None) -> None:
        if self.constants.get(name):
            self._mark(start, Constant(self.constants[name]))
        elif name in self.constants and default is not None:
            self._mark(start, Constant(default))
        elif name in self.constants:
            self._complain(start, f"(({name})) has no value yet. Fill it in on the organisation's page.")
        elif name in self.fields:
            self._mark(start, Slot(name, default))
        else:
            known = ", ".join(f"(({known}))" for known in (*self.fields, *self.constants))
            self._complain(start, f"(({name})) is not a field. The fields are {known}.")

    def _condition(self, start: int, name: str, after: int) -> int:
        if name not in self.kinds:
            known = ", ".join(sorted(self.kinds)) or "none: the incident names no kinds of data"
            self._complain(start, f"(({name}??…)) is not a kind of data of this incident. The kinds are {known}.")
        number = len(self.marked.marks)
        if len(self.open) == MAX_DEPTH:
            self._complain(start, f"Conditions stand in one another {MAX_DEPTH} deep at most.")
        several = self.source.find("\n\n", after, self.ends.get(start, len(self.source))) >= 0
        self.open.append((number, several, start))
        self._mark(start, Opening(self.kinds.get(name, name), number))
        if several:
            self._insert("\n\n")
        return after

    def _end(self, start: int) -> int:
        if not self.open:
            self._complain(start, "This )) has no (( before it.")
            return start + 2
        number, several, _ = self.open.pop()
        if several:
            self._insert("\n\n")
        self._mark(start, Closing(number))
        return start + 2

    def _mark(self, start: int, mark: Mark) -> None:
        if len(self.marked.marks) > _LAST_MARK - _FIRST_MARK:
            self._complain(start, "The text holds too many fields.")
            return
        self.written.append(chr(_FIRST_MARK + len(self.marked.marks)))
        self.marked.marks.append(mark)
        self.marked.places.append(self._place_of(start))

    def _write(self, text: str) -> None:
        self.written.append(text)
        for _ in range(text.count("\n")):
            self.line += 1
            self.marked.origin.append(self.line)

    def _insert(self, breaks: str) -> None:
        self.written.append(breaks)
        self.marked.origin.extend([self.line] * len(breaks))

    def _place_of(self, start: int) -> tuple[int, int]:
        before = self.source[:start]
        return before.count("\n") + 1, start - (before.rfind("\n") + 1) + 1

    def _complain(self, start: int, sentence: str) -> None:
        self.marked.problems.append(Problem(*self._place_of(start), sentence))
