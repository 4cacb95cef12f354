"""Rows that were not accepted, handed out to be corrected."""

from collections.abc import Iterator
from typing import TYPE_CHECKING

from django.core.exceptions import ValidationError

from breachdesk.accounts.permissions import action
from breachdesk.audit.record import record
from breachdesk.people.models import Upload
from breachdesk.people.rejected import rejected_csv
from breachdesk.vault.sealing import cipher_for

if TYPE_CHECKING:
    from breachdesk.accounts.models import User


@action("people.load_people")
def download_rejected(upload: Upload, *, by: "User") -> Iterator[bytes]:
    """The rejected rows of one file as CSV, in the clear, piece by piece. That they were asked for leaves an event."""
    rows = upload.rejected.count()
    if not rows:
        raise ValidationError("No row of this file was rejected. There is nothing to download.")
    pieces = rejected_csv(cipher_for(upload.incident_id), upload)
    record("rejected.downloaded", by=by, on=upload, rows=rows)
    return pieces
