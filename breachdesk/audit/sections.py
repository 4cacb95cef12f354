"""What higher apps add to an evidence bundle: sections in words, and the rows behind settled batches of deliveries.

An app that has something to add keeps it in its `bundle_sections.py`, which is found when a bundle is made:

    @section("incident")
    def incident_section(incident_id: UUID, *, private: bool) -> dict[str, Any]: ...

    @delivery_rows
    def settled_rows(incident_id: UUID) -> Iterator[Row]: ...

A section is a JSON object with "v": 1, made of text, whole numbers, lists and objects. With private=False it holds
nothing that names a person and nothing typed about one; None leaves it out. The rows of one batch come together and in
ascending order of their number; the whole list never has to be in memory.
"""

import re
from collections.abc import Callable, Iterator
from typing import Any, Protocol, TypeVar
from uuid import UUID

from django.utils.module_loading import autodiscover_modules

MODULE = "bundle_sections"
NAME = re.compile(r"[a-z][a-z_]{0,40}")


# One row of a settled batch: the batch it was sealed in, its number there from 0, and its canonical line.
Row = tuple[UUID, int, str]


class Section(Protocol):
    def __call__(self, incident_id: UUID, *, private: bool) -> dict[str, Any] | None: ...


Rows = Callable[[UUID], Iterator[Row]]
S = TypeVar("S", bound=Section)
R = TypeVar("R", bound=Rows)

_sections: dict[str, Section] = {}
_rows: list[Rows] = []


class SectionTwiceError(RuntimeError):
    """Two apps add a section of the same name, or two add delivery rows: one would hide the other."""


def section(name: str) -> Callable[[S], S]:
    """The function's answer becomes sections/`name`.json of every bundle."""
    if not NAME.fullmatch(name):
        raise ValueError(f"{name!r} is no name for a section: use lower-case letters and underscores.")

    def register(function: S) -> S:
        if name in _sections:
            raise SectionTwiceError(f"There are two bundle sections named {name!r}. Rename one of them.")
        _sections[name] = function
        return function

    return register


def delivery_rows(function: R) -> R:
    """The function's answer becomes deliveries.jsonl of every bundle."""
    if _rows:
        raise SectionTwiceError("The rows of deliveries.jsonl come from one place only. Remove the second one.")
    _rows.append(function)
    return function


def collect_sections(incident_id: UUID, *, private: bool) -> dict[str, dict[str, Any]]:
    """Every registered section of one incident, in order of their names."""
    autodiscover_modules(MODULE)
    found = {name: _sections[name](incident_id, private=private) for name in sorted(_sections)}
    return {name: content for name, content in found.items() if content is not None}


def collect_delivery_rows(incident_id: UUID) -> Iterator[Row]:
    autodiscover_modules(MODULE)
    for rows in _rows:
        yield from rows(incident_id)
