"""What was sent to one person, and what came of it: known to the apps above, which register in their
`about_people.py` who tells it."""

from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime

from django.utils.module_loading import autodiscover_modules

from breachdesk.accounts.models import User
from breachdesk.people.models import Person


@dataclass(frozen=True)
class Came:
    """Something that came later, such as a bounce, with the mail server's own code."""

    words: str
    code: str
    at: datetime


@dataclass(frozen=True)
class Sent:
    """One message that was meant for them, as it stands now."""

    title: str
    words: str
    at: datetime | None
    later: tuple[Came, ...] = ()


Teller = Callable[[Person, User], list[Sent]]
_TELLERS: list[Teller] = []


def tells_of_person(teller: Teller) -> Teller:
    if teller not in _TELLERS:
        _TELLERS.append(teller)
    return teller


def sent_to(person: Person, user: User) -> list[Sent]:
    """As far as this user may see it."""
    autodiscover_modules("about_people")
    return [sent for teller in _TELLERS for sent in teller(person, user)]
