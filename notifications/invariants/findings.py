"""One sentence for each thing that does not hold, with the ids of what it is about."""

from collections.abc import Iterable
from typing import NamedTuple

SHOWN = 20


class Finding(NamedTuple):
    """`number` is that of the invariant."""

    number: int
    sentence: str

    def __str__(self) -> str:
        return f"I{self.number}: {self.sentence}"


def found(number: int, what: str, ids: Iterable[object]) -> list[Finding]:
    """None where there are no ids; else one that names the first of them."""
    named = sorted(map(str, ids))
    if not named:
        return []
    more = f" and {len(named) - SHOWN:,} more" if len(named) > SHOWN else ""
    return [Finding(number, f"{what}: {', '.join(named[:SHOWN])}{more}.")]
