"""Reading PDFs back, as somebody outside would."""

import os
import subprocess
from io import BytesIO

import pikepdf
import pytest


def text_of_pdf(pdf: bytes) -> str:
    """By the machine's pdftotext where there is one; the text layer is what a screen reader and a court get."""
    try:
        done = subprocess.run(
            ["pdftotext", "-layout", "-", "-"], input=pdf, capture_output=True, check=True, timeout=60
        )
    except FileNotFoundError:
        assert not os.environ.get("REQUIRE_PDF_TOOLS"), "REQUIRE_PDF_TOOLS=1, and there is no pdftotext."
        pytest.skip("pdftotext is not installed: apt-get install poppler-utils.")
    return done.stdout.decode()


def attachment_of(pdf: bytes, name: str) -> bytes:
    with pikepdf.open(BytesIO(pdf)) as document:
        return bytes(document.attachments[name].get_file().read_bytes())
