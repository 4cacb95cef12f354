"""Whether a key may have come before, told in constant memory: a Bloom filter.

Bloom, "Space/time trade-offs in hash coding with allowable errors", Communications of the ACM 13 (1970) 422-426, in the
blocked form (Putze, Sanders and Singler, "Cache-, hash- and space-efficient Bloom filters", ACM JEA 14, 2009): each key
sets four bits of one word of 64. The keys are blind indexes, so their own bits are as good as those of any hash.

A key that came before is always told; one that did not is taken for one that did in 0.3 % of the cases with the keys of
4,300,000 people, and in a quarter with those of 20,000,000, the longest list that is read. Whoever asks looks further.
"""

from array import array
from mmap import mmap

WORDS = 1 << 21
_TWO_BITS = array("Q", (1 << (pair & 63) | 1 << (pair >> 6) for pair in range(1 << 12)))


class Seen:
    """16 MB, shared with processes forked after it was made."""

    def __init__(self, words: int = WORDS) -> None:
        """`words` is a power of two."""
        self._words, self._last = memoryview(mmap(-1, 8 * words)).cast("Q"), words - 1

    def add(self, key: bytes) -> bool:
        """Whether it may have been added before."""
        bits = int.from_bytes(key[:8], "little")
        place, wanted = bits >> 24 & self._last, _TWO_BITS[bits & 4095] | _TWO_BITS[bits >> 12 & 4095]
        word = self._words[place]
        if word & wanted == wanted:
            return True
        self._words[place] = word | wanted
        return False
