"""Alike people of one edition: the same kinds of data, the same country. A reviewer reads one real message of each."""

from collections import Counter
from dataclasses import dataclass
from functools import lru_cache
from uuid import UUID

from django.db.models import Count

from breachdesk.incidents.kinds import labels_of
from breachdesk.people.countries import country_name
from breachdesk.people.models import Person, PersonQuerySet
from notifications.models import Edition
from notifications.recipients import kinds_of, last_event, recipients_of

SHOWN = 12


@dataclass(frozen=True)
class Segment:
    kinds: tuple[str, ...]
    country: str
    people: int

    @property
    def key(self) -> str:
        """How a form names it: name,email|GB."""
        return f"{','.join(self.kinds)}|{self.country}"

    @property
    def labels(self) -> list[str]:
        return labels_of(list(self.kinds))

    @property
    def place(self) -> str:
        return country_name(self.country) if self.country else "no country given"


@dataclass(frozen=True)
class Segments:
    """The largest come first. `more` is how many are not listed."""

    listed: tuple[Segment, ...]
    more: int
    is_in_one_country: bool


def people_of(edition: Edition) -> PersonQuerySet:
    """Whom the frozen list holds, or would hold if it were frozen now."""
    is_frozen = edition.recipients_count is not None
    return Person.objects.filter(deliveries__edition=edition) if is_frozen else recipients_of(edition)


def segments_of(edition: Edition) -> Segments:
    """Counted once: a frozen list stays as it is, another one until something happens in the case."""
    root = edition.recipients_root
    return _remembered(edition.pk, bytes(root) if root is not None else last_event(edition.notice.incident))


@lru_cache(maxsize=16)
def _remembered(edition_id: UUID, _state: int | bytes) -> Segments:
    edition = Edition.objects.with_incident().get(pk=edition_id)
    counts: Counter[tuple[tuple[str, ...], str]] = Counter()
    rows = people_of(edition).order_by().values_list("kinds", "country").annotate(people=Count("pk"))
    for kinds, country, number in rows:
        counts[kinds_of(kinds, edition.notice.incident), country] += number
    # Equal ones in an order of their own, so that the page is the same each time.
    found = sorted(
        (Segment(*group, number) for group, number in counts.items()), key=lambda one: (-one.people, one.key)
    )
    return Segments(tuple(found[:SHOWN]), max(0, len(found) - SHOWN), len({one.country for one in found}) < 2)


def first_of(edition: Edition, key: str) -> Person | None:
    """One person of the segment, always the same one; nobody if no such segment is left."""
    kinds, _, country = key.partition("|")
    people = people_of(edition).filter(country=country)
    written = people.order_by().values_list("kinds", flat=True).distinct()
    alike = [row for row in written if ",".join(kinds_of(row, edition.notice.incident)) == kinds]
    return people.filter(kinds__in=alike).order_by("pk").first() if alike else None
