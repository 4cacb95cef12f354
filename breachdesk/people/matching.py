"""What somebody confirms before a file is read: what kind of file it is and what its columns become, on real rows."""

import json
from collections.abc import Iterator
from dataclasses import dataclass
from functools import cached_property
from hashlib import sha256
from typing import Any

from django.core.exceptions import ValidationError
from django.forms import BoundField
from django.http import QueryDict

from breachdesk.people.forms.matching import NAMED, MatchForm, SourceForm
from breachdesk.people.known_plans import KnownPlan, known_plan
from breachdesk.people.models import ColumnMapping, Upload
from breachdesk.people.reading.fields import KIND
from breachdesk.people.reading.guessing import Guess, guesses_of
from breachdesk.people.reading.plan import Column, Plan
from breachdesk.people.reading.samples import masked_sample
from breachdesk.people.reading.source import Inspection, Record
from breachdesk.people.reading.tables import inspect
from breachdesk.people.uploads import opened
from breachdesk.vault.sealing import cipher_for

ROWS_SHOWN = 3
SURE = 80  # per cent; a guess below says why
INSIDE = ("member", "sheet")  # another of these is another table: the rest is guessed anew
CONTAINERS = {
    "plain": "Text in rows",
    "gzip": "Packed with gzip",
    "zip": "A zip",
    "xlsx": "An Excel workbook",
}
NO_COUNTRY = (
    "Where people live decides which regulators must be told, and by when. For those without it nobody can say; once "
    "the file is read, you see how many they are."
)
CHANGED = "You changed how the file is read. These are its rows as they are read now: look at them, then confirm."


@dataclass(frozen=True)
class ShownColumn:
    heading: str
    samples: list[tuple[int, str]]
    field: BoundField
    why: str


@dataclass(frozen=True)
class Gap:
    tone: str
    what: str
    why: str


class Matching:
    """`typed` is what the page sent, empty on the first look. Raises ValidationError when the file is no list."""

    def __init__(self, upload: Upload, typed: QueryDict) -> None:
        self.upload, self.typed, self.does = upload, typed, typed.get("do", "look") if typed else ""
        self.warning = ""
        self.inspection = self._inspect()
        self.guesses = guesses_of(self.inspection)
        self.source_form = SourceForm(self.inspection)
        self.form = self._form()

    def _inspect(self) -> Inspection:
        with opened(self.upload, cipher_for(self.upload.incident_id)) as file:
            try:
                return inspect(file, self._wanted())
            except ValidationError as refusal:
                if not self.typed:
                    raise
                self.warning = refusal.messages[0]
                return inspect(file)

    def _wanted(self) -> dict[str, str | int]:
        """How the user wants it read. Another sheet, or another file of the zip, is guessed anew."""
        typed = {name: str(self.typed[name]) for name in SourceForm.base_fields if name in self.typed}
        other = [name for name in INSIDE if name in typed and typed[name] != self._shown.get(name, typed[name])]
        if other:
            typed = {name: typed[name] for name in INSIDE[: INSIDE.index(other[0]) + 1] if name in typed}
        wanted: dict[str, str | int] = dict(typed)
        if "header_row" in wanted:
            wanted["header_row"] = int(typed["header_row"]) if typed["header_row"].isdecimal() else -1
        return wanted

    @cached_property
    def known(self) -> KnownPlan | None:
        """How an earlier file with these headings was read."""
        return known_plan(self.upload, self.inspection)

    @cached_property
    def _shown(self) -> dict[str, Any]:
        """What the preview was made of that the user looked at."""
        try:
            shown = json.loads(self.typed.get("shown", "{}"))
        except ValueError:
            shown = {}
        return shown if isinstance(shown, dict) else {}

    @cached_property
    def _now(self) -> dict[str, Any]:
        headings = "\n".join(self.inspection.headings).encode()
        return self.inspection.source.as_json() | {"headings": sha256(headings).hexdigest()}

    def _form(self) -> MatchForm:
        becomes, kept = self._becomes()
        if self.does == "match" and not self.warning and self._shown == self._now:
            return MatchForm(self.typed, headings=self.inspection.headings, becomes=becomes)
        if self.does == "match":
            self.warning = self.warning or CHANGED
        initial = {
            "version": self.upload.version,
            "shown": json.dumps(self._now),
            "date_order": kept.date_order if kept else self.typed.get("date_order", self.guesses.date_order),
            "allow": list(kept.allow) if kept else self.typed.getlist("allow"),
            "purpose": self.typed.get("purpose", Upload.Purpose.ADD),
            "reason": self.typed.get("reason", ""),
            "keep_as": self.typed.get("keep_as", ""),
            "use": self.typed.get("use", ""),
        }
        return MatchForm(initial=initial, headings=self.inspection.headings, becomes=becomes)

    def _becomes(self) -> tuple[list[str], Plan | None]:
        """What each column becomes: as a kept mapping says, as it was chosen, or as it is guessed; and that mapping."""
        if self.does == "use" and (kept := self._kept()):
            return [column.becomes for column in kept.columns], kept
        if self._shown.get("headings") != self._now["headings"]:
            if self.known:
                return [column.becomes for column in self.known.plan.columns], self.known.plan
            return [guess.becomes for guess in self.guesses.columns], None
        guessed = [guess.becomes for guess in self.guesses.columns]
        return [self.typed.get(f"{NAMED}-{place}", guess) for place, guess in enumerate(guessed)], None

    def _kept(self) -> Plan | None:
        mapping = ColumnMapping.objects.chosen(self.typed.get("use", ""))
        if mapping is None:
            return None
        plan = Plan.from_json(mapping.plan).onto(self.inspection.source, self.inspection.headings)
        if plan is None:
            self.warning = f"The file lacks a column that “{mapping.name}” stores. Match the columns by hand."
        return plan

    def is_confirmed(self) -> bool:
        """Whether all that is needed was typed, on a preview of the very same rows."""
        if not self.form.is_bound or not self.form.is_valid():
            return False
        if self._asks_date_order:
            self.form.add_error("date_order", "Say which comes first, the day or the month: 04/05/1984 can be either.")
        return self.form.is_valid()

    @property
    def plan(self) -> Plan:
        """As it stands in the form."""
        columns = [
            Column(heading, field.value() or "")
            for heading, field in zip(self.inspection.headings, self._fields, strict=True)
        ]
        allow = tuple(self.form["allow"].value() or ())
        return Plan(self.inspection.source, tuple(columns), self.form["date_order"].value() or "", allow)

    @property
    def has_births(self) -> bool:
        return "born_on" in self.plan.becomes

    @property
    def _asks_date_order(self) -> bool:
        return self.guesses.asks_date_order and self.has_births and not self.plan.date_order

    @property
    def _fields(self) -> list[BoundField]:
        return [self.form[f"{NAMED}-{place}"] for place in range(len(self.inspection.headings))]

    # What the page shows

    @cached_property
    def rows(self) -> list[Record]:
        """The first two, and of the others the one that tells most about the encoding."""
        whole = [record for record in self.inspection.sample if not record.problem] or self.inspection.sample
        first, rest = whole[: ROWS_SHOWN - 1], whole[ROWS_SHOWN - 1 :]
        telling = max(rest, key=lambda record: sum(not sign.isascii() for sign in "".join(record.fields)), default=None)
        return [*first, *([telling] if telling else [])]

    @cached_property
    def columns(self) -> list[ShownColumn]:
        return [
            ShownColumn(
                guess.heading,
                [(row.number, masked_sample(_cell(row, place))) for row in self.rows],
                field,
                _why(guess, field.value() or ""),
            )
            for place, (guess, field) in enumerate(zip(self.guesses.columns, self._fields, strict=True))
        ]

    @property
    def stored_said(self) -> str:
        stored, all_of_them = self.plan.stored, len(self.columns)
        return (
            f"All {all_of_them:,} are stored" if stored == all_of_them else f"{stored:,} of {all_of_them:,} are stored"
        )

    @property
    def container_said(self) -> str:
        source = self.inspection.source
        inside = ", an Excel workbook inside" if source.sheet and source.container in ("zip", "gzip") else ""
        return CONTAINERS[source.container] + inside

    @cached_property
    def gaps(self) -> list[Gap]:
        return list(self._gaps())

    def _gaps(self) -> Iterator[Gap]:
        becomes = self.plan.becomes
        try:
            self.plan.check()
        except ValidationError as refusal:
            yield from (Gap("alarm", "It cannot be read like this", sentence) for sentence in refusal.messages)
        yield from self._country_gap()
        if self._asks_date_order:
            yield Gap(
                "soon",
                "Day or month first?",
                "04/05/1984 can be read both ways, and so can its dates of birth. Say below which comes first.",
            )
        if "language" not in becomes:
            yield Gap("act", "No language", "Everybody in it gets the notice in its default language.")
        if not any(key == "kinds" or key.startswith(KIND) for key in becomes):
            yield Gap("act", "No kinds of data", "What was exposed of them is as stated for the whole incident.")

    def _country_gap(self) -> Iterator[Gap]:
        places = [place for place, column in enumerate(self.plan.columns) if column.becomes == "country"]
        if not places:
            yield Gap("soon", "No country of residence for anybody", NO_COUNTRY)
            return
        blank = sum(not _cell(record, places[0]).strip() for record in self.inspection.sample)
        if blank:
            yield Gap(
                "soon", f"{blank} of the {len(self.inspection.sample)} rows looked at have no country", NO_COUNTRY
            )


def _cell(record: Record, place: int) -> str:
    return record.fields[place] if place < len(record.fields) else ""


def _why(guess: Guess, chosen: str) -> str:
    """Only where it was guessed, and not for certain."""
    return guess.why if chosen == guess.becomes and guess.sure < SURE else ""
