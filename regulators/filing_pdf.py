"""filing_pdf(): a filing as the document that leaves the building: its content printed, and inside it.

The printed answers and the attached filing.json are the same object, so whoever holds the PDF can check the hash at the
foot of every page. A signed report also carries the first checkpoint of the trail that covers its sign-off. The same
filing in the same state gives the same bytes on the same machine.
"""

from dataclasses import dataclass, field
from datetime import date, datetime, timedelta
from typing import Any

from django.contrib.auth import get_user_model
from django.template.loader import render_to_string

from breachdesk.audit.canonical import parse, time_of
from breachdesk.audit.checkpoints import checkpoint_covering
from breachdesk.audit.models import Event
from breachdesk.audit.printing import NoteForPrint, note_for_print
from breachdesk.pdf import PdfAttachment, render_pdf
from regulators.changes import Change, changes_between
from regulators.content import bytes_of, content_of, digest_of
from regulators.models import Filing, FilingVersion, Receipt
from regulators.sheet import Sheet, sheet_of
from regulators.wording import PARTS, said, said_day

LISTS = ("choices", "dates")
# An answer with more characters, or on more lines, may be split over two pages.
LONG, LONG_LIST = 700, 24
# From so many items on, none longer than this, a list stands in two columns.
MANY, SHORT = 8, 28


@dataclass(frozen=True)
class FilingDocument:
    """A filing on its way out, in one of its formats."""

    name: str
    number: int
    digest: bytes
    content: bytes = field(repr=False)
    format: str = "pdf"
    to_keep: FilingVersion | None = None
    """The version that this file was signed for just now: it is kept, and leaves as it is ever after."""
    compared_with: int | None = None
    """The version whose differences from this one it shows, and nothing else."""

    @property
    def pdf(self) -> bytes:
        return self.content


@dataclass(frozen=True)
class Step:
    name: str
    who: str
    when: str


def filing_pdf(filing: Filing, *, at: datetime, version: FilingVersion | None = None) -> FilingDocument:
    """Without a version, the filing as it stands. `at` is when a draft is printed.

    Raises a PdfError with a sentence when there can be no PDF.
    """
    version = version or filing.signed
    content = content_at(filing, version, at)
    attached, digest = bytes_of(content), digest_of(content)
    note = trail_note_of(filing, version)
    html = render_to_string("regulators/filing_pdf.html", context_of(filing, version, content, digest, note))
    attachments = [
        PdfAttachment("filing.json", attached, "The same answers for machines; its SHA-256 is on every page")
    ]
    attachments += [note.attachment] if note else []
    pdf = render_pdf(html, moment=moment_of(version, at), attachments=attachments)
    draft = "" if version else "-draft"
    return FilingDocument(f"{name_of(filing, content)}{draft}.pdf", content["number"], digest, pdf)


def name_of(filing: Filing, content: dict[str, Any]) -> str:
    """Two reports on one form to two authorities have two names."""
    whom = "" if filing.definition.authority else f"-{filing.authority_key}"
    return f"{content['incident']}-{filing.form}{whom}-v{content['number']}"


def trail_note_of(filing: Filing, version: FilingVersion | None) -> NoteForPrint | None:
    """The first checkpoint over the sign-off: none for a draft, and none while the signer has not come to it."""
    position = version.trail_position if version else None
    checkpoint = None if position is None else checkpoint_covering(position)
    return note_for_print(checkpoint, filing.incident_id) if checkpoint else None


def printed_content(filing: Filing, sheet: Sheet) -> dict[str, Any]:
    """What was signed off, to the byte; until then what the sheet says now."""
    version = filing.signed
    return parse(bytes(version.content)) if version else content_of(sheet)


def content_at(filing: Filing, version: FilingVersion | None, at: datetime) -> dict[str, Any]:
    """What a version says; without one, what the sheet says at that moment."""
    return parse(bytes(version.content)) if version else content_of(sheet_of(filing, at=at))


def laid_out(content: dict[str, Any]) -> list[dict[str, Any]]:
    """Its sections, ready to print on paper or on a page."""
    return [
        {**section, "questions": [_question(question) for question in section["questions"]]}
        for section in content["sections"]
    ]


def changes_from(filing: Filing, content: dict[str, Any]) -> list[Change]:
    """What this version says otherwise than the one before it; nothing of a first report."""
    before = filing.version_of(content["number"] - 1)
    return changes_between(parse(bytes(before.content)), content) if before else []


def moment_of(version: FilingVersion | None, at: datetime) -> datetime:
    if version is None:
        return at
    receipt = _receipt_of(version)
    return receipt.recorded_at if receipt else version.signed_at


def _receipt_of(version: FilingVersion | None) -> Receipt | None:
    return getattr(version, "receipt", None)


def context_of(
    filing: Filing,
    version: FilingVersion | None,
    content: dict[str, Any],
    digest: bytes,
    trail_note: NoteForPrint | None,
) -> dict[str, Any]:
    clock = content["clock"]
    zone, aware_at = clock["zone"], time_of(clock["aware_at"])
    receipt = _receipt_of(version)
    open_answers = [q for section in content["sections"] for q in section["questions"] if "not_known" in q]
    return {
        "content": content,
        "sections": laid_out(content),
        "open_answers": [_open(question) for question in open_answers],
        "questions": sum(len(section["questions"]) for section in content["sections"]),
        "is_draft": version is None,
        "previous": content["number"] - 1,
        "changes": changes_from(filing, content),
        "state": state_of(version),
        "version": version,
        "receipt": receipt,
        "way": receipt.get_way_display() if receipt else "",
        "submitted": said(receipt.submitted_at, zone) if receipt else "",
        "after": _elapsed(receipt.submitted_at - aware_at) if receipt else "",
        "aware": said(aware_at, zone),
        "due": said(time_of(clock["due_at"]), zone) if "due_at" in clock else "",
        "form": filing.definition,
        "language": next(iter(filing.definition.languages), ""),
        "digest": digest.hex(),
        "trail": _trail(version, trail_note),
        "trail_note": trail_note,
        "steps": _steps(filing, version, receipt, zone),
    }


def state_of(version: FilingVersion | None) -> str:
    if _receipt_of(version):
        return "Submitted"
    return "Signed off, not yet submitted" if version else "DRAFT – not signed off"


def _trail(version: FilingVersion | None, note: NoteForPrint | None) -> str:
    if version is None:
        return "Draft: the trail holds no sign-off of it"
    position = version.trail_position
    if position is None:
        return "Trail entry of the sign-off: not linked yet"
    under = f"under the checkpoint over {note.size:,} entries" if note else "not under a signed checkpoint yet"
    return f"Trail entry of the sign-off: {position:,}, {under}"


def _question(question: dict[str, Any]) -> dict[str, Any]:
    """The question with its answer laid out: paragraphs, a list, or the parts of a contact."""
    lines = [line for line in question["text"].splitlines() if line.strip()]
    kind, answer = question["kind"], question["answer"]
    contact = (
        [(label, answer[part]) for part, label in PARTS.items() if answer.get(part)]
        if kind == "contact" and answer
        else []
    )
    not_known = question.get("not_known")
    return {
        **question,
        "list": lines if kind in LISTS else [],
        "in_columns": len(lines) >= MANY and all(len(line) <= SHORT for line in lines),
        "contact": contact,
        "paragraphs": lines if kind not in {*LISTS, "contact"} else [],
        "long": len(question["text"]) > LONG or len(lines) > LONG_LIST,
        "not_known": {**not_known, "promised": _day(not_known["promised_on"])} if not_known else None,
    }


def _open(question: dict[str, Any]) -> dict[str, Any]:
    return {**question, "promised": _day(question["not_known"]["promised_on"])}


def _day(text: str) -> str:
    return said_day(date.fromisoformat(text))


def _steps(filing: Filing, version: FilingVersion | None, receipt: Receipt | None, zone: str) -> list[Step]:
    steps = []
    if prepared := _prepared(filing, version):
        steps.append(Step("Prepared", prepared[0], said(prepared[1], zone)))
    if version:
        steps.append(Step("Signed off", version.signed_by.name, said(version.signed_at, zone)))
    if receipt:
        when = f"{said(receipt.submitted_at, zone)} ({receipt.get_way_display()})"
        steps.append(Step("Submitted", f"Recorded by {receipt.recorded_by.name}", when))
    return steps


def _prepared(filing: Filing, version: FilingVersion | None) -> tuple[str, datetime] | None:
    """Who asked for the sign-off, and when. The filing knows it of the last time alone, the trail of every one."""
    if version is None:
        asked_by, asked_at = filing.review_asked_by, filing.review_asked_at
        return (asked_by.name, asked_at) if asked_by and asked_at and not filing.is_draft else None
    asked = Event.objects.of_incident(filing.incident_id).of_type("filing.submitted_for_review")
    last = asked.on_objects({str(filing.pk)}).between(None, version.signed_at).newest_first().first()
    if last is None:
        return None
    return get_user_model().objects.get(pk=last.content["actor"]["id"]).name, last.at


def _elapsed(span: timedelta) -> str:
    minutes = int(span.total_seconds() // 60)
    return f"{minutes // 60} hours {minutes % 60} minutes"
