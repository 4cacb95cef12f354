"""What must hold of every delivery, asked of the database, of the trail and, where there is one, of a relay's log.

I1 to I17 are numbered as in the design of delivery. Everything is read in one snapshot, so it may be asked at any
moment of a send; it changes nothing. `accepted` is a log of what a mail host took (accepted.py): a production without
one is asked all the same, of what the database and the trail say by themselves.
"""

from collections.abc import Collection, Sequence
from dataclasses import dataclass
from uuid import UUID

from django.db import connection, transaction

from notifications.invariants import paced, rows, trail
from notifications.invariants.accepted import Accepted, check_accepted
from notifications.invariants.findings import Finding
from notifications.models import Delivery, Edition

SKEW = 2.0


@dataclass(frozen=True)
class Checked:
    """What was looked at, and each thing that does not hold."""

    editions: int
    deliveries: int
    findings: list[Finding]


def check(
    incident: UUID | None = None,
    *,
    edition: UUID | None = None,
    accepted: Sequence[Accepted] | None = None,
    skew: float = SKEW,
    most_unknown: int | None = None,
    at_rest: bool = False,
    jumps: int = 0,
    misreported: Collection[UUID] = (),
) -> Checked:
    """`skew`: seconds by which clocks may differ. `at_rest`: nobody works any more, so nothing may be left to do.

    `jumps`: how often the database's clock was put ahead. `misreported`: of which a campaign made the provider say that
    it has them, whether it took them or not.
    """
    with transaction.atomic():
        _in_one_snapshot()
        editions = _editions(incident, edition)
        scope = {"incident": incident, "edition": edition}
        findings = rows.check(scope, skew=skew, at_rest=at_rest)
        findings += trail.check(editions, skew=skew)
        findings += paced.check(editions, accepted, jumps=jumps)
        findings += rows.check_unknown(scope, most_unknown)
        if accepted is not None:
            findings += check_accepted(editions, accepted, skew=skew, misreported=misreported)
        deliveries = Delivery.objects.filter(edition__in=editions).count()
    return Checked(len(editions), deliveries, sorted(findings))


def _in_one_snapshot() -> None:
    """Where a transaction is open already (a test's), what it sees is one snapshot enough."""
    if len(connection.savepoint_ids) == 0:
        with connection.cursor() as cursor:
            cursor.execute("SET TRANSACTION ISOLATION LEVEL REPEATABLE READ, READ ONLY")


def _editions(incident: UUID | None, edition: UUID | None) -> list[Edition]:
    found = Edition.objects.with_incident().in_order()
    found = found.of_case(incident) if incident else found
    return list(found.filter(pk=edition) if edition else found)
