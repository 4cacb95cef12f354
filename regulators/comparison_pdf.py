"""comparison_pdf(): what two versions of a filing say differently, on paper, with both of them inside.

It states nothing to the authority and is never signed. Each version is named by the hash that its own report names on
every page, so whoever holds the reports can check it. The same two versions give the same bytes on the same machine.
"""

from dataclasses import dataclass
from datetime import datetime
from typing import Any

from django.template.loader import render_to_string

from breachdesk.pdf import PdfAttachment, render_pdf
from regulators.changes import changes_between
from regulators.content import bytes_of, digest_of
from regulators.filing_pdf import LONG, FilingDocument, content_at, moment_of, name_of, state_of
from regulators.models import Filing, FilingVersion, Receipt
from regulators.wording import said


@dataclass(frozen=True)
class Side:
    """One of the two; a draft has no version."""

    content: dict[str, Any]
    version: FilingVersion | None

    @property
    def number(self) -> int:
        return int(self.content["number"])

    @property
    def file(self) -> str:
        return f"version-{self.number}.json"

    @property
    def digest(self) -> str:
        return digest_of(self.content).hex()

    @property
    def receipt(self) -> Receipt | None:
        return getattr(self.version, "receipt", None)

    @property
    def state(self) -> str:
        return state_of(self.version)

    @property
    def signed(self) -> str:
        return said(self.version.signed_at, self._zone) if self.version else ""

    @property
    def submitted(self) -> str:
        return said(self.receipt.submitted_at, self._zone) if self.receipt else ""

    @property
    def way(self) -> str:
        return self.receipt.get_way_display() if self.receipt else ""

    @property
    def trail_entry(self) -> str:
        found = self.version.trail_position if self.version else None
        return "None yet" if found is None else f"{found:,}"

    @property
    def _zone(self) -> str:
        return str(self.content["clock"]["zone"])

    @property
    def attachment(self) -> PdfAttachment:
        return PdfAttachment(self.file, bytes_of(self.content), f"What version {self.number} says, as it was hashed")


def comparison_pdf(filing: Filing, older: int, newer: int, *, at: datetime) -> FilingDocument:
    """Raises a PdfError with a sentence when there can be no PDF. `at` is when a draft is printed."""
    sides = [_side(filing, older, at), _side(filing, newer, at)]
    html = render_to_string("regulators/comparison_pdf.html", _context_of(*sides))
    attachments = list({side.file: side.attachment for side in sides}.values())
    pdf = render_pdf(html, moment=max(moment_of(side.version, at) for side in sides), attachments=attachments)
    draft = "" if all(side.version for side in sides) else "-draft"
    name = f"{name_of(filing, sides[1].content)}-since-v{older}{draft}.pdf"
    return FilingDocument(name, newer, digest_of(sides[1].content), pdf, compared_with=older)


def _side(filing: Filing, number: int, at: datetime) -> Side:
    version = filing.version_of(number)
    return Side(content_at(filing, version, at), version)


def _context_of(older: Side, newer: Side) -> dict[str, Any]:
    changes = changes_between(older.content, newer.content)
    return {
        "content": newer.content,
        "sides": (older, newer),
        "older": older,
        "newer": newer,
        "is_draft": not (older.version and newer.version),
        "changes": [(change, len(change.before) + len(change.after) > LONG) for change in changes],
    }
