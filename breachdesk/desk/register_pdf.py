"""register_pdf(): the register on paper, one breach after the other, with the CSV attached."""

from datetime import datetime

from django.template.loader import render_to_string

from breachdesk.accounts.models import Organisation
from breachdesk.desk.register import Register, register_csv
from breachdesk.pdf import PdfAttachment, render_pdf


def register_pdf(register: Register, organisation: Organisation, now: datetime) -> bytes:
    """Raises a PdfError with a sentence when there can be no PDF."""
    html = render_to_string("desk/register_pdf.html", {"register": register, "organisation": organisation, "now": now})
    attached = PdfAttachment("register.csv", register_csv(register), "The same register as a table")
    return render_pdf(html, moment=now, attachments=[attached])
