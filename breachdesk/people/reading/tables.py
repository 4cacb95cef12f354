"""Any sealed file as headings and records: what it seems to be, and its rows as somebody confirmed it.

inspect() reads the first megabyte at most (of a workbook its first rows), so a page may call it each time it is shown.
open_table() and its records() read once from start to end, in bounded memory whatever the size.
"""

from collections.abc import Mapping
from dataclasses import replace
from typing import TYPE_CHECKING

from breachdesk.people.reading import archives
from breachdesk.people.reading.archives import Content
from breachdesk.people.reading.inspecting import checked, inspect_text
from breachdesk.people.reading.signatures import HEAD, kind_of
from breachdesk.people.reading.source import Inspection, Readable, Record, Source, Table
from breachdesk.people.reading.text import TextTable

if TYPE_CHECKING:
    from breachdesk.people.reading.workbook import Workbook

__all__ = ["Inspection", "Record", "Source", "Table", "inspect", "open_table"]

CHOICES = {"member", "sheet", "encoding", "delimiter", "header_row"}


def inspect(file: Readable, wanted: Mapping[str, str | int] | None = None) -> Inspection:
    """Raises ValidationError for what is no list we can read. `wanted` is what the user chose otherwise than guessed:
    any of member, sheet, encoding, delimiter, header_row; the rest is guessed anew."""
    wanted = dict(wanted or {})
    assert wanted.keys() <= CHOICES
    container, members = _container(file)
    source = Source(container=container)
    if members:
        source = replace(source, member=str(wanted.get("member", members[0])))
    found = _inside(file, source, wanted)
    notes = found.notes
    if len(members) > 1:
        notes = [
            f"The zip holds {len(members):,} files; “{source.member}” is read. Upload it again for each other.",
            *notes,
        ]
    certain = found.certain and (len(members) < 2 or "member" in wanted)
    return replace(found, members=members, certain=certain, notes=notes)


def open_table(file: Readable, source: Source) -> Table:
    """The rows as `source` says they are. Raises ValidationError when the file cannot be read so."""
    if workbook := _workbook(file, source):
        from breachdesk.people.reading.workbook import WorkbookTable

        return WorkbookTable(workbook, source, progress=file.tell)
    return TextTable(_content(file, source), checked(source))


def _container(file: Readable) -> tuple[str, list[str]]:
    kind = kind_of(archives.read_fully(archives.Plain(file).open(), HEAD))
    if kind == "text":
        archives.refuse_two_kinds(file)
    if kind != "zip":
        return ("gzip" if kind == "gzip" else "plain"), []
    archive = archives.open_zip(file)
    if archives.is_workbook(archive):
        return "xlsx", []
    return "zip", archives.members_of(archive)


def _content(file: Readable, source: Source) -> Content:
    if source.container == "zip":
        return archives.ZipMember(file, source.member)
    return archives.Gzip(file) if source.container == "gzip" else archives.Plain(file)


def _workbook(file: Readable, source: Source) -> "Workbook | None":
    if source.container == "plain":
        return None
    from breachdesk.people.reading.workbook import Workbook

    if source.container == "xlsx":
        return Workbook(archives.open_zip(file))
    inner = archives.inner_workbook(_content(file, source), source.member or "The file in this gzip")
    return Workbook(archives.open_zip(inner)) if inner else None


def _inside(file: Readable, source: Source, wanted: Mapping[str, str | int]) -> Inspection:
    if workbook := _workbook(file, source):
        from breachdesk.people.reading.workbook import inspect_workbook

        return inspect_workbook(workbook, source, wanted)
    return inspect_text(_content(file, source), source, wanted)
