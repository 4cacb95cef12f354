"""Sends that are going out now, or stand still half-way."""

from dataclasses import dataclass
from typing import TYPE_CHECKING

from breachdesk.desk.addresses import address_of_edition
from notifications.models import Delivery, Edition
from notifications.progress import Progress

if TYPE_CHECKING:
    from breachdesk.accounts.models import User


@dataclass(frozen=True)
class Send:
    edition: Edition
    progress: Progress

    @property
    def url(self) -> str:
        return address_of_edition(self.edition.notice.incident, self.edition)


def sends_in_progress(user: "User") -> list[Send]:
    """Two queries: what is under way, and one count of its deliveries by state."""
    editions = list(Edition.objects.visible_to(user).under_way().with_incident().in_order())
    counts = Delivery.objects.tally(editions) if editions else {}
    return [Send(edition, Progress(counts.get(edition.pk, {}))) for edition in editions]
