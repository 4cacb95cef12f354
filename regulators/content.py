"""content_of(): what a filing says, in the shape that is hashed, signed off, attached to the PDF and printed from.

It holds what goes to the authority and nothing else: no origin of a value, no colleague's name besides the contacts the
form asks for. Canonical JSON of it (RFC 8785) is the content of a FilingVersion, and its SHA-256 the digest.
"""

from hashlib import sha256
from typing import Any

from breachdesk.accounts.models import Organisation
from breachdesk.audit.canonical import canonical, time_text
from regulators.sheet import Given, Part, Sheet

SHAPE = 1


def content_of(sheet: Sheet, *, number: int = 1) -> dict[str, Any]:
    filing, form = sheet.filing, sheet.filing.definition
    organisation = Organisation.objects.first()
    return {
        "kind": "breachdesk.filing",
        "v": SHAPE,
        "number": number,
        "incident": filing.incident.reference,
        "organisation": organisation.legal_name if organisation else "",
        "authority": {"name": form.authority.name, "short_name": form.authority.short_name},
        "form": {"id": form.id, "version": form.version, "title": form.title, "law": form.law},
        "clock": {
            "aware_at": time_text(filing.incident.aware_at),
            "zone": filing.incident.aware.zone,
            "hours": filing.regime.report.hours,
            "due_at": time_text(filing.due_at),
            "article": filing.regime.report.article,
        },
        "sections": [_section(part) for part in sheet.parts if part.asked],
    }


def bytes_of(content: dict[str, Any]) -> bytes:
    return canonical(content)


def digest_of(content: dict[str, Any]) -> bytes:
    return sha256(bytes_of(content)).digest()


def _section(part: Part) -> dict[str, Any]:
    return {"number": part.number, "title": part.section.title, "questions": [_question(given) for given in part.asked]}


def _question(given: Given) -> dict[str, Any]:
    answered: dict[str, Any] = {
        "number": given.number,
        "key": given.key,
        "label": given.question.label,
        "kind": str(given.question.kind),
        "answer": given.value,
        "text": given.text,
    }
    if given.promised_on:
        answered["not_known"] = {
            "said": given.question.not_known or "Not yet known",
            "promised_on": given.promised_on.isoformat(),
            "so_far": given.so_far,
        }
    return answered
