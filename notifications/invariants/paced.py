"""I16: over any minute no more than the limit, and what may lawfully come in a lump.

Without a mail host's log the intents are counted, which are committed just before. A lump is one second's messages, as
pace.py lets go, and what one worker may have had in hand when it was held up: its windows.
"""

from collections import defaultdict
from collections.abc import Iterable, Sequence
from datetime import datetime

from django.conf import settings

from breachdesk.audit.models import Event
from notifications.invariants.accepted import Accepted
from notifications.invariants.findings import Finding
from notifications.models import Delivery, Edition

MINUTE = 60.0


def check(editions: Sequence[Edition], accepted: Sequence[Accepted] | None) -> list[Finding]:
    findings = []
    for edition in editions:
        most = _limit(edition, "per_minute")
        if most and edition.started_at:
            times = _times(edition) if accepted is None else _of(edition, accepted)
            findings += _too_many(edition, "", most, times)
        most = _limit(edition, "per_domain")
        if most and accepted is not None:
            for domain, times in _by_domain(edition, accepted).items():
                findings += _too_many(edition, f" to {domain}", most, times)
    return findings


def _limit(edition: Edition, name: str) -> int | None:
    """None where there is none, and where it was changed on the way: what held when is not told apart here."""
    changes = Event.objects.of_incident(edition.incident_id).of_type("edition.rate_changed")
    if edition.rate or changes.on_objects([str(edition.pk)]).exists():
        return None
    most = edition.schedule.get(name)
    return most if isinstance(most, int) else None


def _times(edition: Edition) -> list[float]:
    moments = Delivery.objects.filter(edition=edition, handing_over_at__isnull=False).values_list(
        "handing_over_at", flat=True
    )
    return [moment.timestamp() for moment in moments.iterator(chunk_size=20_000) if isinstance(moment, datetime)]


def _of(edition: Edition, accepted: Iterable[Accepted]) -> list[float]:
    ids = set(Delivery.objects.filter(edition=edition).values_list("pk", flat=True))
    return [one.at for one in accepted if one.delivery in ids]


def _by_domain(edition: Edition, accepted: Iterable[Accepted]) -> dict[str, list[float]]:
    ids = set(Delivery.objects.filter(edition=edition).values_list("pk", flat=True))
    times: dict[str, list[float]] = defaultdict(list)
    for one in accepted:
        if one.delivery in ids:
            times[one.to.rpartition("@")[2].lower()].append(one.at)
    return times


def _too_many(edition: Edition, where: str, most: int, times: Iterable[float]) -> list[Finding]:
    """A minute is half open: what is 60 s apart is not in the same one."""
    ours = settings.BREACHDESK
    allowed = most + max(1, most // 60) + ours.smtp_connections * ours.send_window
    worst = most_within_a_minute(sorted(times))
    if worst <= allowed:
        return []
    sentence = f"{worst:,} messages of edition {edition.pk} went out{where} within a minute; its limit is {most:,}."
    return [Finding(16, sentence)]


def most_within_a_minute(times: Sequence[float]) -> int:
    worst = first = 0
    for last, time in enumerate(times):
        while time - times[first] >= MINUTE:
            first += 1
        worst = max(worst, last - first + 1)
    return worst
