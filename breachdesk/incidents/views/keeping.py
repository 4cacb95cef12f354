"""How long a case's personal data is kept, who holds it, and its destruction by two people."""

from collections.abc import Callable
from functools import partial
from typing import Any
from uuid import UUID

from django.contrib import messages
from django.core.exceptions import ValidationError
from django.http import HttpResponse
from django.shortcuts import get_object_or_404, redirect
from django.utils import timezone

from breachdesk.accounts.permissions import StaffRequest, requires
from breachdesk.incidents import actions
from breachdesk.incidents.forms import show_refusal
from breachdesk.incidents.models import Destruction, Incident
from breachdesk.incidents.retention import keeping_of, refusal_of
from breachdesk.incidents.retention_forms import ConfirmForm, DatesForm, ReasonForm
from breachdesk.incidents.sealed_parts import parts_of
from breachdesk.incidents.views.cases import incident_of
from breachdesk.vault.key_copies import what_still_opens
from breachdesk.web import render_page


@requires("incidents.view_incident")
def retention(request: StaffRequest, reference: str) -> HttpResponse:
    incident = incident_of(request, reference)
    keeping = keeping_of(incident)
    context = {
        "incident": incident,
        "keeping": keeping,
        "requests": Destruction.objects.of(incident).newest_first().with_people(),
        "holds": incident.legal_holds.all().select_related("set_by", "released_by"),
        "parts": [] if keeping.data_destroyed_at else parts_of(incident),
        "still_opens": _still_opens(incident),
        "now": timezone.now(),
    }
    return render_page(request, "incidents/retention.html", context)


def _still_opens(incident: Incident) -> list[str]:
    """What a machine's administrator has to do after a destruction: copies that our hand does not reach."""
    done = Destruction.objects.of(incident).done()
    return [sentence for request in done for sentence in what_still_opens(incident.pk, request.what)]


@requires("incidents.set_retention")
def dates(request: StaffRequest, reference: str) -> HttpResponse:
    incident = incident_of(request, reference)
    keeping = keeping_of(incident)
    form = DatesForm(request.POST or None, initial=DatesForm.initial_of(keeping))
    if request.method == "POST" and form.is_valid():
        try:
            actions.set_retention(incident, **form.cleaned_data, by=request.user)
        except ValidationError as refusal:
            show_refusal(form, refusal)
        else:
            messages.success(request, "The days are changed. The old ones stay in the trail.")
            return redirect("incident-retention", incident.reference)
    return _answer(request, "incidents/retention_dates.html", {"incident": incident, "keeping": keeping, "form": form})


@requires("incidents.set_retention")
def hold(request: StaffRequest, reference: str) -> HttpResponse:
    incident = incident_of(request, reference)
    told = f"{incident.reference} is under a legal hold: nothing of it can be destroyed."
    form, is_done = _act(request, partial(actions.hold_incident, incident), told)
    if is_done:
        return redirect("incident-retention", incident.reference)
    context = {"incident": incident, "form": form, "keeping": keeping_of(incident)}
    return _answer(request, "incidents/legal_hold.html", context)


@requires("incidents.set_retention")
def release(request: StaffRequest, reference: str) -> HttpResponse:
    incident = incident_of(request, reference)
    told = "The legal hold is lifted. The days for destruction count again."
    form, is_done = _act(request, partial(actions.release_incident, incident), told)
    if is_done:
        return redirect("incident-retention", incident.reference)
    context = {"incident": incident, "form": form, "keeping": keeping_of(incident), "lifting": True}
    return _answer(request, "incidents/legal_hold.html", context)


@requires("incidents.ask_destruction")
def destroy(request: StaffRequest, reference: str, what: str) -> HttpResponse:
    """The dry run, and the request that follows from it."""
    incident = incident_of(request, reference)
    told = "Somebody else is asked to confirm it. Nothing is destroyed before that."
    form, is_done = _act(request, partial(actions.ask_destruction, incident, what=what), told)
    if is_done:
        return redirect("incident-retention", incident.reference)
    return _answer(request, "incidents/destroy.html", _dry_run(incident, what) | {"form": form})


def _act(request: StaffRequest, action: Callable[..., object], told: str) -> tuple[ReasonForm, bool]:
    """The form with a reason, and whether the action was taken with it; a refusal stands in the form."""
    form = ReasonForm(request.POST or None)
    if request.method == "POST" and form.is_valid():
        try:
            action(reason=form.cleaned_data["reason"], by=request.user)
        except ValidationError as refusal:
            show_refusal(form, refusal)
        else:
            messages.success(request, told)
            return form, True
    return form, False


@requires("incidents.confirm_destruction")
def decide_destruction(request: StaffRequest, reference: str, pk: UUID) -> HttpResponse:
    incident = incident_of(request, reference)
    asked = get_object_or_404(Destruction.objects.of(incident).with_people(), pk=pk)
    is_refusal = request.POST.get("decision") == "refuse"
    confirm = ConfirmForm(None if is_refusal else request.POST or None, incident=incident)
    refuse = ReasonForm(request.POST if is_refusal else None)
    form = refuse if is_refusal else confirm
    if request.method == "POST" and form.is_valid():
        try:
            _decide(request, asked, refuse if is_refusal else None)
        except ValidationError as refusal:
            show_refusal(form, refusal)
        else:
            return redirect("incident-retention", incident.reference)
    context = _dry_run(incident, asked.what) | {"asked": asked, "confirm": confirm, "refuse": refuse, "form": form}
    return _answer(request, "incidents/destroy_decide.html", context)


def _decide(request: StaffRequest, asked: Destruction, refuse: ReasonForm | None) -> None:
    if refuse:
        actions.refuse_destruction(asked, reason=refuse.cleaned_data["reason"], by=request.user)
        messages.success(request, "It is refused. Nothing was destroyed.")
    else:
        actions.confirm_destruction(asked, by=request.user)
        messages.success(request, "It is confirmed. Until it is carried out it can still be taken back.")


@requires("incidents.ask_destruction")
def withdraw_destruction(request: StaffRequest, reference: str, pk: UUID) -> HttpResponse:
    incident = incident_of(request, reference)
    asked = get_object_or_404(Destruction.objects.of(incident), pk=pk)
    if request.method == "POST":
        actions.withdraw_destruction(asked, by=request.user)
        messages.success(request, "The request is withdrawn. Nothing was destroyed.")
    return redirect("incident-retention", incident.reference)


def _dry_run(incident: Incident, what: str) -> dict[str, Any]:
    """What would become unreadable, and what stands in the way now."""
    is_data = what == Destruction.What.DATA
    return {
        "incident": incident,
        "what": what,
        "keeping": keeping_of(incident),
        "parts": parts_of(incident) if is_data else [],
        "refusals": refusal_of(incident, what),
        "now": timezone.now(),
    }


def _answer(request: StaffRequest, template: str, context: dict[str, Any]) -> HttpResponse:
    return render_page(request, template, context, status=422 if request.method == "POST" else 200)
