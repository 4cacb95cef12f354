from typing import TYPE_CHECKING

from django.core.exceptions import ValidationError
from django.utils import timezone

from breachdesk.accounts.permissions import action
from breachdesk.audit.record import record
from breachdesk.incidents.models import Incident
from breachdesk.people.models import CountEntry

if TYPE_CHECKING:
    from breachdesk.accounts.models import User


@action("people.state_count")
def state_count(
    incident: Incident, *, low: int | None, high: int | None, basis: str, source: str, by: "User"
) -> CountEntry:
    """Adds to the ledger how many people are affected: a number, a range or, both None, not known. Nothing is replaced.

    0 is no count: it is what somebody types who does not know.
    """
    incident = Incident.objects.select_for_update(no_key=True).get(pk=incident.pk)
    if incident.status != Incident.Status.OPEN:
        raise ValidationError(f"{incident.reference} is closed. No count was added.")
    _check(low, high, basis, source)
    entry = CountEntry.objects.create(
        incident=incident,
        low=low,
        high=high,
        basis=basis,
        source=source.strip(),
        stated_by=by,
        stated_at=timezone.now(),
    )
    record(
        "people.count_stated", by=by, on=entry, private={"source": entry.source}, low=low, high=high, basis=entry.basis
    )
    return entry


def _check(low: int | None, high: int | None, basis: str, source: str) -> None:
    if 0 in (low, high):
        raise ValidationError({"low": "0 would say that nobody is affected. Say “not known” if that is what you mean."})
    if low is not None and high is not None and low > high:
        raise ValidationError({"high": "The range ends below its beginning."})
    if basis not in CountEntry.Basis.values or basis == CountEntry.Basis.LIST:
        raise ValidationError({"basis": "Say what the count rests on."})
    if not source.strip():
        raise ValidationError({"source": "Say who or what says so: a name, a message, a query, and its date."})
