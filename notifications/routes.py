"""The way out that this installation is set up for."""

from django.conf import settings

from notifications.providers import ProviderConnection
from notifications.smtp import SmtpConnection
from notifications.transport import Connection, Relay


def relay() -> Relay:
    ours = settings.BREACHDESK
    return Relay(
        host=ours.smtp_host,
        port=ours.smtp_port,
        security=ours.smtp_security,
        user=ours.smtp_user,
        password=ours.smtp_password,
        short_timeout=min(30, ours.smtp_timeout),
        dot_timeout=ours.smtp_timeout,
    )


async def connect() -> Connection:
    """A connection, ready for its first message. Raises RouteDown."""
    if settings.BREACHDESK.transport == "smtp":
        return await SmtpConnection(relay()).connect()
    return ProviderConnection(settings.BREACHDESK.transport, settings.BREACHDESK.smtp_timeout)
