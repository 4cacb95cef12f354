"""Rejected rows as a file: what is wrong with each in front, then its original columns in their original order.

Written piece by piece as it is downloaded, so that a million rows need no more memory than a thousand. The file may be
corrected and handed in again; see reading/corrections.py for the apostrophes in it.
"""

import csv
import io
import json
from collections.abc import Iterable, Iterator

from breachdesk.people.models import RejectedRow, Upload
from breachdesk.people.reading.corrections import BOOKKEEPING, defused, restored
from breachdesk.people.reading.plan import Plan, plan_of
from breachdesk.people.reading.reasons import REASONS
from breachdesk.vault.sealing import Cipher

TABLE, COLUMN = "people_rejectedrow", "sealed"
AT_ONCE = 500
BYTE_ORDER_MARK = "\ufeff"  # or a spreadsheet takes UTF-8 for something else


def original_of(cipher: Cipher, row: RejectedRow) -> list[str]:
    """The fields as they stood in the file."""
    fields: list[str] = json.loads(cipher.unseal(bytes(row.sealed), table=TABLE, column=COLUMN, row=row.pk))
    return fields


def rejected_csv(cipher: Cipher, upload: Upload) -> Iterator[bytes]:
    plan = plan_of(cipher, upload)
    headings = [column.heading for column in plan.columns]
    yield _lines([[*BOOKKEEPING, *_without_notes(headings, plan)]], start=BYTE_ORDER_MARK)
    last = 0
    while rows := list(upload.rejected.after_row(last)[:AT_ONCE]):
        yield _lines(_noted(row, original_of(cipher, row), plan) for row in rows)
        last = rows[-1].row_number


def _noted(row: RejectedRow, original: list[str], plan: Plan) -> list[str]:
    reason = REASONS[row.reason]
    if plan.is_correction:
        original = [restored(text) for text in original]
    return [str(row.row_number), row.column, reason.label, reason.advice, *_without_notes(original, plan)]


def _without_notes(fields: list[str], plan: Plan) -> list[str]:
    """In a file that was corrected before, our own columns are there already; the new ones take their place."""
    if not plan.is_correction or len(fields) != len(plan.columns):
        return fields
    return [text for text, column in zip(fields, plan.columns, strict=True) if column.heading not in BOOKKEEPING]


def _lines(rows: Iterable[list[str]], start: str = "") -> bytes:
    text = io.StringIO(start, newline="")
    text.seek(0, io.SEEK_END)
    csv.writer(text).writerows([defused(field) for field in row] for row in rows)
    return text.getvalue().encode(errors="replace")
