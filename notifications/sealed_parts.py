"""Messages are made of sealed people while they are sent: no key goes under a send."""

from breachdesk.incidents.models import Incident
from breachdesk.incidents.sealed_parts import stands_in_the_way
from notifications.models import Batch, Edition


@stands_in_the_way
def sends_under_way(incident: Incident) -> str:
    if Edition.objects.of(incident).under_way().exists() or Batch.objects.of_case_in_hand(incident.pk).exists():
        return "A notice is being sent, or stands still half-way: let it finish, or cancel it."
    return ""
