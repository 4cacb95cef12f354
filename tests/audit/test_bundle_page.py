"""index.html of a bundle: all other members inside it, unless they are too much for a page."""

import json
from hashlib import sha256
from pathlib import Path

import pytest

from breachdesk.audit.bundle.folder import Folder
from breachdesk.audit.bundle.reader import LARGEST_INSIDE, OPENS, add_manifest, add_page, add_verifier
from breachdesk.audit.canonical import base64url
from breachdesk.audit.verifier import PAGE, SCRIPT

HOSTILE = "</script><script>alert(1)</script> <!-- ü 😀 \u2028 \\ \" '\r\n"


@pytest.fixture
def folder(tmp_path: Path) -> Folder:
    return Folder(tmp_path)


def inside(folder: Folder) -> str:
    add_page(folder)
    page = folder.members["index.html"].path.read_bytes()
    return page.partition(OPENS)[2].partition(b"</script>")[0].decode()


def test_every_member_is_inside_and_no_text_ends_the_element(folder: Folder) -> None:
    folder.add("entries.jsonl", HOSTILE.encode())
    folder.add("README.txt", b"")
    block = inside(folder)
    assert json.loads(block) == {"README.txt": "", "entries.jsonl": HOSTILE}
    assert "<" not in block
    assert block == json.dumps(json.loads(block), sort_keys=True, separators=(",", ":")).replace("<", "\\u003c")


def test_a_member_longer_than_a_piece_is_put_together_again(folder: Folder) -> None:
    text = "é😀\r\n" * 700_000
    folder.add("entries.jsonl", text.encode())
    assert json.loads(inside(folder)) == {"entries.jsonl": text}


@pytest.mark.parametrize(("size", "is_inside"), [(LARGEST_INSIDE, True), (LARGEST_INSIDE + 1, False)])
def test_beyond_thirty_megabytes_the_page_holds_nothing(size: int, is_inside: bool, folder: Folder) -> None:
    folder.add("entries.jsonl", b"x" * size)
    assert (inside(folder) != "null") is is_inside


def test_the_manifest_names_every_file_and_the_page_without_its_data(folder: Folder) -> None:
    folder.add("README.txt", b"Read me")
    add_verifier(folder)
    add_manifest(folder)
    told = json.loads(folder.members["manifest.json"].path.read_bytes())
    digests = {"README.txt": b"Read me", "bd_verify.py": SCRIPT.read_bytes()}
    assert told["files"] == {name: base64url(sha256(content).digest()) for name, content in digests.items()}
    before, _, rest = PAGE.read_bytes().partition(OPENS)
    empty = before + OPENS + b"</script>" + rest.partition(b"</script>")[2]
    assert told["index"] == base64url(sha256(empty).digest())
