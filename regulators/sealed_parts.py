"""What authorities answered, and PDFs that were signed, are sealed under the incident's data key."""

from breachdesk.incidents.models import Incident
from breachdesk.incidents.sealed_parts import Part, sealed_part
from regulators.models import Receipt, SignedPdf


@sealed_part
def receipts_part(incident: Incident) -> Part:
    return Part(
        key="receipts",
        label="Receipts of authorities",
        number=Receipt.objects.with_file_of_case(incident.pk).count(),
        loss="The stored files and messages. That, when and under which number it was filed stays. Save what you need.",
    )


@sealed_part
def signed_pdfs_part(incident: Incident) -> Part:
    return Part(
        key="signed_pdfs",
        label="Signed PDFs of filings",
        number=SignedPdf.objects.of_case(incident.pk).count(),
        loss="The files with their signatures. What each filing said stays, and can be printed. Save what you need.",
    )
