"""The ways out that this installation is set up for: the first, and a second that people may choose.

Nothing changes from one to the other by itself. A batch keeps for ever by which way its messages went.
"""

from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Literal

from django.conf import settings
from django.core.cache import cache
from django.utils import timezone

from notifications.smtp import SmtpConnection
from notifications.transport import Connection, Relay

FIRST, SECOND = 1, 2
NOTE_EVERY, TROUBLE_LASTS = timedelta(seconds=5), timedelta(seconds=60)  # and as long as an answer may take
Security = Literal["none", "starttls", "tls"]


def is_set_up(route: int) -> bool:
    return route == FIRST or (route == SECOND and bool(settings.BREACHDESK.second_transport))


def other_than(route: int) -> int | None:
    """The way that could be taken instead; None where there is but one."""
    other = SECOND if route == FIRST else FIRST
    return other if is_set_up(other) else None


def transport_of(route: int) -> str:
    """smtp, or the dotted name of an Anymail backend."""
    transport: str = settings.BREACHDESK.second_transport if route == SECOND else settings.BREACHDESK.transport
    return transport


def name_of(route: int) -> str:
    """As people know it: the relay's address, or the provider's name."""
    if transport_of(route) == "smtp":
        return f"{relay(route).host}:{relay(route).port}"
    return transport_of(route).removesuffix(".EmailBackend").rpartition(".")[2].replace("_", " ").capitalize()


def relay(route: int = FIRST) -> Relay:
    ours = settings.BREACHDESK
    if route == SECOND:
        where = ours.second_smtp_host, ours.second_smtp_port, ours.second_smtp_security
        account = ours.second_smtp_user, ours.second_smtp_password
    else:
        where, account = (ours.smtp_host, ours.smtp_port, ours.smtp_security), (ours.smtp_user, ours.smtp_password)
    return Relay(
        *where,
        *account,
        short_timeout=min(30, ours.smtp_timeout),
        dot_timeout=ours.smtp_timeout,
    )


@dataclass(frozen=True)
class Trouble:
    """A way that takes nothing, since when without a break, and what was said the last time."""

    since: datetime
    at: datetime
    why: str


def note_trouble(route: int, why: str) -> None:
    """That a way takes nothing; a worker notes it, and the page asks people what to do."""
    now, before = timezone.now(), trouble_of(route)
    if before is None or now - before.at > NOTE_EVERY:
        note = Trouble(before.since if before else now, now, why)
        cache.set(f"way-{route}", note, timeout=TROUBLE_LASTS.total_seconds() + settings.BREACHDESK.smtp_timeout)


def forget_trouble(route: int) -> None:
    cache.delete(f"way-{route}")


def trouble_of(route: int) -> Trouble | None:
    """None once it took a message, or nobody has met it for a while: the sweeper has it tried every fifteen seconds."""
    found = cache.get(f"way-{route}")
    return found if isinstance(found, Trouble) else None


async def connect(route: int = FIRST) -> Connection:
    """A connection, ready for its first message. Raises RouteDown."""
    if transport_of(route) == "smtp":
        return await SmtpConnection(relay(route)).connect()
    from notifications.providers import ProviderConnection

    return ProviderConnection(transport_of(route), settings.BREACHDESK.smtp_timeout)
