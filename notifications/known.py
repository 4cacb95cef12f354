"""known_of(): what the case says now and said before, for a text to be compared with. Reads, and keeps nothing."""

from datetime import date, datetime
from functools import lru_cache
from uuid import UUID
from zoneinfo import ZoneInfo

from breachdesk.accounts.models import Organisation
from breachdesk.audit.models import Event
from breachdesk.audit.timeline import Line, describe
from breachdesk.incidents.models import Incident, Moment
from breachdesk.people.counts_then import ESTIMATING, Counts, counts_of
from breachdesk.people.models import CountEntry
from notifications.laws import Laws, laws_of
from notifications.lint.truth import Known, Then
from notifications.models import Edition
from notifications.recipients import last_event
from regulators.catalogue import the_catalogue

CHANGING = ["incident.facts_changed", "moment.corrected", "people.count_stated"]


def known_of(edition: Edition, organisation: Organisation, facts: "Facts") -> Known:
    """With what changed since this text was saved."""
    since = edition.saved_at
    changed = tuple(sentence for at, sentence in facts.changes if since and at > since)
    return Known(
        numbers=facts.numbers,
        old_numbers=facts.old_numbers,
        days=facts.days,
        old_days=facts.old_days,
        names=facts.names | _names_of(organisation),
        old_names=facts.old_names,
        measures=facts.measures,
        authority_told=facts.laws.authority_told,
        changed=changed,
    )


class Facts:
    """One case, read once for as long as nothing happens in it."""

    def __init__(self, incident: Incident) -> None:
        events = list(Event.objects.of_incident(incident.pk).of_types([*ESTIMATING, *CHANGING]).oldest_first())
        counts = counts_of(CountEntry.objects.of(incident).oldest_first(), [e for e in events if e.type in ESTIMATING])
        self.laws: Laws = laws_of(incident)
        self.numbers = {n: "the number of people affected" for n in (counts.now.low, counts.now.high) if n}
        self.old_numbers = _old_numbers(counts)
        self.days, self.old_days = _days(incident)
        lines = describe(events, private=True)
        self.names = _names(incident)
        self.old_names = _old_names(incident, lines)
        self.measures = bool(incident.action_taken.strip())
        self.changes = [(line.at, f"{line.actor} {line.sentence}.") for line in lines if line.event.type in CHANGING]


def facts_of(incident: Incident, *, fresh: bool = False) -> Facts:
    """`fresh` reads everything again; otherwise what this process remembers of the same trail will do."""
    return (
        Facts(Incident.objects.with_moments().get(pk=incident.pk))
        if fresh
        else _remembered(incident.pk, last_event(incident))
    )


@lru_cache(maxsize=16)
def _remembered(incident_id: UUID, _last_event: int) -> Facts:
    return Facts(Incident.objects.with_moments().get(pk=incident_id))


def _old_numbers(counts: Counts) -> dict[int, Then]:
    return {number: Then("the number of people", str(counts.now)) for number in counts.old_numbers}


def _days(incident: Incident) -> tuple[tuple[tuple[date, str, str], ...], tuple[tuple[date, Then], ...]]:
    """Each on the calendar of whoever stated it."""
    standing = incident.standing_moments()
    now = tuple((_on(moment), kind, _called(moment)) for kind, moment in standing.items() if moment.at)
    older = tuple(
        (_on(moment), Then(_called(moment), _now_of(standing.get(moment.kind))))
        for moment in incident.moments.all()
        if moment.superseded_at and moment.at
    )
    return now, older


def _on(moment: Moment) -> datetime:
    assert moment.at is not None
    return moment.at.astimezone(ZoneInfo(moment.zone))


def _called(moment: Moment) -> str:
    called: str = moment.get_kind_display()
    return f"the day of “{called}”"


def _now_of(moment: Moment | None) -> str:
    if moment is None or moment.at is None:
        return "not known"
    return f"{_on(moment).day} {_on(moment):%B %Y}"


def _names(incident: Incident) -> dict[str, str]:
    authorities = the_catalogue().known.supervisors.values()
    names = {name: "an authority of the catalogue" for one in authorities for name in (one.name, one.short_name)}
    names["Information Commissioner’s Office"] = "an authority of the catalogue"
    if incident.processor:
        names[incident.processor] = "the company where it happened"
        first = incident.processor.split()[0]
        names |= {first: "the company where it happened"} if len(first) > 4 else {}
    return names | {incident.reference: "the number of this incident"}


def _names_of(organisation: Organisation) -> dict[str, str]:
    known = {
        organisation.legal_name: "your legal name",
        organisation.short_name: "what people call you",
        organisation.dpo_name: "your data protection officer",
        organisation.hotline: "your telephone number for questions",
    }
    return {name: what for name, what in known.items() if name}


def _old_names(incident: Incident, lines: list[Line]) -> dict[str, Then]:
    """Companies that were named before as the place where it happened: read from what the trail keeps sealed."""
    said = {line.private.get("processor", "") for line in lines} - {"", incident.processor}
    return {name: Then("the company where it happened", incident.processor or "not named") for name in said}
