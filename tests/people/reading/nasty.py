"""What a nasty file is: its bytes, and what must come of them."""

import csv
import io
from collections.abc import Callable
from dataclasses import dataclass, field

HEADINGS = ["customer_id", "full_name", "email", "city"]
PEOPLE = [
    ["C-1", "Zoë Müller", "zoe@example.com", "Köln"],
    ["C-2", "François Noël", "francois@example.org", "Besançon"],
    ["C-3", "Ana Núñez", "ana@example.net", "Cádiz"],
]
Rows = list[tuple[int, list[str]]]


@dataclass(frozen=True)
class Nasty:
    """`rows` are all records with their numbers; `problems` says which of them the reader itself rejects, `reasons`
    what becomes of others in the product. Either rows or a `refusal`, a part of the sentence that the user reads."""

    name: str
    make: Callable[[], bytes]
    headings: list[str] = field(default_factory=lambda: HEADINGS)
    rows: Rows = field(default_factory=lambda: numbered(PEOPLE))
    problems: dict[int, str] = field(default_factory=dict)
    reasons: dict[int, str] = field(default_factory=dict)
    refusal: str = ""
    when: str = "inspected"  # or "read": when the refusal comes
    certain: bool | None = None
    wanted: dict[str, str | int] = field(default_factory=dict)
    notes: str = ""
    unmatched: str = ""  # a part of the sentence that refuses its columns


def numbered(rows: list[list[str]], first: int = 2) -> Rows:
    return list(enumerate(rows, first))


def written(rows: list[list[str]], *, delimiter: str = ",", end: str = "\r\n", quoting: int = csv.QUOTE_MINIMAL) -> str:
    text = io.StringIO()
    csv.writer(text, delimiter=delimiter, lineterminator=end, quoting=quoting).writerows(rows)
    return text.getvalue()


def file_of(rows: list[list[str]] = PEOPLE, *, encoding: str = "utf-8", **dialect) -> bytes:
    return written([HEADINGS, *rows], **dialect).encode(encoding)


def lines(*lines: str, end: str = "\n") -> bytes:
    """A file of these lines below the usual heading, as they stand."""
    return end.join([",".join(HEADINGS), *lines, ""]).encode("utf-8", "surrogatepass")
