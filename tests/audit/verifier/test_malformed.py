"""Input that is no bundle, or hardly one: always a sentence, never VALID, never a traceback.

The fixture `verify` refuses a report that the last resort of bd_verify.py wrote, so each of these is a known path.
"""

import json
import os
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any
from zlib import crc32

import pytest

from tests.audit.forge import sealed, small_story, whole_story, zipped

Path_ = tuple[str | int, ...]
STORY = small_story().files()
BUNDLE = zipped(STORY)
JUNK = ["null", "-1", "9007199254740992", '""', "[]", "{}", '"x"', "[" * 10_000 + "]" * 10_000]
# Nobody signs what these say, so one value is as good as another of its kind: when the bundle was made, and the
# receipt of a letter, which only the one who got the letter can compare.
FREE = {("anchors.jsonl", "receipt")}


def places(value: Any, path: Path_ = ()) -> Iterator[Path_]:
    """The way to each value inside."""
    for key, inner in value.items() if isinstance(value, dict) else enumerate(value):
        yield (*path, key)
        if isinstance(inner, dict | list):
            yield from places(inner, (*path, key))


def with_junk(text: str, path: Path_, junk: str) -> str:
    """The JSON with the value at one place replaced; the junk may be no JSON at all."""
    value = json.loads(text)
    inner = value
    for key in path[:-1]:
        inner = inner[key]
    inner[path[-1]] = "@JUNK@"
    return json.dumps(value, ensure_ascii=False, sort_keys=True, separators=(",", ":")).replace('"@JUNK@"', junk)


def objects() -> Iterator[tuple[str, str]]:
    """Each canonical text of the bundle: of .jsonl files the first line."""
    for name, content in STORY.items():
        if name.endswith((".json", ".jsonl")) and content:
            yield name, content.decode().split("\n")[0]


WHERE = [(name, path) for name, text in objects() for path in places(json.loads(text))]


@pytest.mark.parametrize(("name", "path"), WHERE, ids=lambda part: str(part))
def test_junk_in_the_place_of_each_value(verify: Callable[..., Any], name: str, path: Path_) -> None:
    before = STORY[name].decode().split("\n")[0]
    for junk in JUNK:
        after = with_junk(before, path, junk)
        if after == before or ((name, path[0]) in FREE and junk in ("null", '""')):
            continue
        content = STORY[name].replace(before.encode(), after.encode(), 1)
        files = STORY | {name: content} if name == "manifest.json" else sealed(STORY | {name: content})
        assert verify(files).verdict in ("INVALID", "INCOMPLETE"), junk


@pytest.mark.parametrize("part", ["entry", "body"])
def test_junk_inside_entries_and_bodies(verify: Callable[..., Any], part: str) -> None:
    first = json.loads(STORY["entries.jsonl"].split(b"\n")[0])
    for path in places(json.loads(first[part])):
        for junk in JUNK:
            line = first | {part: with_junk(first[part], path, junk)}
            if line != first:
                rest = STORY["entries.jsonl"].split(b"\n", 1)[1]
                text = json.dumps(line, ensure_ascii=False, sort_keys=True, separators=(",", ":"))
                assert verify(sealed(STORY | {"entries.jsonl": text.encode() + b"\n" + rest})).verdict == "INVALID"


def test_a_bundle_that_ends_too_early(verify: Callable[..., Any]) -> None:
    bundle = zipped(whole_story().files())
    assert {verify(bundle[:end]).verdict for end in range(0, len(bundle), 100)} == {"INVALID"}


@pytest.mark.parametrize("name", sorted(name for name in STORY if STORY[name]))
def test_each_file_cut_short_and_sealed_again(verify: Callable[..., Any], name: str) -> None:
    ends = range(0, len(STORY[name]), max(1, len(STORY[name]) // 20))
    for end in [*ends, len(STORY[name]) - 1]:
        files = STORY | {name: STORY[name][:end]}
        files = files if name in ("manifest.json", "index.html") else sealed(files)
        if name not in ("README.txt", "bd_verify.py"):
            # A log with nothing in it is not wrong, and an older checkpoint may be left out.
            allowed = {"INVALID", "INCOMPLETE"} | ({"VALID"} if name == "anchors.jsonl" and not end else set())
            assert verify(files).verdict in allowed, end


FILES = {
    "nothing": b"",
    "an empty ZIP": b"PK\x05\x06" + bytes(18),
    "noise": bytes(range(256)) * 40,
    "noise with an end": bytes(100) + b"PK\x05\x06" + bytes(18),
    "many members that are not there": b"PK\x05\x06" + bytes(4) + b"\xff" * 12 + bytes(2),
    "something before": b"x" + BUNDLE,
    "something after": BUNDLE + b"x",
    "a comment": BUNDLE[:-2] + b"\x01\x00x",
    "twice": BUNDLE + BUNDLE,
    "text": b"This is no bundle.\n",
}


@pytest.mark.parametrize("content", FILES.values(), ids=FILES)
def test_what_is_no_bundle(verify: Callable[..., Any], content: bytes) -> None:
    assert verify(content).first_fault().rule == 0


def test_a_check_sum_that_is_wrong_alike_in_both_places(verify: Callable[..., Any]) -> None:
    right = crc32(STORY["README.txt"]).to_bytes(4, "little")
    assert BUNDLE.count(right) == 2
    assert verify(BUNDLE.replace(right, bytes(4))).first_fault().rule == 0


def test_a_member_twice_or_in_another_order(verify: Callable[..., Any]) -> None:
    names = sorted(STORY)
    for order in ([*names, names[-1]], names[::-1], [names[1], names[0], *names[2:]]):
        assert verify(zipped_in(order)).first_fault().rule == 0


def zipped_in(order: list[str]) -> bytes:
    """A ZIP with its members in any order: each is packed alone, and its place in the directory corrected."""
    members = [(name, STORY[name]) for name in order]
    parts = [zipped({name: content}) for name, content in members]
    bodies, directories, offset = [], [], 0
    for part, (name, content) in zip(parts, members, strict=True):
        size = 30 + len(name) + len(content)
        entry = bytearray(part[size:-22])
        entry[42:46] = offset.to_bytes(4, "little")
        bodies.append(part[:size])
        directories.append(bytes(entry))
        offset += size
    directory, count = b"".join(directories), len(members).to_bytes(2, "little")
    end = b"PK\x05\x06" + bytes(4) + count + count + len(directory).to_bytes(4, "little") + offset.to_bytes(4, "little")
    return b"".join(bodies) + directory + end + bytes(2)


# What somebody brought along


@pytest.mark.parametrize("trust", [b"", b"{}", b"x", b'{"v":1}', b"\xff", b"[" * 20_000])
def test_a_trust_file_of_no_use_is_no_verdict_on_the_bundle(verify: Callable[..., Any], trust: bytes) -> None:
    report = verify(STORY, trust=trust)
    assert report.verdict == "INCOMPLETE"
    assert "trust file" in report.missing[0]


@pytest.mark.parametrize("note", [b"", b"x", b"\xff\xff", b"\n\n\n", small_story().note().encode()[:-1]])
def test_a_kept_note_that_is_none(verify: Callable[..., Any], note: bytes) -> None:
    assert verify(STORY, kept=[note]).first_fault().rule == 1


# Folders


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    for name, content in STORY.items():
        file = tmp_path / "unpacked" / name
        file.parent.mkdir(parents=True, exist_ok=True)
        file.write_bytes(content)
    return tmp_path / "unpacked"


def test_an_unpacked_bundle(bd_verify: Any, folder: Path) -> None:
    (folder / ".DS_Store").write_bytes(b"left by a desktop")
    assert bd_verify.verify(str(folder)).verdict == "VALID"
    (folder / "README.txt").write_bytes(b"other")
    assert bd_verify.verify(str(folder)).first_fault().rule == 0


def test_what_does_not_belong_into_a_folder(bd_verify: Any, folder: Path) -> None:
    (folder / "more").mkdir()
    assert bd_verify.verify(str(folder)).first_fault().rule == 0
    (folder / "more").rmdir()
    (folder / "sections" / "x.txt").write_bytes(b"x")
    assert bd_verify.verify(str(folder)).first_fault().rule == 0
    (folder / "sections" / "x.txt").unlink()
    (folder / "README.txt").unlink()
    os.mkfifo(folder / "README.txt")
    assert bd_verify.verify(str(folder)).first_fault().rule == 0


def test_what_cannot_be_read(bd_verify: Any, tmp_path: Path) -> None:
    report = bd_verify.verify(str(tmp_path / "nowhere.zip"))
    assert report.verdict == "INCOMPLETE"
    assert "cannot be read" in report.missing[0]
    assert bd_verify.verify(str(tmp_path)).first_fault().rule == 0
