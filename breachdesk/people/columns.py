"""Which column of a customer file means what, told from its heading."""

import re
import unicodedata
from collections.abc import Sequence
from dataclasses import dataclass

from django.core.exceptions import ValidationError


@dataclass(frozen=True)
class Field:
    label: str
    headings: str  # as they are found in real files, after _plain()
    longest: int


FIELDS: dict[str, Field] = {
    "reference": Field(
        "Customer number",
        "reference|ref|customer id|customer no|customer number|customer ref|customer reference|customerid|id|"
        "cust id|member no|member id|membership number|client id|account number|account no|loyalty number|"
        "kundennummer|numero client|numero cliente|klantnummer|numer klienta",
        100,
    ),
    "given_name": Field(
        "First name",
        "first name|firstname|given name|forename|vorname|prenom|nombre|nome|voornaam|imie",
        200,
    ),
    "family_name": Field(
        "Last name",
        "last name|lastname|surname|family name|nachname|nom|apellido|apellidos|cognome|achternaam|nazwisko",
        200,
    ),
    "full_name": Field(
        "Full name",
        "name|full name|fullname|full nm|customer name|client name|client|contact name",
        400,
    ),
    "email": Field(
        "Email",
        "email|e mail|email address|e mail address|emailaddress|email addr|mail|correo|correo electronico|courriel",
        254,
    ),
    "phone": Field("Phone", "phone|phone number|telephone|tel|mobile|mobile number|telefon|telefono|telefoon", 60),
    "street": Field(
        "Street",
        "street|address|address 1|address line 1|addr 1|street address|strasse|rue|calle|via|straat",
        500,
    ),
    "street_2": Field("Address line 2", "address 2|address line 2|addr 2|street 2", 500),
    "city": Field("Town", "city|town|place|ort|stadt|ville|ciudad|citta|plaats|miasto|lives in", 200),
    "postcode": Field(
        "Postcode",
        "postcode|post code|postal code|zip|zip code|zipcode|postcd|plz|code postal|cap",
        20,
    ),
    "state": Field("State", "state|us state|province|region", 100),
    "country": Field("Country", "country|country code|cntry|country of residence|land|pays|pais|paese|kraj", 100),
    "language": Field(
        "Language",
        "language|lang|locale|preferred language|sprache|langue|idioma|lingua|taal|jezyk",
        40,
    ),
    "born_on": Field("Date of birth", "date of birth|dob|birth date|birthdate|birthday|born|born on|geburtsdatum", 40),
    "minor": Field("Under 18", "minor|is minor|under 18|child", 10),
    "kinds": Field(
        "Exposed data",
        "kinds|kinds of data|data kinds|data categories|exposed data|exposed|data exposed|data",
        600,
    ),
}
_FIELD_OF_HEADING = {heading: name for name, field in FIELDS.items() for heading in field.headings.split("|")}


@dataclass(frozen=True)
class Columns:
    names: tuple[str | None, ...]  # the field of each column, None where it is not stored
    headings: tuple[str, ...]

    @property
    def shown(self) -> list[list[str]]:
        """Pairs of heading in the file and what it becomes; the second is empty when the column is not stored."""
        pairs = zip(self.names, self.headings, strict=True)
        return [[heading[:60], FIELDS[name].label if name else ""] for name, heading in pairs]


def _plain(heading: str) -> str:
    spaced = re.sub(r"(?<=[a-z])(?=[A-Z])", " ", heading)
    bare = "".join(c for c in unicodedata.normalize("NFKD", spaced.casefold()) if not unicodedata.combining(c))
    return re.sub(r"[\W_]+", " ", bare).strip()


def recognise(headings: Sequence[str]) -> int:
    """How many of the headings are known: the delimiter that makes most sense gives most."""
    return sum(_plain(heading) in _FIELD_OF_HEADING for heading in headings)


def match_columns(headings: Sequence[str]) -> Columns:
    """Raises ValidationError with a sentence when names or addresses cannot be found, or could be two columns."""
    columns = Columns(tuple(_FIELD_OF_HEADING.get(_plain(h)) for h in headings), tuple(h.strip() for h in headings))
    known = [name for name in columns.names if name is not None]
    for name in known:
        if known.count(name) > 1:
            raise ValidationError(
                f"Two columns could both be “{FIELDS[name].label}”. Rename or remove one of them in the first row."
            )
    _demand(known, {"full_name", "given_name", "family_name"}, "a name", "first_name and last_name, or name")
    _demand(known, {"email"}, "an email address", "email")
    return columns


def _demand(known: list[str], needed: set[str], what: str, example: str) -> None:
    if needed.isdisjoint(known):
        raise ValidationError(
            f"No column for {what} was found. The first row must name the columns; call that one {example}."
        )
