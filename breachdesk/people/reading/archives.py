"""The list inside its container: the file itself, a gzip, or one member of a zip; unpacked as it is read, never
to disk.

What an archive says of itself is checked first, what it really does while it is read. Only stored and deflated members
are read: the other methods may ask for gigabytes of memory by one number in their head.
"""

import io
import re
import zipfile
import zlib
from typing import Protocol

from django.core.exceptions import ValidationError

from breachdesk.people.reading.limits import LIMITS, RATIO_COUNTS_FROM
from breachdesk.people.reading.signatures import EMPTY_ZIP, HEAD, kind_of, refuse_other_packages
from breachdesk.people.reading.source import Readable

PIECE = 64 * 1024
END_OF_ZIP = 22  # bytes
WORKBOOK = "xl/workbook.xml"
_DAMAGED = "{what} is damaged: {how}. Pack or export it again. Nobody was added."
_LITTER = re.compile(r"(^|/)(__MACOSX/|\.DS_Store$|Thumbs\.db$|desktop\.ini$|\._)")
_LIKELY = re.compile(r"\.(csv|tsv|tab|txt|xlsx|xlsm)$", re.IGNORECASE)
_READ_METHODS = (zipfile.ZIP_STORED, zipfile.ZIP_DEFLATED)


class Content(Protocol):
    """The bytes of the list: from the start each time it is opened."""

    def open(self) -> Readable: ...

    @property
    def bytes_read(self) -> int: ...


class Plain:
    def __init__(self, file: Readable) -> None:
        self._file = file

    def open(self) -> Readable:
        self._file.seek(0)
        return self._file

    @property
    def bytes_read(self) -> int:
        return self._file.tell()


class Gzip(Plain):
    def open(self) -> Readable:
        return _Gunzip(super().open())


class ZipMember(Plain):
    def __init__(self, file: Readable, member: str) -> None:
        super().__init__(file)
        self._archive = open_zip(file)
        self._info = info_of(self._archive, member)

    def open(self) -> Readable:
        return Unzip(self._archive, self._info)


class _Whole(io.RawIOBase):
    """A file as zipfile needs it: read() gives all it was asked for, and nobody's close() closes it."""

    def __init__(self, file: Readable) -> None:
        self._file = file

    def seekable(self) -> bool:
        return True

    def readable(self) -> bool:
        return True

    def seek(self, offset: int, whence: int = 0, /) -> int:
        return self._file.seek(offset, whence)

    def tell(self) -> int:
        return self._file.tell()

    def read(self, size: int = -1, /) -> bytes:
        LIMITS["directory"].check(size)
        return read_fully(self._file, size if size >= 0 else LIMITS["directory"].most)


class _Gunzip:
    """Reads gzip, also several one after the other; checks its sums. Never more than a piece ahead."""

    def __init__(self, file: Readable) -> None:
        self._file = file
        self._unpack = zlib.decompressobj(wbits=31)
        self._packed = b""
        self._in = self._out = 0

    def read(self, size: int = -1, /) -> bytes:
        while True:
            if self._unpack.eof:
                if not self._begin_next():
                    return b""
            elif not self._packed and not self._fetch():
                raise damaged("This gzip", "it ends too early")
            unpacked = self._unpacked(size if size > 0 else PIECE)
            if unpacked:
                return unpacked

    def _unpacked(self, size: int) -> bytes:
        try:
            unpacked = self._unpack.decompress(self._packed, size)
        except zlib.error:
            raise damaged("This gzip", "its content does not fit its checksum") from None
        self._packed = self._unpack.unused_data if self._unpack.eof else self._unpack.unconsumed_tail
        self._out += len(unpacked)
        check_unpacked("This gzip", self._out, self._in)
        return unpacked

    def _fetch(self) -> bool:
        self._packed = self._file.read(PIECE) or b""
        self._in += len(self._packed)
        return bool(self._packed)

    def _begin_next(self) -> bool:
        """Zeros after the end are filling, as the gzip program takes them."""
        while not (rest := self._packed.lstrip(b"\0")):
            if not self._fetch():
                return False
        self._packed, self._unpack = rest, zlib.decompressobj(wbits=31)
        return True

    def seek(self, offset: int, whence: int = 0, /) -> int:
        raise io.UnsupportedOperation

    def tell(self) -> int:
        return self._out


class Unzip:
    """Reads one member; what is damaged in it is said in a sentence."""

    def __init__(self, archive: zipfile.ZipFile, info: zipfile.ZipInfo) -> None:
        self._name = f"“{info.filename}” in this zip"
        check_unpacked(self._name, info.file_size, info.compress_size)
        try:
            self._file = archive.open(info)
        except (zipfile.BadZipFile, NotImplementedError, RuntimeError):
            raise damaged(self._name, "its head does not fit the table of contents") from None

    def read(self, size: int = -1, /) -> bytes:
        try:
            return self._file.read(size if size > 0 else PIECE)
        except EOFError:
            raise damaged(self._name, "it ends too early") from None
        except (zipfile.BadZipFile, zlib.error):
            raise damaged(self._name, "its content does not fit its checksum") from None

    def seek(self, offset: int, whence: int = 0, /) -> int:
        raise io.UnsupportedOperation

    def tell(self) -> int:
        return self._file.tell()


def check_unpacked(what: str, unpacked: int, packed: int) -> None:
    LIMITS["unpacked"].check(unpacked, what=what)
    if unpacked > RATIO_COUNTS_FROM:
        LIMITS["ratio"].check(unpacked // max(packed, 1), what=what)


def open_zip(file: Readable) -> zipfile.ZipFile:
    """Raises ValidationError for a zip that is damaged or holds names that point outside it."""
    try:
        archive = zipfile.ZipFile(_Whole(file))
    except (zipfile.BadZipFile, ValueError, OverflowError, NotImplementedError):
        raise damaged("This zip", "its table of contents cannot be read") from None
    names = [info.filename for info in archive.infolist()]
    LIMITS["members"].check(len(names))
    for name in names:
        _refuse_bad_name(name)
    if len(names) != len(set(names)):
        raise ValidationError(
            "The zip holds two files of the same name. Upload the list itself, or a zip with it alone."
        )
    return archive


def members_of(archive: zipfile.ZipFile) -> list[str]:
    """The files in it, those first that are called as lists are; folders and what systems leave behind are no files."""
    names = [info.filename for info in archive.infolist() if not info.is_dir() and not _LITTER.search(info.filename)]
    if not names:
        raise ValidationError("The zip holds no file. Nobody was added.")
    return sorted(names, key=lambda name: (not _LIKELY.search(name), names.index(name)))


def is_workbook(archive: zipfile.ZipFile) -> bool:
    names = archive.namelist()
    refuse_other_packages(names)
    return WORKBOOK in names


def read_fully(stream: Readable, size: int) -> bytes:
    """As much as that, and less only at the end: a sealed file gives no more than a chunk at once."""
    pieces = []
    while size > 0 and (piece := stream.read(min(size, PIECE))):
        pieces.append(piece)
        size -= len(piece)
    return b"".join(pieces)


def refuse_two_kinds(file: Readable) -> None:
    """A text that ends as a zip does is one list to us, and another one to a program that looks at the end."""
    file.seek(max(file.seek(0, 2) - END_OF_ZIP, 0))
    if read_fully(file, END_OF_ZIP).startswith(EMPTY_ZIP):
        raise ValidationError("This is two kinds of file at once, a text and a zip. Ask the sender for the list alone.")


def inner_workbook(content: Content, what: str) -> io.BytesIO | None:
    """A workbook inside an archive, in memory: it must be read at any place. None when it is a text."""
    kind = kind_of(read_fully(content.open(), HEAD))
    if kind == "text":
        return None
    if kind == "gzip":
        _refuse_nested(what)
    whole, stream = io.BytesIO(), content.open()
    while piece := stream.read(PIECE):
        LIMITS["workbook in an archive"].check(whole.tell() + len(piece), what=what)
        whole.write(piece)
    if not is_workbook(open_zip(whole)):
        _refuse_nested(what)
    return whole


def _refuse_nested(what: str) -> None:
    raise ValidationError(
        f"“{what}” is itself an archive inside this one. Unpack it and upload the list, or a zip with the list alone."
    )


def info_of(archive: zipfile.ZipFile, member: str) -> zipfile.ZipInfo:
    try:
        info = archive.getinfo(member)
    except KeyError:
        raise ValidationError(f"The zip holds no file “{member}”.") from None
    if info.flag_bits & 0x41:
        raise ValidationError("The zip is protected with a password. Unpack it and upload the list itself.")
    if info.compress_type not in _READ_METHODS:
        raise ValidationError(
            f"“{member}” is packed in a way that is not read here. Pack it again as an ordinary zip, or upload it "
            "unpacked."
        )
    return info


def _refuse_bad_name(name: str) -> None:
    parts = name.replace("\\", "/").split("/")
    if name.startswith(("/", "\\")) or ".." in parts or re.match("[A-Za-z]:", name) or not name.isprintable():
        raise ValidationError(
            "The zip holds a name that points outside it or cannot be shown. It was not made by an ordinary program: "
            "ask the sender for the list itself."
        )


def damaged(what: str, how: str) -> ValidationError:
    return ValidationError(_DAMAGED.format(what=what, how=how))
