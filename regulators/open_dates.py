"""open_dates_of(): the open dates of many cases, kept, and worked out again as soon as anything they rest on changed.

To work out the dates of one case takes a tenth of a second and more: a desk with thirty cases reads them from rows.
Each row says what it was worked out from: the versions of everything standing_of() reads of the case and of the
organisation, and a digest of the catalogue and of the program itself. That is asked for all cases in one query and
compared on every look, so that nobody has to remember to renew a row, and none can be out of date without being seen to
be. Dates depend on no clock: what was worked out stays right until something changes.

How many people were told so far is not among it, because it changes by the second while a notice goes out; the start
and the end of a send are. Beat works every open case out again every five minutes, whatever its row says.

Rows are derived, and guarded by nothing: deleting all of them loses nothing.
"""

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from datetime import datetime
from functools import lru_cache
from hashlib import sha256
from importlib.metadata import version
from itertools import chain
from pathlib import Path
from uuid import UUID

from django.conf import settings
from django.db import connection

from breachdesk.incidents.models import Incident
from regulators.catalogue import the_catalogue
from regulators.countdowns import Countdown, countdown_from, worked_out
from regulators.models import OpenDates
from regulators.standing import Standing, standing_of

AT_ONCE = 5
"""Cases whose old dates one page works out again. After a statement about the organisation that is all of them: a
worker does the others, and until then they are shown as what they are."""

# Versions grow with every change and no row of these tables is ever deleted, so that no change leaves a sum as it was.
# Of filings and notices the texts do not matter, which change with every word somebody types.
_BASES = """
    SELECT incident.id, incident.version, tally.counted_at::text,
        (SELECT sum(version) FROM incidents_moment WHERE incident_id = incident.id),
        (SELECT sum(version) FROM incidents_decision WHERE incident_id = incident.id),
        (SELECT sum(version) FROM regulators_statedfact WHERE incident_id = incident.id),
        (SELECT sum(version) FROM regulators_statedfact WHERE incident_id IS NULL),
        (SELECT sum(version) FROM regulators_dutymet WHERE incident_id = incident.id),
        (SELECT string_agg(concat(filing.id, filing.state, (
                SELECT sum(number) FROM regulators_filingversion WHERE filing_id = filing.id), (
                SELECT sum(receipt.version) FROM regulators_receipt AS receipt
                JOIN regulators_filingversion AS sent ON sent.id = receipt.filing_version_id
                WHERE sent.filing_id = filing.id)), ' ' ORDER BY filing.id)
            FROM regulators_filing AS filing WHERE filing.incident_id = incident.id),
        (SELECT string_agg(concat(edition.id, edition.state, edition.started_at, edition.finished_at), ' '
                ORDER BY edition.id)
            FROM notifications_edition AS edition JOIN notifications_notice AS notice ON notice.id = edition.notice_id
            WHERE notice.incident_id = incident.id)
    FROM incidents_incident AS incident LEFT JOIN people_tally AS tally ON tally.incident_id = incident.id
    WHERE incident.id = ANY (%s)"""


@dataclass(frozen=True)
class End:
    """When a duty ends. `mark` names the authority that wants a report; empty for anybody else who must be told."""

    at: datetime
    mark: str
    is_certain: bool


@dataclass(frozen=True)
class CaseDates:
    """What is open in one case. `is_current` is false only while a worker is still at it."""

    first: Countdown | None
    ends: tuple[End, ...]
    elsewhere: tuple[datetime, ...]
    undated: int
    """Open duties that name no date, or hang on an event that nobody stated."""
    is_current: bool = True


def open_dates_of(incidents: Iterable[Incident], now: datetime) -> dict[UUID, CaseDates]:
    """Two queries for any number of cases of which nothing changed."""
    cases = {incident.pk: incident for incident in incidents}
    bases, kept = _bases_of(cases), OpenDates.objects.by_case(cases.values())
    old = [pk for pk, row in kept.items() if bytes(row.worked_from) != bases[pk]]
    again = [*(pk for pk in cases if pk not in kept), *old[:AT_ONCE]]
    made = {pk: _row(cases[pk], standing_of(cases[pk], now), bases[pk], now) for pk in again}
    OpenDates.objects.keep(made.values())
    late = set(old) - made.keys()
    return {pk: _read(row, is_current=pk not in late) for pk, row in (kept | made).items()}


def countdowns_of(incident: Incident, now: datetime) -> list[Countdown]:
    """Every open date of a case, nearest first."""
    row = OpenDates.objects.whole(incident)
    [basis] = _bases_of([incident.pk]).values()
    if row is None or bytes(row.worked_from) != basis:
        return work_out(incident, now)
    return [countdown_from(kept) for kept in row.dates]


def work_out(incident: Incident, now: datetime) -> list[Countdown]:
    """Afresh, whatever the row says, and kept."""
    [basis] = _bases_of([incident.pk]).values()
    row = _row(incident, standing_of(incident, now), basis, now)
    OpenDates.objects.keep([row])
    return [countdown_from(kept) for kept in row.dates]


def work_out_old(now: datetime) -> int:
    """Of every open case whose dates are not what it says now. Returns how many there were."""
    cases = {incident.pk: incident for incident in Incident.objects.open().with_moments()}
    kept = OpenDates.objects.by_case(cases.values())
    bases = _bases_of(cases)
    old = [one for pk, one in cases.items() if pk not in kept or bytes(kept[pk].worked_from) != bases[pk]]
    for incident in old:
        work_out(incident, now)
    return len(old)


def _row(incident: Incident, standing: Standing, basis: bytes, now: datetime) -> OpenDates:
    """`basis` was read before the standing was: a change in between makes the row old, and never looks current."""
    dates = worked_out(incident, standing)
    ours = [one for one in dates if one.is_ours]
    return OpenDates(
        incident=incident,
        worked_from=basis,
        worked_out_at=now,
        first={**ours[0].kept(), "working": []} if ours else None,
        ends=[[one.at.isoformat(), one.short or one.place if one.is_report else "", one.is_decided] for one in ours],
        elsewhere=[one.at.isoformat() for one in dates if not one.is_ours],
        undated=sum(duty.is_open and duty.is_ours and duty.due.at is None for duty in standing.duties),
        dates=[one.kept() for one in dates],
    )


def _read(row: OpenDates, *, is_current: bool) -> CaseDates:
    return CaseDates(
        countdown_from(row.first) if row.first else None,
        tuple(End(datetime.fromisoformat(at), mark, is_certain) for at, mark, is_certain in row.ends),
        tuple(map(datetime.fromisoformat, row.elsewhere)),
        row.undated,
        is_current,
    )


def _bases_of(incidents: Iterable[UUID]) -> dict[UUID, bytes]:
    """What the dates of each case rest on, as a digest."""
    with connection.cursor() as cursor:
        cursor.execute(_BASES, [list(incidents)])
        rules = _rules(id(the_catalogue()), settings.BREACHDESK.own_rules_dir)
        return {pk: sha256(repr(said).encode() + rules).digest() for pk, *said in cursor.fetchall()}


@lru_cache(maxsize=1)
def _rules(_: int, own: Path | None) -> bytes:
    """A digest of the laws, of the program that reads them, and of the public holidays."""
    made = sha256(version("holidays").encode())
    for path in _files(own):
        made.update(path.read_bytes())
    return made.digest()


def _files(own: Path | None) -> Iterator[Path]:
    here = Path(__file__).parent
    return chain(sorted(here.rglob("*.py")), sorted(here.rglob("*.yaml")), sorted(own.rglob("*.yaml")) if own else ())
