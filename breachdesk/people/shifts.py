"""Columns that no longer belong together: moved by a row, or sorted while their neighbours were not.

Two columns that say something about each other are watched as a row of answers, fits or does not fit:

- a name and its address: a piece of the name, at least three letters, stands in the address's local part. Rows whose
  answer would say nothing are left out: names in other scripts than Latin, addresses of a role or of digits alone.
  A piece that the name in the row before has too does not count, for many lists are sorted by name;
- a postcode and its country: the postcode has the shape that the Universal Postal Union gives for the country.

How often they fit differs from list to list, so a list is held against itself. `Agreement` takes the list's own
beginning as usual: the first 500 answers are cut into five blocks, and p0 is the best block's share less the standard
deviation of such a share (at most `most_usual`, so that a beginning better than the rest alarms nobody). From the first
answer on it decides between p0 and p1 = p0 * `remains`, the share that is left when the columns have nothing to do with
one another, by a cumulative sum (Page, "Continuous inspection schemes", Biometrika 41, 1954, 100-115). Each answer adds
the logarithm of its likelihood ratio,

    fits: ln(p1 / p0) < 0        does not fit: ln((1 - p1) / (1 - p0)) > 0

and the sum never falls below 0. Above `THRESHOLD` = 40 the columns are apart since the row after the sum was last 0.
While independent answers keep fitting as usual, at least e ** 40 of them pass on average before a false alarm
(Lorden, "Procedures for reacting to a change in distribution", Annals of Mathematical Statistics 42, 1971, theorem 2).
Apart, the same sum with the other sign tells when they fit again. A few strangers who stand together, as in a list
sorted by address, never reach it: no answer adds more than 1.6, so that a piece has at least 26.
The threshold is that high for lists whose parts differ: where names fit 0.7 times as often as usual there is less than
one false alarm in ten million rows. With `remains` = 0.1 it takes 40 rows of strangers' addresses where p0 is 0.7, 70
where it is 0.5 and 200 where it is 0.3, to find them in more than two of three lists.

A list whose beginning is the broken part is seen when 500 answers in a row fit twice as often as that beginning: then
everything before them was apart. All memory is the first 500 answers and a few numbers.

What it cannot see: fewer than 40 rows or so, columns moved together, and an address taken from another person of the
very same name. Names that hardly ever fit (p0 < 10 %) are not judged by this at all.
"""

import re
import unicodedata
from functools import lru_cache
from math import log, sqrt
from typing import NamedTuple

from breachdesk.people.addresses import ROLE_NAMES

LEARNED = 500  # answers
BLOCKS = 5
FEWEST = 50  # answers; with less nothing is usual yet
LEAST_USUAL = 0.1
THRESHOLD = 40.0

_LATIN = re.compile("[a-z\u00df-\u024f\u1e00-\u1eff]").search
_BREAKS = str.maketrans(dict.fromkeys("-'’`´.,·/()\"", " "))
_JOINS = str.maketrans(dict.fromkeys("-'’`´"))
_SPELLED_OUT = str.maketrans({"ä": "ae", "ö": "oe", "ü": "ue", "å": "aa", "ø": "oe", "æ": "ae", "œ": "oe"})
_BARE = str.maketrans({"ø": "o", "ł": "l", "đ": "d", "ð": "d", "ı": "i", "æ": "ae", "œ": "oe", "þ": "th"})


def name_fits(name: str, email: str, before: str = "") -> bool | None:
    """All in the form that two spellings share (rows.CleanRow); None where the answer would say nothing.

    `before` is the name in the row before. What both names share proves nothing: in a list sorted by family name the
    neighbour's address would fit as well.
    """
    local = email.partition("@")[0]
    for word in name.split():
        if len(word) > 2 and word in local and word not in before:
            return True
    pieces = _other_spellings(name) - _other_spellings(before)
    if not pieces or local in ROLE_NAMES or not _LATIN(local):
        return None
    return any(piece in local for piece in pieces)


@lru_cache(maxsize=4096)
def _other_spellings(name: str) -> frozenset[str]:
    """O'Neill in oneill or o.neill, Müller in mueller or muller; none of a name in another script than Latin."""
    if not _LATIN(name):
        return frozenset()
    spellings = {name.translate(_BREAKS), name.translate(_JOINS)}
    if not name.isascii():
        spellings = {form(spelling) for spelling in spellings for form in (_spelled_out, _bare)}
    pieces = (piece for spelling in spellings for piece in spelling.split())
    return frozenset(piece for piece in pieces if len(piece) > 2 and piece.isascii())


def _spelled_out(text: str) -> str:
    return _bare(unicodedata.normalize("NFC", text).translate(_SPELLED_OUT))


def _bare(text: str) -> str:
    marked = unicodedata.normalize("NFKD", text.translate(_BARE))
    return "".join(sign for sign in marked if not unicodedata.combining(sign))


# The shapes of postcodes, from the Universal Postal Union's descriptions of each country's addresses.
_SHAPES = {
    r"[A-Z]{1,2}\d[A-Z\d]? ?\d[A-Z]{2}": "GB",
    r"[A-Z]\d[\dW] ?[A-Z\d]{4}": "IE",
    r"\d{4}": "AT AU BE BG CH CY DK HU LI LU NO NZ PH SI TN ZA",
    r"\d{5}": "DE EE ES FI FR HR ID IT KR KW LT MC ME MX MY RS SA TH TR UA",
    r"\d{5}(?:-?\d{4})?": "US",
    r"\d{6}": "CN IN RO RU SG",
    r"\d{3} ?\d{2}": "CZ GR SE SK",
    r"\d{2}-?\d{3}": "PL",
    r"\d{4} ?[A-Z]{2}": "NL",
    r"\d{4}-?\d{3}": "PT",
    r"\d{5}-?\d{3}": "BR",
    r"\d{3}-?\d{4}": "JP",
    r"[A-Z]\d[A-Z] ?\d[A-Z]\d": "CA",
    r"\d{5}(?:\d{2})?": "IL",
    r"[A-Z]{3} ?\d{4}": "MT",
}
_SHAPE_OF = {country: re.compile(shape).fullmatch for shape, names in _SHAPES.items() for country in names.split()}
_BEFORE = re.compile("[A-Z]{1,2}[- ]")  # the country's letters, as in D-50667


def postcode_fits(postcode: str, country: str) -> bool | None:
    """None without a postcode, and for a country whose shape we do not know."""
    shape = _SHAPE_OF.get(country)
    if shape is None or not postcode:
        return None
    return shape(postcode) is not None or shape(_BEFORE.sub("", postcode.strip().upper(), 1)) is not None


class Stretch(NamedTuple):
    """Everything that was apart, in one or in several pieces."""

    answers: int
    share: float  # of these that fit all the same
    first_row: int
    pieces: int


class Agreement:
    """Hears one answer per row and tells which rows were apart."""

    def __init__(self, remains: float, most_usual: float) -> None:
        self.remains, self.most_usual = remains, most_usual
        self.answers = self.fits = 0
        self.usual = 0.0  # until it is learned
        self.learning: list[tuple[bool, int]] | None = []
        self.apart = self.apart_fits = self.pieces = 0
        self._first_row = self._beginning = 0
        self._fit = self._miss = self._sum = 0.0
        self._apart = False
        self._marked = self._marked_row = self._fits_marked = self._begun = self._begun_row = self._fits_begun = 0
        self._next_window = self._window_fits = 0

    def add(self, fits: bool, row: int) -> None:
        if self.learning is not None:
            self.learning.append((fits, row))
            if len(self.learning) == LEARNED:
                self._learn()
            return
        step = self._fit if fits else self._miss
        before = self._sum
        if before == 0.0 and step > 0.0:
            self._marked, self._marked_row, self._fits_marked = self.answers, row, self.fits
        self.answers += 1
        self.fits += fits
        now = before + step
        self._sum = now if now > 0.0 else 0.0
        if now > THRESHOLD:
            self._turn()
        if self.answers == self._next_window:
            self._end_window(row)

    def add_all(self, answers: list[bool | None], rows: list[int]) -> None:
        """As add() for each that says something. What fits where all is well only counts: that is nearly every row."""
        for fits, row in zip(answers, rows, strict=True):
            if fits and self._sum == 0.0 and not self._apart and self.answers + 1 < self._next_window:
                self.answers += 1
                self.fits += 1
            elif fits is not None:
                self.add(fits, row)

    def _turn(self) -> None:
        """Apart since the mark, or together again since then."""
        if self._apart:
            self._count_apart(self._marked, self._fits_marked)
        else:
            self._begun, self._begun_row, self._fits_begun = self._marked, self._marked_row, self._fits_marked
        self._apart = not self._apart
        self._fit, self._miss, self._sum = -self._fit, -self._miss, 0.0

    def _count_apart(self, until: int, fits: int) -> None:
        self.apart += until - self._begun
        self.apart_fits += fits - self._fits_begun
        self.pieces += 1
        self._first_row = self._first_row or self._begun_row

    def _learn(self) -> None:
        learned, self.learning = self.learning or [], None
        size = max(len(learned) // BLOCKS, 1)
        blocks = [learned[at : at + size] for at in range(0, size * BLOCKS, size)]
        best = max(sum(fits for fits, _ in block) / size for block in blocks)
        self._expect(best - sqrt(best * (1 - best) / size))
        self._beginning = learned[0][1]
        self._next_window = LEARNED + len(learned)
        for fits, row in learned:
            self.add(fits, row)
        self._window_fits = self.fits

    def _expect(self, share: float) -> None:
        self.usual = usual = min(share, self.most_usual)
        if usual < LEAST_USUAL:
            self._fit = self._miss = 0.0
            return
        left = usual * self.remains
        self._fit, self._miss = log(left / usual), log((1 - left) / (1 - usual))

    def _end_window(self, row: int) -> None:
        """500 answers that fit twice as often as the beginning: it was the beginning that was apart."""
        share = (self.fits - self._window_fits) / LEARNED
        if share > 2 * self.usual and share > self.usual + 0.1 and not self._apart:
            self.apart, self.apart_fits = self.answers - LEARNED, self._window_fits
            self.pieces, self._first_row = 1, self._beginning
            self._sum = 0.0
            self._expect(share)
        self._next_window, self._window_fits = self.answers + LEARNED, self.fits

    def finish(self) -> Stretch | None:
        """At the end: what was apart; None when nothing was, or when there were too few answers to tell."""
        if self.learning is not None:
            if len(self.learning) < FEWEST:
                self.fits, self.answers = sum(fits for fits, _ in self.learning), len(self.learning)
                return None
            self._learn()
        if self._apart:
            self._count_apart(self.answers, self.fits)
            self._apart = False
        return Stretch(self.apart, self.apart_fits / self.apart, self._first_row, self.pieces) if self.apart else None
