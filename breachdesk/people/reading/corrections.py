"""Rejected rows go out as a file and come back corrected.

In front of the original columns stand four of our own. Whoever opens the file in a spreadsheet must not run a formula
that a thief has put into a name: a field that begins like one gets an apostrophe in front, and so does a field that
begins with an apostrophe. Reading the file takes exactly that apostrophe off again, so every field comes back as it
was; it does so only in a file that has all four of our columns.
"""

from collections.abc import Sequence

BOOKKEEPING = ("BreachDesk: row", "BreachDesk: column", "BreachDesk: reason", "BreachDesk: what to do")
_STARTS = frozenset("=+-@\t\r\n'＝＋－＠")


def _first_sign(text: str) -> str:
    """A spreadsheet skips blanks in front of a formula; tabs and line ends begin one themselves."""
    return text.lstrip(" \u00a0\u3000")[:1]


def defused(text: str) -> str:
    return f"'{text}" if _first_sign(text) in _STARTS else text


def restored(text: str) -> str:
    """defused() undone; a text that it did not change stays as it is."""
    return text[1:] if text[:1] == "'" and _first_sign(text[1:]) in _STARTS else text


def is_correction(headings: Sequence[str]) -> bool:
    return set(BOOKKEEPING) <= set(headings)
