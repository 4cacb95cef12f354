"""content_of(): what a filing says, in the shape that is hashed, signed off, attached to the PDF and printed from.

It holds what goes to the authority and nothing else: no origin of a value, no colleague's name besides the contacts the
form asks for. Canonical JSON of it (RFC 8785) is the content of a FilingVersion, and its SHA-256 the digest.
"""

from hashlib import sha256
from typing import Any

from breachdesk.accounts.models import Organisation
from breachdesk.audit.canonical import canonical, time_text
from regulators.catalogue.rules import Start, Unit
from regulators.models import Filing
from regulators.sheet import Given, Part, Sheet
from regulators.standing import due_of_filing

SHAPE = 1


def content_of(sheet: Sheet) -> dict[str, Any]:
    filing, form, whom = sheet.filing, sheet.filing.definition, sheet.filing.addressee
    organisation = Organisation.objects.first()
    return {
        "kind": "breachdesk.filing",
        "v": SHAPE,
        "number": filing.number,
        "incident": filing.incident.reference,
        "organisation": organisation.legal_name if organisation else "",
        "authority": {"id": whom.key, "name": whom.name, "short_name": whom.short_name},
        "form": {
            "id": form.id,
            "version": form.version,
            "title": form.title,
            "law": form.law,
            **_local("title_local", form.title_local),
        },
        "clock": _clock(filing),
        "sections": [_section(part) for part in sheet.parts if part.asked],
    }


def _clock(filing: Filing) -> dict[str, Any]:
    """When we became aware, and what the law gives from there, if a number is known."""
    aware = {"aware_at": time_text(filing.incident.aware_at), "zone": filing.incident.aware.zone}
    due = due_of_filing(filing)
    if not (due and due.end and due.at):
        return aware
    limit, article = due.end.limit, due.article
    hours = {"hours": limit.amount} if limit.unit == Unit.HOURS and limit.starts == Start.AWARENESS else {}
    return {**aware, **hours, "due_at": time_text(due.at), "article": limit.article or article}


def bytes_of(content: dict[str, Any]) -> bytes:
    return canonical(content)


def digest_of(content: dict[str, Any]) -> bytes:
    return sha256(bytes_of(content)).digest()


def _section(part: Part) -> dict[str, Any]:
    titled = {"number": part.number, "title": part.section.title, **_local("title_local", part.section.title_local)}
    return {**titled, "questions": [_question(given) for given in part.asked]}


def _local(key: str, words: str) -> dict[str, str]:
    """The authority's own words, where the form has them."""
    return {key: words} if words else {}


def _question(given: Given) -> dict[str, Any]:
    answered: dict[str, Any] = {
        "number": given.number,
        "key": given.key,
        "label": given.question.label,
        **_local("label_local", given.question.label_local),
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
