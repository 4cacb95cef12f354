"""Whom a notice is for: everybody whom the case affects, or some of them.

Notice.audience holds one as JSON: {} is everybody, and each key narrows it. The choices within a key are joined by OR,
the keys by AND: {"places": ["AT", "DE"], "minors": "without"} are the adults of Austria and Germany. The same audience
always has the same JSON, for an approval binds its bytes.

    places, not_in     countries (DE) and parts of the United States (US-CA); "" for people without a country
    languages          tags; de stands for de-AT too; "" for people without a language
    kinds              of data, any of them; who has none in the list has those that the incident names
    minors, vulnerable, deceased     "only" or "without"
    affected           "no_longer": those whom a later list took off, instead of those who are affected
    earlier            {"notice": id, "who": some of had, missed, never}
    lists              ids of lists that were taken in: whoever stands in any of them

Of an earlier notice nobody is guessed about: an unknown hand-over may have arrived, so that person "had" it. "missed"
is what certainly arrived nowhere: bounced, refused, blocked, suppressed or cancelled. Whose message still waits is in
neither, and not in "never" either, which is who has no delivery of it at all.
"""

import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, fields
from typing import Any, Final
from uuid import UUID

from django.core.exceptions import ValidationError
from django.db.models import Exists, OuterRef, Q

from breachdesk.incidents.kinds import KINDS
from breachdesk.incidents.models import Incident
from breachdesk.people.countries import COUNTRIES
from breachdesk.people.languages import language_tag
from breachdesk.people.models import Person, PersonMatch, PersonQuerySet
from breachdesk.people.states import STATES
from notifications.models import Delivery, Edition

State = Delivery.State
HAD: Final = (
    State.HANDING_OVER,
    State.HANDED_OVER,
    State.UNKNOWN,
    State.DELIVERED,
    State.COMPLAINED,
    State.ASSUMED_SENT,
)
MISSED: Final = (State.BOUNCED, State.REFUSED, State.BLOCKED, State.SUPPRESSED, State.CANCELLED)
WHO: Final = ("had", "missed", "never")
ONLY: Final = ("only", "without")
_PLACE = re.compile(r"([A-Z]{2})(?:-([A-Z]{2}))?")


@dataclass(frozen=True)
class Earlier:
    """What became of an earlier notice, by person: any of `who`."""

    notice: UUID
    who: tuple[str, ...]

    def __post_init__(self) -> None:
        _put_in_order(self, "who", WHO)
        if not self.who:
            raise ValidationError("The audience names an earlier notice, but not who of it: had, missed or never.")


@dataclass(frozen=True)
class Audience:
    """One that cannot be read without doubt raises ValidationError, which names the key and the value."""

    places: tuple[str, ...] = ()
    not_in: tuple[str, ...] = ()
    languages: tuple[str, ...] = ()
    kinds: tuple[str, ...] = ()
    minors: str = ""
    vulnerable: str = ""
    deceased: str = ""
    affected: str = ""
    earlier: Earlier | None = None
    lists: tuple[UUID, ...] = ()

    def __post_init__(self) -> None:
        for key in ("places", "not_in"):
            _put_in_order(self, key, (place for place in getattr(self, key) if _is_place(place)))
        _put_in_order(self, "languages", (tag for tag in self.languages if not tag or language_tag(tag) == tag))
        _put_in_order(self, "kinds", KINDS)
        for key in ("minors", "vulnerable", "deceased"):
            _put_in_order(self, key, ONLY)
        _put_in_order(self, "affected", ("no_longer",))
        object.__setattr__(self, "lists", tuple(sorted(set(self.lists))))

    @property
    def is_everybody(self) -> bool:
        return self == Audience()

    def to_json(self) -> dict[str, Any]:
        said: dict[str, Any] = {key: _plain(getattr(self, key)) for key in _KEYS if getattr(self, key)}
        if self.earlier:
            said["earlier"] = {"notice": str(self.earlier.notice), "who": list(self.earlier.who)}
        return said

    def as_filter(self, incident: Incident) -> Q:
        """On the people of its case who are affected, or are no longer: people_of() chooses between the two."""
        found = _lives_in(self.places) if self.places else Q()
        if self.not_in:
            found &= ~_lives_in(self.not_in)
        if self.languages:
            found &= _reads(self.languages)
        if self.kinds:
            found &= _lost(self.kinds, incident)
        for column, choice in (("minor", self.minors), ("vulnerable", self.vulnerable), ("deceased", self.deceased)):
            if choice:
                found &= Q(**{column: choice == "only"})
        if self.earlier:
            found &= _was_told(self.earlier)
        if self.lists:
            matched = PersonMatch.objects.filter(upload__in=self.lists, person=OuterRef("pk"))
            found &= Q(upload__in=self.lists) | Q(Exists(matched))
        return found

    def people_of(self, incident: Incident) -> PersonQuerySet:
        """Reachable or not, on hold or not."""
        known = Person.objects.known_in(incident).filter(withdrawn=self.affected == "no_longer")
        return known.filter(self.as_filter(incident))


SUGGESTED: Final[Mapping[str, Mapping[str, str]]] = {
    "guardian": {"minors": "only"},
    "next_of_kin": {"deceased": "only"},
    "not_affected": {"affected": "no_longer"},
}
FOLLOWS: Final = ("exact_data", "correction")
_KEYS = tuple(field.name for field in fields(Audience))


def audience_from(data: object) -> Audience:
    """Of what stands in Notice.audience, or came from anywhere else."""
    if not isinstance(data, Mapping):
        raise ValidationError("An audience is written as keys with their choices, for example {“minors”: “without”}.")
    if unknown := [str(key) for key in data if key not in _KEYS]:
        raise ValidationError(f"An audience has no “{unknown[0]}”. It knows {', '.join(_KEYS)}.")
    return Audience(**{key: _READ.get(key, _texts)(key, value) for key, value in data.items()})


def suggested_audience(starter: str, incident: Incident) -> Audience:
    """Whom a notice that begins with this starter is for, as far as the starter says so: nobody else may read it.

    What follows or corrects a notice is for those who had the one that began last.
    """
    if starter in FOLLOWS:
        last = Edition.objects.of(incident).begun().latest_begun_first().first()
        return Audience(earlier=Earlier(last.notice_id, ("had",))) if last else Audience()
    return audience_from(SUGGESTED.get(starter, {}))


def _text(key: str, value: object) -> str:
    if not isinstance(value, str):
        raise ValidationError(f"The audience's “{key}” must be one word, not {value!r}.")
    return value


def _texts(key: str, value: object) -> tuple[str, ...]:
    if not isinstance(value, list | tuple):
        raise ValidationError(f"The audience's “{key}” must be a list, not {value!r}.")
    return tuple(_text(key, one) for one in value)


def _id(key: str, value: object) -> UUID:
    try:
        return UUID(_text(key, value))
    except ValueError as error:
        raise ValidationError(f"The audience's “{key}” names “{value}”, which is no id.") from error


def _ids(key: str, value: object) -> tuple[UUID, ...]:
    return tuple(_id(key, one) for one in _texts(key, value))


def _earlier(key: str, value: object) -> Earlier:
    if not isinstance(value, Mapping) or set(value) != {"notice", "who"}:
        raise ValidationError(f"The audience's “{key}” must say “notice” and “who”, and nothing else.")
    return Earlier(_id("notice", value["notice"]), _texts("who", value["who"]))


_READ: Mapping[str, Any] = {
    "minors": _text,
    "vulnerable": _text,
    "deceased": _text,
    "affected": _text,
    "earlier": _earlier,
    "lists": _ids,
}


def _put_in_order(one: object, key: str, known: Iterable[str]) -> None:
    """Choices in the order of those known, each once; a choice that is not known is refused. Empty is no choice."""
    value, allowed = getattr(one, key), tuple(known)
    chosen = (value,) if isinstance(value, str) and value else tuple(value)
    if strange := [choice for choice in chosen if choice not in allowed]:
        raise ValidationError(f"The audience's “{key}” names “{strange[0]}”, which is none of its choices.")
    if isinstance(value, tuple):
        kept = sorted(set(chosen)) if key in ("places", "not_in", "languages") else [x for x in allowed if x in chosen]
        object.__setattr__(one, key, tuple(kept))


def _is_place(place: str) -> bool:
    if not place:
        return True
    found = _PLACE.fullmatch(place)
    if found is None:
        return False
    return found[2] in STATES and found[1] == "US" if found[2] else found[1] in COUNTRIES


def _plain(value: object) -> object:
    return [str(one) for one in value] if isinstance(value, tuple) else value


def _lives_in(places: Iterable[str]) -> Q:
    named = list(places)
    countries = [place for place in named if "-" not in place]
    parts = [place.partition("-")[2] for place in named if "-" in place]
    return Q(country__in=countries) | Q(country="US", state__in=parts) if parts else Q(country__in=countries)


def _reads(tags: Iterable[str]) -> Q:
    found = Q(language__in=list(tags))
    for tag in filter(None, tags):
        found |= Q(language__startswith=f"{tag}-")
    return found


def _lost(kinds: Iterable[str], incident: Incident) -> Q:
    found = Q(kinds__overlap=list(kinds))
    return found | Q(kinds=[]) if set(kinds) & set(incident.kinds) else found


def _was_told(earlier: Earlier) -> Q:
    """Nobody has two messages of one notice: so who has none, or one of these, has none of the others."""
    messages = Delivery.objects.filter(notice=earlier.notice, person=OuterRef("pk"))
    states = [state for who, known in (("had", HAD), ("missed", MISSED)) if who in earlier.who for state in known]
    if "never" in earlier.who:
        return Q(~Exists(messages.exclude(state__in=states)))
    return Q(Exists(messages.filter(state__in=states)))
