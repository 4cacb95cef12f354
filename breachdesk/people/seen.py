"""Whether a key may have come before, told in constant memory: a Bloom filter.

Bloom, "Space/time trade-offs in hash coding with allowable errors", Communications of the ACM 13 (1970) 422-426, in the
blocked form (Putze, Sanders and Singler, "Cache-, hash- and space-efficient Bloom filters", ACM JEA 14, 2009): each key
sets four bits of one word of 64. The keys are blind indexes of 16 bytes, so their own bits are as good as any hash's.

A key that came before is always told; one that did not is taken for one that did in 0.3 % of the cases with the keys of
4,300,000 people, and in a quarter with those of 20,000,000, the longest list that is read. Whoever asks looks further.
"""

from array import array
from collections.abc import Sequence
from mmap import mmap

WORDS = 1 << 21
_TWO_BITS = [1 << (pair & 63) | 1 << (pair >> 6) for pair in range(1 << 12)]


class Seen:
    """16 MB, shared with processes forked after it was made."""

    def __init__(self, words: int = WORDS) -> None:
        """`words` is a power of two."""
        self._words, self._last = memoryview(mmap(-1, 8 * words)).cast("Q"), words - 1

    def add(self, keys: Sequence[bytes]) -> list[bool]:
        """Of each, in their order, whether it may have been added before."""
        words, last, told = self._words, self._last, []
        for bits in array("Q", b"".join(keys))[::2]:  # the first half of each key
            place, wanted = bits >> 24 & last, _TWO_BITS[bits & 4095] | _TWO_BITS[bits >> 12 & 4095]
            word = words[place]
            came_before = word & wanted == wanted
            if not came_before:
                words[place] = word | wanted
            told.append(came_before)
        return told
