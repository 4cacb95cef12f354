"""Bundles that are right and bundles that are not, each with the verdict and the rule that must be named.

Each case starts from the same told story. A thorough forger is assumed: whatever is changed, manifest and page are made
again to fit, unless it is the file itself that is at fault.
"""

import json
from collections.abc import Callable, Iterable
from dataclasses import dataclass, field
from datetime import timedelta
from typing import Any

from breachdesk.audit.canonical import base64url, canonical
from tests.audit.forge import Forge, sealed, zipped
from tests.audit.forged_log import Written

Files = dict[str, bytes]
ENTRIES, ROWS, OPENED = "entries.jsonl", "deliveries.jsonl", "private.jsonl"
LOYALTY = "Loyalty records copied from a provider"


@dataclass
class Told:
    """A forge whose story is told up to, not including, the export; `marks` are entries a case may want to find."""

    forge: Forge
    edition: str = ""
    author: str = ""
    approver: str = ""
    digest: str = ""
    marks: dict[str, Written] = field(default_factory=dict)

    def step(self, name: str, version: int, by: str | None = None, **data: Any) -> Written:
        private = data.pop("private", None)
        shared = {"language": "en", "revision": 1, **data}
        written = self.forge.append(
            f"edition.{name}",
            incident=self.forge.incident,
            by=by or self.author,
            on=("notifications.edition", self.edition, version),
            data=shared,
            private=private,
        )
        self.marks[name] = written
        return written

    def frozen(self, name: str, version: int, by: str | None = None, **data: Any) -> Written:
        return self.step(name, version, by, **{"recipients": 3, "digest": self.digest, **data})


def told(*, private: bool = True, whole: bool = False, until: str = "") -> Told:
    """`until` names the step of the edition before which the story stops."""
    forge = Forge(private=private, whole=whole)
    story = Told(forge, forge.uuid(), forge.uuid(), forge.uuid(), base64url(forge.chance()))
    forge.make_key()
    story.marks["opened"] = forge.append(
        "incident.opened",
        incident=forge.incident,
        by=story.author,
        on=("incidents.incident", forge.incident, 1),
        data={"reference": forge.reference},
        private={"title": LOYALTY, "what_happened": "Somebody used a stolen session."},
    )
    forge.keep()
    forge.append("heartbeat")
    forge.append("incident.opened", incident=forge.uuid(), data={"reference": "BD-2026-0008"})
    forge.anchor(len(forge.log), None, "mail")
    forge.keep()
    _tell_edition(story, until)
    return story


def _tell_edition(story: Told, until: str) -> None:
    words = {"subject": "Your details were taken", "body": "Dear customer,\n\nsomebody copied your record."}
    steps: list[tuple[str, Callable[[], object]]] = [
        ("created", lambda: story.step("created", 1)),
        ("saved", lambda: story.step("saved", 2, private=words)),
        ("submitted", lambda: story.frozen("submitted", 3)),
        ("approved", lambda: story.frozen("approved", 4, by=story.approver)),
        ("started", lambda: story.frozen("started", 5, epoch=1)),
        ("settled", lambda: settle(story)),
    ]
    for name, tell in steps:
        if name == until:
            return
        tell()


def settle(story: Told, **changes: Any) -> Written:
    forge = story.forge
    rows = [forge.row(), forge.row(), forge.row("refused")]
    story.marks["settled"] = forge.settle(story.edition, rows, **changes)
    return story.marks["settled"]


def exported(story: Told) -> Files:
    story.forge.sections = story.forge.sections or {"incident": {"v": 1, "status": "open"}}
    story.forge.export(by=story.approver)
    return story.forge.files()


def told_with(**changes: Any) -> Told:
    story = told()
    forge = story.forge
    on = ("incidents.incident", forge.incident, 2)
    forge.append("incident.facts_changed", incident=forge.incident, by=story.author, on=on, **changes)
    return story


FIELDS = {"fields": ["kinds"]}


# Changes to files that are made already


def lines_of(files: Files, name: str) -> list[dict[str, Any]]:
    return [json.loads(line) for line in files[name].splitlines()]


def with_lines(files: Files, name: str, lines: Iterable[dict[str, Any]]) -> Files:
    """The file with other lines; bundle.json counts them as they are now."""
    lines = list(lines)
    changed = {**files, name: b"".join(canonical(line) + b"\n" for line in lines)}
    count = {"entries.jsonl": "entries", "deliveries.jsonl": "deliveries"}.get(name)
    return with_about(changed, **{count: len(lines)}) if count else changed


def with_line(files: Files, name: str, i: int, **changes: Any) -> Files:
    lines = lines_of(files, name)
    lines[i] |= changes
    return with_lines(files, name, lines)


def with_about(files: Files, **changes: Any) -> Files:
    return {**files, "bundle.json": canonical(json.loads(files["bundle.json"]) | changes)}


def replaced(files: Files, name: str, old: bytes, new: bytes) -> Files:
    assert old in files[name]
    return {**files, name: files[name].replace(old, new, 1)}


def flipped(text: str, at: int = 5) -> str:
    """Another letter that base64 knows as well."""
    return text[:at] + ("A" if text[at] != "A" else "B") + text[at + 1 :]


def moved(story: Told, seconds: float) -> Any:
    return story.forge.now + timedelta(seconds=seconds)


# The list


@dataclass(frozen=True)
class Case:
    name: str
    verdict: str
    rule: int | None
    make: Callable[[], bytes]


CASES: list[Case] = []


def case(verdict: str, rule: int | None = None) -> Callable[[Callable[[], bytes]], Callable[[], bytes]]:
    """The function gives the bytes of a file somebody hands over."""

    def keep(make: Callable[[], bytes]) -> Callable[[], bytes]:
        CASES.append(Case(make.__name__, verdict, rule, make))
        return make

    return keep


def edited(rule: int, verdict: str = "INVALID") -> Callable[[Callable[[Files], Files]], None]:
    """The function changes the files of a right bundle; manifest and page are made to fit."""

    def keep(change: Callable[[Files], Files]) -> None:
        expected = rule if verdict == "INVALID" else None
        CASES.append(Case(change.__name__, verdict, expected, lambda: zipped(sealed(change(exported(told()))))))

    return keep


def retold(rule: int | None, verdict: str = "INVALID") -> Callable[[Callable[[], Told]], None]:
    """The function tells another story, with right hashes and right signatures."""

    def keep(tell: Callable[[], Told]) -> None:
        CASES.append(Case(tell.__name__, verdict, rule, lambda: zipped(exported(tell()))))

    return keep
