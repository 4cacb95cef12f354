"""worked_out(): the open dates of a case, one for each duty that is owed, or may be, and has a date.

The report to our own authority is among them even while nobody has said where we are established, so that the law's
answer is still missing.

A Countdown is plain data that goes into a row and comes back the same: open_dates.py keeps it, and the desk, the
reminders and the calendars read it there.
"""

from collections.abc import Iterator, Mapping
from dataclasses import asdict, dataclass
from datetime import datetime
from typing import Any

from django.urls import reverse

from breachdesk.incidents.models import Incident
from regulators.catalogue import get_regime, get_supervisor
from regulators.catalogue.rules import Recipient
from regulators.clocks import Due
from regulators.due_dates import HOME, HOME_AUTHORITY, home_due
from regulators.listing import name_of
from regulators.models import Filing
from regulators.obligations import Verdict
from regulators.standing import Duty, Progress, Standing
from regulators.warning_times import Period, period_of
from regulators.workings import said_until, working_of


@dataclass(frozen=True)
class Countdown:
    """`key` is the duty's, and stays. `short` is what its authority is called, where it is known which one that is."""

    key: str
    title: str
    whom: str
    short: str
    law: str
    tells: str
    stage: str
    place: str
    period: Period
    until: str
    """The end in words, in the law's zone."""
    working: tuple[str, ...]
    is_begun: bool
    is_decided: bool
    """It is owed for certain."""
    is_ours: bool
    """Its law reaches us for certain, or it is the report to our own authority."""
    has_form: bool
    filing: str
    filing_state: str
    url: str

    @property
    def at(self) -> datetime:
        return self.period.at

    @property
    def order(self) -> tuple[datetime, bool, bool, str]:
        """Of one moment: our own authority first, then what is certain."""
        return self.at, not self.is_home, not self.is_decided, self.key

    @property
    def is_home(self) -> bool:
        """Under the law of our own authority."""
        return self.key.startswith(f"{HOME}:")

    @property
    def is_report(self) -> bool:
        """The first one to an authority; what follows it is no form of its own."""
        return self.tells == Recipient.AUTHORITY and self.stage == "initial" and bool(self.short or self.place)

    @property
    def what(self) -> str:
        """In a few words, without an article."""
        if self.is_report:
            return f"{self.short} report" if self.short else f"report in {self.place}"
        if self.tells == Recipient.PEOPLE:
            return f"notice to the people{f' in {self.place}' if self.place else ''}"
        return f"{self.title}{f', {self.short or self.place}' if self.short or self.place else ''}"

    @property
    def for_what(self) -> str:
        """Behind “18 hours left”."""
        has_noun = self.is_report or self.tells == Recipient.PEOPLE
        return f"for the {self.what}" if has_noun else f"for this: {self.what}"

    def kept(self) -> dict[str, Any]:
        """As JSON can hold it."""
        period = self.period
        start = period.start.isoformat() if period.start else None
        return asdict(self) | {"period": [period.at.isoformat(), start, period.must_precede]}


def countdown_from(kept: Mapping[str, Any]) -> Countdown:
    at, start, must_precede = kept["period"]
    period = Period(datetime.fromisoformat(at), datetime.fromisoformat(start) if start else None, must_precede)
    return Countdown(**{**kept, "period": period, "working": tuple(kept["working"])})


def worked_out(incident: Incident, standing: Standing) -> list[Countdown]:
    """Nearest first."""
    found = [one for duty in standing.duties if (one := _of_duty(incident, duty))]
    if not any(duty.obligation.regime.id == HOME for duty in standing.duties):
        found += _home(incident)
    return sorted(found, key=lambda one: one.order)


def _of_duty(incident: Incident, duty: Duty) -> Countdown | None:
    one, period = duty.obligation, period_of(duty.due)
    if period is None or not duty.is_open:
        return None
    return Countdown(
        key=duty.key,
        title=one.duty.title,
        whom=duty.whom,
        short=one.supervisor.short_name if one.supervisor else "",
        law=f"{one.regime.name}, {one.duty.article}",
        tells=one.duty.tell,
        stage=one.duty.stage,
        place=name_of(one.place) if one.place else "",
        period=period,
        until=said_until(duty.due),
        working=tuple(working_of(duty.due)),
        is_begun=duty.progress != Progress.OPEN,
        is_decided=one.verdict == Verdict.OWED,
        is_ours=duty.is_ours,
        has_form=bool(one.supervisor and one.supervisor.form),
        **_filing(duty.filing),
        url=reverse("duty", args=[incident.reference, duty.key]),
    )


def _filing(filing: Filing | None) -> dict[str, str]:
    return {"filing": str(filing.pk), "filing_state": filing.state} if filing else {"filing": "", "filing_state": ""}


def _home(incident: Incident) -> Iterator[Countdown]:
    filing = Filing.objects.of(incident).home().first()
    due = home_due(incident)
    period = period_of(due)
    if period is None or incident.our_role == Incident.Role.PROCESSOR:
        return
    if filing is None or not filing.is_reported:
        yield _of_home(incident, filing, due, period)


def _of_home(incident: Incident, filing: Filing | None, due: Due, period: Period) -> Countdown:
    law, whom = get_regime(HOME), get_supervisor(HOME_AUTHORITY)
    return Countdown(
        key=f"{HOME}:authority:{law.places[0]}",
        title=f"Report to {whom.name}",
        whom=whom.name,
        short=whom.short_name,
        law=f"{law.name}, {due.article}",
        tells=Recipient.AUTHORITY,
        stage="initial",
        place=name_of(law.places[0]),
        period=period,
        until=said_until(due),
        working=tuple(working_of(due)),
        is_begun=filing is not None,
        is_decided=False,
        is_ours=True,
        has_form=True,
        **_filing(filing),
        url=reverse("filing-list", args=[incident.reference]),
    )
