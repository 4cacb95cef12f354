"""How long a case's personal data is kept, as it stands now: two dates, a legal hold, and which keys still live.

Unless somebody chose other dates, the data is kept for BREACHDESK_RETENTION_DAYS after the case was closed and the
index for BREACHDESK_INDEX_DAYS, by when nobody can go to court any more. A date destroys nothing by itself: it asks
people to.
"""

from dataclasses import dataclass
from datetime import date, datetime, timedelta

from django.conf import settings
from django.core.exceptions import ValidationError
from django.db.models import Exists
from django.utils import timezone

from breachdesk.incidents.models import Destruction, Incident, LegalHold, Retention
from breachdesk.incidents.sealed_parts import hindrances_of
from breachdesk.vault.models import DataKey


@dataclass(frozen=True)
class Keeping:
    """The dates are None while the case is open and nobody chose any."""

    delete_on: date | None
    index_until: date | None
    chosen: Retention | None
    hold: LegalHold | None
    request: Destruction | None
    data_destroyed_at: datetime | None
    index_destroyed_at: datetime | None
    shared_at: datetime | None

    @property
    def due(self) -> str:
        """Which of the two should be destroyed by now: "data", "index" or nothing."""
        today = timezone.localdate()
        if self.hold or self.index_destroyed_at:
            return ""
        if self.data_destroyed_at is None:
            return "data" if self.delete_on and self.delete_on <= today else ""
        return "index" if self.index_until and self.index_until <= today else ""

    @property
    def next_on(self) -> date | None:
        """When the next of the two is due."""
        if self.index_destroyed_at:
            return None
        return self.index_until if self.data_destroyed_at else self.delete_on

    @property
    def next_what(self) -> str:
        return Destruction.What.INDEX if self.data_destroyed_at else Destruction.What.DATA


def keeping_of(incident: Incident) -> Keeping:
    chosen, hold, request = _rows_of(incident)
    key = DataKey.objects.filter(scope=incident.pk).first()
    usual = _usual_dates(incident)
    return Keeping(
        delete_on=chosen.delete_on if chosen else usual[0],
        index_until=chosen.index_until if chosen else usual[1],
        chosen=chosen,
        hold=hold,
        request=request,
        data_destroyed_at=key.destroyed_at if key else None,
        index_destroyed_at=key.index_destroyed_at if key else None,
        shared_at=key.shared_at if key else None,
    )


def _rows_of(incident: Incident) -> tuple[Retention | None, LegalHold | None, Destruction | None]:
    """Most cases have none of the three, which one query says."""
    chosen = Retention.objects.filter(incident=incident).select_related("set_by")
    hold = LegalHold.objects.filter(incident=incident, released_at=None).select_related("set_by")
    request = Destruction.objects.of(incident).in_work().select_related("asked_by", "decided_by")
    case = Incident.objects.filter(pk=incident.pk)
    [there] = case.values_list(Exists(chosen), Exists(hold), Exists(request))
    return (
        chosen.first() if there[0] else None,
        hold.first() if there[1] else None,
        request.first() if there[2] else None,
    )


def refusal_of(incident: Incident, what: str) -> list[str]:
    """What refuse_destroying() would say; empty when nothing stands in the way."""
    try:
        refuse_destroying(incident, what)
    except ValidationError as refusal:
        return list(refusal.messages)
    return []


def _usual_dates(incident: Incident) -> tuple[date | None, date | None]:
    if incident.closed_at is None:
        return None, None
    closed = timezone.localdate(incident.closed_at)
    product = settings.BREACHDESK
    days = product.retention_days, max(product.retention_days, product.index_days)
    return closed + timedelta(days=days[0]), closed + timedelta(days=days[1])


def refuse_destroying(incident: Incident, what: str) -> None:
    """Raises ValidationError with what stands in the way now."""
    keeping = keeping_of(incident)
    if incident.status != Incident.Status.CLOSED:
        raise ValidationError(f"{incident.reference} is still open. Close it first; nothing was destroyed.")
    if keeping.hold:
        raise ValidationError(f"There is a legal hold on {incident.reference}. Lift it first; nothing was destroyed.")
    if keeping.index_destroyed_at or (what == Destruction.What.DATA and keeping.data_destroyed_at):
        raise ValidationError(f"That was destroyed before. Nothing of {incident.reference} was changed.")
    if what == Destruction.What.INDEX and not keeping.data_destroyed_at:
        raise ValidationError("The index outlives the data: destroy the personal data first.")
    if keeping.due != what:
        raise ValidationError(
            f"It is to be kept until {keeping.next_on:%d %B %Y}. To destroy it earlier, choose an earlier day first."
        )
    if what == Destruction.What.DATA and (hindrances := hindrances_of(incident)):
        raise ValidationError(hindrances)
