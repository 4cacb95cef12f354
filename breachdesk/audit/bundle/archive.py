"""A ZIP whose bytes follow from its members alone, so that a verifier can make every header again and compare.

Of APPNOTE.TXT (sections 4.3.7, 4.3.12, 4.3.16) it uses as little as possible: members are stored, not compressed; they
stand in ascending byte order of their names; there are no folders, comments, extra fields or data descriptors, nothing
before, between or after. Every member is dated 1980-01-01 00:00, the earliest date the format knows.
"""

import shutil
import struct
from collections.abc import Sequence
from pathlib import Path
from typing import BinaryIO, NamedTuple

VERSION = 20
EARLIEST = 0x00210000  # DOS time 0 in the lower half, date 1980-01-01 in the upper
LARGEST = 2**32 - 1
MOST_MEMBERS = 65_535

LOCAL = struct.Struct("<4s3H4I2H")
CENTRAL = struct.Struct("<4s4H4I5H2I")
END = struct.Struct("<4s4H2IH")


class TooLarge(Exception):
    """The format has no room for so much. The message says what to leave out."""


class Member(NamedTuple):
    name: str
    path: Path
    size: int
    crc: int
    sha256: bytes


def write_archive(file: BinaryIO, members: Sequence[Member]) -> None:
    """Raises TooLarge before anything is written that could not be finished."""
    ordered = sorted(members, key=lambda member: member.name.encode("ascii"))
    _refuse_too_much(ordered)
    places = []
    for member in ordered:
        places.append(file.tell())
        file.write(_local(member))
        with member.path.open("rb") as content:
            shutil.copyfileobj(content, file, 1 << 20)
    start = file.tell()
    for member, place in zip(ordered, places, strict=True):
        file.write(_central(member, place))
    file.write(END.pack(b"PK\x05\x06", 0, 0, len(ordered), len(ordered), file.tell() - start, start, 0))


def _refuse_too_much(members: Sequence[Member]) -> None:
    names = sum(len(member.name) for member in members)
    whole = sum(member.size for member in members) + len(members) * (LOCAL.size + CENTRAL.size) + 2 * names + END.size
    if whole > LARGEST or len(members) > MOST_MEMBERS:
        raise TooLarge(
            f"The bundle would have {whole:,} bytes; a file of this format ends at {LARGEST:,}. "
            "Export the case alone, without --whole."
        )


def _local(member: Member) -> bytes:
    name = member.name.encode("ascii")
    sizes = (member.crc, member.size, member.size)
    return LOCAL.pack(b"PK\x03\x04", VERSION, 0, 0, EARLIEST, *sizes, len(name), 0) + name


def _central(member: Member, place: int) -> bytes:
    name = member.name.encode("ascii")
    sizes = (member.crc, member.size, member.size)
    head = CENTRAL.pack(b"PK\x01\x02", VERSION, VERSION, 0, 0, EARLIEST, *sizes, len(name), 0, 0, 0, 0, 0, place)
    return head + name
