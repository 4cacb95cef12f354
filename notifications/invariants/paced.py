"""I16: how fast it went and how much of one domain was out at once, beside the limits that held.

What is asked holds over any span, and so over any minute: in t seconds at most t x limit / 60 messages, and

- a block: what may go at once, half a second's messages and one at least (turns.AT_ONCE), and what may leave half a
  second after its turn (turns.IN_TIME). Together one second's messages, so that over any 60 s at most the limit and one
  block leave; where the limit is below 120 a minute, the limit and one message;
- once more what may go at once, for each time that the database's clock jumped ahead (`jumps`): to the pace an hour has
  passed;
- what the mail host's log was late itself (`lag`).

By a mail host's log each message counts when its envelope came. Without one the intents count; these are committed for
whole windows just before, so that one worker's windows may come in a lump. Limits that a person changed on the way are
told apart by the trail. Of one domain never more than so many are out at once, of messages nobody is in doubt about:
whoever froze with one on its wire loses its place when its lease is over.
"""

import re
from bisect import bisect_right
from collections import defaultdict
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from statistics import median
from typing import Any
from uuid import UUID

from django.conf import settings

from breachdesk.audit.models import Event
from notifications.invariants.accepted import Accepted
from notifications.invariants.findings import Finding
from notifications.models import Attempt, Delivery, Edition
from notifications.turns import AT_ONCE, IN_TIME

EVER = float("-inf")
ROUNDING = 0.001  # of a message: moments are kept to the microsecond
NUMBERS = {
    "per_minute": re.compile(r"(\d+)/min(?!/)"),
    "per_domain": re.compile(r"(\d+)/min/domain"),
    "at_once": re.compile(r"(\d+)_at_once/domain"),
}
Speeds = Sequence[tuple[float, int | None]]  # since when, and how many; None is no limit


@dataclass(frozen=True)
class Arrival:
    """`lag`: for how long before it the log may have stood still."""

    at: float
    lag: float = 0.0


def check(editions: Sequence[Edition], accepted: Sequence[Accepted] | None, *, jumps: int = 0) -> list[Finding]:
    findings: list[Finding] = []
    for edition in editions:
        history = _history(edition)
        if edition.started_at is None or not any(any(limits.values()) for _, limits in history):
            continue
        if accepted is None:
            findings += _too_many(edition, "", _speeds(history, "per_minute"), _intents(edition), jumps, _lump())
        else:
            findings += _check_wire(edition, history, _of(edition, accepted), jumps)
    return findings


def _history(edition: Edition) -> list[tuple[float, Mapping[str, Any]]]:
    """What held since when: as approved, and from each change by a person what the trail says of it."""
    history: list[tuple[float, Mapping[str, Any]]] = [(EVER, {name: edition.schedule.get(name) for name in NUMBERS})]
    changes = Event.objects.of_incident(edition.incident_id).of_type("edition.rate_changed")
    for event in changes.on_objects([str(edition.pk)]).oldest_first():
        history.append((event.at.timestamp(), _read(event.content["data"]["rate"])))
    return history


def _read(code: str) -> dict[str, int | None]:
    """As Rate.code writes it."""
    found = {name: pattern.search(code) for name, pattern in NUMBERS.items()}
    return {name: int(one[1]) if one else None for name, one in found.items()}


def _speeds(history: Iterable[tuple[float, Mapping[str, Any]]], name: str, sooner: float = 0.0) -> Speeds:
    return [(since - sooner, limits[name]) for since, limits in history]


def _check_wire(
    edition: Edition, history: list[tuple[float, Mapping[str, Any]]], taken: Sequence[Accepted], jumps: int
) -> Iterator[Finding]:
    sooner = _clocks_apart(taken)
    yield from _too_many(edition, "", _speeds(history, "per_minute", sooner), _arrivals(taken), jumps)
    by_domain: dict[str, list[Accepted]] = defaultdict(list)
    for one in taken:
        by_domain[one.domain].append(one)
    at_once = [most for _, most in _speeds(history, "at_once")]
    certain = _certain(edition) if any(at_once) else set()
    for domain, ours in sorted(by_domain.items()):
        where = f" to {domain}"
        yield from _too_many(edition, where, _speeds(history, "per_domain", sooner), _arrivals(ours), jumps)
        if None not in at_once:
            yield from _too_wide(edition, where, max(filter(None, at_once)), ours, certain)


def _of(edition: Edition, accepted: Iterable[Accepted]) -> list[Accepted]:
    ids = set(Delivery.objects.filter(edition=edition).values_list("pk", flat=True))
    return [one for one in accepted if one.delivery in ids]


def _clocks_apart(taken: Sequence[Accepted]) -> float:
    """By how much the log's clock that only goes forward is behind that of the trail."""
    apart = [one.at - one.ended for one in taken if one.ended is not None]
    return median(apart) if apart else 0.0


def _arrivals(taken: Iterable[Accepted]) -> list[Arrival]:
    return sorted(
        (Arrival(one.at if one.begun is None else one.begun, one.lag) for one in taken), key=lambda one: one.at
    )


def _intents(edition: Edition) -> list[Arrival]:
    found = Delivery.objects.filter(edition=edition, handing_over_at__isnull=False).order_by("handing_over_at")
    moments = found.values_list("handing_over_at", flat=True)
    return [Arrival(moment.timestamp()) for moment in moments.iterator(chunk_size=20_000) if moment]


def _lump() -> int:
    ours = settings.BREACHDESK
    return ours.smtp_connections * ours.send_window


def _too_many(
    edition: Edition, where: str, speeds: Speeds, arrivals: Sequence[Arrival], jumps: int, lump: int = 0
) -> Iterator[Finding]:
    beyond, when = most_beyond(arrivals, speeds, jumps, lump)
    if beyond > ROUNDING:
        limit, within = speeds[_place(speeds, when)][1], most_within_a_minute([one.at for one in arrivals])
        yield Finding(
            16,
            f"Messages of edition {edition.pk} went out{where} faster than its limit of {limit:,} a minute lets them, "
            f"by {beyond:,.1f} at the worst moment; {within:,} within one minute.",
        )


def most_beyond(arrivals: Sequence[Arrival], speeds: Speeds, jumps: int = 0, lump: int = 0) -> tuple[float, float]:
    """By how many messages at most, and when, more had come than the limits let: a bucket that each takes one from."""
    size = max((room(most, jumps) + lump for _, most in speeds if most), default=0.0)
    level, before, worst, when = size, EVER, 0.0, 0.0
    for one in arrivals:
        level = min(size, level + _let_meanwhile(speeds, before, one.at)) - 1
        before = one.at
        limit = speeds[_place(speeds, one.at)][1]
        if limit is None:
            level = size
        elif (beyond := -level - one.lag * limit / 60) > worst:
            worst, when = beyond, one.at
    return worst, when


def room(most: int, jumps: int = 0) -> float:
    """How many may come at the same moment."""
    return max(1.0, most / 60 * AT_ONCE) * (1 + jumps) + most / 60 * IN_TIME


def _let_meanwhile(speeds: Speeds, begin: float, end: float) -> float:
    """As many as the limits of that time let go; without any, more than enough."""
    if begin == EVER:
        return float("inf")
    let, place = 0.0, _place(speeds, begin)
    while begin < end:
        until = min(end, speeds[place + 1][0]) if place + 1 < len(speeds) else end
        most = speeds[place][1]
        let += (until - begin) * most / 60 if most else float("inf")
        begin, place = until, place + 1
    return let


def _place(speeds: Speeds, at: float) -> int:
    return bisect_right([since for since, _ in speeds], at) - 1


def most_within_a_minute(times: Sequence[float]) -> int:
    """A minute is half open: what is 60 s apart is not in the same one."""
    worst = first = 0
    for last, time in enumerate(times):
        while time - times[first] >= 60.0:
            first += 1
        worst = max(worst, last - first + 1)
    return worst


def _certain(edition: Edition) -> set[UUID]:
    """Whoever was handed over and never in doubt on the way."""
    doubted = Attempt.objects.filter(delivery__edition=edition, outcome="unknown").values("delivery")
    ours = Delivery.objects.filter(edition=edition, code__range=(200, 299)).exclude(pk__in=doubted)
    return set(ours.values_list("pk", flat=True))


def _too_wide(
    edition: Edition, where: str, most: int, taken: Iterable[Accepted], certain: set[UUID]
) -> Iterator[Finding]:
    worst = most_at_once((one.begun, one.ended) for one in taken if one.delivery in certain)
    if worst > most:
        yield Finding(
            16, f"{worst:,} messages of edition {edition.pk}{where} were out at once; its limit is {most:,} at a time."
        )


def most_at_once(spans: Iterable[tuple[float | None, float | None]]) -> int:
    """What ends when another begins is not out together with it."""
    known = [(begun, ended) for begun, ended in spans if begun is not None and ended is not None]
    moments = [moment for begun, ended in known for moment in ((begun, 1), (ended, -1))]
    worst = out = 0
    for _, step in sorted(moments):
        out += step
        worst = max(worst, out)
    return worst
