"""A closed case takes no change, in whichever app it would be made."""

from django.core.exceptions import ValidationError

from breachdesk.incidents.models import Incident


def lock_open(incident: Incident) -> Incident:
    """The case as it is in this moment, with nobody else changing it until commit."""
    locked = Incident.objects.select_for_update().get(pk=incident.pk)
    refuse_closed(locked)
    return locked


def refuse_closed(incident: Incident) -> None:
    if incident.status != Incident.Status.OPEN:
        raise ValidationError(f"{incident.reference} is closed. Nothing was changed.")
