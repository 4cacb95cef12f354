"""What must be set before a mail provider is used: whoever reports to us must be known, and nobody may be tracked."""

from typing import Any

from django.conf import settings
from django.core.checks import CheckMessage, Error, Info

SHORTEST_PASSWORD = 16
# By Anymail's own table of what each backend may be asked for, message by message.
TRACKS_BY_ACCOUNT = {"amazon_ses", "brevo", "mailtrap", "postal", "resend", "scaleway", "sendinblue"}

# Anymail's settings with which a provider's signature is checked; the check at start-up asks for them.
SIGNATURES = {
    "mailersend": "MAILERSEND_SIGNING_SECRET",
    "mailgun": "MAILGUN_WEBHOOK_SIGNING_KEY",
    "mailtrap": "MAILTRAP_SIGNING_SECRET",
    "mandrill": "MANDRILL_WEBHOOK_KEY",
    "postal": "POSTAL_WEBHOOK_KEY",
    "resend": "RESEND_SIGNING_SECRET",
    "sendgrid": "SENDGRID_TRACKING_WEBHOOK_VERIFICATION_KEY",
    "unisender_go": "UNISENDER_GO_API_KEY",
}


def check_provider(**_: Any) -> list[CheckMessage]:
    """A provider that reports to us without a secret, or unsigned where it signs, could be anybody."""
    ways = (settings.BREACHDESK.transport, settings.BREACHDESK.second_transport)
    providers = sorted({provider for way in ways if way and (provider := provider_of(way))})
    found = _secret() if providers else []
    for provider in providers:
        found += [*_signature(provider), *_amazon(provider), *_tracking(provider)]
    return found


def provider_of(transport: str) -> str | None:
    """Anymail's name of it, as in anymail.backends.NAME.EmailBackend; None for mail that goes by SMTP."""
    return None if transport == "smtp" else transport.removeprefix("anymail.backends.").partition(".")[0]


def _secret() -> list[CheckMessage]:
    secrets = settings.ANYMAIL.get("WEBHOOK_SECRET")
    given = [secrets] if isinstance(secrets, str) else secrets or []
    hint = (
        'Add "WEBHOOK_SECRET": "a-user:a-long-random-password" to BREACHDESK_ANYMAIL, and the same to the '
        "address of the webhook at the provider."
    )
    if not given:
        says = "A mail provider is set, but ANYMAIL has no WEBHOOK_SECRET, so anybody could report bounces."
        return [Error(says, hint=hint, id="notifications.E001")]
    if any(len(str(one).partition(":")[2]) < SHORTEST_PASSWORD for one in given):
        says = f"ANYMAIL's WEBHOOK_SECRET is not a user, a colon and a password of {SHORTEST_PASSWORD} characters or "
        return [Error(f"{says}more: it could be guessed.", hint=hint, id="notifications.E002")]
    return []


def _signature(provider: str) -> list[CheckMessage]:
    name = SIGNATURES.get(provider)
    if name is None or settings.ANYMAIL.get(name):
        return []
    return [
        Error(
            f"{provider} signs what it reports, but ANYMAIL has no {name}, so no signature can be checked.",
            hint=f'Add "{name}" to BREACHDESK_ANYMAIL, with the key that the provider shows for its webhook.',
            id="notifications.E003",
        )
    ]


def _amazon(provider: str) -> list[CheckMessage]:
    if provider != "amazon_ses" or settings.BREACHDESK.sns_topics:
        return []
    hint = "Name the topics by which Amazon SES reports: anybody may have a topic, and SNS signs for all of them."
    return [Error("BREACHDESK_SNS_TOPICS is not set.", hint=hint, id="notifications.E004")]


def _tracking(provider: str) -> list[CheckMessage]:
    if provider not in TRACKS_BY_ACCOUNT:
        return []
    says = f"{provider} cannot be asked for each message not to track whether it is opened."
    hint = "See in the provider's own settings that tracking of opens and clicks is off for this domain."
    return [Info(says, hint=hint, id="notifications.I001")]
