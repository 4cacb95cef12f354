"""What was there before: each typed value of an event beside the last one of the same object and field.

The trail keeps only what was written, so the value before is looked up in the trail as well: nothing else is believed.
"""

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from difflib import SequenceMatcher
from uuid import UUID

from breachdesk.audit.models import Event
from breachdesk.audit.timeline import Line, describe

# Typed about the change, not the changed thing itself: nothing stood there before.
ABOUT_THE_CHANGE = frozenset({"reason", "basis", "detail", "answer", "recipient", "requester", "filename"})
Place = tuple[str, str]  # the object's id and the field


@dataclass(frozen=True)
class Change:
    """A typed value. `pieces` is empty when nothing stood there before: then there is nothing to compare."""

    field: str
    value: str
    pieces: list[tuple[str, str]]


def changes_of(lines: Sequence[Line]) -> dict[UUID, list[Change]]:
    """By event. Opens only the values it compares; an erased one is said to be erased, not compared."""
    earlier = _values_before(lines)
    return {line.event.event_id: list(_changes(line, earlier)) for line in lines}


def _changes(line: Line, earlier: dict[tuple[int, Place], str]) -> Iterator[Change]:
    for field, value in line.private.items():
        before = earlier.get((line.event.pk, (_object_of(line.event), field)))
        pieces = list(compared(before, value)) if before is not None and before != value else []
        yield Change(field, value, pieces)


def _values_before(lines: Sequence[Line]) -> dict[tuple[int, Place], str]:
    wanted = {(line.event.pk, place) for line in lines for place in _places(line)}
    if not wanted:
        return {}
    newest = max(number for number, _ in wanted)
    candidates = Event.objects.typed_before(newest, {line.event.incident for line in lines}, _fields(wanted))
    sources = _last_before(wanted, candidates)
    opened = {line.event.pk: line.private for line in describe(set(sources.values()), private=True)}
    return {key: opened[source.pk][key[1][1]] for key, source in sources.items() if key[1][1] in opened[source.pk]}


def _fields(wanted: Iterable[tuple[int, Place]]) -> set[str]:
    return {field for _, (_, field) in wanted}


def _last_before(wanted: set[tuple[int, Place]], candidates: Iterable[Event]) -> dict[tuple[int, Place], Event]:
    """For each wanted event and place the newest candidate that is older than it and wrote the same place."""
    written: dict[Place, list[Event]] = {}
    for event in candidates:
        for field in event.content["priv"]:
            written.setdefault((_object_of(event), field), []).append(event)
    found = {}
    for number, place in wanted:
        older = [event for event in written.get(place, ()) if event.pk < number]
        if older:
            found[number, place] = max(older, key=lambda event: event.pk)
    return found


def _places(line: Line) -> Iterator[Place]:
    if line.event.content["object"]:
        yield from ((_object_of(line.event), field) for field in line.private if field not in ABOUT_THE_CHANGE)


def _object_of(event: Event) -> str:
    on = event.content["object"]
    return str(on["id"]) if on else ""


def compared(before: str, after: str) -> Iterator[tuple[str, str]]:
    """Line by line: ("same" | "was" | "now", text)."""
    old, new = before.splitlines() or [""], after.splitlines() or [""]
    for step, a, b, c, d in SequenceMatcher(None, old, new, autojunk=False).get_opcodes():
        if step == "equal":
            yield from (("same", text) for text in old[a:b])
            continue
        yield from (("was", text) for text in old[a:b])
        yield from (("now", text) for text in new[c:d])
