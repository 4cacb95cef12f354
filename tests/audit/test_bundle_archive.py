"""The ZIP of a bundle: one way to write it, and every other tool can read it."""

from hashlib import sha256
from io import BytesIO
from pathlib import Path
from zipfile import ZIP_STORED, ZipFile
from zlib import crc32

import pytest

from breachdesk.audit.bundle.archive import Member, TooLarge, write_archive
from breachdesk.audit.bundle.folder import Folder, line_of
from breachdesk.audit.canonical import canonical
from tests.audit.forge import zipped

FILES = {
    "entries.jsonl": b"{}\n" * 1000,
    "README.txt": "für Leser\n".encode(),
    "a": b"",
    "sections/incident.json": b"{}",
}


def packed(folder: Path, files: dict[str, bytes] = FILES) -> bytes:
    made = Folder(folder)
    for name, content in files.items():
        made.add(name, content)
    file = BytesIO()
    write_archive(file, list(made.members.values()))
    return file.getvalue()


def test_its_bytes_follow_from_its_members(tmp_path: Path) -> None:
    """The verifiers' tests make the same file by another way."""
    assert packed(tmp_path) == zipped(FILES)


def test_the_order_in_which_members_were_made_does_not_show(tmp_path: Path) -> None:
    (tmp_path / "one").mkdir()
    (tmp_path / "two").mkdir()
    backwards = dict(reversed(FILES.items()))
    assert packed(tmp_path / "one") == packed(tmp_path / "two", backwards)


def test_other_tools_read_it(tmp_path: Path) -> None:
    with ZipFile(BytesIO(packed(tmp_path))) as archive:
        assert archive.testzip() is None
        assert {name: archive.read(name) for name in archive.namelist()} == FILES
        assert archive.namelist() == sorted(FILES)
        for info in archive.infolist():
            assert (info.compress_type, info.date_time, info.flag_bits) == (ZIP_STORED, (1980, 1, 1, 0, 0, 0), 0)
            assert (info.extra, info.comment, info.external_attr, info.create_version) == (b"", b"", 0, 20)


def test_a_member_is_counted_and_hashed_while_it_is_written(tmp_path: Path) -> None:
    folder = Folder(tmp_path)
    with folder.open("entries.jsonl") as member:
        member.line({"n": 1})
        member.line({"n": 2})
        assert member.lines == 2
    content = b'{"n":1}\n{"n":2}\n'
    made = folder.members["entries.jsonl"]
    assert (made.size, made.crc, made.sha256) == (len(content), crc32(content), sha256(content).digest())
    assert made.path.read_bytes() == content


@pytest.mark.parametrize("members", [[2**32 - 1], [2**31, 2**31], [0] * 65_536])
def test_more_than_the_format_holds_is_refused_before_a_byte_is_written(members: list[int]) -> None:
    file = BytesIO()
    many = [Member(f"{n:05}", Path("nowhere"), size, 0, b"") for n, size in enumerate(members)]
    with pytest.raises(TooLarge, match="without --whole"):
        write_archive(file, many)
    assert file.getvalue() == b""


@pytest.mark.parametrize(
    "text", ["plain", 'a "quoted" \\ text', "\b\t\n\f\r\x00\x1f\x7f", "ü € 😀 \u2028", "</script>"]
)
def test_a_line_is_canonical(text: str) -> None:
    value = {"n": 12, "text": text, "body": None, "proof": ["x", text]}
    assert line_of(value) == canonical(value) + b"\n"
