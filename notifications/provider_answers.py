"""What a provider's answer means: section 6 of the delivery design, for HTTP."""

import email.utils
from datetime import UTC, datetime
from hashlib import sha256
from typing import Any

import requests
from anymail.exceptions import (
    AnymailAPIError,
    AnymailError,
    AnymailRecipientsRefused,
    AnymailSerializationError,
)
from django.core.exceptions import ImproperlyConfigured
from django.core.mail import EmailMultiAlternatives
from urllib3.exceptions import ConnectTimeoutError, MaxRetryError, NewConnectionError

from notifications.transport import Kind, Outcome, Phase

# Anymail's words for what the provider said about the recipient, where it said anything.
KIND_OF_STATUS = {
    "sent": Kind.HANDED_OVER,
    "queued": Kind.HANDED_OVER,
    "invalid": Kind.REFUSED,
    "rejected": Kind.REFUSED,
    "failed": Kind.REFUSED,
}
# It refuses us, not this person: a key that was taken back, a bill that was not paid, a domain not verified. The
# message was not taken; calling each person on the list unreachable would be wrong.
REFUSES_US = {401, 402, 403, 407}
WAIT_FOR_US = 300.0
LONGEST_WAIT = 4 * 3600.0


def accepted(outgoing: EmailMultiAlternatives, to: str) -> Outcome:
    """What a call that was not refused says about its one recipient."""
    status = outgoing.anymail_status  # type: ignore[attr-defined]
    recipients = {str(address).lower(): told for address, told in status.recipients.items()}
    recipient = recipients.get(to.lower())
    kind = KIND_OF_STATUS.get(str(recipient.status), Kind.UNKNOWN) if recipient else Kind.UNKNOWN
    if recipient and recipient.status == "failed" and not _says_so(status.esp_response, to):
        kind = Kind.UNKNOWN
    remote_id = "" if recipient is None or recipient.message_id is None else str(recipient.message_id)
    code = 250 if kind is Kind.HANDED_OVER else None
    return Outcome(kind, Phase.DOT, code, remote_id=remote_id[:120])


def _says_so(answer: Any, to: str) -> bool:
    """Where a 2xx names nobody, "failed" is Anymail's guess from a message id that is missing: so is one in a body that
    was cut off or is a proxy's."""
    is_2xx = isinstance(answer, requests.Response) and 200 <= answer.status_code < 300
    return not is_2xx or to.lower().encode() in answer.content.lower()


def outcome_of(error: Exception) -> Outcome:
    if isinstance(error, AnymailRecipientsRefused | AnymailSerializationError):
        return _without_reply(Kind.REFUSED, error)
    if isinstance(error, ImproperlyConfigured):
        return _without_reply(Kind.NOT_SENT, error)
    code = _code_of(error)
    if code is None:
        return _without_reply(Kind.NOT_SENT if _was_never_sent(error) else Kind.UNKNOWN, error)
    if code == 429:
        return _with_reply(Kind.RETRY_WAIT, error, code, _retry_after(error))
    if code in REFUSES_US:
        return _with_reply(Kind.RETRY_WAIT, error, code, WAIT_FOR_US)
    if 400 <= code < 500 and code not in (408, 409):
        return _with_reply(Kind.REFUSED, error, code)
    return _with_reply(Kind.UNKNOWN, error, code)


def _code_of(error: Exception) -> int | None:
    """boto3 keeps it in what it made of the answer."""
    code = getattr(error, "status_code", None)
    answer = getattr(error, "response", None)
    if code is None and isinstance(answer, dict):
        code = answer.get("ResponseMetadata", {}).get("HTTPStatusCode")
    return code if isinstance(code, int) else None


def _was_never_sent(error: Exception) -> bool:
    """True only for a name, a connection or a TLS handshake that failed: no byte of the request was written."""
    if isinstance(error, requests.exceptions.ConnectTimeout | requests.exceptions.SSLError):
        return True
    if not isinstance(error, AnymailAPIError | requests.RequestException):
        return isinstance(error, AnymailError)  # Anymail's own refusals are raised while it makes the request
    cause = error.__cause__
    reason = cause.args[0] if isinstance(cause, requests.exceptions.ConnectionError) and cause.args else None
    if isinstance(reason, MaxRetryError):
        reason = reason.reason
    return isinstance(reason, NewConnectionError | ConnectTimeoutError)


def _retry_after(error: Exception) -> float | None:
    """RFC 9110 section 10.2.3: seconds, or a moment."""
    headers: Any = getattr(getattr(error, "response", None), "headers", None) or {}
    told = str(headers.get("Retry-After", "")).strip()
    if told.isascii() and told.isdigit():
        return min(float(told[:9]), LONGEST_WAIT)
    try:
        moment = email.utils.parsedate_to_datetime(told)
    except (ValueError, TypeError):
        return None
    seconds = ((moment if moment.tzinfo else moment.replace(tzinfo=UTC)) - datetime.now(UTC)).total_seconds()
    return min(max(seconds, 0.0), LONGEST_WAIT)


def _without_reply(kind: Kind, error: Exception) -> Outcome:
    phase = Phase.CONNECT if kind is Kind.NOT_SENT else Phase.DOT
    return Outcome(kind, phase, enhanced="", reply_sha256=sha256(type(error).__name__.encode()).digest())


def _with_reply(kind: Kind, error: Exception, code: int, wait: float | None = None) -> Outcome:
    answer = getattr(error, "response", None)
    words = getattr(answer, "content", b"") or b""
    return Outcome(kind, Phase.DOT, code, reply_sha256=sha256(words).digest(), wait=wait)
