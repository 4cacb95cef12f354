"""Recomputes the whole trail from its stored bytes. Exit 0: VALID, 1: INVALID, 2: INCOMPLETE."""

import json
from typing import Any

from django.core.management.base import BaseCommand, CommandParser

from breachdesk.audit.canonical import base64url
from breachdesk.audit.verification import Report, Verdict, verify

EXIT_CODES = {Verdict.VALID: 0, Verdict.INVALID: 1, Verdict.INCOMPLETE: 2}


class Command(BaseCommand):
    help = "Verifies the audit trail: VALID (exit 0), INVALID with the first wrong position (1), INCOMPLETE (2)."
    requires_system_checks: list[str] = []

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("--json", action="store_true", help="Print one JSON object instead of sentences.")

    def handle(self, *args: Any, **options: Any) -> None:
        report = verify()
        self.stdout.write(_as_json(report) if options["json"] else _as_text(report))
        if code := EXIT_CODES[report.verdict]:
            raise SystemExit(code)


def _as_json(report: Report) -> str:
    return json.dumps(
        {
            "verdict": report.verdict,
            "size": report.size,
            "root": base64url(report.root),
            "finding": report.finding._asdict() if report.finding else None,
            "missing": report.missing,
            "notes": report.notes,
        }
    )


def _as_text(report: Report) -> str:
    lines = [f"{report.verdict}: {report.size:,} entries checked, root {base64url(report.root)}."]
    if finding := report.finding:
        place = "" if finding.idx is None else f" at position {finding.idx:,}"
        lines.append(f"First fault{place}, against rule {finding.rule}: {finding.sentence}")
    return "\n".join([*lines, *report.missing, *report.notes])
