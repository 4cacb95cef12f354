"""The XML inside a workbook, without the traps of XML: no document types, so no entities, outside or in; no tag without
an end; and only names without their prefixes matter, for programs choose those freely."""

import zipfile
from collections.abc import Iterator
from xml.etree.ElementTree import Element, ParseError
from xml.parsers import expat

from defusedxml import DefusedXmlException
from defusedxml.ElementTree import fromstring
from django.core.exceptions import ValidationError

from breachdesk.people.reading.archives import PIECE, Unzip, damaged, info_of
from breachdesk.people.reading.limits import LIMITS

_TRAP = (
    "“{what}” in this workbook declares entities, which no spreadsheet program writes: this file was made to do harm, "
    "or by a faulty program. Ask the sender for the list as CSV."
)


def small_part(archive: zipfile.ZipFile, name: str) -> Element | None:
    """A part as a tree; None when the workbook has none of that name."""
    if name not in archive.namelist():
        return None
    info = info_of(archive, name)
    LIMITS["workbook part"].check(info.file_size, what=name)
    stream, content = Unzip(archive, info), b""
    while piece := stream.read(PIECE):
        content += piece
    try:
        return fromstring(content, forbid_dtd=True)  # type: ignore[no-any-return]
    except DefusedXmlException:
        raise ValidationError(_TRAP.format(what=name)) from None
    except (ParseError, LookupError, ValueError):
        raise damaged(f"“{name}” in this workbook", "it is not well-formed") from None


def local(name: str) -> str:
    """Without its namespace or prefix."""
    return name.rpartition("}")[2].rpartition(":")[2]


class Streamed:
    """One part read piece by piece. A subclass says in `opened`, `text` and `closed` what it takes from it."""

    def __init__(self, archive: zipfile.ZipFile, name: str) -> None:
        self._name = name
        self._stream = Unzip(archive, info_of(archive, name))
        self._parser = parser = expat.ParserCreate()
        parser.buffer_text = True
        parser.StartDoctypeDeclHandler = parser.EntityDeclHandler = self._trap
        parser.StartElementHandler = self._first
        parser.CharacterDataHandler = self.text

    def opened(self, name: str, attributes: dict[str, str]) -> None: ...
    def text(self, text: str) -> None: ...
    def closed(self, name: str) -> None: ...

    def pieces(self) -> Iterator[None]:
        """Reads on by one piece at each step."""
        fed = 0
        while piece := self._stream.read(PIECE):
            self._parse(piece)
            fed += len(piece)
            LIMITS["tag"].check(fed - max(self._parser.CurrentByteIndex, 0), what=self._name)
            yield
        self._parse(b"", last=True)
        yield

    def _parse(self, piece: bytes, *, last: bool = False) -> None:
        try:
            self._parser.Parse(piece, last)
        except (expat.ExpatError, LookupError, UnicodeError):
            raise damaged(f"“{self._name}” in this workbook", "it is not well-formed") from None

    def _trap(self, *details: object) -> None:
        raise ValidationError(_TRAP.format(what=self._name))

    def _first(self, name: str, attributes: dict[str, str]) -> None:
        """Most programs write no prefixes; then expat calls what takes the names directly."""
        prefixed = ":" in name
        self._parser.StartElementHandler = self._opened_with_prefix if prefixed else self.opened
        self._parser.EndElementHandler = self._closed_with_prefix if prefixed else self.closed

    def _opened_with_prefix(self, name: str, attributes: dict[str, str]) -> None:
        self.opened(local(name), attributes)

    def _closed_with_prefix(self, name: str) -> None:
        self.closed(local(name))
