"""Every Anymail provider as a way out: one message, one recipient and one call at a time.

An HTTP call has no final dot, so doubt begins when the request may have been read: whatever was not clearly refused
or clearly never sent is unknown. Where the provider has a key by which it tells a repeated call from a new one, a call
in doubt is repeated with the same key; from then on only a 2xx clears the doubt. A thread and a backend belong to each
connection; speed is the provider's.
"""

import asyncio
import email
import email.policy
import time
from concurrent.futures import ThreadPoolExecutor
from email.message import EmailMessage
from typing import Any, cast

from anymail.exceptions import AnymailUnsupportedFeature
from django.core.mail import EmailMultiAlternatives, get_connection

from notifications.provider_answers import accepted, not_begun, outcome_of
from notifications.transport import BeforeDot, Envelope, Kind, Outcome, Phase, unnoted
from notifications.verp import Sending, read_return_path

PASSED_ON = ("Message-ID", "Auto-Submitted", "X-Auto-Response-Suppress", "Feedback-ID", "Content-Language")
# Providers that know a repeated call by a key in this header, for 24 hours. Brevo has one for 15 or 30 minutes (its own
# pages differ) and does not say what it answers to a repeated call, so that no answer could be told from a refusal.
KEY_HEADER = {"Resend": "Idempotency-Key", "SparkPost": "Idempotency-Key"}
PAUSES = (0.5, 2.0, 5.0)
IDLE = (
    2.0  # seconds after which a kept connection may be closed by the provider just as we write: an unknown for nothing
)
LONGEST_PAUSE = 20.0  # seconds that a connection waits because the provider said so; a longer wait is the delivery's
# Of what an administrator may have set for all mail only this: a copy to somebody would be a second recipient.
KEPT_DEFAULTS = ("esp_extra", "tags")


class ProviderConnection:
    """Takes the same bytes as the SMTP connection does, so that what was approved is what goes out."""

    def __init__(self, backend: str, timeout: float) -> None:
        self.broken = False
        self.announced: Envelope | None = None
        self.timeout = timeout
        self._thread = ThreadPoolExecutor(1, thread_name_prefix="provider")
        self._backend = cast(Any, get_connection(backend))
        self._backend.debug_api_requests = False  # it would print people's messages
        self._backend.timeout = (min(10, timeout / 2), timeout * 0.8)  # to connect, and for each part of the answer
        _have_amazons_client_call_once(self._backend)
        self._backend.send_defaults = {
            name: value for name, value in self._backend.send_defaults.items() if name in KEPT_DEFAULTS
        }
        self._can_be_asked: frozenset[str] | None = None
        self._last_call = 0.0

    @property
    def key_header(self) -> str | None:
        return KEY_HEADER.get(self._backend.esp_name)

    async def hand_over(
        self,
        sender: bytes,
        to: bytes,
        message: bytes,
        deadline: float,
        following: Envelope | None = None,
        before_dot: BeforeDot = unnoted,
    ) -> Outcome:
        """As over SMTP; `sender` is the return path, which names the sending. No call begins after `deadline`."""
        loop, before = asyncio.get_running_loop(), Outcome(Kind.NOT_SENT, Phase.CONNECT)
        before_dot()
        for pause in (*PAUSES, None):
            if loop.time() > deadline:
                return before
            outcome = await self._try(sender.decode(), to.decode(), message)
            self.broken = self.broken or bool(outcome.trouble)
            before = outcome if before.kind is not Kind.UNKNOWN or outcome.kind is Kind.HANDED_OVER else before
            wait = self._wait(outcome, before, pause)
            if wait is None or loop.time() + wait > deadline:
                return before
            await asyncio.sleep(wait)
        return before

    def _wait(self, outcome: Outcome, before: Outcome, pause: float | None) -> float | None:
        """How long until the call is repeated; None if it is not. What was refused for now was never sent."""
        in_doubt = before.kind is Kind.UNKNOWN
        if pause is None or self.broken or (in_doubt and not self.key_header):
            return None
        if outcome.kind is Kind.RETRY_WAIT and outcome.wait and outcome.wait <= LONGEST_PAUSE:
            return max(outcome.wait, pause)
        return pause if in_doubt else None

    async def _try(self, sender: str, to: str, message: bytes) -> Outcome:
        try:
            async with asyncio.timeout(self.timeout):
                return await asyncio.get_running_loop().run_in_executor(self._thread, self._call, sender, to, message)
        except TimeoutError:
            self.broken = True  # its thread may still be waiting
            return Outcome(Kind.UNKNOWN, Phase.DOT)

    async def close(self) -> None:
        self._thread.submit(self._backend.close)
        self._thread.shutdown(wait=False)

    def _call(self, sender: str, to: str, message: bytes) -> Outcome:
        outgoing = outgoing_message(to, message)
        sending = read_return_path(sender) or Sending(_delivery_in(outgoing), 0)
        try:
            self._ask(outgoing, sending)
            self._open()
            self._give_key(sending)
        except Exception as error:
            return not_begun(error)
        try:
            self._backend.send_messages([outgoing])
            return accepted(outgoing, to)
        except Exception as error:
            return outcome_of(error)
        finally:
            self._last_call = time.monotonic()

    def _open(self) -> None:
        if time.monotonic() - self._last_call > IDLE:
            self._backend.close()
        self._backend.open()
        if session := getattr(self._backend, "session", None):
            session.max_redirects = 0  # people's messages go to the address that was set, and only there

    def _ask(self, outgoing: EmailMultiAlternatives, sending: Sending) -> None:
        """Not to track, and to give our ids back: each as far as this provider can be asked, which building a message
        tells without sending it."""
        wishes = {
            "track_opens": False,
            "track_clicks": False,
            "metadata": {"delivery": str(sending.delivery), "generation": str(sending.generation)},
        }
        if self._can_be_asked is None:
            self._can_be_asked = frozenset(
                name for name, wish in wishes.items() if self._can_be_built(outgoing, name, wish)
            )
        for name in self._can_be_asked:
            setattr(outgoing, name, wishes[name])

    def _can_be_built(self, outgoing: EmailMultiAlternatives, name: str, wish: object) -> bool:
        setattr(outgoing, name, wish)
        try:
            self._backend.build_message_payload(outgoing, self._backend.send_defaults)
        except AnymailUnsupportedFeature:
            return False
        finally:
            delattr(outgoing, name)
        return True

    def _give_key(self, sending: Sending) -> None:
        """The same for every try of one sending, another one once a person has it sent again."""
        if self.key_header:
            self._backend.session.headers[self.key_header] = f"{sending.delivery}.{sending.generation}"


def _have_amazons_client_call_once(backend: Any) -> None:
    """By itself it calls up to five times, also after a time-out, when the message may have been taken already."""
    if backend.esp_name == "Amazon SES":
        config, (connect, read) = backend.client_params["config"], backend.timeout
        ours = type(config)(
            retries={"total_max_attempts": 1, "mode": "standard"}, connect_timeout=connect, read_timeout=read
        )
        backend.client_params = backend.client_params | {"config": config.merge(ours)}


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


def _delivery_in(outgoing: EmailMultiAlternatives) -> Any:
    return str(outgoing.extra_headers["Message-ID"]).strip("<>").partition("@")[0]
