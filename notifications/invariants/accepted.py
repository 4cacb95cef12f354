"""What a mail host took, as its log tells it, beside what we believe.

The log is a text file with one JSON object in a line: `at` (seconds since 1970), `from` and `to` of the envelope, and
`sha256` of the message's bytes without its Date header, in hex. It may say when the envelope came and when the message
was there whole, by a clock that only goes forward (`begun`, `ended`), and for how many seconds the host had stood still
just before (`lag`). A relay in production does not write that; the sink that the fault campaigns send to does, and each
line is on its disk before the message is answered for.
"""

import json
import re
from collections import Counter, defaultdict
from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from hashlib import sha256
from pathlib import Path
from uuid import UUID

from breachdesk.vault.sealing import cipher_for
from notifications.composing import Composer
from notifications.delivery import Claimed
from notifications.editions import skeleton_of, the_organisation
from notifications.freezing import is_as_approved
from notifications.invariants.findings import Finding, found
from notifications.models import Attempt, Delivery, Edition
from notifications.placeholders import ValueRefused

SENDING = re.compile(r"b\+([0-9a-f]{32})-(\d{1,5})-")  # as verp.py writes it; whose code it carries is not asked here
DATE = re.compile(rb"(?m)^Date: [^\r\n]*\r\n")
REPORTED = {"delivered", "bounced", "complained"}
OUT = {"handed_over", *REPORTED}
NOT_OUT = {"planned", "claimed", "retry_wait", "refused", "blocked", "cancelled", "suppressed"}


@dataclass(frozen=True)
class Accepted:
    """One message that a mail host took. `delivery` is None where its return path is none of ours."""

    at: float
    sender: str
    to: str
    sha256: str
    begun: float | None = None
    ended: float | None = None
    lag: float = 0.0

    @property
    def domain(self) -> str:
        return self.to.rpartition("@")[2].lower()

    @property
    def delivery(self) -> UUID | None:
        named = SENDING.match(self.sender)
        return UUID(named[1]) if named else None

    @property
    def generation(self) -> int:
        named = SENDING.match(self.sender)
        return int(named[2]) if named else 0


def read(path: Path) -> list[Accepted]:
    """A last line that was cut off is of a message that nobody answered for."""
    lines = path.read_text().split("\n")
    told = [json.loads(line) for line in lines[:-1] if line]
    moments = [{name: one[name] for name in ("begun", "ended", "lag") if name in one} for one in told]
    return [
        Accepted(float(one["at"]), one["from"], one["to"], one["sha256"], **when)
        for one, when in zip(told, moments, strict=True)
    ]


def digest_of(message: bytes) -> str:
    """Of everything but its Date, which is the one thing in it that depends on when it was made."""
    return sha256(DATE.sub(b"", message, count=1)).hexdigest()


def check_accepted(
    editions: Sequence[Edition], accepted: Sequence[Accepted], *, skew: float, misreported: Collection[UUID]
) -> list[Finding]:
    findings: list[Finding] = []
    by_delivery: dict[UUID, list[Accepted]] = defaultdict(list)
    for one in accepted:
        if one.delivery:
            by_delivery[one.delivery].append(one)
    for edition in editions:
        if edition.started_at:
            findings += _check_edition(edition, by_delivery, skew, misreported)
    return findings


def _check_edition(
    edition: Edition, taken: Mapping[UUID, Sequence[Accepted]], skew: float, misreported: Collection[UUID]
) -> Iterator[Finding]:
    rows = list(Delivery.objects.filter(edition=edition).select_related("person"))
    none = [
        row.pk
        for row in rows
        if row.state in OUT and row.pk not in taken and not (row.state in REPORTED and row.pk in misreported)
    ]
    yield from found(1, "Deliveries whose message was taken more often than people chose", _too_often(rows, taken))
    yield from found(2, "Deliveries that count as handed over and that nobody took", none)
    yield from found(3, "Deliveries whose message was taken before the intent was committed", _early(rows, taken, skew))
    yield from found(4, "Deliveries that count as not sent and whose message was taken", _all_the_same(rows, taken))
    yield from found(
        8, "Deliveries whose message is not the approved one, or went to another address", _others(edition, rows, taken)
    )


def _too_often(rows: Iterable[Delivery], taken: Mapping[UUID, Sequence[Accepted]]) -> Iterator[UUID]:
    """Once for each sending, and for no sending that nobody chose."""
    for row in rows:
        sendings = Counter(one.generation for one in taken.get(row.pk, ()))
        if any(number > 1 or generation > row.generation for generation, number in sendings.items()):
            yield row.pk


def _all_the_same(rows: Iterable[Delivery], taken: Mapping[UUID, Sequence[Accepted]]) -> Iterator[UUID]:
    for row in rows:
        if row.state in NOT_OUT and any(one.generation == row.generation for one in taken.get(row.pk, ())):
            yield row.pk


def _early(rows: Sequence[Delivery], taken: Mapping[UUID, Sequence[Accepted]], skew: float) -> Iterator[UUID]:
    begun = _begun(rows)
    for row in rows:
        if row.pk in taken and begun.get(row.pk, float("inf")) > min(one.at for one in taken[row.pk]) + skew:
            yield row.pk


def _begun(rows: Sequence[Delivery]) -> dict[UUID, float]:
    """When the first intent of each was committed."""
    begun = {row.pk: row.handing_over_at.timestamp() for row in rows if row.handing_over_at}
    tries = Attempt.objects.filter(delivery__in=list(begun), opened_at__isnull=False)
    for delivery, at in tries.values_list("delivery", "opened_at"):
        if at is not None:
            begun[delivery] = min(begun[delivery], at.timestamp())
    return begun


def _others(edition: Edition, rows: Iterable[Delivery], taken: Mapping[UUID, Sequence[Accepted]]) -> Iterator[UUID]:
    """Everybody's message made again, where the edition is still what was approved."""
    organisation = the_organisation()
    root, count = bytes(edition.recipients_root or b""), edition.recipients_count or 0
    if not is_as_approved(edition, organisation, root, count):
        return  # the organisation's page was changed since: what was sent then cannot be made again
    composer = Composer(skeleton_of(edition, organisation), cipher_for(edition.incident_id), edition)
    for row in rows:
        if row.pk in taken and any(one not in _possible(composer, row) for one in map(_shape, taken[row.pk])):
            yield row.pk


def _shape(one: Accepted) -> tuple[str, str]:
    return one.to, one.sha256


def _possible(composer: Composer, row: Delivery) -> set[tuple[str, str]]:
    """To whom and what: at the first address, and at the second where it was tried."""
    return {shape for rung in range(row.rung + 1) for shape in _composed(composer, row, rung)}


def _composed(composer: Composer, row: Delivery, rung: int) -> Iterator[tuple[str, str]]:
    person = row.person
    claimed = Claimed(
        row.pk,
        person.pk,
        bytes(person.sealed),
        bytes(person.row_checksum),
        person.kinds,
        tries=0,
        generation=0,
        rung=rung,
        is_as_frozen=True,
    )
    try:
        letter = composer.compose(claimed)
    except ValueRefused:
        return
    yield letter.envelope[1].decode(), digest_of(letter.message)
