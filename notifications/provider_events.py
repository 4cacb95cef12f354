"""What the mail provider tells us later, brought into our words and kept. Opens and clicks are neither asked for nor
kept, and no address either: an event is a kind, a moment, an enhanced status code and the digest of what was posted.

An event about a delivery we do not know stays in quarantine: kept, shown on the status page, without effect.
"""

import json
import re
from collections.abc import Iterator, Mapping
from datetime import UTC, datetime
from hashlib import sha256
from typing import Any
from uuid import UUID

from anymail.signals import AnymailTrackingEvent
from django.conf import settings
from django.core.exceptions import SuspiciousOperation

from notifications.mail_events import Kind, Report, keep
from notifications.models import Attempt, Delivery
from notifications.verp import ForgedReturnPath, Sending, read_return_path

KINDS = {
    "queued": Kind.ACCEPTED,
    "sent": Kind.ACCEPTED,
    "delivered": Kind.DELIVERED,
    "bounced": Kind.BOUNCED,
    "rejected": Kind.BOUNCED,
    "failed": Kind.BOUNCED,
    "deferred": Kind.DELAYED,
    "complained": Kind.COMPLAINED,
    "autoresponded": Kind.AUTO_REPLIED,
}
# How providers say that a bounce is not the last word, where Anymail does not tell it apart.
SOFT = {
    ("type", "softbounce"),  # Postmark
    ("event", "soft_bounce"),  # Brevo, Mandrill
    ("type", "activity.soft_bounced"),  # MailerSend
    ("type", "soft_bounced"),
    ("hard_bounce", "false"),  # Mailjet
    ("bouncetype", "transient"),  # Amazon SES
    ("type", "transient"),  # Resend
    ("type", "blocked"),  # SendGrid
    *(("bounce_class", code) for code in ("20", "21", "22", "23", "24", "70", "100")),  # SparkPost
}
_ENHANCED = re.compile(r"(?<![\d.])([245]\.\d{1,3}\.\d{1,3})(?!\.?\d)")
_PLAIN = re.compile(r"[\x20-\x7e]{1,200}")
_MESSAGE_ID = re.compile(r"<?([0-9a-f]{8}(?:-[0-9a-f]{4}){3}-[0-9a-f]{12})@[a-z0-9.-]+>?", re.IGNORECASE)


def store_event(event: AnymailTrackingEvent, *, source: str) -> bool:
    """Keep one event. A repeated one changes nothing. False when it is none that we keep."""
    if not settings.ANYMAIL.get("WEBHOOK_SECRET"):
        raise SuspiciousOperation("Provider events are not taken while ANYMAIL has no WEBHOOK_SECRET.")
    kind = KINDS.get(event.event_type)
    if kind is None:
        return False
    enhanced = enhanced_in(f"{event.mta_response or ''} {event.description or ''}")
    if kind is Kind.BOUNCED and (enhanced.startswith("4") or not SOFT.isdisjoint(_said(event.esp_event))):
        kind = Kind.DELAYED
    digest = sha256(json.dumps(event.esp_event, sort_keys=True, default=str).encode()).digest()
    source_id = str(event.event_id)
    if not event.event_id or not _PLAIN.fullmatch(source_id):
        source_id = digest.hex()
    keep(Report(source, source_id, kind, _sending_of(event), enhanced, _moment(event.timestamp), digest))
    return True


def _moment(told: datetime | None) -> datetime | None:
    return told.replace(tzinfo=UTC) if told and told.tzinfo is None else told


def enhanced_in(words: str) -> str:
    """The first enhanced status code (RFC 3463) in a mail server's words."""
    found = _ENHANCED.search(words)
    return found[1] if found else ""


def delivery_in(message_id: str) -> UUID | None:
    """The delivery that a Message-ID of ours is made of."""
    found = _MESSAGE_ID.fullmatch(message_id.strip())
    return UUID(found[1]) if found else None


def _said(words: Any, key: str = "", depth: int = 0) -> Iterator[tuple[str, str]]:
    """Every name and value in what was posted."""
    if depth > 6:
        return
    if isinstance(words, Mapping):
        for name, value in words.items():
            yield from _said(value, str(name).lower(), depth + 1)
    elif isinstance(words, list):
        for value in words:
            yield from _said(value, key, depth + 1)
    else:
        yield key, str(words).lower()


def _sending_of(event: AnymailTrackingEvent) -> Sending | None:
    """By the ids that we gave along, by our return path or Message-ID, else by the provider's own id of the message."""
    named = _in_metadata(event.metadata) or _in_return_path(event.esp_event)
    message_id = str(event.message_id or "")
    if named is None and (delivery := delivery_in(message_id)):
        named = Sending(delivery, None)
    return named or _of_remote_id(message_id)


def _in_metadata(metadata: Any) -> Sending | None:
    if not isinstance(metadata, Mapping):
        return None
    try:
        delivery = UUID(str(metadata.get("delivery", "")))
    except ValueError:
        return None
    generation = str(metadata.get("generation", ""))
    return Sending(delivery, int(generation) if re.fullmatch(r"\d{1,4}", generation) else None)


def _in_return_path(posted: Any) -> Sending | None:
    """Amazon SES names the envelope's sender, also for mail that came to it by SMTP."""
    mail = posted.get("mail") if isinstance(posted, Mapping) else None
    try:
        return read_return_path(str(mail.get("source", ""))) if isinstance(mail, Mapping) else None
    except ForgedReturnPath:
        return None


def _of_remote_id(remote_id: str) -> Sending | None:
    """A try under another token than the delivery's was before a person had it sent again."""
    if not _PLAIN.fullmatch(remote_id):
        return None
    attempt = Attempt.objects.filter(remote_id=remote_id[:120]).order_by("-closed_at").first()
    if attempt is None:
        return None
    delivery = Delivery.objects.get(pk=attempt.delivery_id)
    is_latest = attempt.batch_id == delivery.token
    return Sending(delivery.pk, delivery.generation if is_latest else max(delivery.generation - 1, 0))
