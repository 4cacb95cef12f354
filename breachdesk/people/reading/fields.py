"""What a column of a customer file may become."""

import re
from dataclasses import dataclass

from breachdesk.incidents.kinds import KINDS

KIND = "kind:"  # kind:health is a column that says yes or no for one kind of exposed data
EXTRA = "extra:"  # extra:tier is a further column kept for the wording of notices, sealed like the others
LONGEST_EXTRA = 500
_EXTRA_NAME = re.compile(r"[^\W_](?:[\w' -]{0,38}[^\W_])?")


@dataclass(frozen=True)
class Field:
    label: str
    longest: int
    hint: str = ""


FIELDS: dict[str, Field] = {
    "reference": Field("Customer number", 100, "Yours; the same number is the same person."),
    "given_name": Field("First name", 200),
    "family_name": Field("Last name", 200),
    "full_name": Field("Full name", 400, "When first and last name stand in one column."),
    "salutation": Field("Salutation", 60, "Ms, Dr, Herr: as it is to stand in the notice."),
    "email": Field("Email", 254),
    "email_2": Field("Second email", 254, "Kept beside the first; nothing is sent to it by itself."),
    "phone": Field("Phone", 60),
    "street": Field("Street", 500),
    "street_2": Field("Address line 2", 500),
    "city": Field("Town", 200),
    "postcode": Field("Postcode", 20),
    "state": Field("State", 100, "Counted for residents of the United States only; else part of the postal address."),
    "post_country": Field("Country of the postal address", 100, "Where letters go. Regulators follow the residence."),
    "country": Field("Country of residence", 100, "It decides which regulators must be told."),
    "language": Field("Language", 40),
    "born_on": Field("Date of birth", 40),
    "minor": Field("Under 18", 20, "Yes or no."),
    "guardian_name": Field("Guardian’s name", 400),
    "guardian_email": Field("Guardian’s email", 254),
    "guardian_phone": Field("Guardian’s phone", 60),
    "vulnerable": Field("Vulnerable", 20, "Yes or no."),
    "deceased": Field("Deceased", 20, "Yes or no. They are put on hold at once."),
    "kinds": Field("Exposed data", 600, "One column that lists the kinds."),
}


def is_field(becomes: str) -> bool:
    """Whether a column may become this: a field, a kind of data or a named extra."""
    if becomes.startswith(KIND):
        return becomes.removeprefix(KIND) in KINDS
    if becomes.startswith(EXTRA):
        return extra_name(becomes.removeprefix(EXTRA)) == becomes.removeprefix(EXTRA)
    return becomes in FIELDS


def extra_name(typed: str) -> str | None:
    """A name that authors can write as ((name)) in a notice, or None: letters, digits and spaces, up to 40."""
    name = " ".join(typed.casefold().split())
    return name if _EXTRA_NAME.fullmatch(name) else None


def label_of(becomes: str) -> str:
    """What people read for it; empty for a column that is not stored."""
    if becomes.startswith(KIND):
        return f"Exposed: {KINDS[becomes.removeprefix(KIND)].label.lower()}"
    if becomes.startswith(EXTRA):
        return f"(({becomes.removeprefix(EXTRA)}))"
    return FIELDS[becomes].label if becomes else ""


def longest_of(becomes: str) -> int:
    return FIELDS[becomes].longest if becomes in FIELDS else LONGEST_EXTRA
