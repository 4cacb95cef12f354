"""The file of an export: a CSV inside an AES-256 zip that a passphrase opens, and that lies sealed on the state volume.

The zip is WinZip's AE-2 (AES-256 in counter mode, HMAC-SHA-1 cut to 80 bits, keys by PBKDF2 with 1,000 rounds): 7-Zip,
WinZip and Keka open it. Its rounds are few, so nobody chooses a passphrase: it is 25 characters of an alphabet of 31,
about 124 bits, and guessing it is hopeless at any speed. On the volume the zip is sealed once more, under the
incident's key, so that it dies with that key. Memory does not grow with the number of people.
"""

import csv
import io
import secrets
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime
from hashlib import sha256
from typing import IO
from uuid import UUID, uuid4

from django.db import transaction

from breachdesk.incidents.kinds import labels_of
from breachdesk.people.countries import country_name
from breachdesk.people.languages import language_name
from breachdesk.people.models import PeopleExport, Person
from breachdesk.people.personal import personal_of
from breachdesk.vault.files import SealedReader, SealedWriter
from breachdesk.vault.folders import SealedFolder
from breachdesk.vault.sealing import Cipher

EXPORT_TABLE = "people_peopleexport"
FOLDER = SealedFolder("exports")
ENTRY = "people.csv"
ALPHABET = "23456789ABCDEFGHJKMNPQRSTUVWXYZ"  # nothing that looks like something else
GROUPS, GROUP = 5, 5
ROWS_AT_ONCE = 2_000
FORMULAS = tuple("=+-@＝＋－＠")  # also in the wide forms, which some spreadsheets take for the narrow ones
EXTRA = "extra"

# What may be exported, and what the column is called.
COLUMNS: dict[str, str] = {
    "reference": "Customer number",
    "salutation": "Salutation",
    "full_name": "Full name",
    "given_name": "First name",
    "family_name": "Last name",
    "email": "Email",
    "email_2": "Second email",
    "phone": "Phone",
    "street": "Street",
    "street_2": "Address line 2",
    "city": "Town",
    "postcode": "Postcode",
    "post_country": "Country of the postal address",
    "born_on": "Date of birth",
    "guardian_name": "Guardian",
    "guardian_email": "Guardian's email",
    "guardian_phone": "Guardian's phone",
    "country": "Country of residence",
    "state": "State",
    "language": "Language",
    "kinds": "Exposed data",
    "minor": "Under 18",
    "vulnerable": "Vulnerable",
    "deceased": "Deceased",
    "held": "On hold",
    EXTRA: "Everything else from the file",
}


@dataclass(frozen=True)
class MadeFile:
    file_id: UUID
    passphrase: str
    people: int
    size: int
    sha256: bytes


def write_file(export: PeopleExport, cipher: Cipher) -> MadeFile:
    """A new sealed file of the people as they are now. Needs a transaction: rows come by a cursor of the server."""
    file_id, passphrase = uuid4(), _passphrase()
    with SealedWriter(FOLDER.path_of(file_id), cipher, file_id) as sealed:
        target = _Measured(sealed)
        people = _write_zip(target, passphrase, export, cipher)
    return MadeFile(file_id, passphrase, people, target.size, target.digest.digest())


def _passphrase() -> str:
    return "-".join("".join(secrets.choice(ALPHABET) for _ in range(GROUP)) for _ in range(GROUPS))


class _Measured:
    """What the zip is written to: no seeking, so nothing has to be kept."""

    def __init__(self, sealed: SealedWriter) -> None:
        self._sealed, self.size, self.digest = sealed, 0, sha256()

    def write(self, content: bytes) -> int:
        self.size += len(content)
        self.digest.update(content)
        return self._sealed.write(bytes(content))

    def flush(self) -> None:
        """The sealed file is flushed when it is closed."""


def _write_zip(target: _Measured, passphrase: str, export: PeopleExport, cipher: Cipher) -> int:
    import pyzipper

    with pyzipper.AESZipFile(target, "w", pyzipper.ZIP_DEFLATED, encryption=pyzipper.WZ_AES) as archive:
        archive.setpassword(passphrase.encode())
        archive.setencryption(pyzipper.WZ_AES, nbits=256)
        with archive.open(ENTRY, "w", force_zip64=True) as entry:
            return _write_rows(entry, export, cipher)


def _write_rows(entry: IO[bytes], export: PeopleExport, cipher: Cipher) -> int:
    text = io.TextIOWrapper(entry, "utf-8-sig", newline="", write_through=False)  # Excel asks for the mark
    rows, people = csv.writer(text), 0
    rows.writerow(COLUMNS[name] for name in export.fields)
    for person in export.whom().in_order().iterator(chunk_size=ROWS_AT_ONCE):
        rows.writerow(_cells(person, export.fields, cipher))
        people += 1
    text.detach()  # flushed, and left to the archive to close
    return people


def _cells(person: Person, fields: list[str], cipher: Cipher) -> Iterator[str]:
    values = personal_of(cipher, person) | _plain(person)
    extra = {name: text for name, text in values.items() if name.startswith("extra:")}
    values[EXTRA] = "; ".join(f"{name.removeprefix('extra:')}: {text}" for name, text in extra.items())
    return (defused(values.get(name, "")) for name in fields)


def _plain(person: Person) -> dict[str, str]:
    marks = {name: "yes" if getattr(person, name) else "no" for name in ("minor", "vulnerable", "deceased", "held")}
    language = language_name(person.language) if person.language else ""
    country = country_name(person.country) if person.country else ""
    kinds = ", ".join(labels_of(person.kinds))
    return {"country": country, "state": person.state, "language": language, "kinds": kinds} | marks


def defused(cell: str) -> str:
    """A cell that a spreadsheet would take for a formula gets an apostrophe in front: it is shown, never worked out."""
    return f"'{cell}" if cell.lstrip().startswith(FORMULAS) or cell.startswith(("\t", "\r", "\n")) else cell


def opened_file(export: PeopleExport, cipher: Cipher) -> SealedReader:
    """Raises FileNotFoundError when the file is gone."""
    assert export.file_id is not None, "only a made export has a file"
    return SealedReader(FOLDER.path_of(export.file_id), cipher, export.file_id)


def discard(file_id: UUID | None) -> None:
    if file_id is not None:
        FOLDER.discard(file_id)


def discard_after(export: PeopleExport) -> None:
    """Once the transaction is committed: until then the file may still be asked for."""
    file_id = export.file_id
    transaction.on_commit(lambda: discard(file_id), robust=True)


def discard_forgotten(before: datetime) -> None:
    FOLDER.discard_forgotten(before, PeopleExport.objects.with_file().values_list("file_id", flat=True))


def seal_reason(cipher: Cipher, export: PeopleExport, reason: str) -> bytes:
    return cipher.seal(reason.strip().encode(), table=EXPORT_TABLE, column="sealed_reason", row=export.pk)


def reason_of(cipher: Cipher, export: PeopleExport) -> str:
    sealed = bytes(export.sealed_reason)
    return cipher.unseal(sealed, table=EXPORT_TABLE, column="sealed_reason", row=export.pk).decode()
