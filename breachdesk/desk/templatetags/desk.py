"""The parts of a page that need working out: main navigation, incident head, ruler, bars."""

from collections.abc import Iterable
from dataclasses import dataclass
from typing import Any
from urllib.parse import urlencode

from django import template
from django.template import RequestContext
from django.urls import reverse
from django.utils import timezone

from breachdesk.desk import figures, stale
from breachdesk.desk.head import head_of
from breachdesk.desk.ruler import Ruler
from breachdesk.incidents import retention
from breachdesk.incidents.models import Incident

register = template.Library()


@dataclass(frozen=True)
class NavItem:
    label: str
    url: str
    current: bool


# Label, address name, permission ("" for everyone signed in), and what the names of its pages begin with.
MAIN_NAV = (
    ("Desk", "home", "", ("home",)),
    ("Incidents", "incident-list", "incidents.view_incident", ()),
    ("Register", "register", "incidents.view_incident", ("register",)),
    ("Trail", "trail", "audit.view_trail", ("trail",)),
    ("Staff", "staff", "accounts.manage_staff", ("staff",)),
    ("Our position", "position", "regulators.state_position", ("position",)),
    ("Settings", "organisation", "accounts.change_organisation", ("organisation",)),
    ("Status", "status", "accounts.view_status", ("status",)),
)


@register.simple_tag(takes_context=True)
def main_nav(context: RequestContext) -> list[NavItem]:
    """What this user may open. A page of an incident lights up Incidents."""
    request = context.get("request")
    user = getattr(request, "user", None)
    if user is None or not user.is_authenticated:
        return []
    here = here_of(request)
    allowed = [entry for entry in MAIN_NAV if not entry[2] or user.has_perm(entry[2])]
    return [NavItem(label, reverse(name), here == label) for label, name, _, _ in allowed]


def here_of(request: Any) -> str:
    """The label that is lit on this page, or nothing."""
    match = getattr(request, "resolver_match", None)
    if match is None:
        return ""
    if request.path.startswith("/incidents/"):
        return "Incidents"
    starts = ((label, prefixes) for label, _, _, prefixes in MAIN_NAV)
    return next((label for label, prefixes in starts if prefixes and str(match.url_name).startswith(prefixes)), "")


@register.simple_tag(takes_context=True)
def stated_figures(context: RequestContext, incident: Incident) -> figures.Figures:
    """Every paper that says how many people are affected, and how many there are now."""
    return figures.stated_figures(incident, context["request"].user)


@register.simple_tag(takes_context=True)
def stale_answers(context: RequestContext, incident: Incident) -> list[stale.Stale]:
    """Every paper that says another fact as it was."""
    return stale.stale_answers(incident, context["request"].user, timezone.now())


@register.simple_tag
def keeping_of(incident: Incident) -> retention.Keeping:
    """How long the case's personal data is kept, and what is destroyed of it."""
    return retention.keeping_of(incident)


@register.inclusion_tag("components/ruler.html")
def ruler(ruler: Ruler, name: str = "ruler") -> dict[str, Any]:
    return {"ruler": ruler, "name": name}


@dataclass(frozen=True)
class Part:
    """One part of a bar: `kind` is delivered, handed, unknown, bounced or queued: its colour and pattern."""

    kind: str
    label: str
    number: int
    x: float = 0.0
    width: float = 0.0


def parts_of(parts: Iterable[tuple[str, str, int]], total: int) -> list[Part]:
    """(kind, label, number) laid end to end; any that is not empty is at least 0.3 per cent wide, to be seen."""
    laid, x = [], 0.0
    for kind, label, number in parts:
        width = max(round(100 * number / total, 2), 0.3) if number and total else 0.0
        width = min(width, round(100 - x, 2))
        laid.append(Part(kind, label, number, round(x, 2), width))
        x += width
    return laid


@register.inclusion_tag("components/stackbar.html")
def stackbar(parts: Iterable[tuple[str, str, int]], total: int, name: str = "bar", size: str = "") -> dict[str, Any]:
    """A bar of (kind, label, number) parts and what they add up to; size "thin" for the desk."""
    return {"parts": parts_of(parts, total), "total": total, "name": name, "size": size}


@register.inclusion_tag("components/bars.html")
def bars(rows: Iterable[tuple[str, int]], caption: str, head: str = "", unit: str = "People") -> dict[str, Any]:
    """A small table of (label, number) rows, each with a bar against the largest."""
    rows = list(rows)
    top = max((number for _, number in rows), default=0)
    wide = [(label, number, round(100 * number / top, 2) if top else 0) for label, number in rows]
    return {"rows": wide, "caption": caption, "head": head, "unit": unit}


@register.inclusion_tag("incidents/head.html", takes_context=True)
def incident_head(context: RequestContext, incident: Incident, current: str) -> dict[str, Any]:
    """Title, state, clocks and tabs of an incident. `current` is overview, people, notices, filings or trail."""
    request, now = context["request"], timezone.now()
    head, stale_url = head_of(incident, request.user, now), _stale_url(request, incident, current)
    return {"incident": incident, "head": head, "current": current, "now": now, "stale_url": stale_url}


PAPERS = ("filing-detail", "edition-detail")
"""Pages of one paper."""


def _stale_url(request: Any, incident: Incident, current: str) -> str:
    """Where a page asks for what is not so any more: of the whole case, or of the one paper that it shows."""
    url, match = reverse("incident-stale", args=[incident.reference]), getattr(request, "resolver_match", None)
    if current == "overview":
        return url
    return f"{url}?{urlencode({'paper': request.path})}" if match and match.url_name in PAPERS else ""
