"""note_for_print(): a checkpoint as it stands on paper: in words, as a QR code and as an attached file.

Whoever keeps a document that carries it can later show, without us, that the trail no longer agrees with it. The same
checkpoint and case give the same print.
"""

from base64 import b64encode
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from itertools import groupby
from uuid import UUID

from breachdesk.audit.anchors import NOTE_NAME, signed_by
from breachdesk.audit.canonical import base64url
from breachdesk.audit.models import Checkpoint, Entry
from breachdesk.audit.note import parse_note
from breachdesk.pdf import PdfAttachment

QUIET = 4  # modules of white around a QR code, as ISO/IEC 18004 asks


@dataclass(frozen=True)
class CaseHead:
    """The case's last entry under the checkpoint: its number within the case, and its leaf."""

    number: int
    leaf: str


@dataclass(frozen=True)
class QrPicture:
    """Geometry for an SVG: `side` modules of white, and in it one path of black."""

    side: int
    path: str = field(repr=False)


@dataclass(frozen=True)
class NoteForPrint:
    """`root` is standard base64, as in the note; `leaf` is base64url, as in bundles."""

    note: str
    origin: str
    size: int
    root: str
    made_at: datetime
    fingerprints: list[str]
    head: CaseHead | None
    qr: QrPicture

    @property
    def attachment(self) -> PdfAttachment:
        return PdfAttachment(NOTE_NAME, self.note.encode(), "The signed checkpoint of the trail that is printed here")


def note_for_print(checkpoint: Checkpoint, incident: UUID | None = None) -> NoteForPrint:
    """`incident` is whose head is printed beside it."""
    note = parse_note(checkpoint.note)
    return NoteForPrint(
        note=checkpoint.note,
        origin=note.origin,
        size=note.size,
        root=b64encode(note.root).decode(),
        made_at=checkpoint.made_at,
        fingerprints=signed_by(checkpoint.note),
        head=case_head(incident, note.size) if incident else None,
        qr=qr_of(checkpoint.note),
    )


def case_head(incident: UUID, size: int) -> CaseHead | None:
    last = Entry.objects.filter(incident=incident, idx__lt=size).order_by("-inc_n").first()
    return CaseHead(last.inc_n, base64url(bytes(last.leaf))) if last and last.inc_n else None


def qr_of(text: str) -> QrPicture:
    """Error level M, every byte as it is in UTF-8."""
    import segno

    code = segno.make(text, error="m", mode="byte", encoding="utf-8", boost_error=False, micro=False)
    rows = [list(row) for row in code.matrix]
    return QrPicture(len(rows) + 2 * QUIET, "".join(_runs(rows)))


def _runs(rows: Sequence[Sequence[int]]) -> Iterator[str]:
    """Each run of black modules of a row as one rectangle."""
    for y, row in enumerate(rows, QUIET):
        x = QUIET
        for black, run in groupby(row):
            length = len(list(run))
            if black:
                yield f"M{x} {y}h{length}v1h-{length}z"
            x += length
