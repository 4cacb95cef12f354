"""The checkpoint on a report that leaves the building: which one, and that it stays the same."""

from collections.abc import Iterator
from dataclasses import dataclass
from io import BytesIO

import pikepdf
import pytest
from django.conf import settings
from django.db import transaction
from django.utils import timezone

from breachdesk.audit.checkpoints import checkpoint_covering, public_keys
from breachdesk.audit.models import Checkpoint
from breachdesk.audit.note import verify_note
from breachdesk.audit.record import record
from regulators import actions
from regulators.actions import NewAnswer
from regulators.filing_pdf import filing_pdf
from regulators.models import Filing
from tests.factories import make_incident, make_organisation, make_user
from tests.pdfs import attachment_of, text_of_pdf
from tests.regulators.conftest import ANSWERS, fresh, sign
from tests.signing import Signing

pytestmark = pytest.mark.django_db


@dataclass
class Told:
    """One report from its draft to its sign-off, and its PDF at each stage, while the log grows and is signed."""

    filing: Filing
    covering: Checkpoint
    pdfs: dict[str, bytes]


@pytest.fixture(scope="module", autouse=True)
def told(made_once: None, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Told]:
    dpo, pdfs = make_user("dpo"), {}
    make_organisation()
    filing = actions.open_filing(make_incident(), "uk_ico", by=dpo)
    filing = actions.save_answers(filing, {key: NewAnswer(0, value) for key, value in ANSWERS.items()}, by=dpo)
    with pytest.MonkeyPatch.context() as changed:
        changed.setattr(settings, "BREACHDESK", settings.BREACHDESK)  # put back at the end
        signing = Signing(settings, tmp_path_factory.mktemp("signing"))
        signing.sign()
        pdfs["draft"] = pdf_of(filing)
        sign(actions.submit_for_sign_off(filing, expected_version=filing.version, by=dpo), dpo)
        pdfs["not covered"] = pdf_of(filing)
        covering = signing.sign()
        assert grow(signing).size > covering.size
        pdfs["covered"] = pdf_of(filing)
        grow(signing)
        pdfs["covered, after more"] = pdf_of(filing)
        yield Told(fresh(filing), covering, pdfs)


def pdf_of(filing: Filing) -> bytes:
    return filing_pdf(fresh(filing), at=timezone.now()).pdf


def grow(signing: Signing) -> Checkpoint:
    with transaction.atomic():
        record("heartbeat", by=None, log_size=1)
    return signing.sign()


def squeezed(pdf: bytes) -> str:
    return "".join(text_of_pdf(pdf).split())


def test_the_first_checkpoint_over_the_sign_off_is_attached_and_printed(told: Told) -> None:
    pdf = told.pdfs["covered"]
    note = attachment_of(pdf, "checkpoint.note").decode()
    assert note == told.covering.note
    version = told.filing.signed
    assert version is not None
    assert version.trail_position is not None
    assert checkpoint_covering(version.trail_position) == told.covering
    read, (key,) = verify_note(note, public_keys()), public_keys()
    printed = squeezed(pdf)
    assert read.origin in printed
    assert note.split("\n")[2] in printed
    assert "".join(key.fingerprint.split()) in printed
    assert "Lastentryofthiscase" in printed


def test_every_page_names_it(told: Told) -> None:
    pages = text_of_pdf(told.pdfs["covered"]).split("\f")[:-1]
    assert all(f"under the checkpoint over {told.covering.size} entries" in page for page in pages)


def test_a_log_that_grew_changes_no_byte(told: Told) -> None:
    assert told.pdfs["covered, after more"] == told.pdfs["covered"]


def test_the_qr_code_is_a_figure_with_a_text(told: Told) -> None:
    with pikepdf.open(BytesIO(told.pdfs["covered"])) as document:
        figures = [
            o for o in document.objects if isinstance(o, pikepdf.Dictionary) and o.get("/S") == pikepdf.Name.Figure
        ]
        assert ["QR code" in str(figure.Alt) for figure in figures] == [True]


def test_a_draft_has_none_and_says_so(told: Told) -> None:
    with pikepdf.open(BytesIO(told.pdfs["draft"])) as document:
        assert list(document.attachments) == ["filing.json"]
    assert "Adraftcarriesnocheckpoint" in squeezed(told.pdfs["draft"])


def test_a_sign_off_that_is_not_signed_over_yet_says_so(told: Told) -> None:
    with pikepdf.open(BytesIO(told.pdfs["not covered"])) as document:
        assert list(document.attachments) == ["filing.json"]
    assert "isnotunderasignedcheckpointofthetrailyet" in squeezed(told.pdfs["not covered"])
