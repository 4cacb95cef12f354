"""coverage_of(): every language of a notice × every combination of data that its people's rows hold, each rendered."""

from dataclasses import dataclass

from breachdesk.accounts.models import Organisation
from breachdesk.incidents.kinds import labels_of
from breachdesk.people.models import Person
from notifications.checking import size_of
from notifications.editions import skeleton_of
from notifications.models import Edition, Notice
from notifications.recipients import combinations_of, languages_wanted
from notifications.rendering import Skeleton
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
    edition: Edition
    cells: tuple[Cell, ...]

    @property
    def people(self) -> int:
        return sum(cell.people for cell in self.cells)


@dataclass(frozen=True)
class Coverage:
    """`without`: languages of people who get the general edition instead; `unreachable`: no email address."""

    rows: tuple[Row, ...]
    without: dict[str, int]
    unreachable: int

    @property
    def messages(self) -> int:
        return sum(len(row.cells) for row in self.rows)

    @property
    def faults(self) -> int:
        return sum(bool(cell.fault) for row in self.rows for cell in row.cells)


def coverage_of(notice: Notice, organisation: Organisation) -> Coverage:
    editions = notice.editions.exclude(state=Edition.State.CANCELLED).with_incident().in_order()
    people = Person.objects.of(notice.incident)
    return Coverage(
        tuple(_row(edition, organisation) for edition in editions),
        languages_wanted(notice),
        people.without_email().count(),
    )


def _row(edition: Edition, organisation: Organisation) -> Row:
    combinations = combinations_of(edition).most_common()
    try:
        skeleton = skeleton_of(edition, organisation)
    except (WordingError, ValueError, IndexError):
        return Row(edition, tuple(Cell(kinds, n, 0, "The text has faults") for kinds, n in combinations))
    return Row(edition, tuple(_cell(skeleton, kinds, number) for kinds, number in combinations))


def _cell(skeleton: Skeleton, kinds: tuple[str, ...], people: int) -> Cell:
    size, fault = size_of(skeleton, kinds)
    return Cell(kinds, people, size, fault)
