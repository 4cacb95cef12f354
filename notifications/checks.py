from typing import Any

from django.conf import settings
from django.core.checks import CheckMessage, Error


def check_provider(**_: Any) -> list[CheckMessage]:
    """A provider that reports to us without a secret could be anybody."""
    if settings.BREACHDESK.transport == "smtp" or settings.ANYMAIL.get("WEBHOOK_SECRET"):
        return []
    return [
        Error(
            "A mail provider is set, but ANYMAIL has no WEBHOOK_SECRET, so anybody could report bounces.",
            hint='Add "WEBHOOK_SECRET": "a-user:a-long-random-password" to BREACHDESK_ANYMAIL, and the same to the '
            "address of the webhook at the provider.",
            id="notifications.E001",
        )
    ]
