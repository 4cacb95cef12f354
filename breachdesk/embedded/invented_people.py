"""A customer file as suppliers send them, of people who do not exist: the same seed gives the same file.

Every address is on a domain that RFC 2606 reserves for examples. What a reader must find in the file comes back as
exact numbers, so that a test can hold an import to them.
"""

import csv
import random
import re
import unicodedata
from collections import Counter, deque
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path

from breachdesk.embedded.invented_places import PLACES, Place, names_in

HEADINGS = ["customer_id", "first_name", "last_name", "email", "phone", "street", "city", "postcode", "country"]
HEADINGS += ["language", "date_of_birth", "data_exposed", "tier"]
DOMAINS = ["example.com", "example.org", "example.net", "mail.example.com", "post.example.net"]
EXPOSED = [
    "name;email;phone;postal_address",
    "name;email",
    "name;email;postal_address;orders",
    "name;email;phone;postal_address;birth_date",
    "name;email;customer_number;orders",
]
WITHOUT_EMAIL, SHARED_ADDRESS, REPEATED, BAD, TWO_LINES, MINOR, WITHOUT_LANGUAGE = (
    0.015, 0.006, 0.010, 0.005, 0.02, 0.001, 0.006,
)  # fmt: skip


@dataclass
class Expected:
    """What an import of the file must count."""

    rows: int = 0
    people: int = 0
    repeated: int = 0
    rejected: int = 0
    without_email: int = 0
    shared: int = 0
    reasons: Counter[str] = field(default_factory=Counter)
    countries: Counter[str] = field(default_factory=Counter)


def write_people(path: Path, people: int, *, seed: int = 430) -> Expected:
    """Writes rows for exactly `people` different people, with repeated and broken rows among them."""
    expected = Expected()
    with path.open("w", newline="", encoding="utf-8") as file:
        writer = csv.writer(file)
        writer.writerow(HEADINGS)
        for row in _rows(people, random.Random(seed), expected):  # noqa: S311 invented, not secret
            expected.rows += 1
            writer.writerow(row)
    return expected


def _rows(people: int, chance: random.Random, expected: Expected) -> Iterator[list[str]]:
    recent: deque[list[str]] = deque(maxlen=500)
    places = chance.choices(PLACES, weights=[place.weight for place in PLACES], k=4096)
    for number in range(1, people + 1):
        row = _person(number, chance, places[chance.randrange(4096)], recent)
        expected.people += 1
        expected.countries[row[8]] += 1
        expected.without_email += not row[3]
        expected.shared += bool(recent) and row[3] == recent[-1][3] != ""
        recent.append(row)
        yield row
        dice = chance.random()
        if dice < REPEATED:
            expected.repeated += 1
            yield _again(chance.choice(recent), chance)
        elif dice < REPEATED + BAD:
            yield _broken(_person(people + number, chance, PLACES[0], deque()), chance, expected)


def _person(number: int, chance: random.Random, place: Place, recent: deque[list[str]]) -> list[str]:
    names = names_in(place.language)
    given, family = chance.choice(names.given), chance.choice(names.family).replace("·", " ")
    dice = chance.random()
    street = f"{number} {place.street}"
    return [
        f"HR-{number:07d}",
        given,
        family,
        _email(number, given, family, dice, recent) if names.latin else _email(number, "kunde", "", dice, recent),
        f"{place.dial}{number % 100_000:05d}",
        f"Flat {number % 9 + 1},\n{street}" if dice > 1 - TWO_LINES else street,
        chance.choice(place.towns),
        _postcode(place.postcode, chance),
        place.country,
        "" if 0.5 < dice < 0.5 + WITHOUT_LANGUAGE else place.language,
        _born_on(number, chance, is_minor=0.4 < dice < 0.4 + MINOR),
        chance.choice(EXPOSED),
        chance.choice(["Green", "Gold", "Black", ""]),
    ]


def _email(number: int, given: str, family: str, dice: float, recent: deque[list[str]]) -> str:
    if dice < WITHOUT_EMAIL:
        return ""
    if dice < WITHOUT_EMAIL + SHARED_ADDRESS and recent and all(one[1] != given for one in list(recent)[-3:]):
        return recent[-1][3]  # people of one household, no two of one name
    local = ".".join(filter(None, map(_latin, (given, family))))
    return f"{local}.{number}@{DOMAINS[number % len(DOMAINS)]}"


def _born_on(number: int, chance: random.Random, *, is_minor: bool) -> str:
    year = chance.randint(2010, 2015) if is_minor else chance.randint(1938, 2006)
    return f"{year}-0{number % 9 + 1}-1{number % 10}"


def _latin(name: str) -> str:
    plain = unicodedata.normalize("NFKD", name.casefold().translate({ord("ł"): "l", ord("ø"): "o", ord("đ"): "d"}))
    return re.sub(r"[^a-z]", "", plain)


def _postcode(pattern: str, chance: random.Random) -> str:
    signs = {"#": "0123456789", "@": "ABCDEFGHJKLM"}
    return "".join(chance.choice(signs[sign]) if sign in signs else sign for sign in pattern)


def _again(row: list[str], chance: random.Random) -> list[str]:
    """The same person as another system spelled them: capitals, double and trailing spaces, a new number."""
    again = list(row)
    again[0] = f"{row[0]}-B"
    again[1], again[2] = f" {row[1].upper()}", f"{row[2]}  "
    again[3] = row[3].upper() if chance.random() < 0.5 else f" {row[3]} "
    return again


def _broken(row: list[str], chance: random.Random, expected: Expected) -> list[str]:
    reason = chance.choice(list(_FAULTS))
    expected.rejected += 1
    expected.reasons[reason] += 1
    column, text = chance.choice(_FAULTS[reason])
    if column is None:
        # On one line: a row that takes several and has too many cells is told as a mark that nobody closed.
        return [*(cell.replace("\n", " ") for cell in row), *text.split()]
    row[column] = text.format(row[column])
    if reason in ("name", "contact"):
        row[column + 1 if reason == "name" else 5] = ""
    return row


_FAULTS: dict[str, list[tuple[int | None, str]]] = {
    "address": [(3, "somebody at example.com"), (3, "@example.com"), (3, "nobody"), (3, "a@example..com")],
    "name": [(1, "")],
    "contact": [(3, "")],
    "columns": [(None, "one more"), (None, "extra")],
    "country": [(8, "Atlantis"), (8, "XX")],
    "language": [(9, "klingon")],
    "birth_date": [(10, "1984-02-31"), (10, "1984-13-01"), (10, "2199-01-01")],
    "characters": [(1, "{}\x00"), (2, "{}\x1b[31m"), (6, "\u202e{}")],
    "kinds": [(11, "name;favourite colour")],
}  # fmt: skip
