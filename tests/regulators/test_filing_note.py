"""The checkpoint on a report that leaves the building: which one, and that it stays the same."""

from io import BytesIO

import pikepdf
import pytest
from django.db import transaction
from django.utils import timezone

from breachdesk.audit.checkpoints import checkpoint_covering, public_keys
from breachdesk.audit.models import Checkpoint
from breachdesk.audit.note import verify_note
from breachdesk.audit.record import record
from regulators.filing_pdf import filing_pdf
from regulators.models import Filing
from tests.pdfs import attachment_of, text_of_pdf
from tests.regulators.conftest import fresh
from tests.signing import Signing


@pytest.fixture
def covered(signed: Filing, signing: Signing) -> Checkpoint:
    """The checkpoint over the sign-off, with the log grown and signed again since."""
    first = signing.sign()
    with transaction.atomic():
        record("heartbeat", by=None, log_size=1)
    assert signing.sign().size > first.size
    return first


def squeezed(pdf: bytes) -> str:
    return "".join(text_of_pdf(pdf).split())


def test_the_first_checkpoint_over_the_sign_off_is_attached_and_printed(signed: Filing, covered: Checkpoint) -> None:
    pdf = filing_pdf(fresh(signed), at=timezone.now()).pdf
    note = attachment_of(pdf, "checkpoint.note").decode()
    assert note == covered.note
    version = fresh(signed).signed
    assert version is not None
    assert version.trail_position is not None
    assert checkpoint_covering(version.trail_position) == covered
    read, (key,) = verify_note(note, public_keys()), public_keys()
    printed = squeezed(pdf)
    assert read.origin in printed
    assert note.split("\n")[2] in printed
    assert "".join(key.fingerprint.split()) in printed
    assert "Lastentryofthiscase" in printed


def test_every_page_names_it(signed: Filing, covered: Checkpoint) -> None:
    pages = text_of_pdf(filing_pdf(fresh(signed), at=timezone.now()).pdf).split("\f")[:-1]
    assert all(f"under the checkpoint over {covered.size} entries" in page for page in pages)


def test_a_log_that_grew_changes_no_byte(signed: Filing, covered: Checkpoint, signing: Signing) -> None:
    before = filing_pdf(fresh(signed), at=timezone.now()).pdf
    with transaction.atomic():
        record("heartbeat", by=None, log_size=2)
    signing.sign()
    assert filing_pdf(fresh(signed), at=timezone.now()).pdf == before


def test_the_qr_code_is_a_figure_with_a_text(signed: Filing, covered: Checkpoint) -> None:
    with pikepdf.open(BytesIO(filing_pdf(fresh(signed), at=timezone.now()).pdf)) as document:
        figures = [
            o for o in document.objects if isinstance(o, pikepdf.Dictionary) and o.get("/S") == pikepdf.Name.Figure
        ]
        assert ["QR code" in str(figure.Alt) for figure in figures] == [True]


def test_a_draft_has_none_and_says_so(complete: Filing, signing: Signing) -> None:
    signing.sign()
    pdf = filing_pdf(fresh(complete), at=timezone.now()).pdf
    with pikepdf.open(BytesIO(pdf)) as document:
        assert list(document.attachments) == ["filing.json"]
    assert "Adraftcarriesnocheckpoint" in squeezed(pdf)


def test_a_sign_off_that_is_not_signed_over_yet_says_so(signed: Filing) -> None:
    pdf = filing_pdf(fresh(signed), at=timezone.now()).pdf
    with pikepdf.open(BytesIO(pdf)) as document:
        assert list(document.attachments) == ["filing.json"]
    assert "isnotunderasignedcheckpointofthetrailyet" in squeezed(pdf)
