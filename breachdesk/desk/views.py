from typing import TYPE_CHECKING, Any

from django.http import HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404
from django.utils import timezone

from breachdesk.accounts.permissions import requires
from breachdesk.desk.deadlines import deadlines_of
from breachdesk.desk.forms import IncidentFilter, TrailFilter
from breachdesk.desk.home import desk_of
from breachdesk.desk.running import running
from breachdesk.desk.trail import by_day, events_for, rows_of, standing
from breachdesk.desk.workspace import workspace_of
from breachdesk.incidents.models import Incident
from breachdesk.people.models import Upload
from breachdesk.web import paginate, render_page

if TYPE_CHECKING:
    from breachdesk.accounts.models import User


def home(request: HttpRequest) -> HttpResponse:
    """Open to everyone signed in: each part shows what this user may see."""
    desk = desk_of(_user(request), timezone.now())
    return render_page(request, "desk/home.html", {"desk": desk, "next_deadline": desk.next_deadline})


@requires("incidents.view_incident")
def incident_list(request: HttpRequest) -> HttpResponse:
    form = IncidentFilter(request.GET)
    asked = form.cleaned_data if form.is_valid() else {}
    found = Incident.objects.visible_to(_user(request)).matching(**asked).with_moments().newest_first()
    page = paginate(request, found, per_page=30)
    deadlines = {deadline.incident.pk: deadline for deadline in deadlines_of(page, _user(request), timezone.now())}
    people = Upload.objects.people_of(page.object_list)
    rows = [(incident, deadlines.get(incident.pk), people.get(incident.pk)) for incident in page]
    context = {"form": form, "page": page, "rows": rows, "query": _query(request)}
    return render_page(request, "desk/incidents.html", context)


@requires("incidents.view_incident")
def incident_detail(request: HttpRequest, reference: str) -> HttpResponse:
    incident = _incident_of(request, reference)
    workspace = workspace_of(incident, _user(request), timezone.now())
    return render_page(request, "desk/incident.html", {"incident": incident, "work": workspace})


@requires("audit.view_trail")
def trail(request: HttpRequest) -> HttpResponse:
    return _trail_page(request, None)


@requires("audit.view_trail")
def incident_trail(request: HttpRequest, reference: str) -> HttpResponse:
    return _trail_page(request, _incident_of(request, reference))


def _trail_page(request: HttpRequest, incident: Incident | None) -> HttpResponse:
    form = TrailFilter(request.GET)
    page = paginate(request, events_for(form, incident.pk if incident else None))
    days = by_day(rows_of(page, _user(request)))
    context: dict[str, Any] = {
        "incident": incident,
        "form": form,
        "page": page,
        "days": days,
        "standing": standing(),
        "query": _query(request),
    }
    return render_page(request, "audit/trail.html", context)


@requires("accounts.view_status")
def status(request: HttpRequest) -> HttpResponse:
    parts = running(timezone.now())
    faults = [part for part in parts if part.tone == "alarm"]
    return render_page(request, "desk/status.html", {"parts": parts, "faults": faults})


def _incident_of(request: HttpRequest, reference: str) -> Incident:
    return get_object_or_404(Incident.objects.visible_to(_user(request)).with_moments(), reference=reference)


def _query(request: HttpRequest) -> str:
    """The filters as they stand in the address, for the links to other pages."""
    asked = request.GET.copy()
    asked.pop("page", None)
    return f"{asked.urlencode()}&" if asked else ""


def _user(request: HttpRequest) -> "User":
    return request.user  # type: ignore[return-value]
