"""A peer of letters.py: the same letters laid out by reportlab's own means, in a process of its own.

    python -m tests.bench.reportlab_letters letters.json letters.pdf

Sender, address in its place, the words, the code, each letter from the front of a sheet. What it leaves out is what
the ratio costs: tags for screen readers, PDF/A, style sheets, and letters that the one font does not have.
"""

import json
import sys
from pathlib import Path
from typing import Any
from xml.sax.saxutils import escape

from reportlab.lib.pagesizes import A4
from reportlab.lib.styles import ParagraphStyle
from reportlab.lib.units import mm
from reportlab.platypus import PageBreak, Paragraph, SimpleDocTemplate, Spacer

from tests.bench.reportlab_filing import fonts

CODE = "7HTM-2WKX"
KINDS = "- your email address\n- your name"


def main(source: Path, target: Path) -> None:
    given = json.loads(source.read_text())
    plain, bold = fonts()
    text = ParagraphStyle("text", fontName=plain, fontSize=10.4, leading=14.6, spaceAfter=2.2 * mm)
    head = ParagraphStyle("head", text, fontName=bold)
    title = ParagraphStyle("title", head, fontSize=16, leading=19)
    pages = SimpleDocTemplate(str(target), pagesize=A4, leftMargin=22 * mm, rightMargin=22 * mm, topMargin=20 * mm)
    story: list[Any] = []
    for letter in given["letters"]:
        story += _letter(letter, given["source"], text, head, title)
    pages.build(story)


def _letter(
    letter: dict[str, Any], source: str, text: ParagraphStyle, head: ParagraphStyle, title: ParagraphStyle
) -> list[Any]:
    story: list[Any] = [Paragraph("Halden &amp; Rowe", title), Spacer(1, 20 * mm)]
    story += [Paragraph(escape(line), text) for line in letter["address"]]
    story += [Spacer(1, 20 * mm), Paragraph(f"22 November 2026, your code: {CODE}", text)]
    story.append(Paragraph("Your details were copied", title))
    words = source.replace("((first name))", letter["name"]).replace("((data list))", KINDS)
    for block in words.split("\n\n"):
        style = head if block.startswith("###") else text
        story += [Paragraph(escape(line.strip("#- ")), style) for line in block.split("\n") if line]
    story += [Paragraph(f"Type halden-rowe.example/genuine and give {CODE}, or ring 0113 496 0000.", text)]
    return [*story, PageBreak(), PageBreak()]


if __name__ == "__main__":
    main(Path(sys.argv[1]), Path(sys.argv[2]))
