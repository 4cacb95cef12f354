"""Which request and which session an event belongs to, without handing a request through every action."""

from collections.abc import Callable
from contextvars import ContextVar
from dataclasses import dataclass
from hashlib import sha256
from uuid import uuid4

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


def current_origin() -> Origin:
    """Outside a request (a task, a command) both parts are None."""
    return _origin.get()


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
