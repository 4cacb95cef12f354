"""A peer of filing_pdf.py: the same answers laid out by reportlab's own means, in a process of its own.

    python -m tests.bench.reportlab_filing filing.json filing.pdf

Questions beside answers, the hash at the foot of every page, a font inside the file. What it leaves out is what the
ratio costs: tags for screen readers, PDF/A, style sheets, and letters that the one font does not have.
"""

import json
import sys
from hashlib import sha256
from pathlib import Path
from typing import Any
from xml.sax.saxutils import escape

from reportlab.lib.pagesizes import A4
from reportlab.lib.styles import ParagraphStyle
from reportlab.lib.units import mm
from reportlab.pdfbase import pdfmetrics
from reportlab.pdfbase.ttfonts import TTFont
from reportlab.platypus import PageBreak, Paragraph, SimpleDocTemplate, Spacer, Table

FONTS = Path("/usr/share/fonts/truetype/dejavu")
WIDTHS = (14 * mm, 50 * mm, 106 * mm)


def main(source: Path, target: Path) -> None:
    raw = source.read_bytes()
    content, digest = json.loads(raw), sha256(raw).hexdigest()
    plain, bold = fonts()

    def foot(canvas: Any, document: Any) -> None:
        canvas.setFont(plain, 7)
        canvas.drawString(20 * mm, 15 * mm, f"SHA-256 of filing.json {digest}")
        canvas.drawRightString(190 * mm, 15 * mm, f"Page {document.page}")

    pages = SimpleDocTemplate(str(target), pagesize=A4, leftMargin=20 * mm, rightMargin=20 * mm, topMargin=27 * mm)
    pages.build(_story(content, digest, plain, bold), onFirstPage=foot, onLaterPages=foot)


def fonts() -> tuple[str, str]:
    if not FONTS.exists():
        return "Helvetica", "Helvetica-Bold"
    for name in ("DejaVuSans", "DejaVuSans-Bold"):
        pdfmetrics.registerFont(TTFont(name, str(FONTS / f"{name}.ttf")))
    return "DejaVuSans", "DejaVuSans-Bold"


def _story(content: dict[str, Any], digest: str, plain: str, bold: str) -> list[Any]:
    text = ParagraphStyle("text", fontName=plain, fontSize=9, leading=13)
    label, head = ParagraphStyle("label", text, fontName=bold), ParagraphStyle("head", text, fontName=bold, fontSize=13)
    title = ParagraphStyle("title", head, fontSize=24, leading=28, spaceAfter=8 * mm)
    facts = [("Our reference", content["incident"]), ("SHA-256 of filing.json", digest)]
    story = [Paragraph(escape(content["form"]["title"]), title)]
    story += [Table([[Paragraph(name, text), Paragraph(said, text)] for name, said in facts]), PageBreak()]
    for section in content["sections"]:
        story += [Spacer(1, 6 * mm), Paragraph(escape(f"{section['number']} {section['title']}"), head)]
        rows = [_row(question, label, text) for question in section["questions"]]
        story.append(Table(rows, colWidths=WIDTHS, style=[("VALIGN", (0, 0), (-1, -1), "TOP")]))
    return story


def _row(question: dict[str, Any], label: ParagraphStyle, text: ParagraphStyle) -> list[Any]:
    answer = [Paragraph(escape(line), text) for line in question["text"].splitlines()]
    return [Paragraph(question["number"], label), Paragraph(escape(question["label"]), label), answer]


if __name__ == "__main__":
    main(Path(sys.argv[1]), Path(sys.argv[2]))
