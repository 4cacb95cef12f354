"""The document that leaves the building: what it states, that it repeats, and what hostile text cannot do to it."""

import json
from functools import partial
from hashlib import sha256
from io import BytesIO

import pikepdf
import pytest
from django.utils import timezone

from breachdesk.accounts.models import User
from breachdesk.audit.models import Event
from breachdesk.pdf import PangoMissing, PdfLimits, render_pdf
from regulators import actions, pdf_signing
from regulators import filing_pdf as filing_pdf_module
from regulators.actions import NewAnswer
from regulators.filing_pdf import filing_pdf
from regulators.models import Filing
from tests.pdfs import attachment_of, text_of_pdf
from tests.regulators.conftest import fresh, in_days, sheet, signed_in
from tests.regulators.test_save_answers import address


def test_it_holds_what_was_signed_and_declares_both_standards(signed: Filing) -> None:
    document = filing_pdf(signed, at=timezone.now())
    attached, version = attachment_of(document.pdf, "filing.json"), signed.signed
    assert version is not None
    assert attached == bytes(version.content)
    assert sha256(attached).digest() == document.digest == bytes(version.digest)
    assert document.name == f"{signed.incident.reference}-uk_ico-v1.pdf"
    with pikepdf.open(BytesIO(document.pdf)) as opened, opened.open_metadata() as metadata:
        assert (metadata["pdfaid:part"], metadata["pdfaid:conformance"]) == ("3", "A")
        assert metadata["pdfuaid:part"] == "1"
        assert signed.incident.reference in metadata["dc:title"]
        assert opened.check_pdf_syntax() == [], "what qpdf --check finds"


def test_the_same_bytes_each_time_with_the_answers_and_the_hash_on_every_page(signed: Filing) -> None:
    document = filing_pdf(signed, at=timezone.now())
    assert filing_pdf(fresh(signed), at=timezone.now()).pdf == document.pdf
    pages = text_of_pdf(document.pdf).split("\f")[:-1]
    assert len(pages) >= 4
    assert all(document.digest.hex() in page for page in pages)
    assert all(f"Page {number} of {len(pages)}" in page for number, page in enumerate(pages, 1))
    whole = " ".join(" ".join(pages).split())
    assert "5,000" in whole
    assert "Signed off, not yet submitted" in whole
    assert "DRAFT" not in whole
    assert watermarks(document.pdf) == [0] * len(pages)


def watermarks(pdf: bytes) -> list[int]:
    """How many pictures each page draws: a filing without a checkpoint has no other."""
    with pikepdf.open(BytesIO(pdf)) as document:
        return [len(pikepdf.parse_content_stream(page, "Do")) for page in document.pages]


def test_a_draft_says_so_on_every_page(complete: Filing) -> None:
    """In words in the running head or the body, and as a picture behind the text."""
    document = filing_pdf(fresh(complete), at=timezone.now())
    pages = text_of_pdf(document.pdf).split("\f")[:-1]
    assert all("DRAFT" in page for page in pages)
    assert watermarks(document.pdf) == [1] * len(pages)
    assert document.name.endswith("-draft.pdf")
    assert "Nobody yet" in pages[0]


def test_what_is_still_to_come_stands_first(complete: Filing, dpo: User) -> None:
    promise = NewAnswer(1, promised_on=in_days(9), so_far="The forensic firm is counting.")
    actions.save_answers(complete, {"people_count": promise}, by=dpo)
    pages = text_of_pdf(filing_pdf(fresh(complete), at=timezone.now()).pdf).split("\f")
    day = f"{in_days(9).day} {in_days(9):%B %Y}"
    assert "1 answer open" in pages[0]
    assert day in pages[0]
    assert "The forensic firm is counting." in " ".join(pages)


def test_a_submitted_report_names_when_how_and_their_reference(submitted: Filing) -> None:
    text = text_of_pdf(filing_pdf(submitted, at=timezone.now()).pdf)
    assert "IC-000000-X0X0" in text
    assert "Online form" in text
    assert "5 hours 0 minutes" in " ".join(text.split())


HOSTILE = {
    "what_happened": '<script>while(1){}</script><img src="https://outside.example/x.png">',
    "preventive_measures": "<style>* { display: none }</style></div></section></main>",
    "potential_consequences": "<link rel='attachment' href='file:///etc/passwd'>{{ settings }}{% include 'x' %}",
    "actions_taken": "&lt;b&gt; &#x26; “quotes” and a backslash \\A",
    "prevent_recurrence": "Łukasz Żółć, Çağlar Öztürk, Ελένη, Олена",
    "how_discovered": "W" * 2_000,
    "high_risk_details": "Turned \u202e round \u202c and back",
}


def test_whatever_is_typed_is_printed_as_text(complete: Filing, dpo: User) -> None:
    """Nothing is fetched, run, left out or pushed off the page, and other scripts have their letters."""
    written = {given.key: given.version for given in sheet(complete)}
    answers = {key: NewAnswer(written[key], text) for key, text in HOSTILE.items()}
    actions.save_answers(complete, answers, by=dpo)
    document = filing_pdf(fresh(complete), at=timezone.now())
    content = json.loads(attachment_of(document.pdf, "filing.json"))
    asked = {question["key"]: question for section in content["sections"] for question in section["questions"]}
    assert {key: asked[key]["answer"] for key in HOSTILE} == HOSTILE
    printed = text_of_pdf(document.pdf)
    squeezed = "".join(printed.split())
    short = [text for key, text in HOSTILE.items() if key not in {"how_discovered", "high_risk_details"}]
    assert all("".join(text.split())[:24] in squeezed for text in short)
    assert printed.count("W") >= 2_000
    assert "Howtocheckthisdocument" in squeezed


# ---- leaving the building


def test_the_button_gives_the_file_and_leaves_an_event(signed: Filing, auditor: User) -> None:
    answer = signed_in(auditor).post(address(signed, "pdf/"))
    assert answer["Content-Type"] == "application/pdf"
    assert answer["Content-Disposition"] == f'attachment; filename="{signed.incident.reference}-uk_ico-v1.pdf"'
    event = Event.objects.newest_first()[0]
    assert event.type == "filing.exported"
    assert event.content["data"]["bytes"] == len(answer.content)
    assert event.content["data"]["state"] == "signed_off"


def test_looking_is_not_exporting(signed: Filing, dpo: User) -> None:
    assert signed_in(dpo).get(address(signed, "pdf/")).status_code == 405
    assert not Event.objects.filter(type="filing.exported").exists()


def test_one_that_is_too_large_says_so_and_what_else_there_is(
    signed: Filing, dpo: User, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Two hundred pages and how long they take: tests/faults/forms.py. Here the child is given no time at all."""
    monkeypatch.setattr(filing_pdf_module, "render_pdf", partial(render_pdf, limits=PdfLimits(wall_seconds=0.01)))
    answer = signed_in(dpo).post(address(signed, "pdf/"))
    assert answer.status_code == 409
    assert "0.01 seconds of waiting" in answer.text
    assert "leave as JSON, however long they are" in answer.text
    assert not Event.objects.filter(type="filing.exported").exists()


def test_without_pango_there_is_a_sentence_and_no_event(
    signed: Filing, dpo: User, monkeypatch: pytest.MonkeyPatch
) -> None:
    def no_pango(*args: object, **kwargs: object) -> None:
        raise PangoMissing("The PDF was not made: this machine lacks the Pango text library.")

    monkeypatch.setattr(pdf_signing, "filing_pdf", no_pango)
    answer = signed_in(dpo).post(address(signed, "pdf/"))
    assert answer.status_code == 409
    assert "lacks the Pango text library" in answer.text
    assert not Event.objects.filter(type="filing.exported").exists()
