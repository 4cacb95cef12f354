"""One person: found, looked at, held back."""

from typing import Any
from uuid import UUID

from django.contrib import messages
from django.core.exceptions import ValidationError
from django.http import HttpResponse
from django.shortcuts import get_object_or_404, redirect
from django.views.decorators.http import require_POST

from breachdesk.accounts.permissions import StaffRequest, requires
from breachdesk.incidents.forms import show_refusal
from breachdesk.incidents.models import Incident
from breachdesk.incidents.views import incident_of
from breachdesk.people import actions
from breachdesk.people.countries import country_name
from breachdesk.people.forms.persons import HoldForm, SearchForm
from breachdesk.people.languages import language_name
from breachdesk.people.models import Person
from breachdesk.people.overview import masked_people, shown_fields
from breachdesk.people.personal import personal_of
from breachdesk.vault.sealing import cipher_for
from breachdesk.web import render_page


@require_POST  # what is searched for must never stand in an address
@requires("people.reveal_person")
def search(request: StaffRequest, reference: str) -> HttpResponse:
    incident = incident_of(request, reference)
    form = SearchForm(request.POST)
    found = None
    if form.is_valid():
        found = masked_people(incident, actions.find_people(incident, form.cleaned_data["typed"], by=request.user))
    context = {"incident": incident, "search": form, "found": found}
    return render_page(request, "people/found.html", context, status=200 if form.is_valid() else 422)


@requires("people.view_counts")
def person(request: StaffRequest, reference: str, pk: UUID) -> HttpResponse:
    incident, person = _person(request, reference, pk)
    return _person_page(request, incident, person, personal_of(cipher_for(incident.pk), person), clear=False)


@require_POST
@requires("people.reveal_person")
def reveal(request: StaffRequest, reference: str, pk: UUID) -> HttpResponse:
    incident, person = _person(request, reference, pk)
    return _person_page(request, incident, person, actions.reveal_person(person, by=request.user), clear=True)


def _person_page(
    request: StaffRequest, incident: Incident, person: Person, personal: dict[str, str], *, clear: bool
) -> HttpResponse:
    context = {
        "incident": incident,
        "person": person,
        "fields": shown_fields(personal, clear=clear),
        "country": country_name(person.country),
        "language": language_name(person.language),
        "is_clear": clear,
    }
    return render_page(request, "people/person.html", context)


@requires("people.hold_person")
def hold(request: StaffRequest, reference: str, pk: UUID) -> HttpResponse:
    return _decide(request, reference, pk, actions.hold_person, "This person gets no notice until released.")


@requires("people.hold_person")
def release(request: StaffRequest, reference: str, pk: UUID) -> HttpResponse:
    return _decide(request, reference, pk, actions.release_person, "This person may get notices again.")


def _decide(request: StaffRequest, reference: str, pk: UUID, act: Any, sentence: str) -> HttpResponse:
    incident, person = _person(request, reference, pk)
    form = HoldForm(request.POST or None, initial={"version": person.version})
    if request.method == "POST" and form.is_valid():
        data = form.cleaned_data
        try:
            act(person, reason=data["reason"], expected_version=data["version"], by=request.user)
        except ValidationError as refusal:
            show_refusal(form, refusal)
        else:
            messages.success(request, sentence)
            return redirect("person", reference, pk)
    context = {"incident": incident, "person": person, "form": form, "is_hold": act is actions.hold_person}
    return render_page(request, "people/hold.html", context, status=422 if request.method == "POST" else 200)


def _person(request: StaffRequest, reference: str, pk: UUID) -> tuple[Incident, Person]:
    incident = incident_of(request, reference)
    return incident, get_object_or_404(Person.objects.visible_to(request.user).of(incident), pk=pk)
