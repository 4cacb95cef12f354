"""coverage_of(): every language of a notice × every combination of data that its people's rows hold, each rendered."""

from dataclasses import dataclass

from breachdesk.accounts.models import Organisation, User
from breachdesk.incidents.kinds import labels_of
from notifications.checking import size_of
from notifications.editions import skeleton_of
from notifications.models import Edition, Notice
from notifications.readership import Readership, readership_of
from notifications.recipients import combinations_of
from notifications.rendering import Skeleton
from notifications.renderings import renderings_of
from notifications.wording import WordingError


@dataclass(frozen=True)
class Cell:
    """People whose data held the same kinds, and the message they would get: its size, or why there is none."""

    kinds: tuple[str, ...]
    people: int
    size: int
    fault: str

    @property
    def labels(self) -> list[str]:
        return labels_of(list(self.kinds))

    @property
    def key(self) -> str:
        return ",".join(self.kinds)


@dataclass(frozen=True)
class Row:
    """`waiting`: people without a message of the notice who get it in this language; `opened`: keys of cells that one
    colleague opened of the edition as it is now."""

    edition: Edition
    cells: tuple[Cell, ...]
    waiting: int = 0
    opened: frozenset[str] = frozenset()

    @property
    def people(self) -> int:
        return sum(cell.people for cell in self.cells)


@dataclass(frozen=True)
class Coverage:
    rows: tuple[Row, ...]
    readership: Readership

    @property
    def messages(self) -> int:
        return sum(len(row.cells) for row in self.rows)

    @property
    def faults(self) -> int:
        return sum(bool(cell.fault) for row in self.rows for cell in row.cells)


def coverage_of(notice: Notice, organisation: Organisation, user: User) -> Coverage:
    """With what this colleague has opened of each edition."""
    editions = notice.editions.exclude(state=Edition.State.CANCELLED).with_incident().in_order()
    readership = readership_of(notice)
    rows = [
        Row(
            edition,
            _cells(edition, organisation),
            readership.waiting_for(edition.language),
            frozenset(one.key for one in renderings_of(edition, user) if one.is_opened),
        )
        for edition in editions
    ]
    return Coverage(tuple(rows), readership)


def _cells(edition: Edition, organisation: Organisation) -> tuple[Cell, ...]:
    combinations = combinations_of(edition).most_common()
    try:
        skeleton = skeleton_of(edition, organisation)
    except (WordingError, ValueError, IndexError):
        return tuple(Cell(kinds, number, 0, "The text has faults") for kinds, number in combinations)
    return tuple(_cell(skeleton, kinds, number) for kinds, number in combinations)


def _cell(skeleton: Skeleton, kinds: tuple[str, ...], people: int) -> Cell:
    size, fault = size_of(skeleton, kinds)
    return Cell(kinds, people, size, fault)
