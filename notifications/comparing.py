"""What differs between two texts: paragraph by paragraph, and within one word by word. Pure."""

import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from difflib import SequenceMatcher

WORDS = re.compile(r"\s+|[^\s]+")
# Beyond this two paragraphs are not taken apart: the one is struck out, the other is new.
MOST_PAIRS = 1_000_000
ALIKE = 0.3

Piece = tuple[str, str]  # ("same" | "ins" | "del", words)


@dataclass(frozen=True)
class Compared:
    """A paragraph as it stands, or one that is gone (`text` is None), with what was taken away and added."""

    text: str | None
    pieces: tuple[Piece, ...]

    @property
    def is_changed(self) -> bool:
        return any(kind != "same" for kind, _ in self.pieces)

    @property
    def is_new(self) -> bool:
        return self.text is not None and all(kind == "ins" for kind, _ in self.pieces)


def paragraphs_of(body: str) -> list[str]:
    """What empty lines keep apart, without them."""
    return [part.strip("\n") for part in re.split(r"\n[ \t]*\n", body.replace("\r\n", "\n")) if part.strip()]


def compare(before: str, now: str) -> list[Compared]:
    """Every paragraph of `now` in its order, with those of `before` that are gone where they stood."""
    old, new = paragraphs_of(before), paragraphs_of(now)
    found: list[Compared] = []
    for kind, a, b, c, d in SequenceMatcher(None, old, new, autojunk=False).get_opcodes():
        if kind == "equal":
            found += [Compared(text, (("same", text),)) for text in new[c:d]]
        else:
            found += _replaced(old[a:b], new[c:d])
    return found


def compare_lines(before: str, now: str) -> Compared:
    """One line, as a subject is."""
    return Compared(now, tuple(_words(before, now)))


def _replaced(old: Sequence[str], new: Sequence[str]) -> Iterator[Compared]:
    """Each new paragraph beside the next old one that is like it; what has no like was taken away, or is new."""
    left = list(old)
    for text in new:
        at = next((n for n, other in enumerate(left) if _alike(other, text)), None)
        if at is None:
            yield Compared(text, (("ins", text),))
            continue
        yield from (Compared(None, (("del", gone),)) for gone in left[:at])
        yield Compared(text, tuple(_words(left[at], text)))
        del left[: at + 1]
    yield from (Compared(None, (("del", gone),)) for gone in left)


def _alike(one: str, other: str) -> bool:
    a, b = WORDS.findall(one), WORDS.findall(other)
    if len(a) * len(b) > MOST_PAIRS:
        return False
    matcher = SequenceMatcher(None, a, b, autojunk=False)
    return matcher.quick_ratio() >= ALIKE and matcher.ratio() >= ALIKE


def _words(before: str, now: str) -> Iterator[Piece]:
    a, b = WORDS.findall(before), WORDS.findall(now)
    if len(a) * len(b) > MOST_PAIRS:
        yield from (("del", before), ("ins", now))
        return
    for kind, i, j, k, m in SequenceMatcher(None, a, b, autojunk=False).get_opcodes():
        if kind == "equal":
            yield "same", "".join(a[i:j])
            continue
        yield from ((name, words) for name, words in (("del", "".join(a[i:j])), ("ins", "".join(b[k:m]))) if words)
