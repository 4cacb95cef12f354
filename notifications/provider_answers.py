"""What a provider's answer means: section 6 of the delivery design, for HTTP."""

import email.utils
import ssl
import traceback
from collections.abc import Iterator
from datetime import UTC, datetime
from hashlib import sha256
from typing import Any

import botocore.exceptions as boto
import requests
from anymail.exceptions import (
    AnymailAPIError,
    AnymailError,
    AnymailRecipientsRefused,
    AnymailSerializationError,
)
from django.core.exceptions import ImproperlyConfigured
from django.core.mail import EmailMultiAlternatives
from urllib3.exceptions import ConnectTimeoutError, MaxRetryError, NewConnectionError, ProxyError

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
REFUSES_US = {
    401: "our key or password is not accepted",
    402: "the account is to be paid first",
    403: "it does not let this account send this",
    407: "a proxy on the way asks for a password",
}
WAIT_FOR_US = 300.0
MEND = "See the account there and BREACHDESK_ANYMAIL; once that is mended it goes on by itself."
# Amazon says by name what its 400 is about, and of these names one speaks of the recipient.
ABOUT_THE_RECIPIENT = {"BadRequestException"}
TOO_MUCH = {
    "LimitExceededException",
    "RequestLimitExceeded",
    "Throttling",
    "ThrottlingException",
    "TooManyRequestsException",
}
NO_CONNECTION = (
    boto.ConnectTimeoutError,
    boto.EndpointConnectionError,
    boto.NoCredentialsError,
    boto.PartialCredentialsError,
    boto.CredentialRetrievalError,
    boto.ProxyConnectionError,
)
LONGEST_WAIT = 4 * 3600.0


def accepted(outgoing: EmailMultiAlternatives, to: str) -> Outcome:
    """What a call that was not refused says about its one recipient."""
    status = outgoing.anymail_status  # type: ignore[attr-defined]
    recipients = {str(address).lower(): told for address, told in status.recipients.items()}
    recipient = recipients.get(to.lower())
    kind = KIND_OF_STATUS.get(str(recipient.status), Kind.UNKNOWN) if recipient else Kind.UNKNOWN
    if recipient and recipient.status == "failed" and not _says_so(status.esp_response, to):
        kind = Kind.UNKNOWN
    code = 250 if kind is Kind.HANDED_OVER else None
    return Outcome(kind, Phase.DOT, code, remote_id=_id_of(recipient.message_id) if recipient else "")


def _id_of(told: object) -> str:
    """What stands in no text of the database, a NUL or half a character, would keep the answers of all others out."""
    return "".join(filter(str.isprintable, "" if told is None else str(told)))[:120]


def _says_so(answer: Any, to: str) -> bool:
    """Where a 2xx names nobody, "failed" is Anymail's guess from a message id that is missing: so is one in a body that
    was cut off or is a proxy's."""
    is_2xx = isinstance(answer, requests.Response) and 200 <= answer.status_code < 300
    return not is_2xx or to.lower().encode() in answer.content.lower()


def not_begun(error: Exception) -> Outcome:
    """What failed before the call: a setting, mostly."""
    return _without_reply(Kind.NOT_SENT, error, f"It cannot be asked to send, {type(error).__name__}. {MEND}")


def outcome_of(error: Exception) -> Outcome:
    cannot_be_asked = isinstance(error.__cause__, boto.ParamValidationError)
    if cannot_be_asked or isinstance(error, AnymailRecipientsRefused | AnymailSerializationError):
        return _without_reply(Kind.REFUSED, error)
    if isinstance(error, ImproperlyConfigured):
        return not_begun(error)
    code = _code_of(error)
    if code is None and _was_never_sent(error):
        return _without_reply(Kind.NOT_SENT, error, f"No connection could be made: {_words_of(error)}.")
    if code is None:
        return _without_reply(Kind.UNKNOWN, error)
    name = _name_of(error)
    if code == 429 or name in TOO_MUCH:
        return _with_reply(Kind.RETRY_WAIT, error, code, _retry_after(error))
    if not 400 <= code < 500 or code in (408, 409):
        return _with_reply(Kind.UNKNOWN, error, code)
    if code in REFUSES_US or (name and name not in ABOUT_THE_RECIPIENT):
        why = REFUSES_US.get(code, "it does not let this account send this")
        trouble = f"It answered {' '.join(filter(None, [str(code), name]))}: {why}. {MEND}"
        return _with_reply(Kind.RETRY_WAIT, error, code, WAIT_FOR_US, trouble)
    return _with_reply(Kind.REFUSED, error, code)


def _code_of(error: Exception) -> int | None:
    """boto3 keeps it in what it made of the answer."""
    code = getattr(error, "status_code", None)
    answer = getattr(error, "response", None)
    if code is None and isinstance(answer, dict):
        code = answer.get("ResponseMetadata", {}).get("HTTPStatusCode")
    return code if isinstance(code, int) else None


def _name_of(error: Exception) -> str:
    """What Amazon calls it; empty where nobody says."""
    answer = getattr(error, "response", None)
    return str(answer.get("Error", {}).get("Code", "")) if isinstance(answer, dict) else ""


def _was_never_sent(error: Exception) -> bool:
    """True only for a name, a connection or a TLS handshake that failed: no byte of the request was written."""
    if isinstance(error, requests.exceptions.ConnectTimeout) or _broke_in_the_handshake(error):
        return True
    if not isinstance(error, AnymailAPIError | requests.RequestException):
        return isinstance(error, AnymailError)  # Anymail's own refusals are raised while it makes the request
    cause = error.__cause__
    if isinstance(cause, NO_CONNECTION):
        return True
    reason = cause.args[0] if isinstance(cause, requests.exceptions.ConnectionError) and cause.args else None
    if isinstance(reason, MaxRetryError):
        reason = reason.reason
    return isinstance(reason, NewConnectionError | ConnectTimeoutError | ProxyError)


def _broke_in_the_handshake(error: Exception) -> bool:
    """TLS breaks later as well, and by then the request may have been read; the exception is the same."""
    broken = (one for one in _behind(error) if isinstance(one, ssl.SSLError))
    frames = (frame for one in broken for frame, _ in traceback.walk_tb(one.__traceback__))
    return any(frame.f_code.co_name == "do_handshake" for frame in frames)


def _behind(error: BaseException) -> Iterator[BaseException]:
    """The error and whatever it was made of."""
    found: list[BaseException] = [error]
    for one in found:
        yield one
        found += [before for before in (one.__cause__, one.__context__) if before and before not in found]


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


def _words_of(error: Exception) -> str:
    """The name of what went wrong, and of the libraries' own where they only wrap it: no address of anybody's in it."""
    return type(error.__cause__ or error).__name__


def _without_reply(kind: Kind, error: Exception, trouble: str = "") -> Outcome:
    phase = Phase.CONNECT if kind is Kind.NOT_SENT else Phase.DOT
    digest = sha256(type(error).__name__.encode()).digest()
    return Outcome(kind, phase, enhanced="", reply_sha256=digest, trouble=trouble)


def _with_reply(kind: Kind, error: Exception, code: int, wait: float | None = None, trouble: str = "") -> Outcome:
    answer = getattr(error, "response", None)
    words = getattr(answer, "content", b"") or b""
    return Outcome(kind, Phase.DOT, code, reply_sha256=sha256(words).digest(), wait=wait, trouble=trouble)
