"""What an approver must have opened before a yes: what most people get, and those of whom most and least was taken.

A rendering is known by its key: the kinds of data that a person's row holds, "name,email"; "text:name,email" for the
same message as plain text; "coverage" for the table of every language and combination.
"""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass

from breachdesk.accounts.models import User
from breachdesk.incidents.kinds import labels_of
from breachdesk.people.models import Person
from notifications.models import Edition, Opening
from notifications.recipients import combinations_of

TEXT = "text:"
COVERAGE = "coverage"


def required_of(combinations: Mapping[tuple[str, ...], int]) -> list[str]:
    """Keys, each once: of the most common combination of kinds, the one with most kinds, the one with fewest."""
    if not combinations:
        return [COVERAGE]
    of = [(",".join(kinds), len(kinds), number) for kinds, number in combinations.items()]
    common = min(of, key=lambda one: (-one[2], one[0]))[0]
    most = min(of, key=lambda one: (-one[1], -one[2], one[0]))[0]
    fewest = min(of, key=lambda one: (one[1], -one[2], one[0]))[0]
    return [*dict.fromkeys([common, most, fewest]), TEXT + common, COVERAGE]


def required_for(edition: Edition) -> list[str]:
    return required_of(combinations_of(edition))


def kinds_in(key: str) -> list[str]:
    """The kinds of data of a message's rendering."""
    return [] if key == COVERAGE else [kind for kind in key.removeprefix(TEXT).split(",") if kind]


def shown_as(key: str) -> str:
    return "coverage" if key == COVERAGE else "text" if key.startswith(TEXT) else "message"


@dataclass(frozen=True)
class Rendering:
    """One of them, as an approver sees it listed."""

    key: str
    is_opened: bool

    @property
    def is_text(self) -> bool:
        return shown_as(self.key) == "text"

    @property
    def title(self) -> str:
        if self.key == COVERAGE:
            return "Every language and combination of data"
        data = ", ".join(labels_of(kinds_in(self.key))) or "No kind of data"
        return f"{data}, as plain text" if self.is_text else data


def renderings_of(edition: Edition, user: User) -> list[Rendering]:
    """In the order of the edition, each with whether this colleague opened it as it is now."""
    mine = Opening.objects.filter(edition=edition, digest=edition.digest, opened_by=user)
    opened = set(mine.values_list("rendering", flat=True))
    return [Rendering(key, key in opened) for key in edition.renderings]


def unopened(renderings: Iterable[Rendering]) -> list[str]:
    """Their titles."""
    return [one.title for one in renderings if not one.is_opened]


@dataclass(frozen=True)
class Numbers:
    """Of a frozen list: combinations of kinds in words, most people first, and how many are under age."""

    combinations: tuple[tuple[str, int], ...]
    minors: int


def numbers_of(edition: Edition) -> Numbers:
    counted = combinations_of(edition).most_common()
    said = ((", ".join(labels_of(list(kinds))) or "Nothing", number) for kinds, number in counted)
    return Numbers(tuple(said), Person.objects.filter(deliveries__edition=edition).minors().count())
