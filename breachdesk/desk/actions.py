"""The desk changes nothing but the trail: it says who had it verified, and what left the product."""

from hashlib import sha256
from typing import TYPE_CHECKING

from django.db import transaction

from breachdesk.accounts.permissions import action
from breachdesk.audit.record import record
from breachdesk.audit.verification import Report, verify
from breachdesk.desk.evidence_pdf import EvidenceDocument
from breachdesk.incidents.models import Incident

if TYPE_CHECKING:
    from breachdesk.accounts.models import User


@action("audit.view_trail", atomic=False)
def verify_trail(*, by: "User") -> Report:
    """Recomputes the whole trail from its stored bytes, now; the answer is kept in the trail."""
    report = verify()
    finding = report.finding
    with transaction.atomic():
        record(
            "trail.verified",
            by=by,
            verdict=report.verdict.lower(),
            size=report.size,
            root=report.root,
            rule=finding.rule if finding else None,
            idx=finding.idx if finding else None,
        )
    return report


@action("incidents.view_incident")
def export_evidence(incident: Incident, document: EvidenceDocument, *, by: "User") -> EvidenceDocument:
    """Records that this report left the product. It is rendered before, outside any transaction."""
    digest, size = sha256(document.pdf).digest(), len(document.pdf)
    record("report.exported", by=by, on=incident, sha256=digest, digest=document.digest, bytes=size)
    return document


@action("incidents.view_incident")
def export_register(content: bytes, *, rows: int, kind: str, by: "User") -> bytes:
    """Records that the register left the product, with the digest of what left."""
    record("register.exported", by=by, rows=rows, format=kind, digest=sha256(content).digest(), bytes=len(content))
    return content
