"""Who an edition is for, and what a message needs from each of them."""

from collections import Counter
from collections.abc import Iterable, Mapping
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
from notifications.laws import places_of
from notifications.models import Delivery, Edition, Notice
from notifications.placeholders import ValueRefused, check_value

CHUNK = 5_000
WITHOUT_EFFECT = [
    "edition.saved",
    "edition.overruled",
    "people.looking_began",
    "people.revealed",
    "people.searched",
    "decision.asked",
    "delivery.batch_settled",
]


def values_of(personal: Mapping[str, str]) -> dict[str, str]:
    """A person's ((fields)), by their names in a text."""
    return {
        "first name": personal.get("given_name", ""),
        "last name": personal.get("family_name", ""),
        "full name": full_name(dict(personal)),
        "reference": personal.get("reference", ""),
    }


def kinds_of(person_kinds: Iterable[str], incident: Incident) -> tuple[str, ...]:
    """A person's kinds of data, in a fixed order; where the list does not say, those the incident names."""
    held = set(person_kinds) or set(incident.kinds)
    return tuple(kind for kind in KINDS if kind in held)


def languages_served(language: str, default: str, editions: Iterable[str], present: Iterable[str]) -> list[str]:
    """Which of the languages people have this edition serves.

    Each person gets the edition in exactly their language (fr-CA), else its base language (fr), else the default.
    """
    written = set(editions) | {language}

    def best(tag: str) -> str:
        base = tag.split("-")[0]
        return tag if tag in written else base if base in written else default

    return sorted(tag for tag in set(present) if best(tag) == language)


def recipients_of(edition: Edition) -> PersonQuerySet:
    """Who this edition would go to: reachable, not held, reading this language, without a delivery of the notice."""
    notice = edition.notice
    reachable = Person.objects.of(notice.incident).reachable_by_email()
    present = reachable.order_by().values_list("language", flat=True).distinct()
    written = notice.editions.exclude(state=Edition.State.CANCELLED).values_list("language", flat=True)
    served = languages_served(edition.language, notice.default_language, written, present)
    told = Delivery.objects.filter(notice=notice, person=OuterRef("pk")).exclude(edition=edition)
    return reachable.filter(~Exists(told), language__in=served)


def languages_wanted(notice: Notice) -> dict[str, int]:
    """Languages of reachable people that the notice is not written in, with how many read them, most first."""
    return _wanted(notice.pk, last_event(notice.incident)).copy()


@lru_cache(maxsize=16)
def _wanted(notice_id: UUID, _last_event: int) -> dict[str, int]:
    notice = Notice.objects.select_related("incident").get(pk=notice_id)
    reachable = Person.objects.of(notice.incident).reachable_by_email().exclude(language="")
    written = set(notice.editions.exclude(state=Edition.State.CANCELLED).values_list("language", flat=True))
    wanted: Counter[str] = Counter()
    for tag, people in reachable.order_by().values_list("language").annotate(people=Count("pk")):
        base = tag.split("-")[0]
        if not written & {tag, base}:
            wanted[base] += people
    return dict(wanted.most_common())


def frozen_counts(edition: Edition) -> dict[str, list[tuple[str, int]]]:
    """The frozen list by country and by the language people read, most first."""
    countries: Counter[str] = Counter()
    languages: Counter[str] = Counter()
    people = Person.objects.filter(deliveries__edition=edition).order_by().values_list("country", "language")
    for country, language, number in people.annotate(people=Count("pk")):
        countries[country] += number
        languages[language.split("-")[0]] += number
    return {"countries": countries.most_common(), "languages": languages.most_common()}


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
    return _remembered(edition.pk, last_event(edition.notice.incident))


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
    for kinds, number in people.order_by().values_list("kinds").annotate(people=Count("pk")):
        counts[kinds_of(kinds, edition.notice.incident)] += number
    return counts


def residents_of(edition: Edition) -> dict[str, int]:
    """Where the people live whom this edition would go to: by country, and by part of one."""
    rows = recipients_of(edition).order_by().values_list("country", "state").annotate(people=Count("pk"))
    return places_of(rows)


def remembered_residents(edition: Edition) -> dict[str, int]:
    return _remembered_residents(edition.pk, last_event(edition.notice.incident))


@lru_cache(maxsize=16)
def _remembered_residents(edition_id: UUID, _last_event: int) -> dict[str, int]:
    return residents_of(Edition.objects.with_incident().get(pk=edition_id))


def last_event(incident: Incident) -> int:
    """The number of the last event that may have changed who gets what."""
    events = Event.objects.of_incident(incident.pk).exclude(type__in=WITHOUT_EFFECT).newest_first()
    return events.values_list("pk", flat=True).first() or 0


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
