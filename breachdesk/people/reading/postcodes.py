"""Postcodes by their shape, to know a column of them; no row is ever refused for its postcode."""

import re

# Letters or a sign inside tell by themselves: BA1 1AA, 1012 AB, K1A 0B1, 00-001, 1000-001, 100-0001, 111 22.
_TELLING = re.compile(
    r"[A-Z]{1,2}\d[A-Z\d]? ?\d[A-Z]{2}|\d{4} ?[A-Z]{2}|[A-Z]\d[A-Z] ?\d[A-Z]\d|\d{2}-\d{3}|\d{4}-\d{3}|\d{3}-\d{4}|"
    r"\d{3} \d{2}|\d{5}-\d{4}|[A-Z]\d{2} ?[A-Z\d]{4}|[A-Z]{1,2}-\d{4,5}",
    re.IGNORECASE,
)
_PLAIN = re.compile(r"\d{3,7}|\d{4} ?\d{3}")


def looks_like_postcode(text: str, *, alone: bool = False) -> bool:
    """`alone`: when nothing but the shape tells, and a plain number could be anything."""
    return _TELLING.fullmatch(text) is not None or (not alone and _PLAIN.fullmatch(text) is not None)
