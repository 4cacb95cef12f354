"""What keeps sends from going out though nobody stopped them: told beside each of them, wherever it is shown."""

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime
from uuid import UUID

from notifications import epochs, routes
from notifications.models import Edition
from notifications.models.notices import UNDER_WAY


@dataclass(frozen=True)
class Hindrance:
    """`is_held`: nothing at all is sent until a person has compared. Otherwise it is the trouble of one way out."""

    words: str
    since: datetime
    why: str
    is_held: bool = False

    @property
    def label(self) -> str:
        return "Held back" if self.is_held else "Stands still"


def hindrances_of(editions: Iterable[Edition]) -> dict[UUID, Hindrance]:
    """Of those under way: one look at what holds sending back and one at each way, however many there are."""
    under_way = [edition for edition in editions if edition.state in UNDER_WAY]
    if not under_way:
        return {}
    epoch = epochs.held()
    if epoch and epoch.held_at:
        held = Hindrance("Nothing is sent", epoch.held_at, f"{epochs.words_of(epoch)}.", is_held=True)
        return {edition.pk: held for edition in under_way}
    ways = {route: of_way(route) for route in {edition.route for edition in under_way}}
    found = {edition.pk: ways[edition.route] for edition in under_way}
    return {pk: hindrance for pk, hindrance in found.items() if hindrance}


def of_way(route: int) -> Hindrance | None:
    if trouble := routes.trouble_of(route):
        return Hindrance(f"Nothing goes out by {routes.name_of(route)}", trouble.since, trouble.why)
    return None
