"""Malformed notes, JSON and proofs (T15 to T17), and what can be wrong with the file itself."""

from base64 import b64encode
from collections.abc import Callable
from typing import Any

from breachdesk.audit.canonical import base64url, canonical
from tests.audit.forge import SMALL_PAGE, Forge, sealed, whole_story
from tests.audit.forged_log import sign_note
from tests.audit.tampering import CASES, Case, Files, Lines, case, edited, forged, other, replaced

# T15: notes

NOTES: dict[str, Callable[[Forge, str], str]] = {
    "unknown key": lambda forge, note: note + forge.note(keys=[forge.new_key()]).split("\n\n")[1],
    "one key twice": lambda forge, note: note + note.split("\n\n")[1],
    "CRLF": lambda forge, note: note.replace("\n", "\r\n"),
    "extra line": lambda forge, note: sign_note(note.split("\n\n")[0] + "\nmore\n", forge.origin, forge.keys),
    "leading zero": lambda forge, note: sign_note(
        note.split("\n\n")[0].replace("\n", "\n0", 1) + "\n", forge.origin, forge.keys
    ),
    "trailing bytes": lambda forge, note: note + "\n",
    "no signature": lambda forge, note: note.split("\n\n")[0] + "\n\n",
    "no line feed at the end": lambda forge, note: note[:-1],
    "another origin": lambda forge, note: sign_note(
        note.split("\n\n")[0].replace("trail", "other", 1) + "\n", forge.origin, forge.keys
    ),
    "another name": lambda forge, note: note.replace("— trail", "— other"),
    "another size": lambda forge, note: sign_note(
        note.split("\n\n")[0].replace("\n", "\n1", 1) + "\n", forge.origin, forge.keys
    ),
    "size 0": lambda forge, note: sign_note(f"{forge.origin}\n0\n{note.split(chr(10))[2]}\n", forge.origin, forge.keys),
    "root too short": lambda forge, note: sign_note(
        f"{forge.origin}\n{len(forge.log)}\n{b64encode(bytes(31)).decode()}\n", forge.origin, forge.keys
    ),
    "root in base64url": lambda forge, note: sign_note(
        f"{forge.origin}\n{len(forge.log)}\n{base64url(forge.root())}=\n".replace("+", "-").replace("/", "_") + "-",
        forge.origin,
        forge.keys,
    ),
    "signature over something else": lambda forge, note: (
        note.split("\n\n")[0] + "\n\n" + forge.note(size=3).split("\n\n")[1]
    ),
    "empty": lambda forge, note: "",
}


def with_note(change: Callable[[Forge, str], str]) -> Files:
    forge = whole_story()
    files = forge.files()
    files["checkpoint.note"] = change(forge, files["checkpoint.note"].decode()).encode()
    return sealed(files)


for _name, _change in NOTES.items():
    CASES.append(Case(f"T15 {_name}", 1, lambda change=_change: with_note(change)))


@case("T15 an older note by an unknown key", 1)
def older_note_unknown() -> Files:
    def change(lines: Lines) -> None:
        forge = whole_story()
        lines[0]["note"] = forge.note(size=sorted(forge.kept)[0], keys=[Forge(seed=9).keys[0]])

    return edited("notes.jsonl", change)


@case("T17 an older note of size 0", 1)
def older_note_of_nothing() -> Files:
    forge = whole_story()
    empty = f"{forge.origin}\n0\n47DEQpj8HBSa+/TImW+5JCeuQeRkm5NMpJWZG3hSuFU=\n"
    note = sign_note(empty, forge.origin, forge.keys)
    return edited("notes.jsonl", lambda lines: lines.insert(0, {"note": note, "proof": []}))


# T16: JSON that means the same, or more than one thing

TWISTS: dict[str, Callable[[bytes], bytes]] = {
    "a key twice": lambda body: body.replace(b'"v":1}', b'"v":1,"v":1}'),
    "a space": lambda body: body.replace(b'"v":1}', b'"v": 1}'),
    "another order": lambda body: body.replace(b',"v":1}', b"}").replace(b"{", b'{"v":1,', 1),
    "an escape": lambda body: body.replace(b'"v":1}', b'"\\u0076":1}'),
    "an unknown key": lambda body: body.replace(b'"v":1}', b'"v":1,"w":1}'),
    "an unknown version": lambda body: body.replace(b'"v":1}', b'"v":2}'),
    "a float": lambda body: body.replace(b'"v":1}', b'"v":1.0}'),
    "a large integer": lambda body: body.replace(b'"v":1}', b'"v":9007199254740992}'),
    "true for one": lambda body: body.replace(b'"v":1}', b'"v":true}'),
    "nothing": lambda body: b"",
    "a list": lambda body: b"[]",
    "nested deeply": lambda body: b"[" * 10_000 + b"]" * 10_000,
}


def twisted(**how: Any) -> Files:
    def story(forge: Forge) -> None:
        forge.append("upload.failed", incident=forge.incident, data={"why": "empty"}, **how)

    return forged(story)


for _name, _twist in TWISTS.items():
    CASES.append(Case(f"T16 body with {_name}, stolen", 4, lambda twist=_twist: twisted(twist=twist)))
    CASES.append(Case(f"T16 entry with {_name}, stolen", 3, lambda twist=_twist: twisted(twist_entry=twist)))

BODIES: dict[str, dict[str, Any]] = {
    "an unknown type": {"type": "edition.sent"},
    "an unknown key in data": {"data": {"why": "empty", "who": "x"}},
    "a key missing in data": {"data": {}},
    "an unknown private key": {"priv": {"who": base64url(bytes(32))}},
    "a commitment too short": {"priv": {"detail": base64url(bytes(31))}},
    "a time that is none": {"at": "2026-13-01T00:00:00.000000Z"},
    "a time in another form": {"at": "2026-11-02T09:00:00Z"},
    "an id that is none": {"id": "1"},
    "an actor without id": {"actor": {"kind": "user", "session": None}},
    "an object with more": {"object": {"id": "1", "kind": "a.b", "sha256": None, "version": 1, "x": 1}},
    "an empty object": {"object": {}},
    "data that is a list": {"data": []},
}
for _name, _body in BODIES.items():
    CASES.append(Case(f"T16 body with {_name}, stolen", 4, lambda body=_body: twisted(body_changes=body)))


@case("T16 an event twice, stolen", 4)
def event_twice() -> Files:
    def story(forge: Forge) -> None:
        event = forge.log[3].event
        forge.append("upload.failed", incident=forge.incident, data={"why": "x"}, body_changes={"id": event})

    return forged(story)


@case("T3 an entry that says another number, stolen", 3)
def another_number() -> Files:
    return twisted(entry_changes={"n": 3})


LINES = {
    "a key twice": ('"n":6,', '"n":6,"n":6,'),
    "a space": ('"n":6,', '"n":6, '),
    "an unknown key": ('"n":6,', '"m":1,"n":6,'),
    "a large integer": ('"n":6,', '"n":9007199254740992,'),
    "a float": ('"n":6,', '"n":6.0,'),
    "a carriage return": ("\n", "\r\n"),
    "an empty line": ("\n", "\n\n"),
}
for _name, (_old, _new) in LINES.items():
    CASES.append(Case(f"T16 line with {_name}", 0, lambda old=_old, new=_new: replaced("entries.jsonl", old, new)))


@case("T16 a value that is not NFC", 0)
def not_nfc() -> Files:
    return replaced("private.jsonl", "Ein", "E\u0301in")


# T17: proofs


def proof_changed(name: str, change: Callable[[list[str]], object], at: int = 4) -> Files:
    return edited(name, lambda lines: change(lines[at]["proof"]))


PROOFS: dict[str, Callable[[list[str]], object]] = {
    "too long": lambda proof: proof.append(proof[-1]),
    "too long by a thousand": lambda proof: proof.extend(proof[-1:] * 1000),
    "too short": lambda proof: proof.pop(),
    "empty": lambda proof: proof.clear(),
    "with another hash": lambda proof: proof.__setitem__(0, other(proof[0])),
    "in another order": lambda proof: proof.reverse(),
}
for _name, _edit in PROOFS.items():
    CASES.append(Case(f"T17 inclusion {_name}", 3, lambda edit=_edit: proof_changed("entries.jsonl", edit)))
    CASES.append(Case(f"T17 consistency {_name}", 2, lambda edit=_edit: proof_changed("notes.jsonl", edit, 0)))


@case("T17 a proof in a whole log", 3)
def proof_in_whole() -> Files:
    return edited("entries.jsonl", lambda lines: lines[3].update(proof=[]), whole=True)


@case("T17 no proof", 3)
def no_proof() -> Files:
    return edited("entries.jsonl", lambda lines: lines[3].update(proof=None))


# Rule 0: the file


def file_story(name: str, content: bytes | None, *, seal: bool = True) -> Files:
    files = whole_story().files()
    if content is None:
        del files[name]
    else:
        files[name] = content
    return sealed(files) if seal else files


FILES: dict[str, Callable[[], Files]] = {
    "a file more": lambda: file_story("notes.txt", b"x"),
    "a file more in sections": lambda: file_story("sections/../x.json", b"{}"),
    "a file missing": lambda: file_story("README.txt", None),
    "a required file missing": lambda: file_story("anchors.jsonl", None),
    "a file not in the manifest": lambda: file_story("sections/more.json", b'{"v":1}', seal=False),
    "a file in the manifest alone": lambda: file_story("sections/notices.json", None, seal=False),
    "a file changed": lambda: file_story("README.txt", b"other", seal=False),
    "an unknown version": lambda: replaced("bundle.json", '"v":1', '"v":2'),
    "an unknown version of a section": lambda: file_story("sections/notices.json", b'{"v":2}'),
    "an unknown key": lambda: replaced("bundle.json", '"v":1', '"v":1,"w":1'),
    "an empty bundle.json": lambda: file_story("bundle.json", b""),
    "a trust file without keys": lambda: file_story("trust.json", canonical(whole_story().trust() | {"keys": []})),
    "a key of small order": lambda: file_story("trust.json", canonical(_with_key(b"\x01" + bytes(31)))),
    "a key that is no point": lambda: file_story("trust.json", canonical(_with_key(b"\x02" + bytes(31)))),
    "a page with other data": lambda: _page(b'{"bundle.json":"{}"}'),
    "a page with one letter of its data changed": lambda: _same_but("index.html", b"Too long", b"Too late"),
    "a file changed, and a page without data": lambda: (
        _same_but("README.txt", b"Run", b"Ran") | {"index.html": SMALL_PAGE}
    ),
    "a page without data": lambda: _page(b""),
    "a page with a space": lambda: _page(b" null"),
    "another page": lambda: whole_story().files() | {"index.html": SMALL_PAGE.replace(b"End", b"Fin")},
    "a page without a place for data": lambda: whole_story().files() | {"index.html": b"<p>Nothing</p>"},
    "private values that bundle.json denies": lambda: replaced("bundle.json", '"private":true', '"private":false'),
    "a count that is wrong": lambda: replaced("bundle.json", '"deliveries":10', '"deliveries":11'),
    "lines that are not UTF-8": lambda: file_story("anchors.jsonl", b"\xff\n"),
    "no line feed at the end": lambda: file_story("anchors.jsonl", b"{}"),
}
for _name, _make in FILES.items():
    CASES.append(Case(f"file: {_name}", 0, _make))


def _with_key(public: bytes) -> dict[str, Any]:
    trust = whole_story().trust()
    trust["keys"].append({"name": trust["origin"], "algorithm": "ed25519", "public": base64url(public)})
    return trust


def _page(block: bytes) -> Files:
    return whole_story().files() | {"index.html": SMALL_PAGE.replace(b"null", block)}


def _same_but(name: str, old: bytes, new: bytes) -> Files:
    files = whole_story().files()
    assert old in files[name]
    return files | {name: files[name].replace(old, new, 1)}
