from io import BytesIO
from typing import Any

from django.core.exceptions import ValidationError
from django.http import FileResponse, HttpResponse, HttpResponseBase
from django.shortcuts import redirect
from django.utils import timezone
from django.views.decorators.http import require_POST

from breachdesk.accounts.permissions import StaffRequest, requires
from breachdesk.audit.bundle.export import Order
from breachdesk.audit.checkpoints import latest_checkpoint
from breachdesk.audit.printing import note_for_print
from breachdesk.audit.proofs import NotProvable, event_proof
from breachdesk.desk.actions import export_evidence, verify_trail
from breachdesk.desk.bundle import bundle_for_download
from breachdesk.desk.deadlines import deadlines_of
from breachdesk.desk.evidence import evidence_of
from breachdesk.desk.evidence_pdf import evidence_pdf
from breachdesk.desk.forms import BundleForm, IncidentFilter, TrailFilter
from breachdesk.desk.home import desk_of
from breachdesk.desk.objects import objects_of
from breachdesk.desk.running import doubt, running
from breachdesk.desk.sends import hindered_of
from breachdesk.desk.trail import by_day, events_for, rows_of, standing
from breachdesk.desk.workspace import workspace_of
from breachdesk.incidents.models import Incident
from breachdesk.incidents.views import incident_of
from breachdesk.people.models import Tally
from breachdesk.web import is_htmx, paginate, render_page

PATIENCE = 25.0  # seconds an export may wait for the sequencer and the signer while somebody looks at the page


def home(request: StaffRequest) -> HttpResponse:
    """Open to everyone signed in: each part shows what this user may see."""
    desk = desk_of(request.user, timezone.now())
    return render_page(request, "desk/home.html", {"desk": desk, "next_deadline": desk.next_deadline})


@requires("incidents.view_incident")
def incident_list(request: StaffRequest) -> HttpResponse:
    form = IncidentFilter(request.GET)
    asked = form.cleaned_data if form.is_valid() else {}
    found = Incident.objects.visible_to(request.user).matching(**asked).with_moments().newest_first()
    page = paginate(request, found, per_page=30)
    deadlines = {deadline.incident.pk: deadline for deadline in deadlines_of(page, request.user, timezone.now())}
    people = Tally.objects.people_of(page.object_list)
    rows = [(incident, deadlines.get(incident.pk), people.get(incident.pk)) for incident in page]
    context = {"form": form, "page": page, "rows": rows, "query": _query(request)}
    return render_page(request, "desk/incidents.html", context)


@requires("incidents.view_incident")
def incident_detail(request: StaffRequest, reference: str) -> HttpResponse:
    incident = incident_of(request, reference)
    workspace = workspace_of(incident, request.user, timezone.now())
    context = {"incident": incident, "work": workspace, "hindered": hindered_of(incident, request.user)}
    return render_page(request, "desk/incident.html", context)


@requires("audit.view_trail")
def trail(request: StaffRequest) -> HttpResponse:
    return _trail_page(request, None)


@requires("audit.view_trail")
def incident_trail(request: StaffRequest, reference: str) -> HttpResponse:
    return _trail_page(request, incident_of(request, reference))


def _trail_page(request: StaffRequest, incident: Incident | None) -> HttpResponse:
    objects = objects_of(incident, request.user) if incident else []
    form = TrailFilter(request.GET, objects=[(found.key, found.name) for found in objects])
    page = paginate(request, events_for(form, incident.pk if incident else None, objects))
    days = by_day(rows_of(page, request.user))
    context: dict[str, Any] = {
        "incident": incident,
        "form": form,
        "page": page,
        "days": days,
        "standing": standing(),
        "query": _query(request),
    }
    return render_page(request, "audit/trail.html", context)


@requires("audit.view_trail")
@require_POST
def trail_verify(request: StaffRequest) -> HttpResponse:
    """htmx puts the answer in place; without it the page comes again."""
    verify_trail(by=request.user)
    if not is_htmx(request):
        return redirect("trail")
    return render_page(request, "audit/_standing.html", {"standing": standing()})


@requires("audit.view_trail")
def trail_proof(request: StaffRequest, idx: int) -> HttpResponseBase:
    """The event, its place in the log and the way to a signed checkpoint: for whoever wants to check this one."""
    try:
        proof = event_proof(idx)
    except NotProvable as reason:
        raise ValidationError(str(reason)) from reason
    name = f"breachdesk-event-{idx}"
    if request.GET.get("as") == "tlog-proof":
        return FileResponse(BytesIO(proof.as_tlog_proof().encode()), as_attachment=True, filename=f"{name}.tlog-proof")
    return FileResponse(BytesIO(proof.as_json()), as_attachment=True, filename=f"{name}.json")


@requires("incidents.view_incident")
@require_POST
def incident_evidence(request: StaffRequest, reference: str) -> HttpResponseBase:
    """A report of what is known and done at this moment; that it left the product is in the trail."""
    incident, checkpoint = incident_of(request, reference), latest_checkpoint()
    evidence = evidence_of(incident, request.user, timezone.now(), checkpoint)
    document = evidence_pdf(evidence, note_for_print(checkpoint, incident.pk) if checkpoint else None)
    export_evidence(incident, document, by=request.user)
    return FileResponse(BytesIO(document.pdf), as_attachment=True, filename=document.name)


@requires("audit.export_bundle")
def incident_bundle(request: StaffRequest, reference: str) -> HttpResponseBase:
    """The case as a file that an outsider can check. It waits for a checkpoint that covers everything in it."""
    incident = incident_of(request, reference)
    form = BundleForm(request.POST if request.method == "POST" else None)
    if form.is_valid():
        asked = form.cleaned_data
        order = Order(incident.pk, incident.reference, private=asked["private"], seconds=PATIENCE)
        try:
            file = bundle_for_download(incident, order, by=request.user, recipient=asked["recipient"])
        except ValidationError as refusal:
            form.add_error(None, refusal)
        else:
            return FileResponse(file, as_attachment=True, filename=f"{incident.reference}-evidence.zip")
    context = {"incident": incident, "form": form}
    return render_page(request, "audit/bundle.html", context, status=422 if form.is_bound else 200)


@requires("accounts.view_status")
def status(request: StaffRequest) -> HttpResponse:
    parts = running(timezone.now())
    faults = [part for part in parts if part.tone == "alarm"]
    return render_page(request, "desk/status.html", {"parts": parts, "faults": faults, "doubt": doubt()})


def _query(request: StaffRequest) -> str:
    """The filters as they stand in the address, for the links to other pages."""
    asked = request.GET.copy()
    asked.pop("page", None)
    return f"{asked.urlencode()}&" if asked else ""
