"""evidence_pdf(): the evidence report on paper, printed from the very object that is attached to it."""

from dataclasses import dataclass, field
from datetime import timedelta
from hashlib import sha256
from itertools import accumulate
from typing import Any
from zoneinfo import ZoneInfo

from django.template.loader import render_to_string

from breachdesk.audit.canonical import canonical, time_of
from breachdesk.audit.printing import NoteForPrint
from breachdesk.pdf import PdfAttachment, render_pdf
from regulators.wording import said

BAR = 332  # units of the drawing, as the allowed time
WIDE = 640


@dataclass(frozen=True)
class EvidenceDocument:
    name: str
    digest: bytes
    pdf: bytes = field(repr=False)


@dataclass(frozen=True)
class Bar:
    """A line of the chart: how much of the time allowed was used. `width` is at most BAR."""

    label: str
    said: str
    y: int
    width: float

    @property
    def text_y(self) -> int:
        return self.y + 12


@dataclass(frozen=True)
class Slice:
    """A part of the bar of a notice, with its hatching where it is not the largest."""

    label: str
    number: int
    share: str
    x: float
    width: float
    is_solid: bool


def evidence_pdf(evidence: dict[str, Any], trail_note: NoteForPrint | None) -> EvidenceDocument:
    """Raises a PdfError with a sentence when there can be no PDF. `trail_note` is the checkpoint named in it."""
    attached = canonical(evidence)
    digest = sha256(attached).digest()
    context = {**context_of(evidence), "digest": digest.hex(), "trail_note": trail_note}
    html = render_to_string("desk/evidence_pdf.html", context)
    attachments = [PdfAttachment("evidence.json", attached, "This report for machines; its SHA-256 is on every page")]
    attachments += [trail_note.attachment] if trail_note else []
    pdf = render_pdf(html, moment=time_of(evidence["as_of"]), attachments=attachments)
    return EvidenceDocument(f"{evidence['incident']}-evidence.pdf", digest, pdf)


def context_of(evidence: dict[str, Any]) -> dict[str, Any]:
    zone = evidence["zone"]
    reports = [duty for duty in evidence["obligations"] if duty["due"]]
    return {
        "evidence": evidence,
        "as_of": said(time_of(evidence["as_of"]), zone),
        "figures": _figures(evidence),
        "moments": [{**moment, "said": _moment(moment)} for moment in evidence["moments"]],
        "timeline": [_step(step, evidence) for step in evidence["timeline"]],
        "decisions": [{**one, "said": said(time_of(one["at"]), zone)} for one in evidence["decisions"]],
        "obligations": [_duty(duty, zone) for duty in evidence["obligations"]],
        "bars": [_bar(number, duty, evidence["aware_at"]) for number, duty in enumerate(reports)],
        "bars_height": 24 * len(reports) + 4,
        "notices": [_notice(notice, zone) for notice in evidence["notices"]],
        "extract": [{**line, "short": _short(line["at"], zone, seconds=True)} for line in evidence["extract"]],
    }


def _figures(evidence: dict[str, Any]) -> list[tuple[str, str]]:
    met = [duty["met"] for duty in evidence["obligations"] if duty["due"] and duty["met"]]
    told = sum(part["number"] for notice in evidence["notices"] for part in notice["results"] if part["label"] in TOLD)
    still_open = sum(duty["met"] is None for duty in evidence["obligations"])
    late = sum(duty["is_late"] for duty in evidence["obligations"])
    people = evidence["people"]
    first = elapsed(evidence["aware_at"], min(met)) if met else "–"
    return [
        ("–" if people is None else f"{people:,}", "people in the lists that were loaded"),
        (first, "from becoming aware to the first report" if met else "no report was submitted yet"),
        (f"{told:,}", "people whose message our mail host took"),
        (str(late), f"duties met late, {still_open} still open"),
    ]


TOLD = ("Delivered", "Handed over")


def elapsed(start: str, moment: str) -> str:
    """32 h 45 min; a minus for what came before."""
    minutes = int((time_of(moment) - time_of(start)).total_seconds() // 60)
    hours, rest = divmod(abs(minutes), 60)
    words = f"{hours:,} h {rest:02} min" if hours else f"{rest} min"
    return f"−{words}" if minutes < 0 else words


def _moment(moment: dict[str, Any]) -> str:
    if moment["at"] is None:
        return "Not known"
    about = "About " if moment["precision"] == "about" else ""
    return f"{about}{said(time_of(moment['at']), moment['zone'])}"


def _step(step: dict[str, Any], evidence: dict[str, Any]) -> dict[str, Any]:
    short = _short(step["at"], evidence["zone"])
    return {**step, "short": short, "elapsed": elapsed(evidence["aware_at"], step["at"])}


def _short(moment: str, zone: str, *, seconds: bool = False) -> str:
    local = time_of(moment).astimezone(ZoneInfo(zone))
    return f"{local.day} {local:%b} {local:%H:%M:%S}" if seconds else f"{local.day} {local:%b} {local:%H:%M}"


def _duty(duty: dict[str, Any], zone: str) -> dict[str, Any]:
    result = "Open" if duty["met"] is None else "Late" if duty["is_late"] else "Met"
    due = _short(duty["due"], zone) if duty["due"] else "Without undue delay"
    return {**duty, "result": result, "due_said": due, "met_said": _short(duty["met"], zone) if duty["met"] else "–"}


def _bar(number: int, duty: dict[str, Any], aware_at: str) -> Bar:
    if duty["met"] is None:
        return Bar(duty["short"], "not submitted", 24 * number + 4, 0.0)
    allowed = time_of(duty["due"]) - time_of(aware_at)
    used = (time_of(duty["met"]) - time_of(aware_at)) / allowed
    words = f"{elapsed(aware_at, duty['met'])} of {round(allowed / timedelta(hours=1))} h"
    return Bar(duty["short"], words, 24 * number + 4, round(BAR * min(max(used, 0.0), 1.0), 1))


def _notice(notice: dict[str, Any], zone: str) -> dict[str, Any]:
    approvals = [f"{one['who']}, {said(time_of(one['at']), zone)}" for one in notice["approvals"]]
    glass = [f"{one['who']}, {said(time_of(one['at']), zone)}: “{one['why']}”" for one in notice["glass_broken"]]
    return {
        **notice,
        "approved": approvals,
        "glass": glass,
        "slices": slices_of(notice["results"]),
        "bar_words": _words(notice),
    }


def _words(notice: dict[str, Any]) -> str:
    parts = ", ".join(f"{part['label'].lower()} {part['number']:,}" for part in notice["results"])
    return f"Bar: of {notice['recipients']:,} people: {parts}. The table below has the same numbers."


def slices_of(results: list[dict[str, Any]]) -> list[Slice]:
    """Laid end to end over the whole width; the largest is solid, the others are outlined."""
    total = sum(part["number"] for part in results)
    widths = [WIDE * part["number"] / total for part in results]
    starts = [0.0, *accumulate(widths)]
    largest = max((part["number"] for part in results), default=0)
    return [
        Slice(
            part["label"],
            part["number"],
            f"{100 * part['number'] / total:.1f} %",
            round(start, 1),
            round(width, 1),
            part["number"] == largest,
        )
        for part, start, width in zip(results, starts, widths, strict=False)
    ]
