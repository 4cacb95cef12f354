"""The breach register (GDPR Article 33(5)): every incident with its effects, what was done, what was decided and why.

A near miss stands in it as a breach does. A page and its exports read the same rows.
"""

import csv
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from datetime import datetime, timedelta
from enum import StrEnum
from io import StringIO
from typing import TYPE_CHECKING
from uuid import UUID

from breachdesk.incidents.models import Decision, Incident
from breachdesk.people.exports import defused
from breachdesk.people.models import Tally
from notifications.models import Edition
from regulators.models import Filing

if TYPE_CHECKING:
    from breachdesk.accounts.models import User

ALLOWED = timedelta(hours=72)  # Article 33(1); other laws' clocks stand on the page of each case


class Reported(StrEnum):
    YES = "yes"
    DECIDED = "decided"
    NO = "no"
    UNDECIDED = "undecided"


LABELS = {
    Reported.YES: "Reported",
    Reported.DECIDED: "To be reported",
    Reported.NO: "Not reported",
    Reported.UNDECIDED: "Undecided",
}


@dataclass(frozen=True)
class Report:
    """One authority that was told, and when."""

    to: str
    at: datetime


@dataclass(frozen=True)
class Row:
    incident: Incident
    people: str
    authority: Decision | None
    people_decision: Decision | None
    reports: tuple[Report, ...]
    people_told_at: datetime | None

    @property
    def reported(self) -> Reported:
        if self.reports:
            return Reported.YES
        if self.authority is None:
            return Reported.UNDECIDED
        return Reported.DECIDED if self.authority.tell else Reported.NO

    @property
    def label(self) -> str:
        return LABELS[self.reported]

    @property
    def is_in_time(self) -> bool | None:
        """Whether the first report came within 72 hours of awareness; None without one."""
        return self.reports[0].at <= self.incident.aware_at + ALLOWED if self.reports else None

    @property
    def reason(self) -> str:
        """Of the decision about the authority, as it stands."""
        return self.authority.reason if self.authority else ""


@dataclass(frozen=True)
class Register:
    rows: tuple[Row, ...]

    @property
    def reported(self) -> list[Row]:
        return self._with(Reported.YES)

    @property
    def in_time(self) -> int:
        return sum(bool(row.is_in_time) for row in self.rows)

    @property
    def not_reported(self) -> list[Row]:
        return self._with(Reported.NO)

    @property
    def undecided(self) -> list[Row]:
        return [row for row in self.rows if row.reported in (Reported.UNDECIDED, Reported.DECIDED)]

    def _with(self, reported: Reported) -> list[Row]:
        return [row for row in self.rows if row.reported == reported]


def years_of(user: "User") -> list[int]:
    """In which we became aware of something, the latest first."""
    return Incident.objects.visible_to(user).years_of_awareness()


def register_of(
    user: "User", *, year: int | None = None, reported: str = "", origin: str = "", words: str = ""
) -> Register:
    """Newest awareness first; five queries, however many incidents there are."""
    found = Incident.objects.visible_to(user).aware_in(year).matching(origin=origin).telling(words).with_moments()
    rows = _rows(list(found), user)
    kept = (row for row in rows if not reported or row.reported == reported)
    return Register(tuple(sorted(kept, key=lambda row: row.incident.aware_at, reverse=True)))


def _rows(incidents: list[Incident], user: "User") -> Iterator[Row]:
    people = Tally.objects.people_of(incidents)
    decisions = {(one.incident_id, one.about): one for one in Decision.objects.among(incidents).standing()}
    reports = _reports(incidents, user)
    told = Edition.objects.finished_of(incidents)
    for incident in incidents:
        counted = people.get(incident.pk)
        yield Row(
            incident,
            incident.people_estimate if counted is None else f"{counted:,}",
            decisions.get((incident.pk, Decision.About.AUTHORITY)),
            decisions.get((incident.pk, Decision.About.PEOPLE)),
            reports.get(incident.pk, ()),
            told.get(incident.pk),
        )


def _reports(incidents: Iterable[Incident], user: "User") -> dict[UUID, tuple[Report, ...]]:
    """First reports, by incident, the earliest first."""
    found: dict[UUID, list[Report]] = {}
    for filing in Filing.objects.visible_to(user).among(incidents).with_case():
        times = [one.receipt.submitted_at for one in filing.versions.all() if hasattr(one, "receipt")]
        if times:
            found.setdefault(filing.incident_id, []).append(Report(filing.addressee.short_name, min(times)))
    return {key: tuple(sorted(reports, key=lambda report: report.at)) for key, reports in found.items()}


HEADINGS = (
    "Reference", "Title", "What happened", "Origin", "Processor", "Our role", "Became aware (UTC)", "Kinds of data",
    "People", "Effects", "What was done", "Reported", "Decision about the authority", "Decided by", "Decided (UTC)",
    "Reports (UTC)", "First report within 72 hours", "Decision about the people",
    "Reason for the decision about the people", "People told (UTC)", "State", "Closed (UTC)",
)  # fmt: skip


def register_csv(register: Register) -> bytes:
    """UTF-8 with a mark, as spreadsheets want it. A text that would be run as a formula is kept from it by a quote."""
    out = StringIO()
    writer = csv.writer(out)
    writer.writerow(HEADINGS)
    writer.writerows([defused(text) for text in _cells(row)] for row in register.rows)
    return ("\ufeff" + out.getvalue()).encode()


def _cells(row: Row) -> list[str]:
    incident = row.incident
    kinds = ", ".join(incident.kind_labels)
    return [
        incident.reference,
        incident.title,
        incident.what_happened,
        incident.get_origin_display(),
        incident.processor,
        incident.our_role,
        _utc(incident.aware_at),
        f"{kinds} (not certain)" if incident.kinds_uncertain else kinds,
        row.people,
        incident.effects,
        incident.action_taken,
        row.label,
        row.reason,
        row.authority.decided_by.name if row.authority else "",
        _utc(row.authority.decided_at) if row.authority else "",
        "; ".join(f"{report.to} {_utc(report.at)}" for report in row.reports),
        {True: "Yes", False: "No", None: ""}[row.is_in_time],
        _told(row.people_decision),
        row.people_decision.reason if row.people_decision else "",
        _utc(row.people_told_at),
        incident.get_status_display(),
        _utc(incident.closed_at),
    ]


def _told(decision: Decision | None) -> str:
    return "" if decision is None else "Tell them" if decision.tell else "Do not tell them"


def _utc(moment: datetime | None) -> str:
    return f"{moment:%Y-%m-%d %H:%M}" if moment else ""
