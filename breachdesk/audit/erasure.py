"""Erasing sealed values for ever, and the list that lets a restored backup erase them again.

What is deleted is the row of audit_private: the salt and the sealed value. The commitment stays in the event, and
without its salt no guess at the value can be tested against it. The database demands the event `privacy.erased` that
names every value first, in the same transaction (migration 0004).

A backup made before an erasure still holds the value. So every erasure is also written to a file of the state folder,
outside the database: ids only, one line each, never rewritten. It is a copy of what the trail says, so whatever a crash
kept from it is added the next time. Restoring a backup reads it and erases again.

A line with a `key` says which of the two keys of that incident was destroyed, "data" or "index"; older lines say none,
and then it was both.
"""

import fcntl
import json
import os
from collections import defaultdict
from collections.abc import Callable, Iterable, Iterator, Sequence
from pathlib import Path
from typing import Any, NamedTuple, Self
from uuid import UUID

from django.conf import settings
from django.db import connection, transaction
from django.db.models import Model, QuerySet
from django.utils.module_loading import autodiscover_modules

from breachdesk.audit.models import Event, PrivateValue
from breachdesk.audit.record import record
from breachdesk.vault.models import DataKey
from breachdesk.vault.sealing import destroy_dead_shares, share_key, shred, shred_index
from breachdesk.vault.shares import DATA, INDEX

LIST = "erasures.jsonl"
ERASED, DESTROYED, INDEX_DESTROYED = "privacy.erased", "key.destroyed", "index_key.destroyed"
GROUNDS = {
    "request": "the person asked for it (Article 17(1) GDPR)",
    "expired": "the time it may be kept is over (Article 5(1)(e) GDPR)",
    "misplaced": "it was typed where it does not belong",
    "order": "a court or an authority ordered it",
}


class ErasureListBroken(Exception):
    """The list cannot be read; the message says where. Nothing was erased."""


class SealedName(NamedTuple):
    """Which value of which event."""

    event: UUID
    field: str

    def __str__(self) -> str:
        return f"{self.event}/{self.field}"

    @classmethod
    def of(cls, text: str) -> Self:
        """Raises ValueError unless it is "<event>/<field>"."""
        event, _, field = text.partition("/")
        if not field:
            raise ValueError(f"{text} does not name a sealed value.")
        return cls(UUID(event), field)


def sealed_names(incident: UUID) -> list[SealedName]:
    """Every value of the incident's events that is still there, in the order of the events."""
    return _names(PrivateValue.objects.filter(event__incident=incident))


def still_there(names: Iterable[SealedName]) -> list[SealedName]:
    wanted = set(names)
    found = _names(PrivateValue.objects.filter(event__event_id__in={name.event for name in wanted}))
    return [name for name in found if name in wanted]


def _names(values: QuerySet[PrivateValue]) -> list[SealedName]:
    pairs: Iterable[Any] = values.order_by("event__id", "field").values_list("event_id", "field")
    return [SealedName(*pair) for pair in pairs]


def delete_sealed(names: Sequence[SealedName]) -> None:
    """All of them or none; the caller has recorded `privacy.erased` in this transaction."""
    with connection.cursor() as cursor:
        cursor.execute("SELECT audit_erase(%s, %s)", [[name.event for name in names], [name.field for name in names]])


# The list outside the database


def list_path() -> Path:
    folder: Path = settings.BREACHDESK.state_dir
    return folder / LIST


def bring_list_up_to_date() -> None:
    """Adds every erasure of the trail that is not in the list yet. Raises OSError when the file cannot be written."""
    events = Event.objects.of_types([ERASED, DESTROYED, INDEX_DESTROYED]).oldest_first()
    if not list_path().exists() and not events.exists():
        return
    descriptor = os.open(list_path(), os.O_RDWR | os.O_CREAT | os.O_APPEND, 0o600)
    with os.fdopen(descriptor, "r+b") as file:
        fcntl.flock(file, fcntl.LOCK_EX)
        content = file.read()
        listed = {line["event"] for line in _lines(list_path(), content)}
        file.truncate(content.rfind(b"\n") + 1)  # a line that a crash cut off
        missing = [_line_of(event) for event in events if str(event.event_id) not in listed]
        if missing:
            file.write(b"".join(json.dumps(line, sort_keys=True).encode() + b"\n" for line in missing))
            file.flush()
            os.fsync(file.fileno())


def _line_of(event: Event) -> dict[str, Any]:
    data = event.content["data"]
    return {
        "event": str(event.event_id),
        "at": event.content["at"],
        "ground": data.get("ground"),
        "erased": data.get("erased", []),
        "key": None if event.type == ERASED else str(event.incident),
        "which": INDEX if event.type == INDEX_DESTROYED else data.get("which"),
    }


def _lines(path: Path, content: bytes) -> Iterator[dict[str, Any]]:
    """A last line that a crash cut off is left out: the trail still has it, and it is added again."""
    for number, text in enumerate(content.splitlines(keepends=True), 1):
        if not text.endswith(b"\n"):
            return
        try:
            line = json.loads(text)
            yield {name: line[name] for name in ("event", "ground", "erased", "key")} | {"which": line.get("which")}
        except (ValueError, KeyError, TypeError) as error:
            raise ErasureListBroken(f"Line {number} of {path} is not one of a list of erasures: {error}.") from None


def read_list(path: Path) -> list[dict[str, Any]]:
    """Raises ErasureListBroken, and OSError when the file cannot be read."""
    return list(_lines(path, path.read_bytes()))


class Replayed(NamedTuple):
    values: int
    keys: int


def replay_erasures(paths: Iterable[Path]) -> Replayed:
    """Erases what the lists name and the database still has, with its event. Running it again adds nothing."""
    lines = [line for path in paths if path.exists() for line in read_list(path)]
    with transaction.atomic():
        values = sum(_erase_again(ground, names) for ground, names in _by_ground(lines).items())
        keys = sum(_destroy_again(*key) for key in destroyed_keys(lines))
    destroy_dead_shares()
    bring_list_up_to_date()
    return Replayed(values, keys)


def _by_ground(lines: Iterable[dict[str, Any]]) -> dict[str, set[SealedName]]:
    grounds: dict[str, set[SealedName]] = defaultdict(set)
    for line in lines:
        if line["erased"]:
            grounds[line["ground"]] |= {SealedName.of(name) for name in line["erased"]}
    return grounds


def _erase_again(ground: str, wanted: set[SealedName]) -> int:
    """One event for each incident: it belongs to the history of that one alone."""
    names = still_there(wanted)
    incidents = dict(
        Event.objects.filter(event_id__in={name.event for name in names}).values_list("event_id", "incident")
    )
    for incident in sorted({incidents[name.event] for name in names}, key=str):
        erase([name for name in names if incidents[name.event] == incident], ground=ground, incident=incident)
    return len(names)


def erase(names: Sequence[SealedName], *, ground: str, incident: UUID | None) -> None:
    """What the product does by itself: repeating an erasure that somebody ordered before."""
    erased = [str(name) for name in names]
    record(ERASED, by=None, incident=incident, count=len(erased), erased=erased, ground=ground)
    delete_sealed(names)


def destroyed_keys(lines: Iterable[dict[str, Any]]) -> list[tuple[UUID, str]]:
    """Each key the lines name, a data key before the index key of its incident."""
    named = {(UUID(line["key"]), which) for line in lines if line["key"] for which in _which(line)}
    return sorted(named, key=lambda key: (str(key[0]), key[1]))


def _which(line: dict[str, Any]) -> tuple[str, ...]:
    return (line["which"],) if line["which"] else (DATA, INDEX)


def _destroy_again(scope: UUID, which: str) -> bool:
    if not (shred(scope) if which == DATA else shred_index(scope)):
        return False
    key = DataKey.objects.get(scope=scope)
    if which == DATA:
        record(DESTROYED, by=None, on=key, also=clear_with_key(scope), incident=scope, which=which)
    else:
        record(INDEX_DESTROYED, by=None, on=key, incident=scope)
    return True


# What stands in the clear and must go all the same

Clearing = Callable[[UUID], Iterable[Model]]
_clearings: list[Clearing] = []


def goes_with_the_key(clearing: Clearing) -> Clearing:
    """For an app's `sealed_parts.py`: overwrites what could name somebody, and gives the rows that it changed."""
    _clearings.append(clearing)
    return clearing


def clear_with_key(scope: UUID) -> list[Model]:
    """In the transaction that destroys a data key, whose event must name these rows."""
    autodiscover_modules("sealed_parts")
    return [row for clear in _clearings for row in clear(scope)]


# Keys from before there were shares


def share_keys() -> int:
    """Every key that lives gets its half outside the database, with its event. Running it again adds nothing."""
    return sum(_share(scope) for scope in DataKey.objects.without_share())


def _share(scope: UUID) -> bool:
    with transaction.atomic():
        key = share_key(scope)
        if key is not None:
            record("key.shared", by=None, on=key, incident=key.incident_id)
    return key is not None
