"""What a reader needs besides the data: instructions, the verifier, and a page that shows and checks the case."""

import json
from collections.abc import Iterator
from hashlib import sha256

from breachdesk.audit.bundle.archive import Member
from breachdesk.audit.bundle.folder import Folder
from breachdesk.audit.canonical import base64url
from breachdesk.audit.verifier import PAGE, SCRIPT

# Beyond this a browser is better served with the file itself.
LARGEST_INSIDE = 30_000_000
PIECE = 1 << 20
OPENS, CLOSES = b'<script type="application/json" id="bundle">', b"</script>"


def add_verifier(folder: Folder) -> None:
    folder.add("bd_verify.py", SCRIPT.read_bytes())


def add_manifest(folder: Folder) -> None:
    """Of every member but itself and the page, which holds it; the page counts as it is without its data."""
    files = {name: base64url(member.sha256) for name, member in folder.members.items()}
    empty_page = sha256(b"".join(_around_the_data())).digest()
    folder.add_object("manifest.json", {"v": 1, "files": files, "index": base64url(empty_page)})


def add_page(folder: Folder) -> None:
    """The last member: with all the others inside it, unless they are too large for a page."""
    before, after = _around_the_data()
    is_inside = sum(member.size for member in folder.members.values()) <= LARGEST_INSIDE
    with folder.open("index.html") as page:
        page.write(before)
        for piece in _block(folder) if is_inside else [b"null"]:
            page.write(piece)
        page.write(after)


def _around_the_data() -> tuple[bytes, bytes]:
    page = PAGE.read_bytes()
    assert page.count(OPENS) == 1, "the page has one place for the bundle's data"
    before, _, rest = page.partition(OPENS)
    _, end, after = rest.partition(CLOSES)
    return before + OPENS, end + after


def _block(folder: Folder) -> Iterator[bytes]:
    """One JSON object of names and texts, in pieces; "<" is escaped, so that no text can end the script element."""
    before = b"{"
    for name in sorted(folder.members):
        yield before + _escaped(name) + b':"'
        yield from _text_of(folder.members[name])
        before = b'",'
    yield b'"}'


def _text_of(member: Member) -> Iterator[bytes]:
    with member.path.open(encoding="utf-8", newline="") as file:
        while piece := file.read(PIECE):
            yield _escaped(piece)[1:-1]


def _escaped(text: str) -> bytes:
    return json.dumps(text).replace("<", "\\u003c").encode()
