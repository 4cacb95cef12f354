"""Rows for the tests of the reader: what a table of these headings and lines gives."""

import csv
from collections.abc import Iterator
from datetime import date

from breachdesk.people.reading.context import RowContext
from breachdesk.people.reading.plan import Column, Plan
from breachdesk.people.reading.rows import BadRow, CleanRow, read_rows
from breachdesk.people.reading.source import Inspection, Record, Source, Table

TODAY = date(2026, 3, 9)
EXAMPLES_PASS = RowContext(reserved_domains=True)


class Lines(Table):
    """Records as a file would give them; the heading is row 1."""

    def __init__(self, *rows: list[str]) -> None:
        self.rows = rows

    def records(self) -> Iterator[Record]:
        return (Record(number, fields) for number, fields in enumerate(self.rows, 2))

    @property
    def bytes_read(self) -> int:
        return 0


def plan_for(*becomes: str, **more) -> Plan:
    return Plan(Source(), tuple(Column(f"Heading {name}", name) for name in becomes), **more)


def read(*rows: list[str], plan: Plan, context: RowContext = EXAMPLES_PASS) -> list[CleanRow | BadRow]:
    return list(read_rows(Lines(*rows), plan, today=TODAY, context=context))


def read_person(context: RowContext = EXAMPLES_PASS, more: Plan | None = None, /, **fields: str) -> CleanRow | BadRow:
    """The row of Ana Ng at ana@example.net, with these fields besides or instead; `kind__health` is kind:health."""
    whole = {"full_name": "Ana Ng", "email": "ana@example.net", **fields}
    names = [name.replace("__", ":") for name in whole]
    plan = plan_for(*names) if more is None else plan_for(*names, date_order=more.date_order, allow=more.allow)
    (row,) = read(list(whole.values()), plan=plan, context=context)
    return row


def clean(*args, **fields: str) -> CleanRow:
    row = read_person(*args, **fields)
    assert isinstance(row, CleanRow), row
    return row


def reason(*args, **fields: str) -> tuple[str, str]:
    row = read_person(*args, **fields)
    assert isinstance(row, BadRow), row
    return row.reason, row.column


def inspection_of(text: str) -> Inspection:
    headings, *rows = csv.reader(text.splitlines())
    sample = [Record(number, fields) for number, fields in enumerate(rows, 2)]
    return Inspection(Source(), ["utf-8"], [","], [], [], headings, sample, certain=True)
