"""The head of every page of an incident: what it is, how it stands, its clocks and its parts."""

from dataclasses import dataclass, field
from datetime import datetime
from typing import TYPE_CHECKING

from django.urls import reverse

from breachdesk.audit.models import Event
from breachdesk.desk.deadlines import Deadline, deadline_of
from breachdesk.incidents.models import Incident
from breachdesk.people.models import Tally
from notifications.models import Notice
from regulators.models import Filing

if TYPE_CHECKING:
    from breachdesk.accounts.models import User


@dataclass(frozen=True)
class Tab:
    name: str
    label: str
    url: str
    number: str = ""


@dataclass(frozen=True)
class Head:
    incident: Incident
    people: int | None
    deadline: Deadline | None
    tabs: list[Tab] = field(default_factory=list)


def head_of(incident: Incident, user: "User", now: datetime) -> Head:
    """Seven small queries; the people are read from their tally, because 430,000 rows are slow to count."""
    filings = list(Filing.objects.visible_to(user).of(incident).with_versions())
    people = people_loaded(incident)
    return Head(incident, people, deadline_of(incident, user, now), _tabs(incident, user, people, filings))


def people_loaded(incident: Incident) -> int | None:
    """People of the lists that were taken in; None while none was, which is not the same as nobody."""
    tally = Tally.objects.read_once(incident)
    return tally.people if tally.files else None


def _tabs(incident: Incident, user: "User", people: int | None, filings: list[Filing]) -> list[Tab]:
    def tab(name: str, label: str, address: str, number: str = "") -> Tab:
        return Tab(name, label, reverse(address, args=[incident.reference]), number)

    tabs = [tab("overview", "Overview", "incident-detail")]
    if user.has_perm("people.view_counts"):
        tabs.append(tab("people", "People", "people", "" if people is None else f"{people:,}"))
    if user.has_perm("notifications.view_notice"):
        tabs.append(tab("notices", "Notices", "notice-list", some(Notice.objects.of(incident).count())))
    if user.has_perm("regulators.view_filing"):
        tabs.append(tab("duties", "Duties", "duties"))
        submitted = sum(filing.is_reported for filing in filings)
        tabs.append(tab("filings", "Filings", "filing-list", f"{submitted} of {len(filings)}" if filings else ""))
    if user.has_perm("audit.view_trail"):
        tabs.append(tab("trail", "Trail", "incident-trail", f"{Event.objects.of_incident(incident.pk).count():,}"))
    return tabs


def some(number: int) -> str:
    return f"{number:,}" if number else ""
