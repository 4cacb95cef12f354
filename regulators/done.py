"""Done: what was done for one case, read once: reports that reached authorities, duties met otherwise, notices."""

from collections.abc import Iterable, Iterator
from datetime import datetime
from functools import cached_property

from breachdesk.incidents.models import Incident
from notifications.models import Edition
from regulators.catalogue import get_regime
from regulators.catalogue.rules import Duty, Recipient, Start
from regulators.facts import Stated
from regulators.models import DutyMet, Filing
from regulators.obligations import Obligation

TOLD_UNDER = {Start.HHS_TOLD: "us_hipaa"}
"""Periods that run from what another law made us do."""
NOTIFICATION = "notification"
"""The stage of the full notification, in laws that ask for a warning before it."""


class Done:
    def __init__(self, incident: Incident) -> None:
        self.filings = list(Filing.objects.of(incident).with_case())
        self.laws = {filing.pk: filing.law for filing in self.filings}
        self.met = {(met.regime, met.duty, met.place): met for met in DutyMet.objects.of(incident)}
        self.editions = list(Edition.objects.of(incident))
        self.places: dict[str, set[str]] = {}
        """By law, the places whose authorities the case is about."""

    def about(self, obligations: Iterable[Obligation]) -> None:
        """Called with all there are before anything is asked about one of them."""
        self.places = {}
        for one in obligations:
            if one.duty.tell == Recipient.AUTHORITY:
                self.places.setdefault(one.regime.id, set()).add(one.place)

    @property
    def people_told_at(self) -> datetime | None:
        """When the last notice was through; None while one is being written or sent."""
        live = [edition for edition in self.editions if edition.state != Edition.State.CANCELLED]
        ends = [edition.finished_at for edition in live]
        return max((end for end in ends if end), default=None) if all(ends) else None

    def met_for(self, one: Obligation) -> DutyMet | None:
        return self.met.get((one.regime.id, one.duty.id, one.place))

    def filing_for(self, one: Obligation) -> Filing | None:
        """One authority may get reports under two laws: the ICO under the UK GDPR and under PECR."""
        whom = {one.supervisor.id} if one.supervisor else {authority.id for authority in one.candidates}
        fitting = (filing for filing in self.filings if self.laws[filing.pk] in {one.regime.id, None})
        return next((filing for filing in fitting if filing.authority_key in whom), None) or self._named_by_hand(one)

    def _named_by_hand(self, one: Obligation) -> Filing | None:
        """Of a law whose authorities the catalogue does not have. With several places nobody knows whose it is."""
        if one.regime.authorities or len(self.places.get(one.regime.id, ())) != 1:
            return None
        found = [filing for filing in self.filings if self.laws[filing.pk] == one.regime.id]
        return found[0] if len(found) == 1 else None

    def reports_to(self, one: Obligation) -> list[datetime]:
        """When its authority got a version, the earliest first."""
        filing = self.filing_for(one)
        return sorted(_submitted(filing)) if filing else []

    def starts_of(self, one: Obligation) -> dict[Start, Stated]:
        """What periods run from that was done, as seen from one duty of one law at one place."""
        others = [duty for duty in one.regime.duties_at(one.place) if duty.id != one.duty.id]
        told = sorted([*self.reports_to(one), *self._met_among(others, one)])
        found = {Start.AUTHORITY_TOLD: told[:1], Start.FIRST_REPORT: told[:1], Start.LAST_REPORT: told[-1:]}
        full = [duty for duty in others if duty.stage == NOTIFICATION]
        found[Start.NOTIFICATION] = sorted(self._met_among(full, one))[:1]
        return {start: Stated(at[0]) for start, at in found.items() if at} | self.elsewhere

    def _met_among(self, duties: Iterable[Duty], one: Obligation) -> Iterator[datetime]:
        """To the authority. What was done about `one` itself starts none of its own periods."""
        for duty in duties:
            met = self.met.get((one.regime.id, duty.id, one.place))
            if met and duty.tell == Recipient.AUTHORITY:
                yield met.told_at

    @cached_property
    def elsewhere(self) -> dict[Start, Stated]:
        found = {start: sorted(self._told_under(law))[:1] for start, law in TOLD_UNDER.items()}
        return {start: Stated(at[0]) for start, at in found.items() if at}

    def _told_under(self, law: str) -> Iterator[datetime]:
        for filing in self.filings:
            if self.laws[filing.pk] == law:
                yield from _submitted(filing)
        reports = {duty.id for duty in get_regime(law).duties if duty.tell == Recipient.AUTHORITY}
        yield from (met.told_at for (name, duty, _), met in self.met.items() if name == law and duty in reports)


def _submitted(filing: Filing) -> Iterator[datetime]:
    return (version.receipt.submitted_at for version in filing.versions.all() if hasattr(version, "receipt"))
