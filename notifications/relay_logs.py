"""What Postfix wrote of our messages in its log: read as a stream, one line after the other, also from rotated .gz.

Postfix speaks of a message by its queue id. Of each, the log is asked for

- `message-id=` (cleanup): which delivery it is. Written before the message is taken, so that alone proves nothing;
- `from=` (qmgr): it was taken. Our return path names delivery and sending; another one means that somebody passed our
  message on, and what became of that says nothing of ours;
- `status=` (smtp, lmtp, local, pipe …): what came of it. *sent* to another queue of the same machine, or to a relay
  that passes it on, is not more than taken.
"""

import gzip
import re
import zlib
from collections.abc import Iterable, Iterator
from contextlib import suppress
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta, tzinfo
from pathlib import Path
from uuid import UUID

from notifications.mail_events import Kind
from notifications.verp import ForgedReturnPath, Sending, read_return_path

SOURCE = "postfix_log"
LINE = re.compile(
    r"^(?P<at>\S{3} [ \d]\d \d\d:\d\d:\d\d|\d{4}-\d\d-\d\dT\S+) \S+ postfix[\w-]*/(?:[\w-]+/)?(?P<part>\w+)\[\d+\]: "
    r"(?P<queue>[0-9A-F]{6,15}|[0-9B-DF-HJ-NP-TV-Zb-df-hj-np-tv-z]{10,20}): (?P<said>.*)$"
)
MESSAGE_ID = re.compile(r"\bmessage-id=<([0-9a-f]{8}(?:-[0-9a-f]{4}){3}-[0-9a-f]{12})@([a-z0-9.-]+)>", re.IGNORECASE)
FROM = re.compile(r"^from=<([^>]*)>")
STATUS = re.compile(r"\bstatus=(\w+)")
ENHANCED = re.compile(r"\bdsn=(\d\.\d{1,3}\.\d{1,3})")
RELAY = re.compile(r"\brelay=([^\s,\[]+)(?:\[([^\]]+)\])?")
KINDS = {"sent": Kind.DELIVERED, "bounced": Kind.BOUNCED, "expired": Kind.BOUNCED, "deferred": Kind.DELAYED}
OWN_MACHINE = {"127.0.0.1", "::1"}
YEARS_TO_A_LEAP_DAY = 8  # around 2100 there are so many between two


@dataclass(frozen=True, slots=True)
class Found:
    """What is said of one message. `about.generation` is known where our return path was written along."""

    about: Sending
    key: str
    kind: Kind
    enhanced: str
    at: datetime | None
    line: bytes


@dataclass(slots=True)
class _Queued:
    named: UUID | None = None
    sending: Sending | None = None
    is_foreign: bool = False


class PostfixLog:
    """Files are read in the order in which they are given, the oldest first, so that a message may span two of them."""

    def __init__(self, zone: tzinfo, domains: Iterable[str], now: datetime, *, passes_on: bool = False) -> None:
        self.zone, self.domains, self.now, self.passes_on = zone, {*domains}, now, passes_on
        self.lines = 0
        self._queued: dict[str, _Queued] = {}

    def read(self, lines: Iterable[bytes]) -> Iterator[Found]:
        for line in lines:
            self.lines += 1
            if b"postfix" in line and (found := LINE.match(line.decode("utf-8", "replace").rstrip("\r\n"))):
                yield from self._read(found, line)

    def _read(self, line: re.Match[str], raw: bytes) -> Iterator[Found]:
        said, queue = line["said"], line["queue"]
        if line["part"] == "cleanup":
            if (found := MESSAGE_ID.search(said)) and found[2].lower() in self.domains:
                self._queued.setdefault(queue, _Queued()).named = UUID(found[1])
        elif said == "removed":
            self._queued.pop(queue, None)
        elif line["part"] == "qmgr" and (sender := FROM.match(said)):
            self._take_sender(queue, sender[1])
            if "status=" not in said:
                yield from self._told(queue, Kind.ACCEPTED, "", line["at"], raw)
            else:  # qmgr gives up what waited for too long: status=expired
                yield from self._status(queue, said, line["at"], raw)
        else:
            yield from self._status(queue, said, line["at"], raw)

    def _take_sender(self, queue: str, address: str) -> None:
        entry = self._queued.setdefault(queue, _Queued())
        try:
            entry.sending = read_return_path(address)
        except ForgedReturnPath:
            entry.sending = None
        entry.is_foreign = entry.sending is None
        if entry.is_foreign and entry.named is None:
            del self._queued[queue]

    def _status(self, queue: str, said: str, at: str, raw: bytes) -> Iterator[Found]:
        status = STATUS.search(said)
        kind = KINDS.get(status[1]) if status else None
        if kind is None:
            return
        if kind is Kind.DELIVERED and (self.passes_on or self._stays_here(said)):
            kind = Kind.ACCEPTED
        enhanced = ENHANCED.search(said)
        yield from self._told(queue, kind, enhanced[1] if enhanced else "", at, raw)

    def _stays_here(self, said: str) -> bool:
        relay = RELAY.search(said)
        return bool(relay and relay[2] in OWN_MACHINE)

    def _told(self, queue: str, kind: Kind, enhanced: str, at: str, raw: bytes) -> Iterator[Found]:
        entry = self._queued.get(queue)
        if entry is None or entry.is_foreign:
            return
        about = entry.sending or (Sending(entry.named, None) if entry.named else None)
        if about:
            yield Found(about, f"{queue}.{about.delivery.hex}.{kind}", kind, enhanced, self._moment(at), raw)

    def _moment(self, written: str) -> datetime | None:
        """The short form names neither year nor zone: the last year in which there is such a day, not in the future."""
        if written[:1].isdigit():
            with suppress(ValueError):
                return datetime.fromisoformat(written)
            return None
        latest = self.now.astimezone(self.zone) + timedelta(days=1)  # the relay's clock may be ahead of ours
        for year in range(latest.year, latest.year - YEARS_TO_A_LEAP_DAY - 1, -1):
            with suppress(ValueError):
                moment = datetime.strptime(f"{year} {written}", "%Y %b %d %H:%M:%S").replace(tzinfo=self.zone)
                if moment < latest:
                    return moment
        return None


def lines_of(path: Path) -> Iterator[bytes]:
    """Also of a file that logrotate compressed. Raises OSError, also where it is no whole gzip."""
    try:
        with gzip.open(path, "rb") if path.suffix == ".gz" else path.open("rb") as file:
            yield from file
    except (EOFError, zlib.error) as error:
        raise OSError(f"it is cut off or damaged ({error})") from error


def utc(moment: datetime | None) -> datetime | None:
    """What names no zone is taken to be UTC."""
    return moment.replace(tzinfo=UTC) if moment and moment.tzinfo is None else moment
