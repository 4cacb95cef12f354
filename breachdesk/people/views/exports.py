"""Exports of personal data: asked for, allowed or refused by somebody else, made, downloaded."""

from collections.abc import Callable
from typing import Any
from uuid import UUID

from django.contrib import messages
from django.core.exceptions import ValidationError
from django.http import FileResponse, HttpResponse
from django.http.response import HttpResponseBase
from django.shortcuts import get_object_or_404, redirect
from django.views.decorators.http import require_GET, require_http_methods, require_POST

from breachdesk.accounts.permissions import StaffRequest, requires
from breachdesk.incidents.forms import show_refusal
from breachdesk.incidents.models import Incident
from breachdesk.incidents.views import incident_of
from breachdesk.people import actions
from breachdesk.people.exports import COLUMNS, opened_file, reason_of
from breachdesk.people.forms.exports import DecisionForm, ExportForm, RefuseForm
from breachdesk.people.models import PeopleExport, Tally
from breachdesk.vault.sealing import cipher_for
from breachdesk.web import paginate, render_page


@require_GET
@requires("people.view_counts")
def export_list(request: StaffRequest, reference: str) -> HttpResponse:
    incident = incident_of(request, reference)
    known = PeopleExport.objects.visible_to(request.user).of(incident)
    context = {"incident": incident, "page": paginate(request, known.for_a_list())}
    return render_page(request, "people/exports.html", context)


@require_http_methods(["GET", "POST"])
@requires("people.export_people")
def ask(request: StaffRequest, reference: str) -> HttpResponse:
    incident = incident_of(request, reference)
    form = ExportForm(request.POST or None, countries=list(Tally.objects.of(incident).countries))
    if request.method == "POST" and form.is_valid():
        data = form.cleaned_data
        chosen = {"which": data["which"], "country": data["country"], "fields": data["columns"]}
        try:
            export = actions.ask_export(incident, **chosen, reason=data["reason"], by=request.user)
        except ValidationError as refusal:
            show_refusal(form, refusal)
        else:
            messages.success(request, "Asked. Nothing leaves before somebody else allows it; they were told by email.")
            return redirect("export", reference, export.pk)
    context = {"incident": incident, "form": form}
    return render_page(request, "people/export_ask.html", context, status=422 if form.errors else 200)


@require_GET
@requires("people.view_counts")
def export(request: StaffRequest, reference: str, pk: UUID) -> HttpResponse:
    incident, export = _export(request, reference, pk)
    return _export_page(request, incident, export)


@require_POST
@requires("people.approve_export")
def allow(request: StaffRequest, reference: str, pk: UUID) -> HttpResponse:
    return _decide(request, reference, pk, DecisionForm, actions.approve_export, "Allowed, for 24 hours.")


@require_POST
@requires("people.approve_export")
def refuse(request: StaffRequest, reference: str, pk: UUID) -> HttpResponse:
    return _decide(request, reference, pk, RefuseForm, actions.refuse_export, "Refused. Nothing left.")


@require_POST
@requires("people.export_people")
def withdraw(request: StaffRequest, reference: str, pk: UUID) -> HttpResponse:
    sentence = "Withdrawn. If there was a file, it is deleted."
    return _decide(request, reference, pk, DecisionForm, actions.withdraw_export, sentence)


@require_POST
@requires("people.export_people")
def make(request: StaffRequest, reference: str, pk: UUID) -> HttpResponse:
    """The only answer that ever holds the passphrase: no redirect, or it would have to be kept on the way."""
    incident, export = _export(request, reference, pk)
    form = DecisionForm(request.POST)
    if not form.is_valid():
        return _export_page(request, incident, export, status=422)
    made, passphrase = actions.make_export(export, expected_version=form.cleaned_data["version"], by=request.user)
    return render_page(request, "people/export_made.html", {"incident": incident, "export": made, "secret": passphrase})


@require_POST
@requires("people.export_people")
def download(request: StaffRequest, reference: str, pk: UUID) -> HttpResponseBase:
    incident, export = _export(request, reference, pk)
    try:
        file = opened_file(export, cipher_for(incident.pk)) if export.file_id else None
    except FileNotFoundError:
        raise ValidationError("The file is gone. Make it again; it gets another passphrase.") from None
    taken = actions.download_export(export, by=request.user)
    answer = FileResponse(file, as_attachment=True, filename=f"{incident.reference}-people.zip")
    answer["Content-Length"] = str(taken.size)
    answer["Content-Type"] = "application/zip"
    answer["Cache-Control"] = "no-store"
    return answer


def _decide(
    request: StaffRequest,
    reference: str,
    pk: UUID,
    form_class: type[DecisionForm],
    act: Callable[..., PeopleExport],
    sentence: str,
) -> HttpResponse:
    incident, export = _export(request, reference, pk)
    form = form_class(request.POST)
    if not form.is_valid():
        return _export_page(request, incident, export, refusal=form, status=422)
    said = {name: value for name, value in form.cleaned_data.items() if name != "version"}
    act(export, **said, expected_version=form.cleaned_data["version"], by=request.user)
    messages.success(request, sentence)
    return redirect("export", reference, pk)


def _export_page(
    request: StaffRequest, incident: Incident, export: PeopleExport, refusal: Any = None, status: int = 200
) -> HttpResponse:
    context = {
        "incident": incident,
        "export": export,
        "reason": reason_of(cipher_for(incident.pk), export),
        "columns": [COLUMNS[name] for name in export.fields],
        "form": refusal or RefuseForm(initial={"version": export.version}),
        "is_mine": export.asked_by_id == request.user.pk,
    }
    return render_page(request, "people/export.html", context, status=status)


def _export(request: StaffRequest, reference: str, pk: UUID) -> tuple[Incident, PeopleExport]:
    incident = incident_of(request, reference)
    known = PeopleExport.objects.visible_to(request.user).of(incident).for_a_list()
    return incident, get_object_or_404(known, pk=pk)
