"""Archives that go wrong, and files that are something else."""

import gzip
import io
import struct
import warnings
import zipfile

from tests.people.reading.nasty import Nasty, file_of

LIST = file_of()


def zip_of(*members: tuple[str, bytes], method: int = zipfile.ZIP_DEFLATED) -> bytes:
    packed = io.BytesIO()
    with zipfile.ZipFile(packed, "w", method) as archive, warnings.catch_warnings():
        warnings.simplefilter("ignore", UserWarning)  # about a name that comes twice: it is meant
        for name, content in members:
            archive.writestr(zipfile.ZipInfo(name), content, method)
    return packed.getvalue()


def _bomb() -> bytes:
    return zip_of(("list.csv", b"name,email\n" + b"0" * 60_000_000))


def _gzip_bomb() -> bytes:
    return gzip.compress(b"full_name,email\n" + (b"Ana Ng,ana@example.com" + b" " * 1_000 + b"\n") * 5_000)


def _said(packed: bytes, place: int, form: str, value: int) -> bytes:
    """The table of contents of a zip with one member says something else of it."""
    at = packed.rindex(b"PK\x01\x02") + place
    return packed[:at] + struct.pack(form, value) + packed[at + struct.calcsize(form) :]


def _damaged_content() -> bytes:
    packed = zip_of(("list.csv", LIST), method=zipfile.ZIP_STORED)
    return packed.replace(b"Besan", b"Besen", 1)


def _many_files() -> bytes:
    return zip_of(*((f"{n}.csv", b"x") for n in range(1_001)))


def _long_names() -> bytes:
    return zip_of(*((f"{n}{'x' * 2_000}.csv", b"x") for n in range(300)))


def _encrypted() -> bytes:
    return _said(zip_of(("list.csv", LIST)), 8, "<H", 1)


SEVERAL = zip_of(("notes.md", b"Read me"), ("b.csv", LIST), ("a/other.csv", b"name,email\n"))

ARCHIVES = [
    Nasty("a zip", lambda: zip_of(("list.csv", LIST)), certain=True),
    Nasty("a zip that stores", lambda: zip_of(("list.csv", LIST), method=zipfile.ZIP_STORED), certain=True),
    Nasty(
        "a zip with folders and what a Mac leaves",
        lambda: zip_of(
            ("export/", b""), ("export/list.csv", LIST), ("__MACOSX/._list.csv", b"\0\5"), (".DS_Store", b"\0")
        ),
    ),
    Nasty("a zip of several files", lambda: SEVERAL, certain=False, notes="The zip holds 3 files"),
    Nasty("a zip of several files, one chosen", lambda: SEVERAL, wanted={"member": "b.csv"}, certain=True),
    Nasty("a zip and not what is in it", lambda: SEVERAL, wanted={"member": "c.csv"}, refusal="no file “c.csv”"),
    Nasty("an empty zip", lambda: zip_of(), refusal="holds no file"),
    Nasty("a zip of folders", lambda: zip_of(("a/", b""), ("a/b/", b"")), refusal="holds no file"),
    Nasty("a gzip", lambda: gzip.compress(LIST), certain=True),
    Nasty("two gzips and filling", lambda: gzip.compress(LIST[:50]) + gzip.compress(LIST[50:]) + bytes(1_000)),
    Nasty("a gzip of UTF-16", lambda: gzip.compress(file_of(encoding="utf-16"))),
    Nasty("a truncated gzip", lambda: gzip.compress(LIST)[:-20], refusal="ends too early"),
    Nasty("a gzip without its checksum", lambda: gzip.compress(LIST)[:-8], refusal="ends too early"),
    Nasty(
        "a gzip with a wrong checksum", lambda: gzip.compress(LIST)[:-8] + bytes(8), refusal="does not fit its checksum"
    ),
    Nasty("a gzip with text behind it", lambda: gzip.compress(LIST) + LIST, refusal="does not fit its checksum"),
    Nasty("a zip bomb", _bomb, refusal="more than 200 times its size"),
    Nasty("a gzip bomb", _gzip_bomb, refusal="more than 200 times its size", when="read"),
    Nasty("a zip bomb that says it is small", lambda: _said(_bomb(), 24, "<I", 1_000), refusal="checksum"),
    Nasty(
        "a zip that says it is 4 GB",
        lambda: _said(zip_of(("list.csv", LIST)), 24, "<I", 0xFFFFFFF0),
        refusal="more than 200 times",
    ),
    Nasty("a zip in a zip", lambda: zip_of(("list.csv", zip_of(("list.csv", LIST)))), refusal="itself an archive"),
    Nasty("a gzip in a zip", lambda: zip_of(("list.csv.gz", gzip.compress(LIST))), refusal="itself an archive"),
    Nasty("a zip in a gzip", lambda: gzip.compress(zip_of(("list.csv", LIST))), refusal="itself an archive"),
    Nasty("a gzip in a gzip", lambda: gzip.compress(gzip.compress(LIST)), refusal="itself an archive"),
    Nasty("a PDF in a zip", lambda: zip_of(("list.csv", b"%PDF-1.7")), refusal="This is a PDF"),
    Nasty("an empty file in a zip", lambda: zip_of(("list.csv", b"")), refusal="is empty"),
    Nasty("an encrypted zip", _encrypted, refusal="protected with a password"),
    Nasty("a zip with a wrong checksum", _damaged_content, refusal="does not fit its checksum"),
    Nasty("a zip cut short", lambda: zip_of(("list.csv", LIST))[:-30], refusal="table of contents cannot be read"),
    Nasty(
        "a zip packed with LZMA", lambda: zip_of(("list.csv", LIST), method=zipfile.ZIP_LZMA), refusal="packed in a way"
    ),
    Nasty("a zip that climbs out", lambda: zip_of(("../../etc/list.csv", LIST)), refusal="points outside it"),
    Nasty("a zip with an absolute path", lambda: zip_of(("/etc/list.csv", LIST)), refusal="points outside it"),
    Nasty("a zip with a Windows path", lambda: zip_of(("C:\\list.csv", LIST)), refusal="points outside it"),
    Nasty(
        "a zip with a name that turns around", lambda: zip_of(("list\u202evsc.exe", LIST)), refusal="points outside it"
    ),
    Nasty("a zip with one name twice", lambda: zip_of(("list.csv", LIST), ("list.csv", b"name")), refusal="same name"),
    Nasty("a zip of 1,001 files", _many_files, refusal="more than 1,000 files"),
    Nasty("a zip with a long table of contents", _long_names, refusal="table of contents of this zip is too large"),
]

UTF16_WORD = "EncryptedPackage".encode("utf-16-le")
OTHERS = [
    Nasty(
        "an old Excel workbook",
        lambda: b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1" + bytes(600),
        refusal="an old Excel workbook (.xls)",
    ),
    Nasty(
        "a workbook with a password",
        lambda: b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1" + bytes(600) + UTF16_WORD,
        refusal="with a password",
    ),
    Nasty("a PDF", lambda: b"%PDF-1.7\n", refusal="This is a PDF"),
    Nasty("a Parquet file", lambda: b"PAR1\x15\x04", refusal="a Parquet file"),
    Nasty(
        "an OpenDocument sheet",
        lambda: zip_of(("mimetype", b"application/vnd.oasis.opendocument.spreadsheet")),
        refusal="OpenDocument",
    ),
    Nasty(
        "a Word document",
        lambda: zip_of(("[Content_Types].xml", b"<a/>"), ("word/document.xml", b"<a/>")),
        refusal="a Word",
    ),
    Nasty(
        "a binary workbook",
        lambda: zip_of(("[Content_Types].xml", b"<a/>"), ("xl/workbook.bin", b"x")),
        refusal=".xlsb",
    ),
    Nasty("a picture", lambda: b"\x89PNG\r\n\x1a\n", refusal="a picture"),
    Nasty("a 7-Zip archive", lambda: b"7z\xbc\xaf\x27\x1c\0\4", refusal="a 7-Zip archive"),
    Nasty("a tar archive", lambda: b"list.csv".ljust(257, b"\0") + b"ustar\0" + bytes(300), refusal="a tar archive"),
    Nasty("a web page called .xls", lambda: b"<html><table><tr><td>Ana</td></tr></table>", refusal="a web page"),
    Nasty("an XML sheet of 2003", lambda: b'\xef\xbb\xbf<?xml version="1.0"?><Workbook/>', refusal="a web page or XML"),
    Nasty("JSON", lambda: b'[{"name": "Ana"}]', refusal="JSON"),
    Nasty("a Windows program", lambda: b"MZ\x90\0\3", refusal="a Windows program"),
    Nasty("random bytes", lambda: bytes(n * n * 7 % 251 for n in range(1, 4_000)), refusal="not text"),
    Nasty("zeros", lambda: bytes(5_000), refusal="not text"),
    Nasty(
        "a text that is a zip, too", lambda: LIST + zip_of(("other.csv", b"name")), refusal="two kinds of file at once"
    ),
    Nasty("a picture that is a zip, too", lambda: b"GIF89a" + zip_of(("list.csv", LIST)), refusal="a picture"),
    Nasty("a PDF that is a zip, too", lambda: b"%PDF-1.7\n" + zip_of(("list.csv", LIST)), refusal="a PDF"),
]
