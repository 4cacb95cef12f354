"""What differs between two texts: paragraph by paragraph, and within one word by word. Pure."""

import re
from collections import Counter
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from difflib import SequenceMatcher

WORDS = re.compile(r"\S+|\s+")
# Beyond this many pairs nothing is matched piece by piece: the one is struck out, the other is new.
MOST_PAIRS = 1_000_000
ALIKE = 0.6

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
    for kind, gone, come in _steps(old, new):
        if kind == "same":
            found += [Compared(text, (("same", text),)) for text in come]
        else:
            found += _replaced(gone, come)
    return found


def compare_lines(before: str, now: str) -> Compared:
    """One line, as a subject is."""
    return Compared(now, tuple(_words(before, now)))


def _steps(old: Sequence[str], new: Sequence[str]) -> Iterator[tuple[str, Sequence[str], Sequence[str]]]:
    """("same" | "other", what was, what is) in turn. What both begin and end with alike is never looked for."""
    head, tail = _alike_at_the_start(old, new), 0
    while tail < min(len(old), len(new)) - head and old[-1 - tail] == new[-1 - tail]:
        tail += 1
    yield "same", old[:head], new[:head]
    a, b = old[head : len(old) - tail], new[head : len(new) - tail]
    if len(a) * len(b) > MOST_PAIRS:
        yield "other", a, b
    else:
        for kind, i, j, k, m in SequenceMatcher(None, a, b, autojunk=False).get_opcodes():
            yield "same" if kind == "equal" else "other", a[i:j], b[k:m]
    yield "same", old[len(old) - tail :], new[len(new) - tail :]


def _alike_at_the_start(old: Sequence[str], new: Sequence[str]) -> int:
    return next((n for n, (a, b) in enumerate(zip(old, new, strict=False)) if a != b), min(len(old), len(new)))


def _replaced(old: Sequence[str], new: Sequence[str]) -> Iterator[Compared]:
    """Each new paragraph beside the next old one that is like it; what has no like was taken away, or is new."""
    left = list(old) if len(old) * len(new) <= MOST_PAIRS else []
    yield from (Compared(None, (("del", gone),)) for gone in old[: len(old) - len(left)])
    for text in new:
        at = next((n for n, other in enumerate(left) if _is_like(other, text)), None)
        if at is None:
            yield Compared(text, (("ins", text),))
            continue
        yield from (Compared(None, (("del", gone),)) for gone in left[:at])
        yield Compared(text, tuple(_words(left[at], text)))
        del left[: at + 1]
    yield from (Compared(None, (("del", gone),)) for gone in left)


def _is_like(one: str, other: str) -> bool:
    """Whether enough words of the one stand in the other, in whatever order."""
    a, b = Counter(WORDS.findall(one)), Counter(WORDS.findall(other))
    return 2 * (a & b).total() >= ALIKE * (a.total() + b.total())


def _words(before: str, now: str) -> Iterator[Piece]:
    for kind, gone, come in _steps(WORDS.findall(before), WORDS.findall(now)):
        if kind == "same":
            yield from (("same", "".join(come)) for _ in come[:1])
            continue
        yield from ((name, "".join(words)) for name, words in (("del", gone), ("ins", come)) if words)
