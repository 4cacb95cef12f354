"""What must be set before a second way out can be trusted to be there when the first has failed."""

from typing import Any

from django.conf import settings
from django.core.checks import CheckMessage, Error
from django.core.mail import get_connection

from breachdesk.environment import Environment
from notifications.routes import SECOND, transport_of


def check_second_way(**_: Any) -> list[CheckMessage]:
    """Half a second way would only be found missing in the night in which it is needed."""
    ours: Environment = settings.BREACHDESK
    named = ours.second_smtp_host or ours.second_smtp_user or ours.second_smtp_password
    found = []
    if named and ours.second_transport != "smtp":
        found.append(("A relay for the second way is named, but BREACHDESK_SECOND_TRANSPORT is not smtp.", "E010"))
    if ours.second_transport == "smtp" and not ours.second_smtp_host:
        found.append(("BREACHDESK_SECOND_TRANSPORT is smtp, and BREACHDESK_SECOND_SMTP_HOST names no relay.", "E011"))
    if bool(ours.second_smtp_user) != bool(ours.second_smtp_password):
        found.append(("Of BREACHDESK_SECOND_SMTP_USER and BREACHDESK_SECOND_SMTP_PASSWORD only one is set.", "E012"))
    if ours.second_transport and _where(ours, second=True) == _where(ours, second=False):
        found.append(("The second way out is the first one again: it would fail with it.", "E013"))
    if ours.second_transport not in ("", "smtp") and (why := _why_unusable()):
        found.append((f"BREACHDESK_SECOND_TRANSPORT cannot be used: {why}", "E014"))
    hint = "Complete it, or leave all settings that begin with BREACHDESK_SECOND_ empty."
    return [Error(says, hint=hint, id=f"notifications.{number}") for says, number in found]


def _where(ours: Environment, *, second: bool) -> tuple[object, ...]:
    transport = ours.second_transport if second else ours.transport
    if transport != "smtp":
        return (transport,)
    return (ours.second_smtp_host, ours.second_smtp_port) if second else (ours.smtp_host, ours.smtp_port)


def _why_unusable() -> str:
    """Made as a worker makes it, and nothing is sent."""
    try:
        get_connection(transport_of(SECOND))
    except Exception as problem:  # whatever the backend's own code finds missing
        return f"{type(problem).__name__}: {' '.join(str(problem).split())[:300]}"
    return ""
