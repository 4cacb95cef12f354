"""The texts that the cells of a workbook share, packed: 4 bytes and its UTF-8 for each, an eighth of a list of strings.

A workbook of 430,000 people holds some three million of them.
"""

import re
import zipfile
from array import array

from breachdesk.people.reading.archives import damaged
from breachdesk.people.reading.limits import LIMITS, LONGEST_CELL
from breachdesk.people.reading.markup import Streamed

PART = "xl/sharedStrings.xml"
_ESCAPED = re.compile("_x([0-9A-Fa-f]{4})_")


class SharedTexts:
    def __init__(self) -> None:
        self._packed, self._ends = bytearray(), array("I", [0])

    def append(self, text: str) -> None:
        self._packed += text.encode("utf-8", "surrogatepass")
        self._ends.append(len(self._packed))
        LIMITS["shared texts"].check(len(self._packed))
        LIMITS["shared text count"].check(len(self._ends) - 1)

    def __getitem__(self, index: int) -> str:
        if not 0 <= index < len(self._ends) - 1:
            raise damaged("This workbook", "a cell points to a text that is not in it")
        return self._packed[self._ends[index] : self._ends[index + 1]].decode("utf-8", "surrogatepass")

    def __len__(self) -> int:
        return len(self._ends) - 1


class _Part(Streamed):
    def __init__(self, archive: zipfile.ZipFile, name: str, texts: SharedTexts) -> None:
        super().__init__(archive, name)
        self._texts = texts
        self._pieces: list[str] = []
        self._length = 0
        self._taking = self._in_reading_aid = False

    def opened(self, name: str, attributes: dict[str, str]) -> None:
        if name == "t":
            self._taking = not self._in_reading_aid
        elif name == "rPh":
            self._in_reading_aid = True

    def text(self, text: str) -> None:
        if self._taking and self._length <= LONGEST_CELL:
            self._pieces.append(text)
            self._length += len(text)

    def closed(self, name: str) -> None:
        if name == "t":
            self._taking = False
        elif name == "si":
            self._texts.append(unescaped("".join(self._pieces)))
            self._pieces.clear()
            self._length = 0
        elif name == "rPh":
            self._in_reading_aid = False


def read_shared_texts(archive: zipfile.ZipFile, name: str, *, up_to: int | None = None) -> SharedTexts:
    """All of them, or those up to an index: the first rows need the first texts as a rule."""
    texts = SharedTexts()
    if name in archive.namelist():
        for _ in _Part(archive, name, texts).pieces():
            if up_to is not None and len(texts) > up_to:
                break
    return texts


def unescaped(text: str) -> str:
    """Excel writes characters that XML cannot hold as _x000D_."""
    if "_x" not in text:
        return text
    return _ESCAPED.sub(lambda match: chr(int(match[1], 16)), text)
