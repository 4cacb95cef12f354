"""What every page shows: the organisation's name, the theme, the server's time, the next deadline, and the alarms."""

import tomllib
from typing import Any

from django.conf import settings
from django.http import HttpRequest
from django.utils import timezone
from django.utils.functional import SimpleLazyObject

from breachdesk.accounts.models import Organisation
from breachdesk.audit.alarms import Alarm, alarms
from breachdesk.desk.deadlines import Deadline, next_deadline
from notifications import epochs


def masthead(request: HttpRequest) -> dict[str, Any]:
    """Read only when a template asks: a partial costs no query."""
    user = getattr(request, "user", None)
    return {
        "organisation": SimpleLazyObject(lambda: Organisation.current()),
        "server_time": timezone.now(),
        "theme": theme_of(request),
        "version": VERSION,
        "next_deadline": SimpleLazyObject(lambda: _next_deadline(request)),
        "trail_alarms": SimpleLazyObject(_alarms),
        "strip_shown": user is not None and user.has_perm("incidents.view_incident"),
    }


def _alarms() -> list[Alarm]:
    sending = epochs.alarm()
    return [*([sending] if sending else []), *alarms(timezone.now())]


def _next_deadline(request: HttpRequest) -> Deadline | None:
    user = getattr(request, "user", None)
    if user is None or not user.has_perm("incidents.view_incident"):
        return None
    return next_deadline(user, timezone.now())


def theme_of(request: HttpRequest) -> str:
    chosen = request.COOKIES.get("theme", "")
    return chosen if chosen in ("light", "dark") else ""


def _version() -> str:
    """As pyproject.toml has it, which is part of every installation."""
    project = tomllib.loads((settings.BASE_DIR / "pyproject.toml").read_text())["project"]
    return str(project["version"])


VERSION = _version()
