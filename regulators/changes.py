"""changes_between(): what two versions of a filing say differently, question by question, in the order of the later."""

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any, Literal

from breachdesk.audit.canonical import parse
from regulators.content import content_of
from regulators.models import Filing
from regulators.sheet import Sheet


@dataclass(frozen=True)
class Change:
    """`before` and `after` are the words that stood; empty where the question was not asked or had no answer."""

    key: str
    number: str
    label: str
    kind: Literal["changed", "added", "removed"]
    before: str = ""
    after: str = ""


def changes_between(before: dict[str, Any], after: dict[str, Any]) -> list[Change]:
    """Of two contents as content_of() makes them. A form is the same in all versions of a filing."""
    old, new = _questions(before), _questions(after)
    found = [change for key, question in new.items() if (change := _change(old.get(key), question))]
    gone = [_removed(question) for key, question in old.items() if key not in new and said_in(question)]
    return [*found, *gone]


def changed_since_last(filing: Filing, sheet: Sheet) -> dict[str, Change]:
    """By question: what the version being written says otherwise than the one before it."""
    if filing.previous is None:
        return {}
    changes = changes_between(parse(bytes(filing.previous.content)), content_of(sheet))
    return {change.key: change for change in changes}


def _questions(content: dict[str, Any]) -> dict[str, dict[str, Any]]:
    return {question["key"]: question for question in _every(content)}


def _every(content: dict[str, Any]) -> Iterator[dict[str, Any]]:
    for section in content["sections"]:
        yield from section["questions"]


def _change(old: dict[str, Any] | None, new: dict[str, Any]) -> Change | None:
    before, after = said_in(old) if old else "", said_in(new)
    if before == after:
        return None
    kind: Literal["changed", "added", "removed"] = "changed" if before and after else "added" if after else "removed"
    return Change(new["key"], new["number"], new["label"], kind, before, after)


def _removed(old: dict[str, Any]) -> Change:
    return Change(old["key"], old["number"], old["label"], "removed", said_in(old))


def said_in(question: dict[str, Any]) -> str:
    """The answer in words, a promise of one included."""
    promise = question.get("not_known")
    if not promise:
        return str(question["text"])
    until = f"{promise['said']}, to follow by {promise['promised_on']}"
    return f"{until}. {promise['so_far']}" if promise["so_far"] else until
