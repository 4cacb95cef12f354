"""What a file is, told from its first bytes and never from its name; and what to do with one that is no list."""

import re

from django.core.exceptions import ValidationError

ZIP, EMPTY_ZIP, GZIP = b"PK\x03\x04", b"PK\x05\x06", b"\x1f\x8b"
HEAD = 4096

_SAVE_AS_CSV = "Open it and save the list as “CSV UTF-8” or as an Excel workbook (.xlsx), and upload that."
_UNPACK = "Unpack it and upload the list itself, or pack it as zip or gzip."
_EXPORT = "Export the list as CSV and upload that."

_OTHERS: list[tuple[bytes, int, str, str]] = [
    (b"%PDF", 0, "a PDF", "Ask for the list as CSV or as an Excel workbook: rows cannot be told from a printed page."),
    (b"PAR1", 0, "a Parquet file", _EXPORT),
    (b"SQLite format 3\0", 0, "an SQLite database", _EXPORT),
    (b"\x00\x01\x00\x00Standard", 0, "an Access database", _EXPORT),
    (b"Obj\x01", 0, "an Avro file", _EXPORT),
    (b"ORC", 0, "an ORC file", _EXPORT),
    (b"7z\xbc\xaf\x27\x1c", 0, "a 7-Zip archive", _UNPACK),
    (b"Rar!", 0, "a RAR archive", _UNPACK),
    (b"BZh", 0, "a bzip2 archive", _UNPACK),
    (b"\xfd7zXZ\0", 0, "an xz archive", _UNPACK),
    (b"\x28\xb5\x2f\xfd", 0, "a Zstandard archive", _UNPACK),
    (b"ustar", 257, "a tar archive", _UNPACK),
    (b"PK\x07\x08", 0, "one part of a zip in several parts", _UNPACK),
    (b"\x89PNG", 0, "a picture", _EXPORT),
    (b"\xff\xd8\xff", 0, "a picture", _EXPORT),
    (b"GIF8", 0, "a picture", _EXPORT),
    (b"II*\0", 0, "a picture", _EXPORT),
    (b"MM\0*", 0, "a picture", _EXPORT),
    (b"{\\rtf", 0, "a text document (RTF)", _SAVE_AS_CSV),
    (b"MZ", 0, "a Windows program", "Do not open it. Ask the sender for the list as CSV."),
    (b"\x7fELF", 0, "a program", "Do not open it. Ask the sender for the list as CSV."),
    (b"BEGIN:VCARD", 0, "a file of contacts (vCard)", _EXPORT),
    (b"-----BEGIN ", 0, "an encrypted or signed message", "Decrypt it first, and upload the list itself."),
    (b"age-encryption.org/", 0, "an encrypted file", "Decrypt it first, and upload the list itself."),
]
_OLD_OFFICE = b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1"
_MARKUP = re.compile(rb"\s*<(?:!DOCTYPE\s+html|html|table|meta|body|\?xml|!--)", re.IGNORECASE)
_JSON = re.compile(rb"\s*(?:\{\s*\"|\[\s*[\[{\"])")


def kind_of(head: bytes) -> str:
    """zip, gzip or text. Raises ValidationError naming any other kind of file and what to do with it."""
    if not head:
        raise ValidationError("The file is empty. Nobody was added.")
    if head.startswith((ZIP, EMPTY_ZIP)):
        return "zip"
    if head.startswith(GZIP):
        return "gzip"
    if head.startswith(_OLD_OFFICE):
        _refuse_old_office(head)
    for start, place, what, advice in _OTHERS:
        if head[place:].startswith(start):
            refuse(what, advice)
    plain = head.removeprefix(b"\xef\xbb\xbf")
    if _MARKUP.match(plain):
        refuse("a web page or XML, whatever its name ends in", _SAVE_AS_CSV)
    if _JSON.match(plain):
        refuse("JSON", _EXPORT)
    return "text"


def refuse(what: str, advice: str) -> None:
    raise ValidationError(f"This is {what}, which cannot be read as a list. {advice}")


def _refuse_old_office(head: bytes) -> None:
    if "EncryptedPackage".encode("utf-16-le") in head:
        refuse("a workbook protected with a password", "Open it, take the password off, and upload it again.")
    refuse("an old Excel workbook (.xls) or another old Office file", _SAVE_AS_CSV)


def refuse_other_packages(names: list[str]) -> None:
    """Zip files that are documents of another program."""
    found = set(names)
    starts = {name.split("/")[0] for name in names}
    if "xl/workbook.bin" in found:
        refuse("a binary Excel workbook (.xlsb)", _SAVE_AS_CSV)
    if "mimetype" in found:
        refuse("an OpenDocument file (.ods, .odt) or an e-book", _SAVE_AS_CSV)
    if "[Content_Types].xml" in found and "xl/workbook.xml" not in found:
        refuse("a Word, PowerPoint or other Office file", _SAVE_AS_CSV)
    if starts & {"Index"} and any(name.endswith(".iwa") for name in names):
        refuse("an Apple Numbers file", _SAVE_AS_CSV)
    if {"META-INF/MANIFEST.MF", "AndroidManifest.xml"} & found:
        refuse("a program", "Do not open it. Ask the sender for the list as CSV.")
