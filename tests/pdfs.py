"""Reading PDFs back, as somebody outside would."""

import os
import subprocess
from io import BytesIO

import pikepdf
import pytest


def text_of_pdf(pdf: bytes) -> str:
    """By the machine's pdftotext where there is one; the text layer is what a screen reader and a court get."""
    return _read_by("pdftotext", "-layout", "-", "-", pdf=pdf)


def pages_of_pdf(pdf: bytes) -> list[str]:
    """The words of each page, in the order in which they are read."""
    return _read_by("pdftotext", "-", "-", pdf=pdf).split("\f")[:-1]


def _read_by(*words: str, pdf: bytes) -> str:
    try:
        done = subprocess.run(words, input=pdf, capture_output=True, check=True, timeout=60)
    except FileNotFoundError:
        assert not os.environ.get("REQUIRE_PDF_TOOLS"), "REQUIRE_PDF_TOOLS=1, and there is no pdftotext."
        pytest.skip("pdftotext is not installed: apt-get install poppler-utils.")
    return done.stdout.decode()


def demand_fonts(letters: str) -> None:
    """What the packaged fonts lack is printed in the machine's own: without a font for a letter nothing can be seen."""
    for letter in letters:
        try:
            asked = ("fc-list", f":charset={ord(letter):x}")
            found = subprocess.run(asked, capture_output=True, check=True, timeout=60).stdout
        except FileNotFoundError:
            found = b""
        if not found:
            assert not os.environ.get("REQUIRE_PDF_TOOLS"), f"REQUIRE_PDF_TOOLS=1, and no font has the letter {letter}."
            pytest.skip(f"No font has the letter {letter}: apt-get install fonts-noto-core fonts-droid-fallback.")


def body_of_pdf(pdf: bytes) -> str:
    """The text of a filing between the running head and foot, column by column."""
    area = ["-x", "0", "-y", "76", "-W", "595", "-H", "683"]  # points: the margins of print/filing.css
    return _read_by("pdftotext", *area, "-", "-", pdf=pdf)


def attachment_of(pdf: bytes, name: str) -> bytes:
    with pikepdf.open(BytesIO(pdf)) as document:
        return bytes(document.attachments[name].get_file().read_bytes())


def holes_of(pdf: bytes) -> int:
    """How many letters were drawn as the box of a missing glyph: glyph 0 of a font."""
    with pikepdf.open(BytesIO(pdf)) as document:
        return sum(_drawn(page).count(b"\0\0") for page in document.pages)


def _drawn(page: pikepdf.Page) -> list[bytes]:
    """Every glyph of a page, two bytes each."""
    operands = [one for line in pikepdf.parse_content_stream(page, "Tj TJ") for one in line.operands]
    parts = [part for one in operands for part in (one if isinstance(one, pikepdf.Array) else [one])]
    strings = [bytes(part) for part in parts if isinstance(part, pikepdf.String)]
    return [text[at : at + 2] for text in strings for at in range(0, len(text), 2)]
