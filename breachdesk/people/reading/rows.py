"""Records of a file to clean rows, one by one. Nothing is mended silently: a row is taken as it stands, or rejected
with a reason that a person can act on. What a clean row holds comes from its own record alone.

What most rows look like is told from the whole line, or by a quick exact test; only the others cost more.
"""

import unicodedata
from collections.abc import Iterator, Sequence
from datetime import date
from functools import lru_cache
from operator import itemgetter
from typing import NamedTuple

from breachdesk.people.addresses import (
    ROLE_NAMES,
    address_key,
    checked_address,
    domain_of,
    is_reserved,
    is_role,
    split_address,
)
from breachdesk.people.countries import country_code
from breachdesk.people.languages import language_tag
from breachdesk.people.reading.context import RowContext
from breachdesk.people.reading.corrections import restored
from breachdesk.people.reading.dates import read_birth
from breachdesk.people.reading.fields import FIELDS, KIND, label_of, longest_of
from breachdesk.people.reading.kinds import kinds_listed
from breachdesk.people.reading.letters import is_suspicious, refused_letters
from breachdesk.people.reading.marks import mark_of
from breachdesk.people.reading.phones import is_phone
from breachdesk.people.reading.plan import Plan
from breachdesk.people.reading.source import Record, Table
from breachdesk.people.states import us_state

LONGEST_KEPT = 20_000  # characters of one field of a rejected row
ROOMY = 60  # a text up to this long fits every field but a postcode; marks, dates and codes are known or not
LONGEST_POSTCODE = FIELDS["postcode"].longest
MARKS = ("minor", "vulnerable", "deceased")


class CleanRow(NamedTuple):
    number: int
    personal: dict[str, str]  # everything that tells who it is, exactly as one record gave it; sealed as one value
    identity: str  # equal for two rows about one person: same address and same name
    email: str  # as address_key() gives it; empty without one
    reference: str
    country: str  # of residence; empty when the file does not say
    state: str  # of residents of the United States only
    language: str
    kinds: list[str]
    is_minor: bool
    vulnerable: bool = False
    deceased: bool = False
    has_post: bool = False
    name: str = ""  # folded: equal for two spellings of one name
    original: Sequence[str] = ()  # the record itself, for whoever finds later that the row cannot be taken


class BadRow(NamedTuple):
    number: int
    reason: str  # a key of REASONS
    column: str  # the field's label; empty when the whole row is meant
    original: list[str]


class _Bad(Exception):  # not an error, but the way out of a row's checks
    def __init__(self, reason: str, becomes: str = "") -> None:
        self.reason, self.column = reason, label_of(becomes)


def read_rows(
    table: Table, plan: Plan, *, today: date, context: RowContext | None = None
) -> Iterator[CleanRow | BadRow]:
    """One answer for each record, in the file's order. Raises what the table raises when the file cannot be read on."""
    reader = _RowReader(plan, today, context or RowContext())
    for record in table.records():
        try:
            yield reader.clean(record)
        except _Bad as bad:
            yield BadRow(record.number, bad.reason, bad.column, [text[:LONGEST_KEPT] for text in record.fields])


class _RowReader:
    """A plan made ready: which places of a record hold what."""

    def __init__(self, plan: Plan, today: date, context: RowContext) -> None:
        self.today, self.context, self.date_order = today, context, plan.date_order
        self.allowed = frozenset(plan.allow)
        self.staff = frozenset() if "own_staff" in self.allowed else self.context.staff
        self.width, self.is_correction = len(plan.columns), plan.is_correction
        places = [place for place, column in enumerate(plan.columns) if column.becomes]
        self.names = [plan.columns[place].becomes for place in places]
        self.pick = itemgetter(*places, places[0])  # one more, so that even a single column comes as a tuple
        self.marks = [name for name in MARKS if name in self.names]
        self.kind_marks = [name for name in self.names if name.startswith(KIND)]
        self.phones = [name for name in ("phone", "guardian_phone") if name in self.names]
        self.other_emails = [name for name in ("email_2", "guardian_email") if name in self.names]
        self.domain_reason = lru_cache(maxsize=16_384)(self._domain_reason)

    def clean(self, record: Record) -> CleanRow:
        number, fields, problem = record
        if problem:
            raise _Bad(problem)
        if len(fields) != self.width:
            raise _Bad("columns")
        if self.is_correction:
            fields = [restored(text) for text in fields]
        values = self.pick(fields)
        personal = {name: text for name, text in zip(self.names, map(str.strip, values), strict=False) if text}
        if not personal:
            raise _Bad("empty")
        if is_suspicious(" ".join(values)):
            self._refuse_letters(values)
        if max(map(len, values)) > ROOMY or len(personal.get("postcode", "")) > LONGEST_POSTCODE:
            _refuse_long(personal)
        return self._checked(number, personal, record.fields)

    def _refuse_letters(self, values: tuple[str, ...]) -> None:
        for name, text in zip(self.names, values, strict=False):
            if reason := refused_letters(text, lines=name in ("street", "street_2")):
                raise _Bad(reason, name)

    def _checked(self, number: int, personal: dict[str, str], original: Sequence[str]) -> CleanRow:
        """Takes out what counting and routing need in the clear; the rest stays in `personal`."""
        take = personal.pop
        country, language, listed = _plain(take("country", ""), take("language", ""), take("kinds", ""))
        kinds = list(listed)
        marks = {name: _mark(take(name, ""), name) for name in self.marks} if self.marks else {}
        if self.kind_marks:
            kinds = self._with_marked_kinds(kinds, personal)
        post_country = self._post_country(personal)
        is_minor = self._is_child(personal) or marks.get("minor", False)
        name = _name_key(personal)
        email = self._email(personal)
        for other in self.other_emails:
            self._other_email(other, personal)
        for phone in self.phones:
            if (text := personal.get(phone)) and not is_phone(text, country or post_country):
                raise _Bad("phone", phone)
        return CleanRow(
            number,
            personal,
            f"{email}\n{name}" if email else _identity_by_post(name, personal),
            email,
            personal.get("reference", "").casefold(),
            country,
            _state(personal) if country == "US" else "",
            language,
            kinds,
            is_minor,
            marks.get("vulnerable", False),
            marks.get("deceased", False),
            "street" in personal,
            name,
            original,
        )

    def _with_marked_kinds(self, kinds: list[str], personal: dict[str, str]) -> list[str]:
        marked = [name for name in self.kind_marks if _mark(personal.pop(name, ""), name)]
        return list(dict.fromkeys([*kinds, *(name.removeprefix(KIND) for name in marked)]))

    def _post_country(self, personal: dict[str, str]) -> str:
        text = personal.get("post_country")
        if text is None:
            return ""
        code = personal["post_country"] = _country(text, "post_country")
        return code

    def _is_child(self, personal: dict[str, str]) -> bool:
        text = personal.get("born_on")
        if text is None:
            return False
        born = read_birth(text, self.date_order, self.today)
        if isinstance(born, str):
            raise _Bad(born, "born_on")
        personal["born_on"], is_child = born
        return is_child

    def _email(self, personal: dict[str, str]) -> str:
        text = personal.get("email")
        if text is None:
            if "street" not in personal and "guardian_email" not in personal:
                raise _Bad("contact")
            return ""
        parts = split_address(text)
        if parts is None:
            raise _Bad(_why_malformed(text), "email")
        local, domain = parts
        address = personal["email"] = f"{local}@{domain}"
        key = address_key(address)
        reason = self.domain_reason(domain)
        if reason or key in self.staff or local.casefold() in ROLE_NAMES or "+" in local:
            self._refuse_address(reason, key, local)
        return key

    def _refuse_address(self, reason: str, key: str, local: str) -> None:
        if not reason and key in self.staff:
            reason = "own_staff"
        if not reason and "role_address" not in self.allowed and is_role(local):
            reason = "role_address"
        if reason:
            raise _Bad(reason, "email")

    def _other_email(self, name: str, personal: dict[str, str]) -> None:
        if text := personal.get(name):
            address = checked_address(text)
            if address is None:
                raise _Bad(_why_malformed(text), name)
            if self.domain_reason(domain_of(address)) == "reserved_domain":
                raise _Bad("reserved_domain", name)
            personal[name] = address

    def _domain_reason(self, domain: str) -> str:
        if not self.context.reserved_domains and is_reserved(domain):
            return "reserved_domain"
        ours = domain in self.context.own_domains and "own_staff" not in self.allowed
        return "own_staff" if ours else ""


def _refuse_long(personal: dict[str, str]) -> None:
    for name, text in personal.items():
        if len(text) > longest_of(name):
            raise _Bad("too_long", name)


def _why_malformed(text: str) -> str:
    """Well-formed addresses at home.local and the like are refused by email-validator, too."""
    domain = domain_of(text)
    return "reserved_domain" if is_reserved(domain) and checked_address(f"{text[: -len(domain)]}a.test") else "address"


@lru_cache(maxsize=16_384)
def _plain(country: str, language: str, kinds: str) -> tuple[str, str, tuple[str, ...]]:
    """What stands in the clear, of values that many rows have in common."""
    code = _country(country, "country")
    tag = language_tag(language) if language else ""
    if tag is None:
        raise _Bad("language", "language")
    if (listed := kinds_listed(kinds)) is None:
        raise _Bad("kinds", "kinds")
    return code, tag, listed


def _country(text: str, name: str) -> str:
    code = country_code(text) if text else ""
    if code is None:
        raise _Bad("country", name)
    return code


def _mark(text: str, name: str) -> bool:
    if not text:
        return False
    if (mark := mark_of(text)) is None:
        raise _Bad("yes_no", name)
    return mark


def _state(personal: dict[str, str]) -> str:
    if (text := personal.get("state")) is None:
        return ""
    if (state := us_state(text)) is None:
        raise _Bad("state", "state")
    return state


def folded(text: str) -> str:
    """Equal for two spellings that differ in letter case, in spaces or in Unicode form only."""
    plain = text if text.isascii() else unicodedata.normalize("NFKC", text)
    return " ".join(plain.casefold().split())


def _name_key(personal: dict[str, str]) -> str:
    name = personal.get("full_name") or f"{personal.get('given_name', '')} {personal.get('family_name', '')}"
    if name == " ":
        raise _Bad("name")
    return folded(name)


def _identity_by_post(name: str, personal: dict[str, str]) -> str:
    where = (personal.get("street", ""), personal.get("postcode", ""), personal.get("born_on", ""))
    return "\n".join(["", name, *map(folded, where)])
