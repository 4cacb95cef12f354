"""One person: searched for, and looked at. The first look of a session says why."""

from uuid import UUID

from django.http import HttpResponse
from django.shortcuts import get_object_or_404
from django.urls import reverse
from django.views.decorators.http import require_GET, require_POST

from breachdesk.accounts.permissions import StaffRequest, requires
from breachdesk.incidents.models import Incident
from breachdesk.incidents.views import incident_of
from breachdesk.people import actions, dossier
from breachdesk.people.countries import country_name
from breachdesk.people.forms.persons import ReasonForm, SearchForm
from breachdesk.people.holds import holds_of, is_marked
from breachdesk.people.languages import language_name
from breachdesk.people.looking import has_said_why
from breachdesk.people.models import Person
from breachdesk.people.overview import masked_people
from breachdesk.people.personal import personal_of
from breachdesk.people.sent import sent_to
from breachdesk.people.views.why import asked_why
from breachdesk.vault.sealing import cipher_for
from breachdesk.web import render_page


@require_POST  # what is searched for must never stand in an address
@requires("people.reveal_person")
def search(request: StaffRequest, reference: str) -> HttpResponse:
    incident = incident_of(request, reference)
    form = SearchForm(request.POST)
    if not form.is_valid():
        return render_page(request, "people/found.html", {"incident": incident, "search": form}, status=422)
    typed = {"typed": form.cleaned_data["typed"]}
    if page := asked_why(request, incident, reverse("people", args=[reference]), typed):
        return page
    found = actions.find_people(incident, form.cleaned_data["typed"], by=request.user)
    context = {"incident": incident, "search": form, "found": masked_people(incident, found)}
    return render_page(request, "people/found.html", context | {"is_answer": True})


@require_GET
@requires("people.view_counts")
def person(request: StaffRequest, reference: str, pk: UUID) -> HttpResponse:
    incident, person = person_of(request, reference, pk)
    return _person_page(request, incident, person, personal_of(cipher_for(incident.pk), person), clear=False)


@require_POST
@requires("people.reveal_person")
def reveal(request: StaffRequest, reference: str, pk: UUID) -> HttpResponse:
    incident, person = person_of(request, reference, pk)
    if page := asked_why(request, incident, reverse("person", args=[reference, pk])):
        return page
    return _person_page(request, incident, person, actions.reveal_person(person, by=request.user), clear=True)


def _person_page(
    request: StaffRequest, incident: Incident, person: Person, personal: dict[str, str], *, clear: bool
) -> HttpResponse:
    holds = holds_of(incident, person)
    context = {
        "incident": incident,
        "person": person,
        "fields": dossier.fields_of(personal, clear=clear),
        "sources": dossier.sources_of(person),
        "looks": dossier.looks_at(person),
        "holds": holds,
        "is_marked": is_marked(person),
        "is_held_without": person.held and not any(shown.hold.is_open for shown in holds),
        "country": country_name(person.country),
        "language": language_name(person.language),
        "sent": sent_to(person, request.user),
        "is_clear": clear,
        "why": None if has_said_why(request.session, incident) else ReasonForm(),
    }
    return render_page(request, "people/person.html", context)


def person_of(request: StaffRequest, reference: str, pk: UUID) -> tuple[Incident, Person]:
    """Also somebody who is no longer affected: they are found, and said to be so."""
    incident = incident_of(request, reference)
    known = Person.objects.visible_to(request.user).known_in(incident).with_list()
    return incident, get_object_or_404(known, pk=pk)
