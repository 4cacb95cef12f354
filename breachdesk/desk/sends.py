"""Sends that are going out now, or stand still half-way."""

from dataclasses import dataclass
from typing import TYPE_CHECKING

from breachdesk.desk.addresses import address_of_edition
from notifications.models import Delivery, Edition

if TYPE_CHECKING:
    from breachdesk.accounts.models import User

HANDED = (Delivery.State.HANDED_OVER, Delivery.State.ASSUMED_SENT, Delivery.State.COMPLAINED)
FAILED = (Delivery.State.REFUSED, Delivery.State.BOUNCED)
WITHHELD = (Delivery.State.BLOCKED, Delivery.State.CANCELLED, Delivery.State.SUPPRESSED)


@dataclass(frozen=True)
class Send:
    edition: Edition
    counts: dict[str, int]

    @property
    def url(self) -> str:
        return address_of_edition(self.edition.notice.incident, self.edition)

    def count_of(self, *states: str) -> int:
        return sum(self.counts.get(state, 0) for state in states)

    @property
    def total(self) -> int:
        return sum(self.counts.values()) - self.count_of(*WITHHELD)

    @property
    def delivered(self) -> int:
        return self.count_of(Delivery.State.DELIVERED)

    @property
    def handed_over(self) -> int:
        """Everything the relay took, whatever came of it later."""
        return self.delivered + self.count_of(*HANDED, Delivery.State.BOUNCED)

    @property
    def failed(self) -> int:
        return self.count_of(*FAILED)

    @property
    def unknown(self) -> int:
        return self.count_of(Delivery.State.UNKNOWN)

    @property
    def parts(self) -> list[tuple[str, str, int]]:
        """For the bar: (kind, label, number)."""
        return [
            ("delivered", "Delivered", self.delivered),
            ("handed", "Handed over", self.count_of(*HANDED)),
            ("unknown", "Unknown", self.unknown),
            ("bounced", "Refused or bounced", self.failed),
        ]


def sends_in_progress(user: "User") -> list[Send]:
    """Two queries."""
    editions = list(Edition.objects.visible_to(user).under_way().with_incident())
    counts = Delivery.objects.tally(editions) if editions else {}
    return [Send(edition, counts.get(edition.pk, {})) for edition in editions]
