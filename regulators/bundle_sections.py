"""What was told to authorities, for an evidence bundle: every version that was signed off, to the byte.

Its digest stands in the event filing.signed_off, so the text here is provably the one that was signed.
"""

from typing import Any
from uuid import UUID

from breachdesk.audit.canonical import base64url, time_text
from breachdesk.audit.sections import section
from breachdesk.incidents.models import Incident
from regulators.models import Filing, FilingVersion, Receipt


@section("filings")
def filings_section(incident_id: UUID, *, private: bool) -> dict[str, Any]:
    filings = Filing.objects.of(Incident.objects.get(pk=incident_id)).with_case().order_by("opened_at", "pk")
    return {"v": 1, "filings": [_filing(filing, private=private) for filing in filings]}


def _filing(filing: Filing, *, private: bool) -> dict[str, Any]:
    """A draft is nobody's statement yet: only its state is told."""
    return {
        "id": str(filing.pk),
        "form": filing.form,
        "form_version": filing.form_version,
        "authority": filing.authority,
        "authority_key": filing.authority_key,
        "state": filing.state,
        "due_at": time_text(filing.due_at) if filing.due_at else None,
        "opened_at": time_text(filing.opened_at),
        "versions": [_version(version, private=private) for version in filing.versions.all()],
    }


def _version(version: FilingVersion, *, private: bool) -> dict[str, Any]:
    receipt = getattr(version, "receipt", None)
    return {
        "id": str(version.pk),
        "number": version.number,
        "digest": base64url(bytes(version.digest)),
        "content": bytes(version.content).decode(),
        "signed_by": str(version.signed_by_id),
        "signed_at": time_text(version.signed_at),
        "sign_event": str(version.sign_event),
        "receipt": _receipt(receipt, private=private) if receipt else None,
    }


def _receipt(receipt: Receipt, *, private: bool) -> dict[str, Any]:
    told: dict[str, Any] = {
        "submitted_at": time_text(receipt.submitted_at),
        "way": receipt.way,
        "file_sha256": base64url(bytes(receipt.file_sha256)) if receipt.file_sha256 else None,
        "recorded_by": str(receipt.recorded_by_id),
        "recorded_at": time_text(receipt.recorded_at),
    }
    typed = {"authority_reference": receipt.authority_reference, "file_name": receipt.file_name}
    return told | (typed if private else {})
