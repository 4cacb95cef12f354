"""A signed-off filing's PDF is signed once, where a certificate is configured; that file is kept and leaves ever after.

The signature says who made the file and, with a time-stamping authority, when. That nothing in the filing changed is
proved without it, by the hash on every page and the trail.
"""

from dataclasses import replace
from datetime import datetime
from hashlib import sha256
from typing import TYPE_CHECKING
from uuid import uuid4

from django.conf import settings
from django.utils import timezone

from breachdesk.pdf import PdfSigning, sign_pdf
from breachdesk.vault.sealing import KeyDestroyed, cipher_for, seal, unseal
from regulators.filing_pdf import FilingDocument, filing_pdf
from regulators.models import Filing, FilingVersion, SignedPdf

if TYPE_CHECKING:
    from breachdesk.accounts.models import User

PLACE = ("regulators_signedpdf", "sealed")


def pdf_to_export(filing: Filing, *, at: datetime, version: FilingVersion | None = None) -> FilingDocument:
    """As filing_pdf(), signed where it can be. Raises a PdfError with a sentence when there can be no PDF."""
    version = version or filing.signed
    if version and (kept := kept_pdf(version)):
        return kept
    document, how = filing_pdf(filing, at=at, version=version), signing()
    if version is None or how is None or not _can_keep(filing):
        return document
    reason = f"Version {version.number} of {filing.incident.reference}, as it was signed off"
    return replace(document, content=sign_pdf(document.content, how, reason=reason), to_keep=version)


def _can_keep(filing: Filing) -> bool:
    try:
        return bool(cipher_for(filing.incident_id))
    except KeyDestroyed:
        return False


def signing() -> PdfSigning | None:
    chosen = settings.BREACHDESK
    if chosen.pdf_signing_key_file is None or chosen.pdf_certificate_file is None:
        return None
    return PdfSigning(chosen.pdf_signing_key_file, chosen.pdf_certificate_file, chosen.pdf_tsa_url)


def kept_pdf(version: FilingVersion) -> FilingDocument | None:
    """None before its first export, and once the case's key is gone: then it is printed as without a certificate."""
    row = SignedPdf.objects.of(version).first()
    if row is None:
        return None
    try:
        content = unseal(version.incident_id, bytes(row.sealed), table=PLACE[0], column=PLACE[1], row=row.pk)
    except KeyDestroyed:
        return None
    return FilingDocument(row.name, version.number, bytes(version.digest), content)


def keep_signed(document: FilingDocument, *, by: "User") -> tuple[FilingDocument, SignedPdf | None]:
    """What leaves, and the row to name in the event when it was made here. The caller has locked the filing."""
    version = document.to_keep
    if version is None:
        return document, None
    if kept := kept_pdf(version):
        return kept, None
    row = SignedPdf(id=uuid4(), filing_version=version, name=document.name, made_by=by, made_at=timezone.now())
    row.sha256 = sha256(document.content).digest()
    row.sealed = seal(version.incident_id, document.content, table=PLACE[0], column=PLACE[1], row=row.pk)
    row.save(force_insert=True)
    return document, row
