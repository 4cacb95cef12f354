"""counts_of(): how many people were thought to be affected, at any moment of a case.

The ledger of the people's page says it, and before its first entry the estimate in the incident's facts.
"""

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime
from functools import cached_property

from breachdesk.audit.canonical import time_of
from breachdesk.audit.models import Event
from breachdesk.people.models import CountEntry
from breachdesk.people.models.counts import Count

ESTIMATING = {"incident.opened", "incident.facts_changed"}  # the events that say what the estimate is


@dataclass(frozen=True)
class Dated:
    at: datetime
    count: Count


class Counts:
    def __init__(self, entries: Iterable[Dated], estimates: Iterable[Dated]) -> None:
        """Both oldest first."""
        self.entries, self.estimates = list(entries), list(estimates)

    @property
    def now(self) -> Count:
        said = self.entries or self.estimates
        return said[-1].count if said else Count(None, None)

    @property
    def estimate(self) -> Dated | None:
        return self.estimates[-1] if self.estimates else None

    def at(self, moment: datetime) -> Count:
        said = _until(self.entries, moment) or _until(self.estimates, moment)
        return said[-1].count if said else Count(None, None)

    @cached_property
    def old_numbers(self) -> set[int]:
        """Every number that was stated once, without those of the count now."""
        said = {number for dated in [*self.entries, *self.estimates] for number in (dated.count.low, dated.count.high)}
        return {number for number in said - {self.now.low, self.now.high} if number is not None}


def _until(said: list[Dated], moment: datetime) -> list[Dated]:
    return [dated for dated in said if dated.at <= moment]


def counts_of(ledger: Iterable[CountEntry], events: Iterable[Event]) -> Counts:
    """What the ledger says, and the events that tell the estimate; both oldest first."""
    return Counts((Dated(entry.stated_at, entry.count) for entry in ledger), _estimates(events))


def _estimates(events: Iterable[Event]) -> list[Dated]:
    """As the trail has them: the incident's row holds the latest alone."""
    found: list[Dated] = []
    low = high = None
    for event in events:
        content = event.content
        data = content["data"]
        low, high = data.get("people_low", low), data.get("people_high", high)
        found.append(Dated(time_of(content["at"]), Count(low, high)))
    return [dated for place, dated in enumerate(found) if not place or dated.count != found[place - 1].count]
