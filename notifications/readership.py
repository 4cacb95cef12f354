"""How many people an audience has, by the language they read, and which edition each of them would be served by.

Counted by one statement, and remembered by this process until something happens in the case that may change it.
"""

from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import lru_cache
from uuid import UUID

from django.db.models import Count, Q

from breachdesk.incidents.models import Incident
from breachdesk.people.models import Upload
from notifications.audience import Audience, audience_from
from notifications.audience_words import sentence_of
from notifications.models import Notice
from notifications.recipients import best_edition, last_event, people_for, written_in

REACHED_BY_EMAIL = Q(has_email=True, held=False)
REMEMBERED = 64


@dataclass(frozen=True)
class Counted:
    """Everybody an audience names: those a message can go to, and those it cannot."""

    people: int = 0
    held: int = 0
    without_email: int = 0

    def __add__(self, other: "Counted") -> "Counted":
        return Counted(self.people + other.people, self.held + other.held, self.without_email + other.without_email)


@dataclass(frozen=True)
class Readers:
    """People who gave one language ("" for none), the edition they get, and how many of them have no message yet."""

    language: str
    people: int
    waiting: int
    edition: str | None

    @property
    def has_own(self) -> bool:
        """In their language, or its base; who gave none gets the general edition, and that is their own."""
        return self.edition is not None and (not self.language or _is_base(self.edition, self.language))


@dataclass(frozen=True)
class Group:
    """Readers of one language and its variants who get the same edition, or none."""

    language: str
    edition: str | None
    people: int


@dataclass(frozen=True)
class Readership:
    """`sentence` says whom a notice is for; `readers` has each language of its people, most first."""

    sentence: str
    counted: Counted
    readers: tuple[Readers, ...]
    has_begun: bool = False

    @property
    def groups(self) -> tuple[Group, ...]:
        """Who gets the notice in another language than their own, or in none; most people first."""
        people: Counter[tuple[str, str | None]] = Counter()
        for one in self.readers:
            if not one.has_own:
                people[one.language.split("-")[0], one.edition] += one.people
        return tuple(Group(*key, number) for key, number in people.most_common())

    @property
    def nothing_to_read(self) -> tuple[Group, ...]:
        """They wait for somebody to write their language, or to name another that they get."""
        return tuple(group for group in self.groups if group.edition is None)

    @property
    def falling_back(self) -> tuple[Group, ...]:
        return tuple(group for group in self.groups if group.edition is not None)

    @property
    def without_version(self) -> int:
        return sum(group.people for group in self.nothing_to_read)

    @property
    def wanted(self) -> dict[str, int]:
        """Languages the notice is not written in, with how many people read them; most first."""
        wanted: Counter[str] = Counter()
        for group in self.groups:
            if group.language:
                wanted[group.language] += group.people
        return dict(wanted.most_common())

    def waiting_for(self, language: str) -> int:
        """People without a message of this notice who get it in this language."""
        return sum(one.waiting for one in self.readers if one.edition == language)


def readership_of(notice: Notice) -> Readership:
    return readership_as(notice, audience_from(notice.audience), notice.fallback)


def readership_as(notice: Notice, audience: Audience, order: Sequence[str]) -> Readership:
    """As it would be with this audience and this order of languages."""
    by_language = counted_by_language(notice.incident, audience)
    told, written = _told(notice.pk, last_event(notice.incident)), written_in(notice)
    readers = [
        Readers(
            language,
            counted.people,
            max(0, counted.people - told.get(language, 0)),
            best_edition(language, notice.default_language, written, order),
        )
        for language, counted in by_language.items()
        if counted.people
    ]
    return Readership(
        sentence_of(audience, names_in(audience, notice.incident)),
        sum(by_language.values(), Counted()),
        tuple(sorted(readers, key=lambda one: (-one.people, one.language))),
        notice.editions.begun().exists(),
    )


def counted(incident: Incident, audience: Audience) -> Counted:
    return sum(counted_by_language(incident, audience).values(), Counted())


def counted_by_language(incident: Incident, audience: Audience) -> Mapping[str, Counted]:
    return _counted(incident.pk, audience, last_event(incident, messages=bool(audience.earlier)))


@lru_cache(maxsize=REMEMBERED)
def _counted(incident_id: UUID, audience: Audience, _last_event: int) -> Mapping[str, Counted]:
    incident = Incident.objects.get(pk=incident_id)
    rows = audience.people_of(incident).order_by().values_list("language")
    numbers = rows.annotate(
        people=Count("pk", filter=REACHED_BY_EMAIL),
        on_hold=Count("pk", filter=Q(held=True)),
        without=Count("pk", filter=Q(held=False, has_email=False)),
    )
    return {language: Counted(*found) for language, *found in numbers}


@lru_cache(maxsize=REMEMBERED)
def _told(notice_id: UUID, _last_event: int) -> Mapping[str, int]:
    """People with a message of this notice, planned or sent, by language."""
    people = people_for(Notice.objects.select_related("incident").get(pk=notice_id))
    rows = people.filter(deliveries__notice=notice_id).order_by().values_list("language").annotate(people=Count("pk"))
    return dict(rows)


def names_in(audience: Audience, incident: Incident) -> dict[UUID, str]:
    """What colleagues call the notice and the lists it names; whatever is gone has no name."""
    names: dict[UUID, str] = {}
    if audience.earlier:
        names.update(Notice.objects.of(incident).filter(pk=audience.earlier.notice).values_list("pk", "title"))
    if audience.lists:
        names.update(Upload.objects.of(incident).filter(pk__in=audience.lists).values_list("pk", "file_name"))
    return names


def _is_base(edition: str, language: str) -> bool:
    return edition in (language, language.split("-")[0])
