"""Whether this database knows everything that was sent: asked before anything is, and again over each new connection.

A file in the state folder, outside the database, holds the number that grows with each start of sending, and which
database it grew in: the cluster (PostgreSQL's system identifier), the database in it (its oid), and the timeline. The
number grows in the database first, then in the file. So a database restored from a backup is behind the file, or is
another one; and after a failover the timeline is another. Then nothing is sent until a person has compared the rows
with what the relay says and lets sending go on (reconciling.py, actions/resuming.py).

Which place it was stands in the database too: so a dump restored on a new machine, and a failover, are noticed without
the file. Without file and with the same place it is a further machine that starts sending. `restore` holds sending
back by itself. What is not noticed: a copy of the cluster's files, byte by byte, that is started again where there is
no file, or that was made after the last start of sending, at most 45 seconds before; and a dump from before the first
message ever, read in by hand where there is no file. A file of another installation says nothing.
"""

import fcntl
import json
import logging
import os
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import asdict, dataclass
from enum import StrEnum
from pathlib import Path

from django.conf import settings
from django.db import OperationalError, connection, transaction
from django.utils import timezone

from breachdesk.audit.alarms import Alarm
from breachdesk.audit.durable import write_durably
from breachdesk.audit.record import record
from notifications.journal import JournalFailed
from notifications.models import SendingEpoch

logger = logging.getLogger(__name__)
HERE = """
SELECT (SELECT system_identifier FROM pg_control_system()) || '/'
    || (SELECT oid FROM pg_database WHERE datname = current_database()) || '/'
    || left(pg_walfile_name(pg_current_wal_insert_lsn()), 8),
    (SELECT min(applied) FROM django_migrations)
"""


class Why(StrEnum):
    OLDER = "older_database"
    OTHER = "other_database"
    FAILOVER = "other_timeline"
    UNREADABLE = "unreadable_file"
    RESTORED = "backup_restored"


WORDS = {
    Why.OLDER: "the database is older than what was sent: a backup was restored",
    Why.OTHER: "this is another database than the one messages were sent from: a backup was restored, or it was moved",
    Why.FAILOVER: "the database failed over to another server, which may lack the last moments",
    Why.RESTORED: "a backup was restored, and what was sent after it was made is not in it",
    Why.UNREADABLE: "the file that remembers from which database was sent cannot be read",
}

REMEDY = "Compare with the relay’s log: manage.py reconcile --postfix FILE --resume --reason …; see docs/operating.md."


class HeldBack(OperationalError):
    """Nothing may be sent over this connection."""


@dataclass(frozen=True)
class Place:
    """Which database this is, and since when the installation exists: a backup keeps the latter, a new one does not."""

    name: str
    installed: str

    def differs_from(self, name: str) -> Why | None:
        if name == self.name:
            return None
        return Why.FAILOVER if name.rpartition("/")[0] == self.name.rpartition("/")[0] else Why.OTHER


@dataclass(frozen=True)
class Mark:
    """What the file remembers."""

    number: int
    place: str
    installed: str


def file_path() -> Path:
    return Path(settings.BREACHDESK.state_dir) / "sending-epoch"


def begin_sending() -> bool:
    """Each worker's start of a drain. False, told in the log and once in the trail: nothing may be sent."""
    with transaction.atomic():
        epoch, here = _locked(), _here()
        why = _why_not(epoch, here)
        if why is None:
            epoch.number, epoch.place = epoch.number + 1, here.name
            epoch.changed_at = timezone.now()
            epoch.save()
        elif epoch.held_at is None:
            _hold(epoch, why)
    if why is not None:
        logger.error("Nothing is sent: %s. Read “After a restore” in docs/operating.md.", WORDS[why])
        return False
    _remember(Mark(epoch.number, here.name, here.installed))
    return True


def hold_after_restore() -> None:
    """Whoever restores by our own command need not wait until a worker finds out. Part of the caller's transaction."""
    epoch = _locked()
    if epoch.held_at is None:
        _hold(epoch, Why.RESTORED)


def demand_same() -> None:
    """Over a connection that is new in the middle of sending. Raises HeldBack where another database answers."""
    epoch = SendingEpoch.objects.filter(pk=1).first() or SendingEpoch(pk=1)
    if why := _why_not(epoch, _here()):
        raise HeldBack(f"Nothing more is sent: {WORDS[why]}.")


def held() -> SendingEpoch | None:
    """While nothing may be sent: since when, and why."""
    return SendingEpoch.objects.filter(pk=1, held_at__isnull=False).first()


def alarm() -> Alarm | None:
    """What every page says of it."""
    epoch = held()
    if epoch is None:
        return None
    return Alarm(f"Nothing is sent: {words_of(epoch)}. Whoever it was sent to might get it twice.", REMEDY)


def words_of(epoch: SendingEpoch) -> str:
    return WORDS[Why(epoch.held_why)]


def let_go(epoch: SendingEpoch) -> int | None:
    """Sending goes on from this database as it is. The number that the file had; call remember_here() after the commit.

    Part of the caller's transaction, which holds `epoch` by locked().
    """
    here, mark = _here(), _readable_mark()
    before = mark.number if mark and mark.installed == here.installed else None
    epoch.number, epoch.place = max(epoch.number, before or 0) + 1, here.name
    epoch.held_at, epoch.held_why, epoch.changed_at = None, "", timezone.now()
    epoch.save()
    return before


def remember_here() -> None:
    here, epoch = _here(), SendingEpoch.objects.get(pk=1)
    _remember(Mark(epoch.number, here.name, here.installed))


def locked() -> tuple[SendingEpoch, Why | None]:
    epoch = _locked()
    return epoch, _why_not(epoch, _here())


def _hold(epoch: SendingEpoch, why: Why) -> None:
    mark = _readable_mark()
    epoch.number += 1
    epoch.held_at = epoch.changed_at = timezone.now()
    epoch.held_why = why
    epoch.save()
    record("sending.held_back", by=None, why=why, number=epoch.number, file_number=mark.number if mark else None)


def _why_not(epoch: SendingEpoch, here: Place) -> Why | None:
    if epoch.held_at is not None:
        return Why(epoch.held_why)
    try:
        mark = _read()
    except ValueError:
        return Why.UNREADABLE
    if mark and mark.installed == here.installed:
        if why := here.differs_from(mark.place):
            return why
        if epoch.number < mark.number:
            return Why.OLDER
    elif mark is None and epoch.number:
        logger.warning("%s is new here: it begins with what the database says.", file_path())
    return here.differs_from(epoch.place) if epoch.number else None


def _locked() -> SendingEpoch:
    now = timezone.now()
    SendingEpoch.objects.bulk_create([SendingEpoch(pk=1, changed_at=now)], ignore_conflicts=True)
    return SendingEpoch.objects.select_for_update().get(pk=1)


def _here() -> Place:
    with connection.cursor() as cursor:
        cursor.execute(HERE)
        name, installed = cursor.fetchone()
    return Place(name, installed.isoformat())


def _read() -> Mark | None:
    """None while nothing was ever sent from here. Raises ValueError for a file that is no mark."""
    try:
        told = json.loads(file_path().read_text())
        return Mark(int(told["number"]), str(told["place"]), str(told["installed"]))
    except FileNotFoundError:
        return None
    except (OSError, KeyError, TypeError) as error:
        raise ValueError(str(error)) from error


def _readable_mark() -> Mark | None:
    try:
        return _read()
    except ValueError:
        return None


def _remember(mark: Mark) -> None:
    """Of several workers that start together, the last number stays."""
    try:
        with _alone():
            known = _readable_mark()
            if known and (known.place, known.installed) == (mark.place, mark.installed) and known.number > mark.number:
                return
            write_durably(file_path(), json.dumps(asdict(mark), indent=1).encode() + b"\n", 0o600)
    except OSError as error:
        raise JournalFailed(f"{file_path()} cannot be written: {error.strerror}.") from error


@contextmanager
def _alone() -> Iterator[None]:
    lock = os.open(file_path().with_suffix(".lock"), os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600)
    try:
        fcntl.flock(lock, fcntl.LOCK_EX)
        yield
    finally:
        os.close(lock)
