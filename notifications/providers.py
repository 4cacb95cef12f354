"""Every Anymail provider as a way out: one message, one recipient and one call at a time.

An HTTP call has no final dot, so doubt begins when the request may have been read: whatever was not clearly refused
or clearly never sent is unknown. A thread and a backend belong to each connection; speed is the provider's.
"""

import asyncio
import email
import email.policy
from concurrent.futures import ThreadPoolExecutor
from email.message import EmailMessage
from hashlib import sha256
from typing import Any

import requests
from anymail.exceptions import (
    AnymailAPIError,
    AnymailError,
    AnymailRecipientsRefused,
    AnymailSerializationError,
    AnymailUnsupportedFeature,
)
from django.core.mail import EmailMultiAlternatives, get_connection
from django.core.mail.backends.base import BaseEmailBackend
from urllib3.exceptions import ConnectTimeoutError, MaxRetryError, NewConnectionError

from notifications.transport import BeforeDot, Envelope, Kind, Outcome, Phase, unnoted

PASSED_ON = ("Message-ID", "Auto-Submitted", "X-Auto-Response-Suppress", "Feedback-ID", "Content-Language")
# Anymail's words for what the provider said about the recipient, where it said anything.
_KIND_OF_STATUS = {
    "sent": Kind.HANDED_OVER,
    "queued": Kind.HANDED_OVER,
    "invalid": Kind.REFUSED,
    "rejected": Kind.REFUSED,
    "failed": Kind.REFUSED,
}
# What only some providers can be asked for. Without them the message is the same; an unasked-for feature stays off.
_OPTIONAL: tuple[dict[str, Any], ...] = ({"track_opens": False, "track_clicks": False}, {"metadata": ...})


class ProviderConnection:
    """Takes the same bytes as the SMTP connection does, so that what was approved is what goes out."""

    def __init__(self, backend: str, timeout: float) -> None:
        self.broken = False
        self.timeout = timeout
        self._thread = ThreadPoolExecutor(1, thread_name_prefix="provider")
        self._backend: BaseEmailBackend = get_connection(backend)

    async def hand_over(
        self,
        sender: bytes,
        to: bytes,
        message: bytes,
        deadline: float,
        following: Envelope | None = None,
        before_dot: BeforeDot = unnoted,
    ) -> Outcome:
        loop = asyncio.get_running_loop()
        before_dot()
        if loop.time() > deadline:
            return Outcome(Kind.NOT_SENT, Phase.CONNECT)
        try:
            async with asyncio.timeout(self.timeout):
                return await loop.run_in_executor(self._thread, self._call, to.decode(), message)
        except TimeoutError:
            self.broken = True
            return Outcome(Kind.UNKNOWN, Phase.DOT)

    async def close(self) -> None:
        self._thread.shutdown(wait=False)

    def _call(self, to: str, message: bytes) -> Outcome:
        """Ask for everything; a provider that refuses to be asked has sent nothing, so it is asked for less."""
        outgoing = outgoing_message(to, message)
        for left_out in range(len(_OPTIONAL) + 1):
            for name, value in [item for part in _OPTIONAL[left_out:] for item in part.items()]:
                setattr(outgoing, name, {"delivery": _delivery_of(outgoing)} if name == "metadata" else value)
            try:
                self._backend.send_messages([outgoing])
                return _accepted(outgoing, to)
            except AnymailUnsupportedFeature:
                for name in [name for part in _OPTIONAL for name in part]:
                    outgoing.__dict__.pop(name, None)
            except (AnymailError, requests.RequestException) as error:
                return outcome_of(error)
            except Exception as error:
                return _without_reply(Kind.UNKNOWN, error)
        return Outcome(Kind.REFUSED, Phase.CONNECT)


def outgoing_message(to: str, message: bytes) -> EmailMultiAlternatives:
    """The rendered message as Django's, part by part."""
    parsed = email.message_from_bytes(message, policy=email.policy.default)
    assert isinstance(parsed, EmailMessage)
    text, page = parsed.get_body(("plain",)), parsed.get_body(("html",))
    assert text is not None
    assert page is not None
    outgoing = EmailMultiAlternatives(
        subject=str(parsed["Subject"]),
        body=text.get_content().replace("\r\n", "\n"),
        from_email=str(parsed["From"]),
        to=[to],
        reply_to=[str(parsed["Reply-To"])],
        headers={name: str(parsed[name]) for name in PASSED_ON},
    )
    outgoing.attach_alternative(page.get_content().replace("\r\n", "\n"), "text/html")
    return outgoing


def outcome_of(error: Exception) -> Outcome:
    """Section 6 of the delivery design, for HTTP."""
    if isinstance(error, AnymailRecipientsRefused | AnymailSerializationError):
        return _without_reply(Kind.REFUSED, error)
    code = getattr(error, "status_code", None)
    if code is None:
        never_sent = _was_never_sent(error)
        return _without_reply(Kind.NOT_SENT if never_sent else Kind.UNKNOWN, error)
    if code == 429:
        return _with_reply(Kind.RETRY_WAIT, error, code)
    if 400 <= code < 500 and code not in (408, 409):
        return _with_reply(Kind.REFUSED, error, code)
    return _with_reply(Kind.UNKNOWN, error, code)


def _was_never_sent(error: Exception) -> bool:
    """True only for a name, a connection or a TLS handshake that failed: no byte of the request was written."""
    if isinstance(error, requests.exceptions.ConnectTimeout | requests.exceptions.SSLError):
        return True
    if not isinstance(error, AnymailAPIError | requests.RequestException):
        return True  # Anymail's own refusals are raised while it makes the request
    cause = error.__cause__
    reason = cause.args[0] if isinstance(cause, requests.exceptions.ConnectionError) and cause.args else None
    if isinstance(reason, MaxRetryError):
        reason = reason.reason
    return isinstance(reason, NewConnectionError | ConnectTimeoutError)


def _accepted(outgoing: EmailMultiAlternatives, to: str) -> Outcome:
    status = outgoing.anymail_status  # type: ignore[attr-defined]
    recipient = status.recipients.get(to)
    kind = _KIND_OF_STATUS.get(str(recipient.status), Kind.UNKNOWN) if recipient else Kind.UNKNOWN
    remote_id = "" if recipient is None or recipient.message_id is None else str(recipient.message_id)
    code = 250 if kind is Kind.HANDED_OVER else None
    return Outcome(kind, Phase.DOT, code, remote_id=remote_id[:120])


def _delivery_of(outgoing: EmailMultiAlternatives) -> str:
    return str(outgoing.extra_headers["Message-ID"]).strip("<>").partition("@")[0]


def _without_reply(kind: Kind, error: Exception) -> Outcome:
    phase = Phase.CONNECT if kind is Kind.NOT_SENT else Phase.DOT
    return Outcome(kind, phase, enhanced="", reply_sha256=sha256(type(error).__name__.encode()).digest())


def _with_reply(kind: Kind, error: Exception, code: int) -> Outcome:
    response = getattr(error, "response", None)
    words = getattr(response, "content", b"") or b""
    return Outcome(kind, Phase.DOT, code, reply_sha256=sha256(words).digest())
