"""What a mail provider exports of the messages it took from us: any table of comma-separated values with headings."""

import csv
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from datetime import UTC, datetime
from hashlib import sha256
from uuid import UUID

from notifications.mail_events import Kind
from notifications.provider_events import delivery_in
from notifications.relay_logs import Found, utc
from notifications.verp import Sending

SOURCE = "provider_export"
HEADINGS = {
    "id": ("delivery id", "delivery", "message id", "messageid", "smtp id", "sg message id", "internet message id"),
    "status": ("status", "event", "event type", "eventtype", "delivery status", "last event", "type", "result"),
    "time": ("time", "timestamp", "date", "event time", "last event time", "processed", "sent at", "created at"),
}
# As the providers that Anymail speaks to name them. Opens and clicks are neither asked for nor kept.
KINDS = {
    "accepted queued processed sent send submitted injection out": Kind.ACCEPTED,
    "delivered delivery success ok": Kind.DELIVERED,
    "bounced bounce hardbounce hard_bounce failed failure rejected reject dropped undelivered undeliverable "
    "permanent_fail invalid_email": Kind.BOUNCED,
    "complained complaint spam spamreport spam_complaint": Kind.COMPLAINED,
    "deferred delayed delay softbounce soft_bounce temporary_fail deliverydelay": Kind.DELAYED,
    "autoresponded auto_replied autoresponder": Kind.AUTO_REPLIED,
}
STATUS = {word: kind for words, kind in KINDS.items() for word in words.split()}
NOT_KEPT = {"open", "opened", "opens", "click", "clicked", "clicks", "unsubscribed", "unsubscribe"}


class ListUnreadable(ValueError):
    """The message says what is missing and what to do."""


@dataclass(frozen=True)
class Columns:
    id: int
    status: int
    time: int | None


class ProviderList:
    """`named` are headings chosen by hand, by what they hold: {"id": "X-Message", …}."""

    def __init__(self, named: dict[str, str]) -> None:
        self.named = named
        self.lines = 0
        self.not_understood: dict[str, int] = {}

    def read(self, lines: Iterable[bytes]) -> Iterator[Found]:
        """Raises ListUnreadable: before anything where a heading is missing, and where a line is no line of a table."""
        try:
            yield from self._read(lines)
        except csv.Error as error:
            said = f"Line {self.lines + 2} of this list cannot be read: {error}. What stood before it was taken."
            raise ListUnreadable(said) from error

    def _read(self, lines: Iterable[bytes]) -> Iterator[Found]:
        text = (line.decode("utf-8-sig", "replace") for line in lines)
        first = next(text, "")
        delimiter = max(",;\t|", key=first.count)
        columns = self._columns(next(csv.reader([first], delimiter=delimiter), []))
        for row in csv.reader(text, delimiter=delimiter):
            self.lines += 1
            if len(row) > max(columns.id, columns.status) and (found := self._found(row, columns)):
                yield found

    def _columns(self, headings: list[str]) -> Columns:
        places = {_plain(heading): place for place, heading in reversed(list(enumerate(headings)))}
        found = {what: self._place(what, places) for what in HEADINGS}
        for what in ("id", "status"):
            if found[what] is None:
                raise ListUnreadable(
                    f"No column of this list holds the {'message' if what == 'id' else ''} {what} of a message. "
                    f"It has {', '.join(headings) or 'none'}. Name it: --columns {what}=HEADING.".replace("  ", " ")
                )
        return Columns(found["id"] or 0, found["status"] or 0, found["time"])

    def _place(self, what: str, places: dict[str, int]) -> int | None:
        if what in self.named:
            chosen = _plain(self.named[what])
            if chosen not in places:
                raise ListUnreadable(f"This list has no column “{self.named[what]}”. Nothing was taken from it.")
            return places[chosen]
        return next((places[name] for name in HEADINGS[what] if name in places), None)

    def _found(self, row: list[str], columns: Columns) -> Found | None:
        about = _sending_of(row[columns.id])
        word = row[columns.status].strip().lower().replace(" ", "_").replace("-", "_")
        if about is None or word in NOT_KEPT:
            return None
        kind = STATUS.get(word)
        if kind is None:
            self.not_understood[word[:40]] = self.not_understood.get(word[:40], 0) + 1
            return None
        moment = row[columns.time].strip() if columns.time is not None and len(row) > columns.time else ""
        raw = "\x1f".join(row).encode()
        return Found(about, sha256(raw).hexdigest(), kind, "", _moment(moment), raw)


def _plain(heading: str) -> str:
    return " ".join(heading.strip().lower().replace("_", " ").replace("-", " ").split())


def _sending_of(cell: str) -> Sending | None:
    named = delivery_in(cell)
    if named is None:
        try:
            named = UUID(cell.strip().strip("<>"))
        except ValueError:
            return None
    return Sending(named, None)


def _moment(written: str) -> datetime | None:
    try:
        if written.replace(".", "", 1).isdigit():
            seconds = float(written)
            return datetime.fromtimestamp(seconds / 1000 if seconds > 1e11 else seconds, UTC)
        return utc(datetime.fromisoformat(written.removesuffix(" UTC")))
    except (ValueError, OverflowError, OSError):
        return None
