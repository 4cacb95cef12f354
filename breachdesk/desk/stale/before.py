"""Before: what the facts of a case said earlier, and what they say now."""

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import date, datetime
from zoneinfo import ZoneInfo

from breachdesk.audit.canonical import time_of
from breachdesk.audit.models import Event
from breachdesk.incidents.mentions import days_in
from breachdesk.incidents.models import Incident, Moment
from breachdesk.incidents.spelled import day_spelled_in
from breachdesk.people.models import Tally

STATING = ("incident.opened", "incident.facts_changed")
"""The events that say which kinds of data were taken."""


@dataclass(frozen=True)
class Stale:
    """One thing that one paper says as it was. `went_out`: an authority has it, or people do."""

    what: str
    url: str
    at: datetime
    question: str
    said: str
    now: str
    went_out: bool


@dataclass(frozen=True)
class Before:
    incident: Incident
    kinds: tuple[tuple[datetime, frozenset[str]], ...]
    """As they were stated, the earliest first."""
    corrected: tuple[Moment, ...]
    standing: dict[str, Moment]
    held: dict[str, int]
    """How many people's rows hold a kind of data."""

    @property
    def kinds_now(self) -> frozenset[str]:
        return frozenset(self.incident.kinds)

    def kinds_at(self, moment: datetime) -> frozenset[str]:
        stated = [kinds for at, kinds in self.kinds if at <= moment]
        return stated[-1] if stated else self.kinds_now

    def old_days_in(self, text: str) -> Iterator[tuple[Moment, str]]:
        """A corrected moment and the words for its day, unless something else happened on that day as well."""
        days_now = {day_of(moment) for moment in self.standing.values() if moment.at}
        mentioned = list(days_in(text))
        for moment in self.corrected:
            if (day := day_of(moment)) not in days_now:
                words = next((one.words for one in mentioned if one.is_on(day)), "") or day_spelled_in(text, day)
                if words:
                    yield moment, words

    def day_now(self, kind: str) -> str:
        moment = self.standing.get(kind)
        return f"{day_of(moment).day} {day_of(moment):%B %Y}" if moment and moment.at else "Not known"


def before_of(incident: Incident) -> Before:
    events = Event.objects.of_incident(incident.pk).of_types(list(STATING)).oldest_first()
    said = (event.content for event in events)
    moments = list(incident.moments.all())
    return Before(
        incident,
        tuple((time_of(one["at"]), frozenset(one["data"]["kinds"])) for one in said if "kinds" in one["data"]),
        tuple(moment for moment in moments if moment.superseded_at and moment.at),
        {moment.kind: moment for moment in moments if moment.superseded_at is None},
        dict(Tally.objects.of(incident).kinds),
    )


def day_of(moment: Moment) -> date:
    assert moment.at is not None
    return moment.at.astimezone(ZoneInfo(moment.zone)).date()
