"""Events as lines that a person reads: who, when, and a sentence."""

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from datetime import datetime
from string import Formatter
from typing import Any
from uuid import UUID
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

from django.contrib.auth import get_user_model
from django.utils.translation import get_language_info

from breachdesk.audit.canonical import time_of
from breachdesk.audit.estimates import estimate_in_words
from breachdesk.audit.event_type import COMPOSED
from breachdesk.audit.events import EVENTS
from breachdesk.audit.models import Event, PrivateValue
from breachdesk.audit.record import PRIVATE_TABLE
from breachdesk.vault import ORGANISATION
from breachdesk.vault.sealing import Cipher, KeyDestroyed, KeyMissing, SealBroken, cipher_for

SYSTEM = "BreachDesk"
FORMER = "A former colleague"
ERASED = "erased"

WORDS = {
    "aware": "we became aware",
    "told_by_processor": "the processor told us",
    "began": "the breach began",
    "ended": "the breach ended",
    "contained": "it was contained",
}


@dataclass(frozen=True)
class Line:
    event: Event
    at: datetime
    actor: str
    sentence: str
    private: dict[str, str] = field(default_factory=dict)

    @property
    def text(self) -> str:
        return f"{self.actor} {self.sentence}"


def describe(events: Iterable[Event], *, private: bool) -> list[Line]:
    """In the order given. Queries do not grow with the number of events; sealed values are opened only if `private`."""
    events = list(events)
    contents = [event.content for event in events]
    names = _names(content["actor"]["id"] for content in contents)
    opened = _opened(events) if private else {}
    return [
        Line(
            event=event,
            at=event.at,
            actor=names.get(content["actor"]["id"], FORMER),
            sentence=sentence_of(event.type, content["data"]),
            private=opened.get(event.event_id, {}),
        )
        for event, content in zip(events, contents, strict=True)
    ]


def sentence_of(event: str, data: Mapping[str, Any]) -> str:
    kind = EVENTS.get(event)
    if kind is None:
        return event
    return "".join(_parts(kind.sentence, data))


def _parts(sentence: str, data: Mapping[str, Any]) -> Iterator[str]:
    for literal, name, _, _ in Formatter().parse(sentence):
        yield literal
        if name in COMPOSED:
            yield _composed(name, data)
        elif name:
            yield _worded(name, data.get(name))


def _composed(name: str, data: Mapping[str, Any]) -> str:
    return _moment(data) if name == "moment" else estimate_in_words(data.get("low"), data.get("high"))


def _moment(data: Mapping[str, Any]) -> str:
    """The zone stands beside every typed moment, and the moment is told in it."""
    if data["at"] is None:
        return "not known"
    zone = data.get("zone") or "UTC"
    about = "about " if data.get("precision") == "about" else ""
    return f"{about}{_local(data['at'], zone)} ({zone})"


def _local(text: str, zone: str) -> str:
    moment = time_of(text)
    try:
        moment = moment.astimezone(ZoneInfo(zone))
    except (ZoneInfoNotFoundError, ValueError):
        return _worded("at", text)
    return f"{moment.day} {moment:%B %Y, %H:%M}"


def _worded(name: str, value: Any) -> str:
    match value:
        case None:
            return "not known"
        case bool():
            return "yes" if value else "no"
        case int():
            return f"{value:,}"
        case list():
            return ", ".join(_worded(name, item) for item in value) or "none"
        case str() if name == "language":
            return _language(value)
        case _:
            return _phrase(str(value))


def _language(code: str) -> str:
    try:
        return str(get_language_info(code)["name"])
    except KeyError:
        return code


def _phrase(text: str) -> str:
    try:
        moment = time_of(text)
    except ValueError:
        return WORDS.get(text, text.replace("_", " "))
    return f"{moment.day} {moment:%B %Y, %H:%M} (UTC)"


def _names(ids: Iterable[str | None]) -> dict[str | None, str]:
    known = {user_id for user_id in ids if user_id}
    users = get_user_model().objects.filter(pk__in=known)
    return {None: SYSTEM} | {str(user.pk): str(user) for user in users}


def _opened(events: list[Event]) -> dict[UUID, dict[str, str]]:
    scopes = {event.event_id: event.incident or ORGANISATION for event in events}
    ciphers: dict[UUID, Cipher | None] = {}
    opened: dict[UUID, dict[str, str]] = {}
    for value in PrivateValue.objects.filter(event__in=events).order_by("event_id", "field"):
        scope = scopes[value.event_id]
        if scope not in ciphers:
            ciphers[scope] = _cipher_or_none(scope)
        opened.setdefault(value.event_id, {})[value.field] = _open(value, ciphers[scope])
    return opened


def _cipher_or_none(scope: UUID) -> Cipher | None:
    try:
        return cipher_for(scope)
    except (KeyDestroyed, KeyMissing):
        return None


def _open(value: PrivateValue, cipher: Cipher | None) -> str:
    if cipher is None:
        return _open_later(value)
    return _unsealed(value, cipher)


def _open_later(value: PrivateValue) -> str:
    """What was typed after the case's own key was destroyed is sealed under the organisation's: see record()."""
    cipher = _cipher_or_none(ORGANISATION)
    try:
        return _unsealed(value, cipher) if cipher else ERASED
    except SealBroken:
        return ERASED


def _unsealed(value: PrivateValue, cipher: Cipher) -> str:
    sealed = bytes(value.value_enc)
    return cipher.unseal(sealed, table=PRIVATE_TABLE, column=value.field, row=value.event_id).decode()
