"""Which texts of a long list come again and again, told in constant memory.

Misra and Gries, "Finding repeated elements", Science of Computer Programming 2 (1982) 143-152, with k counters, in the
form for whole batches (Agarwal and others, "Mergeable summaries", PODS 2012, section 2): every text of a batch is
counted; if then more than k texts have a count, the (k + 1)-th largest count is taken away from all of them, and those
without a rest are forgotten. With n texts in all and d the sum of what was taken away:

- (k + 1) * d <= n, for each loss takes at least (k + 1) times as much away from what was counted;
- count <= true number <= count + d, so a text that stands in more than n / (k + 1) of the rows is never missed.

With k = 4,000 the true number is at most 0.025 % of all rows above the count. Memory is k texts and those of one batch.
"""

from collections import Counter
from typing import NamedTuple

COUNTERS = 4_000


class Often(NamedTuple):
    times: int  # never too few; at most n / (k + 1) too many
    first_row: int  # one of the rows where it stands: the earliest since it was last counted


class Frequent:
    def __init__(self, counters: int = COUNTERS) -> None:
        self._counters, self._lost = counters, 0
        self._counts: Counter[str] = Counter()
        self._first: dict[str, int] = {}

    def add(self, texts: list[str], rows: list[int]) -> None:
        """A batch of texts, and the row of each; an empty text is none."""
        self._counts.update(texts)
        self._counts.pop("", None)
        if len(self._counts) > self._counters:
            self._lose()
        if len(self._first) < len(self._counts):
            self._find_first(texts, rows)

    def _lose(self) -> None:
        loss = sorted(self._counts.values(), reverse=True)[self._counters]
        self._lost += loss
        self._counts = Counter({text: count - loss for text, count in self._counts.items() if count > loss})
        self._first = {text: row for text, row in self._first.items() if text in self._counts}

    def _find_first(self, texts: list[str], rows: list[int]) -> None:
        here = dict(zip(reversed(texts), reversed(rows), strict=True))
        self._first = {text: here[text] for text in self._counts.keys() - self._first.keys()} | self._first

    def above(self, times: float) -> list[Often]:
        """Everything that may stand more than `times` times, the most frequent first; the texts stay in here."""
        found = [
            Often(count + self._lost, self._first[text])
            for text, count in self._counts.items()
            if count + self._lost > times
        ]
        return sorted(found, key=lambda often: (-often.times, often.first_row))
