"""What somebody could do to a bundle, each with the rule that finds it: T1 to T17 of the design, for both verifiers.

Here is what is done to the log, T1 to T11; tampering_values.py and tampering_form.py have the rest and import this.

`Case.make()` gives the members of the bundle. Most are sealed again, as a thorough forger would: only what cannot be
made anew betrays him. `stolen` in a name says that he had the signing key as well.
"""

import json
from base64 import b64encode
from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import timedelta
from typing import Any

from breachdesk.audit.canonical import base64url, canonical
from tests.audit.forge import LEADER, Forge, sealed, whole_story
from tests.audit.forged_log import sign_note

Files = dict[str, bytes]
Lines = list[dict[str, Any]]


@dataclass(frozen=True)
class Case:
    name: str
    rule: int
    make: Callable[[], Files]
    # Files that the one who checks brought along.
    kept: list[bytes] = field(default_factory=list)
    trust: bytes | None = None


CASES: list[Case] = []


def case(name: str, rule: int, **brought: Any) -> Callable[[Callable[[], Files]], Callable[[], Files]]:
    def register(make: Callable[[], Files]) -> Callable[[], Files]:
        CASES.append(Case(name, rule, make, **brought))
        return make

    return register


def edited(name: str, change: Callable[[Lines], object], *, whole: bool = False, files: Files | None = None) -> Files:
    """The bundle with the lines of one member changed in place, and its counts and digests made to fit."""
    members = dict(files or whole_story(whole=whole).files())
    lines = lines_of(members, name)
    change(lines)
    members[name] = b"".join(canonical(line) + b"\n" for line in lines)
    about = json.loads(members["bundle.json"])
    about |= {key: members[f"{key}.jsonl"].count(b"\n") for key in ("entries", "deliveries")}
    members["bundle.json"] = canonical(about)
    return sealed(members)


def lines_of(members: Files, name: str) -> Lines:
    return [json.loads(line) for line in members[name].splitlines()]


def replaced(name: str, old: str, new: str, *, whole: bool = False) -> Files:
    """The bundle with one text changed once, sealed again."""
    members = whole_story(whole=whole).files()
    assert old.encode() in members[name], old
    members[name] = members[name].replace(old.encode(), new.encode(), 1)
    return sealed(members)


def changed(lines: Lines, at: int, key: str, change: Callable[[str], str]) -> None:
    """One text in one line, which must really change."""
    new = change(lines[at][key])
    assert new != lines[at][key]
    lines[at][key] = new


def other(digest: str) -> str:
    """Another hash or id that looks as good."""
    return ("b" if digest[0] == "a" else "a") + digest[1:]


def forged(story: Callable[[Forge], object], *, whole: bool = False) -> Files:
    """A case that really went this way: true signatures, true proofs."""
    forge = whole_story(whole=whole, export=False)
    story(forge)
    forge.export(by=LEADER)
    return forge.files()


# T1: any stored byte

for _whole in (False, True):
    _where = "whole" if _whole else "part"
    for _key, _rule in (("entry", 3), ("body", 4)):
        CASES.append(
            Case(
                f"T1 {_key} changed, {_where}",
                _rule,
                lambda key=_key, whole=_whole: edited(
                    "entries.jsonl", lambda lines: changed(lines, 4, key, lambda text: text.replace("2026", "2027")),
                    whole=whole,
                ),
            )
        )  # fmt: skip


@case("T1 signature", 1)
def signature() -> Files:
    note = whole_story().files()["checkpoint.note"].decode()
    return replaced("checkpoint.note", note[-12:-8], "AAAA" if note[-12:-8] != "AAAA" else "BBBB")


@case("T1 root of the checkpoint", 1)
def root_of_checkpoint() -> Files:
    root = whole_story().note().split("\n")[2]
    return replaced("checkpoint.note", root, b64encode(bytes(32)).decode())


# T2: entries left out


def own_lines(lines: Lines) -> list[int]:
    return [at for at, line in enumerate(lines) if '"inc_n":null' not in line["entry"]]


def drop(choice: slice) -> Callable[[Lines], None]:
    def change(lines: Lines) -> None:
        for at in reversed(own_lines(lines)[choice]):
            del lines[at]

    return change


DROPS = {"first": slice(0, 1), "middle": slice(9, 10), "last": slice(-1, None), "last five": slice(-5, None)}
for _which, _slice in DROPS.items():
    for _whole in (False, True):
        CASES.append(
            Case(
                f"T2 {_which} deleted, {'whole' if _whole else 'part'}",
                3 if _whole else 5,
                lambda choice=_slice, whole=_whole: edited("entries.jsonl", drop(choice), whole=whole),
            )
        )


# T3: order


@case("T3 neighbours swapped", 3)
def swap() -> Files:
    def change(lines: Lines) -> None:
        lines[6], lines[7] = lines[7], lines[6]

    return edited("entries.jsonl", change)


@case("T3 neighbours swapped, numbered anew", 3)
def swap_and_number() -> Files:
    def change(lines: Lines) -> None:
        first, second = lines[6], lines[7]
        first["entry"], second["entry"] = (
            second["entry"].replace(f'"n":{second["n"]}', f'"n":{first["n"]}'),
            first["entry"].replace(f'"n":{first["n"]}', f'"n":{second["n"]}'),
        )
        first["body"], second["body"] = second["body"], first["body"]

    return edited("entries.jsonl", change)


# T4: a past that was not


@case("T4 forged event put in", 3)
def insert() -> Files:
    def change(lines: Lines) -> None:
        stranger = Forge(seed=8)
        written = stranger.append("heartbeat", data={"log_size": 1})
        entry = written.entry.replace(b'"n":0', b'"n":1').decode()
        lines.insert(1, {"n": 1, "entry": entry, "body": written.body.decode(), "proof": lines[0]["proof"]})

    return edited("entries.jsonl", change)


@case("T4 forged event in the place of another, whole", 3)
def replace_one() -> Files:
    def change(lines: Lines) -> None:
        written = Forge(seed=8).append("heartbeat", data={"log_size": 1})
        lines[1] |= {"entry": written.entry.replace(b'"n":0', b'"n":1').decode(), "body": written.body.decode()}

    return edited("entries.jsonl", change, whole=True)


# T5: times


@case("T5 at changed", 4)
def change_at() -> Files:
    return replaced("entries.jsonl", r"\"at\":\"2026-11-02T09:00:0", r"\"at\":\"2026-11-02T08:00:0")


@case("T5 seq_at changed", 3)
def change_seq_at() -> Files:
    return replaced("entries.jsonl", r"\"seq_at\":\"2026-11-02T09:00:0", r"\"seq_at\":\"2026-11-02T08:00:0")


@case("T5 linking goes back, stolen", 6)
def back_in_time() -> Files:
    def story(forge: Forge) -> None:
        forge.wait(-3600)
        forge.append("heartbeat", data={"log_size": 1})
        forge.append("upload.failed", incident=forge.incident, data={"why": "empty"})

    return forged(story)


@case("T5 an event from the future, stolen", 6)
def from_the_future() -> Files:
    def story(forge: Forge) -> None:
        forge.append(
            "upload.failed", incident=forge.incident, data={"why": "empty"}, at=forge.now + timedelta(seconds=30)
        )

    return forged(story)


# T6, T7: everything made anew


def rewritten() -> Forge:
    """One body in the middle says something else, and everything from there on has fresh hashes."""
    forge = whole_story()
    at = next(row.n for row in forge.log if row.type == "edition.submitted")
    forge.log[at].body = forge.log[at].body.replace(b'"recipients":4', b'"recipients":5')
    times = [json.loads(row.entry)["seq_at"] for row in forge.log]
    forge.relink()
    assert [json.loads(row.entry)["seq_at"] for row in forge.log] == times
    repin(forge)
    return forge


def repin(forge: Forge) -> None:
    """The head that fits the new hashes."""
    head = forge.log.pop()
    content = head.content
    before = forge.log[-1]
    forge.relink()
    content["data"]["inc_leaf"] = base64url(forge.log[-1].leaf)
    assert before.type == "bundle.exported"
    forge.link(content, head.private, {"seq_at": json.loads(head.entry)["seq_at"]})
    forge.kept = {}
    forge.anchors = []


@case("T6 rewritten, old key absent", 1, trust=canonical(whole_story().trust()))
def rewrite_with_another_key() -> Files:
    forge = rewritten()
    forge.all_keys = forge.keys = [forge.new_key()]
    return forge.files()


@case("T7 rewritten, stolen, an older note was kept", 2, kept=[list(whole_story().kept.values())[-1].encode()])
def rewrite_with_the_key() -> Files:
    """The forger left out every older note, and makes one anew of the size that somebody else kept."""
    forge = rewritten()
    forge.keep(list(whole_story().kept)[-1])
    return forge.files()


@case("T7 rewritten, stolen, the older notes left in", 2)
def rewrite_and_leave_notes() -> Files:
    forge = rewritten()
    forge.kept = whole_story().kept
    return forge.files()


@case("T7 rewritten, stolen, the older notes left in with their own proofs", 2)
def rewrite_and_leave_proofs() -> Files:
    """The proofs lead to the roots of the notes, but from a tree that is not the one of the checkpoint."""
    forge = rewritten()
    forge.kept = whole_story().kept
    return sealed(forge.files() | {"notes.jsonl": whole_story().files()["notes.jsonl"]})


# T8, T9: two histories


@case("T8 two notes of one size", 2)
def two_notes() -> Files:
    forge = whole_story()
    files = forge.files()

    def change(lines: Lines) -> None:
        size = sorted(forge.kept)[0]
        text = f"{forge.origin}\n{size}\n{b64encode(forge.chance()).decode()}\n"
        lines.insert(1, {**lines[0], "note": sign_note(text, forge.origin, forge.all_keys[:1])})

    return edited("notes.jsonl", change, files=files)


@case("T8 a kept note of the same size", 2, kept=[rewritten().note().encode()])
def kept_note_of_the_same_size() -> Files:
    return whole_story().files()


@case("T9 truncated and grown again, stolen", 2)
def regrown() -> Files:
    forge = whole_story(export=False)
    kept = dict(forge.kept)
    forge.log = forge.log[: sorted(kept)[0] - 2]
    forge.relink()
    for _ in range(40):
        forge.append("people.searched", incident=forge.incident, by=LEADER, data={"count": 1})
    forge.export(by=LEADER)
    forge.kept = kept
    return forge.files()


# T10, T11: between cases


@case("T10 the last event of the case left out", 5)
def drop_last() -> Files:
    files = edited("entries.jsonl", drop(slice(-1, None)))
    about = json.loads(files["bundle.json"])
    about["head"] -= 1
    files["bundle.json"] = canonical(about)
    return sealed(files)


@case("T10 an event after the head left out", 5)
def drop_after_head() -> Files:
    def story(forge: Forge) -> None:
        forge.head()
        forge.append("incident.facts_changed", incident=forge.incident, by=LEADER, data={"fields": ["kinds"]})

    files = forged(story)
    return edited("entries.jsonl", drop(slice(-3, None)), files=files)


@case("T11 moved to another case", 3)
def move() -> Files:
    incident = whole_story(whole=True).incident
    old, new = (rf"\"incident\":\"{name}\",\"log\"" for name in (incident, other(incident)))
    return replaced("entries.jsonl", old, new, whole=True)


@case("T11 the body is of another case, stolen", 4)
def body_of_another() -> Files:
    def story(forge: Forge) -> None:
        incident = forge.incident
        forge.append(
            "upload.failed",
            incident=incident,
            data={"why": "empty"},
            twist=lambda body: body.replace(incident.encode(), forge.uuid().encode()),
        )

    return forged(story)
