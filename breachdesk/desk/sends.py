"""Sends that are going out now, or stand still half-way; and people about whose message somebody must decide."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING
from uuid import UUID

from django.core.cache import cache
from django.urls import reverse

from breachdesk.incidents.models import Incident
from notifications.hindrance import Hindrance, hindrances_of
from notifications.models import Delivery, Edition
from notifications.models.notices import UNDER_WAY
from notifications.progress import Progress
from notifications.unknowns import counts_of

if TYPE_CHECKING:
    from breachdesk.accounts.models import User

OPEN = ("unknown", "blocked")
KEPT_SECONDS = 60  # what is open about a send that has ended seldom changes, and counting it reads all of its rows


def address_of_send(edition: Edition) -> str:
    return reverse("send", args=[edition.notice.incident.reference, edition.pk])


@dataclass(frozen=True)
class Send:
    edition: Edition
    progress: Progress
    hindrance: Hindrance | None

    @property
    def url(self) -> str:
        return address_of_send(self.edition)


@dataclass(frozen=True)
class InDoubt:
    """An edition with people of whom nobody knows whether they were told, or whose message was stopped."""

    edition: Edition
    unknown: int
    stopped: int

    @property
    def url(self) -> str:
        page = reverse("unknown", args=[self.edition.notice.incident.reference, self.edition.pk])
        return page if self.unknown else f"{page}?of=blocked"


def sends_and_doubts(user: "User") -> tuple[list[Send], list[InDoubt]]:
    """The editions, one count of the deliveries of those under way, what is kept of the others, and what hinders: a
    fixed number of queries."""
    editions = list(Edition.objects.visible_to(user).to_look_after().with_incident().in_order())
    under_way = [edition for edition in editions if edition.state in UNDER_WAY]
    counts = Delivery.objects.tally(under_way) if under_way else {}
    hindered = hindrances_of(edition for edition in under_way if edition.state == Edition.State.SENDING)
    sends = [Send(one, Progress(counts.get(one.pk, {})), hindered.get(one.pk)) for one in under_way]
    doubts = counts | _kept_counts([edition for edition in editions if edition.state not in UNDER_WAY])
    found = [InDoubt(one, *map(doubts.get(one.pk, {}).get, OPEN, (0, 0))) for one in editions]
    return sends, [one for one in found if one.unknown or one.stopped]


@dataclass(frozen=True)
class Hindered:
    """A send that does not go out, and why."""

    edition: Edition
    hindrance: Hindrance

    @property
    def url(self) -> str:
        return address_of_send(self.edition)


def hindered_of(incident: Incident, user: "User") -> list[Hindered]:
    """Of one incident, by a way that takes nothing. What holds all of sending back is said on every page already."""
    editions = list(Edition.objects.visible_to(user).of(incident).sending().with_incident().in_order())
    found = hindrances_of(editions)
    hindered = [Hindered(edition, found[edition.pk]) for edition in editions if edition.pk in found]
    return [one for one in hindered if not one.hindrance.is_held]


def _kept_counts(ended: Sequence[Edition]) -> dict[UUID, dict[str, int]]:
    """As they were at most a minute ago."""
    keys = {edition.pk: f"doubts-{edition.pk}" for edition in ended}
    known = cache.get_many(keys.values()) if ended else {}
    if missing := [edition for edition in ended if keys[edition.pk] not in known]:
        counted = counts_of(missing)
        fresh = {keys[edition.pk]: counted.get(edition.pk, {}) for edition in missing}
        cache.set_many(fresh, KEPT_SECONDS)
        known |= fresh
    return {pk: known[key] for pk, key in keys.items()}
