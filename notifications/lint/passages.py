"""An author's text as its checks read it: paragraph by paragraph, with lines, conditions and what each covers.

Constants stand in it as their words, a person's field as an ellipsis; every place is a character of one passage.
"""

import re
from collections.abc import Iterator
from dataclasses import dataclass, field

from notifications.placeholders import Closing, Constant, Marked, Opening, Slot

_HEADING, _ITEM = re.compile(r"#{1,3}\s+"), re.compile(r"(?:[-*]|\d{1,3}[.)])\s+")
_END_OF_SENTENCE = re.compile(r"(?<=[.!?…])[”“\"»)]*\s+(?=[^\W\d_]|[„“«\"(…\d])")
_SHORT = re.compile(r"(?:\b(?:z\. ?B|d\. ?h|u\. ?a|bzw|ca|Nr|Dr|Mr|Mrs|Ms|St|No|M|Mme|art|vgl)|\b\d{1,2})\.$")
LONGEST_SHORT = 8
"""Characters before the end of a sentence that can show it to be none, with one to spare."""
ELLIPSIS = "…"


@dataclass(frozen=True)
class Covered:
    """A content of the law that the author says is covered here, for people with all of `kinds`."""

    content: str
    kinds: frozenset[str]
    at: int


@dataclass
class Passage:
    """A heading, a paragraph or an item of a list. `kinds_at[i]`: the conditions round the character i."""

    line: int
    shape: str = "paragraph"
    text: str = ""
    kinds_at: list[frozenset[str]] = field(default_factory=list)
    constants: list[tuple[int, int, str]] = field(default_factory=list)
    slots: list[tuple[str, frozenset[str]]] = field(default_factory=list)
    covered: list[Covered] = field(default_factory=list)

    @property
    def is_for_everybody(self) -> bool:
        return any(not kinds for kinds in self.kinds_at)

    def add(self, words: str, kinds: frozenset[str]) -> None:
        self.text += words
        self.kinds_at.extend([kinds] * len(words))

    def sentences(self) -> list[tuple[int, str]]:
        """Each with where it begins in the passage."""
        found = _END_OF_SENTENCE.finditer(self.text)
        ends = [m.end() for m in found if not _SHORT.search(self.text, max(0, m.start() - LONGEST_SHORT), m.start())]
        starts = [0, *ends]
        return [(start, self.text[start:end].strip()) for start, end in zip(starts, [*ends, None], strict=True)]


@dataclass(frozen=True)
class Text:
    """What is checked: the subject, the passages in their order, and the two letters of the language."""

    language: str
    subject: str
    passages: tuple[Passage, ...]

    @property
    def words(self) -> str:
        return "\n".join(passage.text for passage in self.passages)

    @property
    def with_subject(self) -> tuple[Passage, ...]:
        """The subject, on line 0, and what stands below it."""
        subject = Passage(0, "heading")
        subject.add(self.subject, frozenset())
        return subject, *self.passages

    def has_for_everybody(self, needle: str) -> Passage | None:
        """The passage in which these words reach everybody, whatever was taken of them."""
        wanted = needle.casefold()
        for passage in self.passages if wanted else ():
            at = passage.text.casefold().find(wanted)
            if at >= 0 and not passage.kinds_at[at]:
                return passage
        return None

    def headings(self) -> list[Passage]:
        return [passage for passage in self.passages if passage.shape == "heading"]


def begins_passage(line: str) -> bool:
    """Whether a line is a heading or an item, and so not more of what stands before it."""
    return bool(_HEADING.match(line.strip()) or _ITEM.match(line.strip()))


def passages_of(marked: Marked) -> Iterator[Passage]:
    """Of a text without faults; one with faults gives what can be read of it."""
    reader = _Reader(marked)
    for row, line in enumerate(marked.text.split("\n")):
        yield from reader.take(row, line)
    yield from reader.flush()


class _Reader:
    def __init__(self, marked: Marked) -> None:
        self.marked = marked
        self.open: list[Opening] = []
        self.here: Passage | None = None
        self.offset = 0
        self.coverings = sorted(marked.coverings, key=lambda covering: covering.offset)

    def take(self, row: int, line: str) -> Iterator[Passage]:
        """One line of the marked text. A heading stands alone; an item ends what stands before it."""
        bare = re.sub("[\ue000-\uf8ff]", self._letter, line).strip()
        heading, item = _HEADING.match(bare), _ITEM.match(bare)
        if not bare or heading or item:
            yield from self.flush()
        if bare and self.here is None:
            shape = "heading" if heading else "item" if item else "paragraph"
            self.here = Passage(self.marked.line_of(row), shape)
        elif self.here:
            self.here.add(" ", self._kinds())
        self._read(line, (heading or item or re.match("", "")).end())  # type: ignore[union-attr]
        if heading:
            yield from self.flush()

    def flush(self) -> Iterator[Passage]:
        if self.here and self.here.text.strip():
            yield self.here
        self.here = None

    def _letter(self, found: re.Match[str]) -> str:
        """A condition's mark is nothing on its line; a field or a constant is words."""
        return "" if isinstance(self.marked.mark_at(found[0]), Opening | Closing) else "x"

    def _kinds(self) -> frozenset[str]:
        return frozenset(opening.kind for opening in self.open)

    def _read(self, line: str, to_skip: int) -> None:
        for character in line:
            mark = self.marked.mark_at(character)
            self._cover()
            self.offset += 1
            if isinstance(mark, Opening):
                self.open.append(mark)
            elif isinstance(mark, Closing):
                self.open = [opening for opening in self.open if opening.number != mark.number]
            elif mark is None and (to_skip or (not (self.here and self.here.text) and character.isspace())):
                to_skip -= bool(to_skip)
            elif self.here:
                self._add(mark or character, self.here)
        self._cover()
        self.offset += 1

    def _add(self, mark: Slot | Constant | str, here: Passage) -> None:
        match mark:
            case Constant(words=words):
                here.constants.append((len(here.text), len(here.text) + len(words), words))
                here.add(words, self._kinds())
            case Slot(name=name, default=default):
                here.slots.append((name, self._kinds()))
                here.add(default or ELLIPSIS, self._kinds())
            case "*":
                pass
            case _:
                here.add(mark, self._kinds())

    def _cover(self) -> None:
        while self.coverings and self.coverings[0].offset <= self.offset and self.here:
            covering = self.coverings.pop(0)
            self.here.covered += [Covered(one, self._kinds(), len(self.here.text)) for one in covering.contents]
