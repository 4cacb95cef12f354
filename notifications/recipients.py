"""Who an edition is for, and what a message needs from each of them."""

from collections import Counter
from collections.abc import Collection, Iterable, Mapping
from dataclasses import dataclass
from functools import lru_cache
from uuid import UUID

from django.db.models import Count, Exists, OuterRef

from breachdesk.audit.models import Event
from breachdesk.incidents.kinds import KINDS
from breachdesk.incidents.models import Incident
from breachdesk.people.models import Person, PersonQuerySet
from breachdesk.people.personal import full_name, unseal_personal
from breachdesk.vault.sealing import cipher_for
from notifications.audience import audience_from
from notifications.laws import places_of
from notifications.models import Delivery, Edition, Letter, Notice
from notifications.placeholders import ValueRefused, check_value

CHUNK = 5_000
SETTLED = "delivery.batch_settled"
WITHOUT_EFFECT = [
    "edition.saved",
    "edition.overruled",
    "edition.tested",
    "test_send.began",
    "caller.answered",
    "caller.noted",
    "caller.settled",
    "people.looking_began",
    "people.revealed",
    "people.searched",
    "decision.asked",
    SETTLED,
]


ADDRESSES = ("email", "email_2")  # of a person's values, by the rung of a delivery


def address_on(rung: int, personal: Mapping[str, str]) -> str:
    """Where the message of a delivery on this rung goes: to the first address, or to the second."""
    return personal.get(ADDRESSES[min(rung, len(ADDRESSES) - 1)], "")


def values_of(personal: Mapping[str, str]) -> dict[str, str]:
    """A person's ((fields)), by their names in a text."""
    return {
        "first name": personal.get("given_name", ""),
        "last name": personal.get("family_name", ""),
        "full name": full_name(personal),
        "reference": personal.get("reference", ""),
    }


def kinds_of(person_kinds: Iterable[str], incident: Incident) -> tuple[str, ...]:
    """A person's kinds of data, in a fixed order; where the list does not say, those the incident names."""
    held = set(person_kinds) or set(incident.kinds)
    return tuple(kind for kind in KINDS if kind in held)


def best_edition(language: str, default: str, written: Collection[str], fallback: Iterable[str]) -> str | None:
    """The language of the edition somebody gets: exactly theirs (fr-CA), else its base (fr), else the first of the
    notice's order that is written, else none: they wait. Who gave no language reads the general one.
    """
    tag = language or default
    return next((one for one in (tag, tag.split("-")[0], *fallback) if one in written), None)


def languages_served(
    language: str, default: str, written: Collection[str], fallback: Collection[str], present: Iterable[str]
) -> list[str]:
    """Which of the languages people have are served by the edition in this one. Each has one edition at most."""
    return sorted(tag for tag in set(present) if best_edition(tag, default, written, fallback) == language)


def written_in(notice: Notice) -> frozenset[str]:
    """Languages with an edition. One that is cancelled holds nobody up."""
    editions = notice.editions.exclude(state=Edition.State.CANCELLED)
    return frozenset(editions.values_list("language", flat=True))


def people_for(notice: Notice) -> PersonQuerySet:
    """Everybody of its audience whom an email may go to: not on hold, with an address."""
    return audience_from(notice.audience).people_of(notice.incident).reachable_by_email()


def is_for_others(person: Person, notice: Notice) -> bool:
    """A notice is for people who are affected, unless its audience is those who are no longer: never for both."""
    return person.withdrawn != ("affected" in notice.audience)


def recipients_of(edition: Edition) -> PersonQuerySet:
    """Who this edition would go to: of its audience, served by its language, without a delivery or a letter of the
    notice."""
    notice = edition.notice
    people = people_for(notice)
    present = people.order_by().values_list("language", flat=True).distinct()
    served = languages_served(edition.language, notice.default_language, written_in(notice), notice.fallback, present)
    told = Delivery.objects.filter(notice=notice, person=OuterRef("pk")).exclude(edition=edition)
    written_to = Letter.objects.standing().filter(notice=notice, person=OuterRef("pk"))
    return people.filter(~Exists(told), ~Exists(written_to), language__in=served)


def frozen_counts(edition: Edition) -> dict[str, list[tuple[str, int]]]:
    """The frozen list by country and by the language people read, most first."""
    countries: Counter[str] = Counter()
    languages: Counter[str] = Counter()
    people = Person.objects.filter(deliveries__edition=edition).order_by().values_list("country", "language")
    for country, language, number in people.annotate(people=Count("pk")):
        countries[country] += number
        languages[language.split("-")[0]] += number
    return {"countries": _most_first(countries), "languages": _most_first(languages)}


def _most_first(counts: Counter[str]) -> list[tuple[str, int]]:
    """Equal ones by name, so that a page is the same each time."""
    return sorted(counts.items(), key=lambda one: (-one[1], one[0]))


@dataclass(frozen=True)
class Likeness:
    """What makes two people's messages need the same fields."""

    kinds: tuple[str, ...]
    usable: frozenset[str]


def likenesses_of(edition: Edition) -> Counter[Likeness]:
    """How many people are alike. Opens everybody's data in chunks and keeps nothing personal."""
    incident = edition.notice.incident
    cipher = cipher_for(incident.pk)
    counts: Counter[Likeness] = Counter()
    combinations: dict[tuple[str, ...], tuple[str, ...]] = {}
    rows = recipients_of(edition).values_list("pk", "sealed", "row_checksum", "kinds").iterator(chunk_size=CHUNK)
    for person_id, sealed, checksum, kinds in rows:
        values = values_of(unseal_personal(cipher, bytes(sealed), person_id, bytes(checksum)))
        key = tuple(kinds)
        if key not in combinations:
            combinations[key] = kinds_of(key, incident)
        counts[Likeness(combinations[key], _usable(values))] += 1
    return counts


def remembered_likenesses(edition: Edition) -> Counter[Likeness]:
    """The same, kept by this process until something happens in the case: for checks while somebody types."""
    return _remembered(edition.pk, last_event_for(edition.notice))


@lru_cache(maxsize=16)
def _remembered(edition_id: UUID, _last_event: int) -> Counter[Likeness]:
    return likenesses_of(Edition.objects.with_incident().get(pk=edition_id))


def combinations_of(edition: Edition) -> Counter[tuple[str, ...]]:
    """The kinds of data that people's rows hold together, with how many people each; frozen lists as they are.

    Nobody's data is opened for it.
    """
    is_frozen = edition.recipients_count is not None
    people = Person.objects.filter(deliveries__edition=edition) if is_frozen else recipients_of(edition)
    counts: Counter[tuple[str, ...]] = Counter()
    for kinds, number in sorted(people.order_by().values_list("kinds").annotate(people=Count("pk"))):
        counts[kinds_of(kinds, edition.notice.incident)] += number
    return counts


def residents_of(edition: Edition) -> dict[str, int]:
    """Where the people live whom this edition would go to: by country, and by part of one."""
    rows = recipients_of(edition).order_by().values_list("country", "state").annotate(people=Count("pk"))
    return places_of(rows)


def remembered_residents(edition: Edition) -> dict[str, int]:
    return _remembered_residents(edition.pk, last_event_for(edition.notice))


@lru_cache(maxsize=16)
def _remembered_residents(edition_id: UUID, _last_event: int) -> dict[str, int]:
    return residents_of(Edition.objects.with_incident().get(pk=edition_id))


def last_event(incident: Incident, *, messages: bool = False) -> int:
    """The number of the last event that may have changed who gets what; `messages`: or what came of messages."""
    without = [one for one in WITHOUT_EFFECT if one != SETTLED] if messages else WITHOUT_EFFECT
    events = Event.objects.of_incident(incident.pk).exclude(type__in=without).newest_first()
    return events.values_list("pk", flat=True).first() or 0


def last_event_for(notice: Notice) -> int:
    """An audience may hang on what came of an earlier notice."""
    return last_event(notice.incident, messages=bool(audience_from(notice.audience).earlier))


def _usable(values: Mapping[str, str]) -> frozenset[str]:
    """Names of the fields that have a value which may stand in a message. Most people's values pass in one look."""
    given = {name: value.strip() for name, value in values.items() if value.strip()}
    if _is_sound("", " ".join(given.values())):
        return frozenset(given)
    return frozenset(name for name, value in given.items() if _is_sound(name, value))


def _is_sound(name: str, value: str) -> bool:
    try:
        check_value(name, value)
    except ValueRefused:
        return False
    return True
