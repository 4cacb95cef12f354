"""Which request and which session an event belongs to, without handing a request through every action."""

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from contextvars import ContextVar
from dataclasses import dataclass
from hashlib import sha256
from uuid import UUID, uuid4

from django.contrib.sessions.backends.base import SessionBase
from django.http import HttpRequest, HttpResponseBase

from breachdesk.audit.canonical import base64url


@dataclass(frozen=True)
class Origin:
    request: str | None = None
    session: SessionBase | None = None

    @property
    def session_hash(self) -> str | None:
        """16 bytes of SHA-256 over the session's random key: enough to tell sessions apart, useless to steal one."""
        key = self.session.session_key if self.session is not None else None
        return base64url(sha256(key.encode()).digest()[:16]) if key else None


NOWHERE = Origin()
_origin: ContextVar[Origin] = ContextVar("audit_origin", default=NOWHERE)
_to_prove: ContextVar[list[UUID] | None] = ContextVar("audit_to_prove", default=None)


def current_origin() -> Origin:
    """Outside a request (a task, a command) both parts are None."""
    return _origin.get()


@contextmanager
def events_to_prove() -> Iterator[list[UUID]]:
    """Fills with the events recorded inside it that must be proved at once, also those that are undone afterwards."""
    events: list[UUID] = []
    token = _to_prove.set(events)
    try:
        yield events
    finally:
        _to_prove.reset(token)


def remember_to_prove(event: UUID) -> None:
    """Nobody waits outside events_to_prove(): then this does nothing."""
    if (events := _to_prove.get()) is not None:
        events.append(event)


class AuditContextMiddleware:
    """Stands after the session middleware."""

    def __init__(self, get_response: Callable[[HttpRequest], HttpResponseBase]) -> None:
        self.get_response = get_response

    def __call__(self, request: HttpRequest) -> HttpResponseBase:
        token = _origin.set(Origin(str(uuid4()), getattr(request, "session", None)))
        try:
            return self.get_response(request)
        finally:
            _origin.reset(token)
