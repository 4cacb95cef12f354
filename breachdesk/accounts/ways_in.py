"""What besides a password lets somebody read in a colleague's name. It ends when they are removed, and at a reset.

An app that hands out such a thing says so in its `ways_in.py`, which is found when a colleague leaves:

    @way_in
    def close_calendar(user: User, *, by: User) -> None: ...      # in the caller's transaction, with its event
"""

from collections.abc import Callable
from typing import Any, TypeVar

from django.utils.module_loading import autodiscover_modules

from breachdesk.accounts.models import User

F = TypeVar("F", bound=Callable[..., Any])

_closing: list[Callable[..., Any]] = []


def way_in(function: F) -> F:
    _closing.append(function)
    return function


def close_ways_in(user: User, *, by: User) -> None:
    autodiscover_modules("ways_in")
    for close in _closing:
        close(user, by=by)
