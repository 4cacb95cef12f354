"""Values of a file that is not accepted yet, shown masked: enough to know a column and to judge its encoding."""

import re

MASK = "•"
LONGEST = 40
_WORD = re.compile(r"[^\W_]+")


def masked_sample(text: str) -> str:
    """J•••• → •ü•••• : each ASCII letter and digit is masked; other letters show, for they tell the encoding.

    Of a word without any ASCII letter only the first half shows, and of a single letter nothing.
    """
    shown = _WORD.sub(lambda word: _masked_word(word[0]), " ".join(text.split()))
    return shown if len(shown) <= LONGEST else f"{shown[: LONGEST - 1]}…"


def _masked_word(word: str) -> str:
    if not any(sign.isascii() for sign in word):
        half = len(word) // 2
        return word[:half] + MASK * (len(word) - half)
    return "".join(MASK if sign.isascii() else sign for sign in word)
