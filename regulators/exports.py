"""A filing for machines: the canonical JSON that is signed and attached to the PDF, or a table for its portal."""

import csv
import io
from datetime import datetime
from typing import Any

from breachdesk.people.exports import defused
from regulators.content import bytes_of, digest_of
from regulators.filing_pdf import FilingDocument, name_of, printed_content
from regulators.models import Filing
from regulators.sheet import sheet_of

JSON, CSV = "json", "csv"
TYPES = {JSON: "application/json", CSV: "text/csv; charset=utf-8"}


def for_machines(filing: Filing, kind: str, *, at: datetime) -> FilingDocument:
    content = printed_content(filing, sheet_of(filing, at=at))
    written = bytes_of(content) if kind == JSON else _table(content)
    draft = "" if filing.signed else "-draft"
    name = f"{name_of(filing, content)}{draft}.{kind}"
    return FilingDocument(name, content["number"], digest_of(content), written, kind)


def _table(content: dict[str, Any]) -> bytes:
    """One line for each question asked; an answer that is to follow says by when."""
    text = io.StringIO()
    writer = csv.writer(text)
    writer.writerow(["number", "key", "question", "answer"])
    for section in content["sections"]:
        for question in section["questions"]:
            row = [question["number"], question["key"], question["label"], _answer(question)]
            writer.writerow([defused(cell) for cell in row])
    # With the mark at its beginning a spreadsheet reads it as UTF-8.
    return text.getvalue().encode("utf-8-sig")


def _answer(question: dict[str, Any]) -> str:
    later = question.get("not_known")
    return f"{later['said']}, to follow by {later['promised_on']}" if later else question["text"]
