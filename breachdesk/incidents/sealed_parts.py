"""What is sealed under an incident's data key, counted; and what must come to an end before that key is destroyed.

An app that seals something under it, or that may be in the midst of something, says so in its `sealed_parts.py`, which
is found when a destruction is looked at:

    @sealed_part
    def people_part(incident: Incident) -> Part: ...

    @stands_in_the_way
    def sends_under_way(incident: Incident) -> str: ...      # a sentence, or nothing
"""

from collections.abc import Callable, Iterable
from dataclasses import dataclass
from typing import TypeVar

from django.utils.module_loading import autodiscover_modules

from breachdesk.audit.erasure import sealed_names
from breachdesk.incidents.models import Incident

MODULE = "sealed_parts"


@dataclass(frozen=True)
class Part:
    """`key` is how an event names the number; `loss` says what nobody can do any more once the key is gone."""

    key: str
    label: str
    number: int
    loss: str


Counter = Callable[[Incident], Part]
Hindrance = Callable[[Incident], str]
C = TypeVar("C", bound=Counter)
H = TypeVar("H", bound=Hindrance)

_counters: list[Counter] = []
_hindrances: list[Hindrance] = []


def sealed_part(function: C) -> C:
    _counters.append(function)
    return function


def stands_in_the_way(function: H) -> H:
    _hindrances.append(function)
    return function


@sealed_part
def trail_part(incident: Incident) -> Part:
    return Part(
        key="trail",
        label="Private values of the trail",
        number=len(sealed_names(incident.pk)),
        loss="Reasons, names of files and other typed text: gone from the database. The trail still verifies.",
    )


def parts_of(incident: Incident) -> list[Part]:
    """What becomes unreadable with the data key, the most people's first."""
    autodiscover_modules(MODULE)
    return sorted((count(incident) for count in _counters), key=lambda part: (part.key == "trail", -part.number))


def hindrances_of(incident: Incident) -> list[str]:
    """Why the key cannot be destroyed now, in sentences."""
    autodiscover_modules(MODULE)
    return [sentence for look in _hindrances if (sentence := look(incident))]


def counts_of(parts: Iterable[Part]) -> dict[str, int]:
    return {part.key: part.number for part in parts}
