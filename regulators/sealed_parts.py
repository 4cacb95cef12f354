"""What authorities answered is sealed under the incident's data key."""

from breachdesk.incidents.models import Incident
from breachdesk.incidents.sealed_parts import Part, sealed_part
from regulators.models import Receipt


@sealed_part
def receipts_part(incident: Incident) -> Part:
    return Part(
        key="receipts",
        label="Receipts of authorities",
        number=Receipt.objects.with_file_of_case(incident.pk).count(),
        loss="The stored files and messages. That, when and under which number it was filed stays. Save what you need.",
    )
