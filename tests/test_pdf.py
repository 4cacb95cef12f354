"""The PDF engine's leash: what it may not read, how much it may use, and what every file it makes must state."""

import sys
from datetime import UTC, datetime
from io import BytesIO
from pathlib import Path

import pikepdf
import pytest

from breachdesk import pdf
from breachdesk.pdf import PdfAttachment, PdfError, PdfLimits, PdfRefused, PdfTimedOut, PdfTooLarge, render_pdf

MOMENT = datetime(2026, 3, 29, 1, 30, tzinfo=UTC)
PAGE = (
    '<!doctype html><html lang="en-GB"><head><title>A report</title>'
    '<link rel="stylesheet" href="print/base.css"></head><body><h1>A report</h1>{}</body></html>'
)


def opened(content: bytes) -> pikepdf.Pdf:
    return pikepdf.open(BytesIO(content))


NOTE = PdfAttachment("filing.json", b'{"a":1}', "The same answers for machines")
MARKUP = "<p><strong>Bold</strong> <code>0O1lI</code> Łódź</p><script>while (true) {}</script>"


@pytest.fixture(scope="module")
def made() -> bytes:
    """The script in it is only left out."""
    return render_pdf(PAGE.format(MARKUP), moment=MOMENT, attachments=[NOTE])


def test_it_states_both_standards_and_is_tagged(made: bytes) -> None:
    document = opened(made)
    with document.open_metadata() as metadata:
        assert metadata["pdfaid:part"] == "3"
        assert metadata["pdfaid:conformance"] == "A"
        assert metadata["pdfuaid:part"] == "1"
    assert document.Root.MarkInfo.Marked
    assert str(document.Root.Lang) == "en-GB"


def test_an_attachment_comes_out_as_it_went_in(made: bytes) -> None:
    document = opened(made)
    attached = document.attachments["filing.json"]
    assert attached.get_file().read_bytes() == b'{"a":1}'
    assert str(attached.obj.AFRelationship) == "/Source"


def test_every_font_is_inside_the_file(made: bytes) -> None:
    document = opened(made)
    descriptors = [
        o for o in document.objects if isinstance(o, pikepdf.Dictionary) and o.get("/Type") == "/FontDescriptor"
    ]
    assert len(descriptors) >= 3
    assert all("/FontFile2" in d or "/FontFile3" in d for d in descriptors)


def test_the_same_input_gives_the_same_bytes(made: bytes) -> None:
    assert render_pdf(PAGE.format(MARKUP), moment=MOMENT, attachments=[NOTE]) == made


@pytest.mark.parametrize(
    "markup",
    [
        '<img src="https://outside.example/a.png">',
        '<img src="file:///etc/passwd">',
        '<img src="../settings.py">',
        '<img src="data:image/png;base64,AAAA">',
        '<svg width="9" height="9"><image href="https://outside.example/b.png" width="9" height="9"/></svg>',
        '<style>@import "https://outside.example/c.css";</style>',
        "<style>@font-face { font-family: x; src: url(//outside.example/d) } p { font-family: x }</style><p>x",
        '<p style="background: url(https://outside.example/e.png)">x</p>',
        '<link rel="attachment" href="file:///etc/passwd">',
        '<object data="https://outside.example/f.svg"></object>',
    ],
)
def test_it_fetches_nothing_from_outside(markup: str) -> None:
    with pytest.raises(PdfRefused, match="asked for"):
        render_pdf(PAGE.format(markup), moment=MOMENT)


def test_a_document_that_works_too_long_is_stopped() -> None:
    with pytest.raises(PdfTimedOut, match="more than 1 seconds of work"):
        render_pdf("<p>a</p>" * 200_000, moment=MOMENT, limits=PdfLimits(cpu_seconds=1))


def test_a_document_that_lasts_too_long_is_stopped_and_leaves_nothing(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    monkeypatch.setattr("tempfile.tempdir", str(tmp_path))
    with pytest.raises(PdfTimedOut, match=r"0\.5 seconds of waiting"):
        render_pdf("<p>a</p>" * 200_000, moment=MOMENT, limits=PdfLimits(wall_seconds=0.5))
    assert list(tmp_path.iterdir()) == []


@pytest.mark.skipif(sys.platform != "linux", reason="Only Linux holds RLIMIT_AS; elsewhere a thread polls.")
def test_a_document_that_needs_too_much_memory_is_stopped() -> None:
    with pytest.raises(PdfTooLarge, match="more than 150 MB"):
        render_pdf("<p>a b c</p>" * 40_000, moment=MOMENT, limits=PdfLimits(memory_bytes=150 << 20))


def test_the_child_gets_no_secret(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("BREACHDESK_SECRET_KEY", "not-for-the-child")
    monkeypatch.setenv("DATABASE_URL", "postgresql://nobody@/nothing")
    spy = tmp_path / "child.py"
    spy.write_text(
        "import json, os, sys\nsys.stdin.read()\n"
        "seen = json.dumps([dict(os.environ), sorted(sys.modules)])\n"
        "sys.stdout.write('%PDF-' + seen)\n"
    )
    monkeypatch.setattr(pdf, "CHILD", spy)
    seen = render_pdf("", moment=MOMENT).decode()
    assert "not-for-the-child" not in seen
    assert "DATABASE_URL" not in seen
    assert "HOME" in seen
    assert "django" not in seen


def test_a_child_that_breaks_is_a_sentence(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    broken = tmp_path / "child.py"
    broken.write_text("raise SystemExit(7)\n")
    monkeypatch.setattr(pdf, "CHILD", broken)
    with pytest.raises(PdfError, match="exit code 7"):
        render_pdf("", moment=MOMENT)


def test_a_machine_without_pango_hears_which_package(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    absent = tmp_path / "child.py"
    absent.write_text('print(\'{"fault": "pango", "detail": "libpango-1.0-0"}\')\nraise SystemExit(3)\n')
    monkeypatch.setattr(pdf, "CHILD", absent)
    with pytest.raises(pdf.PangoMissing, match=r"apt-get install libpango-1\.0-0"):
        render_pdf("", moment=MOMENT)
