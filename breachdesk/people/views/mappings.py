"""The mappings that are kept for the next file of a source, in every incident; who may keep one may remove it."""

from uuid import UUID

from django.contrib import messages
from django.http import HttpResponse
from django.shortcuts import get_object_or_404, redirect
from django.views.decorators.http import require_GET, require_POST

from breachdesk.accounts.permissions import StaffRequest, requires
from breachdesk.incidents.views import incident_of
from breachdesk.people import actions
from breachdesk.people.models import ColumnMapping
from breachdesk.web import render_page


@require_GET
@requires("people.load_people")
def mappings(request: StaffRequest, reference: str) -> HttpResponse:
    incident = incident_of(request, reference)
    kept = ColumnMapping.objects.select_related("saved_by")
    return render_page(request, "people/mappings.html", {"incident": incident, "mappings": kept})


@require_POST
@requires("people.load_people")
def remove(request: StaffRequest, reference: str, pk: UUID) -> HttpResponse:
    incident = incident_of(request, reference)
    mapping = get_object_or_404(ColumnMapping, pk=pk)
    actions.remove_mapping(mapping, by=request.user)
    messages.success(request, f"“{mapping.name}” is removed. Files that were read by it stay as they are.")
    return redirect("people-mappings", incident.reference)
