"""A file of customers to clean rows, in bounded memory. Nothing is mended silently: a row is taken as it stands, or
rejected with a reason that a person can act on.

One record of the file is one row; the heading is row 1, as in a spreadsheet. Completely blank lines are no rows.
"""

import csv
import io
import re
import unicodedata
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import date
from functools import lru_cache, partial
from typing import NamedTuple

from django.core.exceptions import ValidationError

from breachdesk.incidents.kinds import KINDS
from breachdesk.people.addresses import address_key, checked_address
from breachdesk.people.columns import FIELDS, match_columns, recognise
from breachdesk.people.countries import country_code
from breachdesk.people.languages import language_tag

LONGEST_LINE = 1_000_000
LONGEST_ROW = 20_000
ADULT_AT = 18
EARLIEST_BIRTH = 1890


@dataclass(frozen=True)
class Reason:
    label: str
    advice: str


REASONS: dict[str, Reason] = {
    "columns": Reason(
        "The number of columns differs from the heading",
        "Look for a comma inside a text without quotation marks, or for a quotation mark that is never closed.",
    ),
    "unreadable": Reason(
        "The row cannot be read", "A quotation mark opens here and is not closed. Close or remove it."
    ),
    "empty": Reason("The row is empty", "Remove it, or fill it in."),
    "too_long": Reason("A text is longer than its column allows", "Shorten it, or look for a shifted column."),
    "characters": Reason(
        "It holds control or text-direction characters",
        "Export again without them; they do not print, and can make a name look like another.",
    ),
    "name": Reason("The name is missing", "Fill in the name."),
    "address": Reason("The email address is malformed", "Correct the address, or leave it empty and give a street."),
    "contact": Reason("No email and no postal address", "Find another way to reach this person."),
    "country": Reason("The country is unknown", "Write its two-letter code, such as GB, or its English name."),
    "language": Reason("The language is unknown", "Write a code such as en or pt-BR, or leave it empty."),
    "birth_date": Reason("The date of birth is not a date", "Write it as 1984-05-31, or leave it empty."),
    "minor": Reason("The mark for under 18 is neither yes nor no", "Write yes or no, or leave it empty."),
    "kinds": Reason("A kind of exposed data is unknown", f"Use these words: {', '.join(KINDS)}."),
}


class CleanRow(NamedTuple):
    number: int
    personal: dict[str, str]  # everything that tells who it is; sealed as one value
    identity: str  # equal for two rows about one person: same address and same name
    email: str  # as address_key() gives it; empty without one
    reference: str
    country: str
    state: str
    language: str
    kinds: list[str]
    is_minor: bool


class BadRow(NamedTuple):
    number: int
    reason: str  # a key of REASONS
    column: str  # the field's label; empty when the whole row is meant
    original: list[str]


class _Bad(Exception):  # not an error, but the way out of a row's checks
    def __init__(self, reason: str, field: str = "") -> None:
        self.reason, self.column = reason, FIELDS[field].label if field else ""


class PeopleFile:
    """Reads the heading at once and raises ValidationError when this is no list of people that we can read."""

    def __init__(self, stream: io.RawIOBase, *, today: date) -> None:
        self.today = today
        self._text = _as_text(stream)
        self._lines = self._whole_lines()
        first = next(self._lines, "")
        if not first.strip():
            raise ValidationError("The file begins with an empty line. Its first row must name the columns.")
        self._delimiter = max(",;\t|", key=lambda sign: recognise(next(csv.reader([first], delimiter=sign))))
        self.columns = match_columns(next(csv.reader([first], delimiter=self._delimiter)))

    def rows(self) -> Iterator[CleanRow | BadRow]:
        """Raises ValidationError when the file turns out not to be text in UTF-8; then none of it counts."""
        number, width = 1, len(self.columns.names)
        for fields in self._records():
            number += 1
            try:
                if len(fields) != width:
                    raise _Bad("columns" if fields else "unreadable")
                yield self._clean(number, fields)
            except _Bad as bad:
                yield BadRow(number, bad.reason, bad.column, [text[:LONGEST_ROW] for text in fields])

    def _whole_lines(self) -> Iterator[str]:
        lines = iter(partial(self._text.readline, LONGEST_LINE), "")
        count = 0
        try:
            for count, line in enumerate(lines, 1):
                if len(line) == LONGEST_LINE and not line.endswith("\n"):
                    raise ValidationError(
                        f"Line {count:,} is longer than {LONGEST_LINE:,} characters: this is no list of people in rows."
                    )
                yield line
        except UnicodeDecodeError:
            raise ValidationError(
                f"Soon after line {count:,} the file is not UTF-8. Save it as “CSV UTF-8” and upload it again."
            ) from None

    def _records(self) -> Iterator[list[str]]:
        """Each record's fields; none at all for one that the csv module gives up on."""
        reader = csv.reader(self._lines, delimiter=self._delimiter)
        while True:
            try:
                yield from filter(None, reader)
                return
            except csv.Error:
                yield []

    def _clean(self, number: int, fields: list[str]) -> CleanRow:
        personal = {
            name: text
            for name, field in zip(self.columns.names, fields, strict=True)
            if name and (text := field.strip())
        }
        if not personal:
            raise _Bad("empty")
        if not "".join(fields).isprintable():
            _refuse_characters(personal)
        for name, text in personal.items():
            if len(text) > FIELDS[name].longest:
                raise _Bad("too_long", name)
        return self._checked(number, personal)

    def _checked(self, number: int, personal: dict[str, str]) -> CleanRow:
        """Takes out what counting and routing need in the clear; the rest stays in `personal`."""
        take = personal.pop
        country = _country(take("country", ""))
        language = _language(take("language", ""))
        kinds = _kinds(take("kinds", ""))
        is_minor = self._minor(take("minor", ""), personal.get("born_on"))
        name = _name_key(personal)
        email = _address(personal)
        identity = f"{email}\n{name}" if email else _identity_by_post(name, personal)
        reference = personal.get("reference", "").casefold()
        state = _us_state(personal.get("state", "")) if country == "US" else ""
        return CleanRow(number, personal, identity, email, reference, country, state, language, kinds, is_minor)

    def _minor(self, mark: str, born: str | None) -> bool:
        if mark and mark.casefold() not in _YES_NO:
            raise _Bad("minor", "minor")
        return _YES_NO.get(mark.casefold(), False) or (born is not None and _age(born, self.today) < ADULT_AT)


_YES_NO = {"yes": True, "y": True, "true": True, "1": True, "no": False, "n": False, "false": False, "0": False}

_STARTS_OF_OTHER_FILES = {
    b"PK\x03\x04": "an Excel workbook or a zip",
    b"\x1f\x8b": "a gzip archive",
    b"\xd0\xcf\x11\xe0": "an old Excel workbook",
    b"%PDF": "a PDF",
    b"\xff\xfe": "text in UTF-16",
    b"\xfe\xff": "text in UTF-16",
}


def _as_text(stream: io.RawIOBase) -> io.TextIOWrapper:
    buffered = io.BufferedReader(stream, 1 << 18)
    head = buffered.peek(64)[:64]
    for start, what in _STARTS_OF_OTHER_FILES.items():
        if head.startswith(start):
            raise ValidationError(f"This is {what}, not CSV. Save the list as “CSV UTF-8” and upload that.")
    return io.TextIOWrapper(buffered, encoding="utf-8-sig", newline="")


# Controls, private use, and what turns the direction of text or shows nothing. The joiners U+200C and U+200D stay:
# names need them.
_FORBIDDEN = re.compile(
    "[\x00-\x1f\x7f-\x9f\u061c\u200b\u200e\u200f\u2028-\u202e\u2060-\u206f\ufeff\ufff9-\ufffb\ue000-\uf8ff\U000e0000-\U000e007f]"
)
_LINE_BREAKS = re.compile("[\t\r\n]")


def _refuse_characters(personal: dict[str, str]) -> None:
    for name, text in personal.items():
        if name in ("street", "street_2"):
            text = _LINE_BREAKS.sub(" ", text)
        if _FORBIDDEN.search(text):
            raise _Bad("characters", name)


@lru_cache(maxsize=4096)
def _known_country(text: str) -> str | None:
    return country_code(text)


def _country(text: str) -> str:
    if text and (code := _known_country(text)) is None:
        raise _Bad("country", "country")
    return code or "" if text else ""


@lru_cache(maxsize=4096)
def _known_language(text: str) -> str | None:
    return language_tag(text)


def _language(text: str) -> str:
    if text and (tag := _known_language(text)) is None:
        raise _Bad("language", "language")
    return tag or "" if text else ""


_KIND_WORDS = (
    {key: key for key in KINDS}
    | {key.replace("_", " "): key for key in KINDS}
    | {kind.label.casefold(): key for key, kind in KINDS.items()}
    | {
        "address": "postal_address",
        "date of birth": "birth_date",
        "dob": "birth_date",
        "customer id": "customer_number",
    }
    | {"loyalty number": "customer_number", "order history": "orders", "card": "payment_card", "iban": "bank_account"}
)


@lru_cache(maxsize=4096)
def _known_kinds(text: str) -> tuple[str, ...] | None:
    words = [re.sub(r"[\s_]+", " ", word).strip().casefold() for word in re.split("[;,|]", text)]
    keys = [_KIND_WORDS.get(word) for word in words if word]
    return None if None in keys else tuple(key for key in dict.fromkeys(keys) if key)


def _kinds(text: str) -> list[str]:
    if (known := _known_kinds(text)) is None:
        raise _Bad("kinds", "kinds")
    return list(known)


def _age(born: str, today: date) -> int:
    try:
        day = date.fromisoformat(born)
    except ValueError:
        raise _Bad("birth_date", "born_on") from None
    if day.year < EARLIEST_BIRTH or day > today:
        raise _Bad("birth_date", "born_on")
    return today.year - day.year - ((today.month, today.day) < (day.month, day.day))


def _fold(text: str) -> str:
    """Equal for two spellings that differ in letter case, in spaces or in Unicode form only."""
    plain = text if text.isascii() else unicodedata.normalize("NFKC", text)
    return " ".join(plain.casefold().split())


def _name_key(personal: dict[str, str]) -> str:
    name = personal.get("full_name") or f"{personal.get('given_name', '')} {personal.get('family_name', '')}"
    if name == " ":
        raise _Bad("name")
    return _fold(name)


def _address(personal: dict[str, str]) -> str:
    text = personal.get("email")
    if text is None:
        if "street" not in personal:
            raise _Bad("contact")
        return ""
    address = checked_address(text)
    if address is None:
        raise _Bad("address", "email")
    personal["email"] = address
    return address_key(address)


def _identity_by_post(name: str, personal: dict[str, str]) -> str:
    where = (personal.get("street", ""), personal.get("postcode", ""), personal.get("born_on", ""))
    return "\n".join(["", name, *map(_fold, where)])


def _us_state(text: str) -> str:
    return text.upper() if len(text) == 2 and text.isascii() and text.isalpha() else ""
