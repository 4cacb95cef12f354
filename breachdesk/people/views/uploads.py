"""A file of affected people on its way in: handed in, matched, watched, decided over."""

from uuid import UUID

from django.core.exceptions import ValidationError
from django.http import HttpResponse
from django.shortcuts import get_object_or_404, redirect
from django.urls import reverse
from django.views.decorators.csrf import csrf_exempt, csrf_protect

from breachdesk.accounts.permissions import StaffRequest, requires
from breachdesk.incidents.forms import show_refusal
from breachdesk.incidents.models import Incident
from breachdesk.incidents.views import incident_of
from breachdesk.people import actions
from breachdesk.people.files import FileOnPage
from breachdesk.people.forms.uploads import ExplanationForm, UploadForm
from breachdesk.people.gate import needs_explaining
from breachdesk.people.models import Upload
from breachdesk.people.reading import REASONS
from breachdesk.people.uploads import SealingUploadHandler
from breachdesk.people.views.people import people_page
from breachdesk.web import is_htmx, paginate, render_page


def upload_of(request: StaffRequest, reference: str, upload_id: UUID) -> tuple[Incident, Upload]:
    incident = incident_of(request, reference)
    uploads = Upload.objects.visible_to(request.user).of(incident).with_colleagues()
    return incident, get_object_or_404(uploads, pk=upload_id)


@csrf_exempt  # only until the handler is in place: checking the token reads the body, and the body is the file
@requires("people.load_people")
def hand_in(request: StaffRequest, reference: str) -> HttpResponse:
    incident = incident_of(request, reference)
    if request.method != "POST":
        return redirect("people", reference)
    handler = SealingUploadHandler(incident.pk)
    request.upload_handlers = [handler]
    try:
        return _receive(request, incident)
    finally:
        handler.discard()


@csrf_protect
def _receive(request: StaffRequest, incident: Incident) -> HttpResponse:
    form = UploadForm(request.POST, request.FILES)
    if form.is_valid():
        try:
            upload = actions.receive_upload(incident, form.cleaned_data["file"].sealed, by=request.user)
        except ValidationError as refusal:
            show_refusal(form, refusal)
        else:
            return _go_on(request, reverse("upload-match", args=[incident.reference, upload.pk]))
    return people_page(request, incident, form, status=422)


def _go_on(request: StaffRequest, address: str) -> HttpResponse:
    """To the next page; htmx, which has sent the file, is told to go there as a whole."""
    return HttpResponse(headers={"HX-Redirect": address}) if is_htmx(request) else redirect(address)


@requires("people.view_counts")
def upload(request: StaffRequest, reference: str, upload_id: UUID) -> HttpResponse:
    incident, upload = upload_of(request, reference, upload_id)
    if upload.state == Upload.State.RECEIVED and request.user.has_perm("people.load_people"):
        return redirect("upload-match", reference, upload_id)
    form = ExplanationForm(signals=needs_explaining(upload)) if _may_decide(request, upload) else None
    return _upload_page(request, incident, upload, form)


def _may_decide(request: StaffRequest, upload: Upload) -> bool:
    return upload.state == Upload.State.CHECKED and request.user.has_perm("people.load_people")


def _upload_page(
    request: StaffRequest, incident: Incident, upload: Upload, form: ExplanationForm | None, status: int = 200
) -> HttpResponse:
    context = {
        "incident": incident,
        "upload": upload,
        "file": FileOnPage(1, upload),
        "form": form,
    }
    return render_page(request, "people/file.html", context, status=status)


@requires("people.view_counts")
def watch(request: StaffRequest, reference: str, upload_id: UUID) -> HttpResponse:
    """Asked for by the file's page each second; in another state the whole page says something new."""
    incident, upload = upload_of(request, reference, upload_id)
    if upload.state != request.GET.get("state"):
        return HttpResponse(headers={"HX-Refresh": "true"})
    said = request.GET.get("said", "")
    context = {"incident": incident, "upload": upload, "file": FileOnPage(1, upload), "said": said, "is_update": True}
    return render_page(request, "people/_watched.html", context)


@requires("people.load_people")
def accept(request: StaffRequest, reference: str, upload_id: UUID) -> HttpResponse:
    incident, upload = upload_of(request, reference, upload_id)
    if request.method != "POST" or upload.state != Upload.State.CHECKED:
        return redirect("upload", reference, upload_id)
    form = ExplanationForm(request.POST, signals=needs_explaining(upload))
    if form.is_valid():
        try:
            actions.accept_upload(upload, form.cleaned_data, by=request.user)
        except ValidationError as refusal:
            show_refusal(form, refusal)
        else:
            return redirect("upload", reference, upload_id)
    return _upload_page(request, incident, upload, form, status=422)


@requires("people.view_counts")
def rejected(request: StaffRequest, reference: str, upload_id: UUID) -> HttpResponse:
    incident, upload = upload_of(request, reference, upload_id)
    page = paginate(request, upload.rejected.by_row())
    rows = [(row, REASONS[row.reason]) for row in page]
    context = {"incident": incident, "upload": upload, "page": page, "rows": rows, "file": FileOnPage(1, upload)}
    return render_page(request, "people/rejected.html", context)
