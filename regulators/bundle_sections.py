"""What was owed and told to authorities, for an evidence bundle: every version that was signed off, to the byte.

Its digest stands in the event filing.signed_off, so the text here is provably the one that was signed.
"""

from typing import Any
from uuid import UUID

from breachdesk.audit.canonical import base64url, time_text
from breachdesk.audit.sections import section
from breachdesk.incidents.models import Incident
from regulators.clocks import Due
from regulators.models import DutyMet, Filing, FilingVersion, Receipt, StatedFact
from regulators.standing import dues_of


@section("filings")
def filings_section(incident_id: UUID, *, private: bool) -> dict[str, Any]:
    incident = Incident.objects.get(pk=incident_id)
    filings = list(Filing.objects.of(incident).with_case().order_by("opened_at", "pk"))
    dues = dues_of(incident, filings)
    return {"v": 1, "filings": [_filing(filing, dues.get(filing.pk), private=private) for filing in filings]}


@section("duties")
def duties_section(incident_id: UUID, *, private: bool) -> dict[str, Any]:
    """What was said that laws ask about, of the case and of the organisation, and who was told outside a filing."""
    incident = Incident.objects.get(pk=incident_id)
    return {
        "v": 1,
        "stated": [_stated(fact, private=private) for fact in StatedFact.objects.ever_for(incident)],
        "met": [_met(met, private=private) for met in DutyMet.objects.of(incident)],
    }


def _stated(fact: StatedFact, *, private: bool) -> dict[str, Any]:
    told: dict[str, Any] = {
        "id": str(fact.pk),
        "of": "case" if fact.incident_id else "organisation",
        "key": fact.key,
        "value": fact.value,
        "stated_by": str(fact.stated_by_id),
        "stated_at": time_text(fact.stated_at),
        "superseded_at": time_text(fact.superseded_at) if fact.superseded_at else None,
    }
    return told | ({"basis": fact.basis} if private else {})


def _met(met: DutyMet, *, private: bool) -> dict[str, Any]:
    told: dict[str, Any] = {
        "id": str(met.pk),
        "regime": met.regime,
        "duty": met.duty,
        "place": met.place,
        "told_at": time_text(met.told_at),
        "recorded_by": str(met.recorded_by_id),
        "recorded_at": time_text(met.recorded_at),
    }
    return told | ({"how": met.how, "delay_reason": met.delay_reason} if private else {})


def _filing(filing: Filing, due: Due | None, *, private: bool) -> dict[str, Any]:
    """A draft is nobody's statement yet: only its state is told."""
    return {
        "id": str(filing.pk),
        "form": filing.form,
        "form_version": filing.form_version,
        "authority": filing.authority,
        "authority_key": filing.authority_key,
        "state": filing.state,
        "due_at": time_text(due.at) if due and due.at else None,
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
    typed = {
        "authority_reference": receipt.authority_reference,
        "delay_reason": receipt.delay_reason,
        "file_name": receipt.file_name,
    }
    return told | (typed if private else {})
