from typing import Any

from django.contrib import messages
from django.core.exceptions import ValidationError
from django.http import HttpResponse
from django.shortcuts import get_object_or_404, redirect
from django.utils import timezone

from breachdesk.accounts.permissions import StaffRequest, requires
from breachdesk.audit.proof import answers_with_proof
from breachdesk.incidents import actions
from breachdesk.incidents.forms import (
    AwareForm,
    BeganForm,
    CorrectionForm,
    FactsForm,
    IntakeForm,
    ToldForm,
    VersionForm,
    show_refusal,
)
from breachdesk.incidents.models import Incident, Moment
from breachdesk.web import render_page


def incident_of(request: StaffRequest, reference: str) -> Incident:
    return get_object_or_404(Incident.objects.visible_to(request.user).with_moments(), reference=reference)


@requires("incidents.open_incident")
def new(request: StaffRequest) -> HttpResponse:
    forms = _intake_forms(request)
    faultless = [form.is_valid() for form in forms.values()]  # all of them, so that every fault is shown at once
    if all(faultless):
        try:
            incident = _open(request, forms)
        except ValidationError as refusal:
            show_refusal(forms["facts"], refusal)
        else:
            messages.success(request, f"{incident.reference} is logged. The clocks run from the moment you gave.")
            return redirect(incident)
    status = 422 if request.method == "POST" else 200
    return render_page(request, "incidents/new.html", {**forms, "now": timezone.now()}, status=status)


def _intake_forms(request: StaffRequest) -> dict[str, Any]:
    data = request.POST if request.method == "POST" else None
    zone = {"zone": request.user.zone}
    return {
        "intake": IntakeForm(data),
        "facts": FactsForm(data),
        "aware": AwareForm(data, prefix="aware", initial=zone),
        "told": ToldForm(data, prefix="told", initial=zone),
        "began": BeganForm(data, prefix="began", initial=zone),
    }


def _open(request: StaffRequest, forms: dict[str, Any]) -> Incident:
    facts = forms["facts"].facts()
    stated = [forms[name].stated() for name in ("aware", "told", "began")]
    moments = [
        moment for moment in stated if moment and (moment.kind != Moment.Kind.TOLD_BY_PROCESSOR or facts.processor)
    ]
    return actions.open_incident(facts, moments, by=request.user, intake=forms["intake"].cleaned_data["intake"])


@requires("incidents.change_facts")
def facts(request: StaffRequest, reference: str) -> HttpResponse:
    incident = incident_of(request, reference)
    form = FactsForm(request.POST or None, initial=FactsForm.initial_of(incident))
    version = VersionForm(request.POST or None, initial={"version": incident.version})
    if request.method == "POST" and form.is_valid() and version.is_valid():
        try:
            actions.change_facts(
                incident, form.facts(), expected_version=version.cleaned_data["version"], by=request.user
            )
        except ValidationError as refusal:
            show_refusal(form, refusal)
        else:
            messages.success(request, "The facts are changed. The old ones stay in the trail.")
            return redirect(incident)
    context = {"incident": incident, "form": form, "version": version}
    return render_page(request, "incidents/facts.html", context, status=422 if request.method == "POST" else 200)


@requires("incidents.change_facts")
def moment(request: StaffRequest, reference: str, kind: str) -> HttpResponse:
    incident = incident_of(request, reference)
    asked = Moment.Kind(kind).label
    form = CorrectionForm(request.POST or None, initial=_initial_moment(incident, kind, request))
    form.kind, form.must_be_known = kind, kind == Moment.Kind.AWARE
    if request.method == "POST" and form.is_valid():
        try:
            _state(incident, form, request)
        except ValidationError as refusal:
            show_refusal(form, refusal)
        else:
            messages.success(request, f"“{asked}” is stated anew. Every clock that hangs on it has moved.")
            return redirect(incident)
    past = [row for row in incident.moments.all() if row.kind == kind]
    context = {"incident": incident, "form": form, "asked": asked, "past": past, "current": incident.moment(kind)}
    return render_page(request, "incidents/moment.html", context, status=422 if request.method == "POST" else 200)


def _initial_moment(incident: Incident, kind: str, request: StaffRequest) -> dict[str, Any]:
    return {
        "version": incident.version,
        "zone": (current.zone if (current := incident.moment(kind)) else request.user.zone),
    }


def _state(incident: Incident, form: CorrectionForm, request: StaffRequest) -> None:
    stated = form.stated()
    if stated is None:
        raise ValidationError("Give a date and a time, or answer “not known”.")
    data = form.cleaned_data
    actions.state_moment(incident, stated, expected_version=data["version"], reason=data["reason"], by=request.user)


@requires("incidents.close_incident")
@answers_with_proof
def close(request: StaffRequest, reference: str) -> HttpResponse:
    incident = incident_of(request, reference)
    form = VersionForm(request.POST or None, initial={"version": incident.version})
    if request.method == "POST" and form.is_valid():
        try:
            actions.close_incident(
                incident,
                reason=form.cleaned_data["reason"],
                expected_version=form.cleaned_data["version"],
                by=request.user,
            )
        except ValidationError as refusal:
            show_refusal(form, refusal)
        else:
            messages.success(request, f"{incident.reference} is closed.")
            return redirect(incident)
    context = {"incident": incident, "form": form}
    return render_page(request, "incidents/close.html", context, status=422 if request.method == "POST" else 200)
