"""What passes between the readers of files and those who ask them: how a file is read, what it seems, its rows."""

from abc import ABC, abstractmethod
from collections.abc import Iterator
from dataclasses import asdict, dataclass, field, fields
from typing import Any, NamedTuple, Protocol


class Readable(Protocol):
    """What is needed of a file: bytes at any place. A SealedReader is one, and so is io.BytesIO."""

    def read(self, size: int = -1, /) -> bytes | None: ...
    def seek(self, offset: int, whence: int = 0, /) -> int: ...
    def tell(self) -> int: ...


@dataclass(frozen=True)
class Source:
    """How the bytes of one file become rows. A workbook inside an archive has container zip or gzip, and a sheet."""

    container: str = "plain"  # plain, gzip, zip or xlsx
    member: str = ""  # of a zip
    sheet: str = ""  # of a workbook; then encoding and delimiter mean nothing
    encoding: str = "utf-8"  # a key of ENCODINGS
    delimiter: str = ","
    header_row: int = 1  # the row that names the columns; 0 when none does

    def as_json(self) -> dict[str, Any]:
        return asdict(self)

    @classmethod
    def from_json(cls, value: dict[str, Any]) -> "Source":
        return cls(**{each.name: value[each.name] for each in fields(cls) if each.name in value})


class Record(NamedTuple):
    """One row. `number` is what a spreadsheet program shows beside it: blank rows count, though they are no records."""

    number: int
    fields: list[str]
    problem: str = ""  # unreadable, encoding or row_too_long: a key of REASONS


@dataclass(frozen=True)
class Inspection:
    """What a file seems to be, told from its beginning; the user confirms it on `sample`, which holds real rows."""

    source: Source
    encodings: list[str]  # plausible, the likeliest first; empty for a workbook
    delimiters: list[str]
    members: list[str]
    sheets: list[str]
    headings: list[str]
    sample: list[Record]
    certain: bool  # nothing had to be guessed
    notes: list[str] = field(default_factory=list)  # sentences about what the user should look at


class Table(ABC):
    """One file opened as rows. `headings` are distinct and never blank: “Email (2)”, “Column 7”."""

    headings: list[str]

    @abstractmethod
    def records(self) -> Iterator[Record]:
        """The rows after the heading, from the first each time. Raises ValidationError when the file as a whole turns
        out not to be what it seemed; then none of it counts."""

    @property
    @abstractmethod
    def bytes_read(self) -> int:
        """How far the reading has come, in bytes of the file as it was uploaded."""
