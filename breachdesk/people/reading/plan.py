"""How one file is to be read, as somebody confirmed it on its real rows: which column becomes what."""

import json
import re
from dataclasses import dataclass, replace
from typing import Any
from uuid import UUID

from django.core.exceptions import ValidationError

from breachdesk.people.models import Upload
from breachdesk.people.reading.corrections import is_correction
from breachdesk.people.reading.dates import ORDERS
from breachdesk.people.reading.fields import is_field, label_of
from breachdesk.people.reading.headings import spelled
from breachdesk.people.reading.reasons import ALLOWABLE
from breachdesk.people.reading.source import Source
from breachdesk.vault.sealing import Cipher

TABLE, COLUMN = "people_upload", "sealed_plan"
NAMES = {"full_name", "given_name", "family_name"}
CONTACTS = {"email", "street", "guardian_email"}


@dataclass(frozen=True)
class Column:
    heading: str
    becomes: str = ""  # a key of FIELDS, kind:<key of KINDS> or extra:<name>; empty when the column is not stored


@dataclass(frozen=True)
class Plan:
    source: Source
    columns: tuple[Column, ...]
    date_order: str = ""  # dmy or mdy where the dates of birth need it
    allow: tuple[str, ...] = ()  # keys of ALLOWABLE

    @property
    def stored(self) -> int:
        return sum(bool(column.becomes) for column in self.columns)

    @property
    def becomes(self) -> frozenset[str]:
        return frozenset(column.becomes for column in self.columns) - {""}

    @property
    def is_correction(self) -> bool:
        """Whether the file is one of our own: rejected rows, corrected."""
        return is_correction([column.heading for column in self.columns])

    def as_json(self) -> dict[str, Any]:
        return {
            "source": self.source.as_json(),
            "columns": [[column.heading, column.becomes] for column in self.columns],
            "date_order": self.date_order,
            "allow": list(self.allow),
        }

    @classmethod
    def from_json(cls, value: dict[str, Any]) -> "Plan":
        columns = tuple(Column(heading, becomes) for heading, becomes in value["columns"])
        return cls(Source.from_json(value["source"]), columns, value["date_order"], tuple(value["allow"]))

    def check(self) -> None:
        """Raises ValidationError with a sentence for each thing that keeps the file from being read."""
        problems = [*_unknown(self), *_twice(self), *_missing(self)]
        if problems:
            raise ValidationError(problems)

    def onto(self, source: Source, headings: list[str]) -> "Plan | None":
        """The same for another file, column by column under its heading; None when one that is stored is not there.

        A heading that this plan does not know is not stored.
        """
        known = {spelled(column.heading): column.becomes for column in self.columns if column.becomes}
        if not known or not known.keys() <= set(map(spelled, headings)):
            return None
        columns = tuple(Column(heading, known.get(spelled(heading), "")) for heading in headings)
        return replace(self, source=source, columns=columns)

    def to_keep(self) -> "Plan":
        """For the next file of the same source: what is stored of it, and nothing of this one."""
        return replace(self, source=Source(), columns=tuple(column for column in self.columns if column.becomes))

    def why_not_kept(self) -> str:
        """A sentence when the headings may be somebody's data; a kept plan stands in the clear."""
        if self.source.header_row == 0:
            return "No row of this file names its columns, so there is nothing to know the next one by."
        for column in self.columns:
            if column.becomes and _is_datum(column.heading):
                return f"“{column.heading[:60]}” looks like somebody’s data, not like the name of a column."
        return ""


_MANY_DIGITS = re.compile(r"\d(?:\W?\d){4}")


def _is_datum(heading: str) -> bool:
    return "@" in heading or _MANY_DIGITS.search(heading) is not None


def _unknown(plan: Plan) -> list[str]:
    problems = [
        f"“{column.heading[:60]}” cannot become “{column.becomes[:60]}”. Choose from the list."
        for column in plan.columns
        if column.becomes and not is_field(column.becomes)
    ]
    if plan.date_order not in ("", *ORDERS):
        problems.append("Choose whether the day or the month comes first in the dates of birth.")
    if not ALLOWABLE.keys() >= set(plan.allow):
        problems.append("Only these can be allowed: " + "; ".join(ALLOWABLE.values()) + ".")
    return problems


def _twice(plan: Plan) -> list[str]:
    columns: dict[str, list[str]] = {}
    for column in plan.columns:
        columns.setdefault(column.becomes, []).append(f"“{column.heading[:60]}”")
    return [
        f"{' and '.join(headings)} cannot all be “{label_of(becomes)}”. Choose one; do not store the others."
        for becomes, headings in columns.items()
        if len(headings) > 1 and becomes and is_field(becomes)
    ]


def _missing(plan: Plan) -> list[str]:
    problems = []
    if NAMES.isdisjoint(plan.becomes):
        problems.append("No column holds a name. Choose which one is the full name, or the first and the last name.")
    if CONTACTS.isdisjoint(plan.becomes):
        problems.append("No column holds an email address or a street. Without one nobody in this file can be told.")
    return problems


@dataclass(frozen=True)
class ShownColumn:
    heading: str
    label: str  # empty when the column is not stored


def shown_plan(plan: Plan) -> list[ShownColumn]:
    return [ShownColumn(column.heading[:60], label_of(column.becomes)) for column in plan.columns]


def seal_plan(cipher: Cipher, upload_id: UUID, plan: Plan) -> bytes:
    """Sealed, for what stands in the first row may turn out to be somebody's name."""
    value = json.dumps(plan.as_json(), ensure_ascii=False).encode()
    return cipher.seal(value, table=TABLE, column=COLUMN, row=upload_id)


def plan_of(cipher: Cipher, upload: Upload) -> Plan:
    """The plan of an upload whose columns are matched."""
    assert upload.sealed_plan is not None, "its columns are not matched yet"
    return Plan.from_json(
        json.loads(cipher.unseal(bytes(upload.sealed_plan), table=TABLE, column=COLUMN, row=upload.pk))
    )
