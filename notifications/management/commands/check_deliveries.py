"""Asks whether everything that must hold of deliveries does. Exit 0: it does, 1: something does not."""

import json
from pathlib import Path
from typing import Any

from django.core.management.base import BaseCommand, CommandError, CommandParser

from breachdesk.incidents.models import Incident
from notifications import invariants
from notifications.invariants import Checked, accepted


class Command(BaseCommand):
    help = (
        "Checks what must hold of every delivery, against the trail; it changes nothing. Exit 1 if something is wrong."
    )
    requires_system_checks: list[str] = []

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("--incident", help="The reference of one case; without it, all are checked.")
        parser.add_argument("--sink", type=Path, help="A log of what a mail host took: see invariants/accepted.py.")
        parser.add_argument("--skew", type=float, default=invariants.SKEW, help="Seconds by which clocks may differ.")
        parser.add_argument("--most-unknown", type=int, help="How many deliveries may be unknown at most.")
        parser.add_argument("--at-rest", action="store_true", help="Nobody works any more: nothing may be left to do.")
        parser.add_argument("--json", action="store_true", help="Print one JSON object instead of sentences.")

    def handle(self, *args: Any, **options: Any) -> None:
        checked = invariants.check(
            _incident(options["incident"]),
            accepted=accepted.read(options["sink"]) if options["sink"] else None,
            skew=options["skew"],
            most_unknown=options["most_unknown"],
            at_rest=options["at_rest"],
        )
        self.stdout.write(_as_json(checked) if options["json"] else _as_text(checked))
        if checked.findings:
            raise SystemExit(1)


def _incident(reference: str | None) -> Any:
    if reference is None:
        return None
    found = Incident.objects.filter(reference=reference).values_list("pk", flat=True).first()
    if found is None:
        raise CommandError(f"There is no case {reference}. Nothing was checked.")
    return found


def _as_json(checked: Checked) -> str:
    findings = [finding._asdict() for finding in checked.findings]
    return json.dumps({"editions": checked.editions, "deliveries": checked.deliveries, "findings": findings})


def _as_text(checked: Checked) -> str:
    looked = f"{checked.deliveries:,} deliveries of {checked.editions:,} editions were checked"
    if not checked.findings:
        return f"{looked}: everything holds that must."
    return "\n".join([f"{looked}. {len(checked.findings)} things do not hold:", *map(str, checked.findings)])
