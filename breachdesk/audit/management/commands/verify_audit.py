"""Recomputes the whole trail from its stored bytes. Exit 0: VALID, 1: INVALID, 2: INCOMPLETE."""

import json
from pathlib import Path
from typing import Any

from django.core.management.base import BaseCommand, CommandError, CommandParser

from breachdesk.audit.canonical import base64url
from breachdesk.audit.signed_states import Kept
from breachdesk.audit.trust import TrustUnreadable, read_trust
from breachdesk.audit.verification import Report, Verdict, verify

EXIT_CODES = {Verdict.VALID: 0, Verdict.INVALID: 1, Verdict.INCOMPLETE: 2}


class Command(BaseCommand):
    help = "Verifies the audit trail: VALID (exit 0), INVALID with the first wrong position (1), INCOMPLETE (2)."
    requires_system_checks: list[str] = []

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("--json", action="store_true", help="Print one JSON object instead of sentences.")
        parser.add_argument("--trust", type=Path, help="A trust.json with the keys to believe.")
        parser.add_argument(
            "--note",
            type=Path,
            action="append",
            default=[],
            help="A signed note that was kept elsewhere: the log must extend it. May be given again.",
        )

    def handle(self, *args: Any, **options: Any) -> None:
        try:
            trusted = read_trust(options["trust"]) if options["trust"] else None
            kept = [Kept(str(path), path.read_bytes().decode()) for path in options["note"]]
        except (TrustUnreadable, OSError, UnicodeDecodeError) as error:
            raise CommandError(f"Nothing was verified. {error}", returncode=EXIT_CODES[Verdict.INCOMPLETE]) from error
        report = verify(trusted, kept)
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
