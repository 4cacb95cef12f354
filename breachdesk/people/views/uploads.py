"""A file of affected people on its way in."""

from uuid import UUID

from django.contrib import messages
from django.core.exceptions import ValidationError
from django.http import HttpResponse
from django.shortcuts import get_object_or_404, redirect
from django.views.decorators.csrf import csrf_exempt, csrf_protect

from breachdesk.accounts.permissions import StaffRequest, requires
from breachdesk.incidents.forms import show_refusal
from breachdesk.incidents.models import Incident
from breachdesk.incidents.views import incident_of
from breachdesk.people import actions
from breachdesk.people.forms.uploads import UploadForm
from breachdesk.people.models import Upload
from breachdesk.people.overview import reasons_of
from breachdesk.people.reading import REASONS
from breachdesk.people.uploads import SealingUploadHandler
from breachdesk.people.views.people import people_page
from breachdesk.web import paginate, render_page


@csrf_exempt  # only until the handler is in place: checking the token reads the body, and the body is the file
@requires("people.load_people")
def upload(request: StaffRequest, reference: str) -> HttpResponse:
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
            actions.receive_upload(incident, form.cleaned_data["file"].sealed, by=request.user)
        except ValidationError as refusal:
            show_refusal(form, refusal)
        else:
            messages.success(request, "The file is here, sealed. You can leave this page while it is read.")
            return redirect("people", incident.reference)
    return people_page(request, incident, form, status=422)


@requires("people.view_counts")
def rejected(request: StaffRequest, reference: str, upload_id: UUID) -> HttpResponse:
    incident = incident_of(request, reference)
    upload = get_object_or_404(Upload.objects.visible_to(request.user).of(incident), pk=upload_id)
    page = paginate(request, upload.rejected.by_row())
    rows = [(row, REASONS[row.reason]) for row in page]
    context = {"incident": incident, "upload": upload, "page": page, "rows": rows, "reasons": reasons_of(upload)}
    return render_page(request, "people/rejected.html", context)
