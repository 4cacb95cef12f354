from django.contrib import messages
from django.core.exceptions import ValidationError
from django.http import HttpResponse
from django.shortcuts import redirect

from breachdesk.accounts.permissions import StaffRequest, demand, requires
from breachdesk.incidents.forms import show_refusal
from breachdesk.incidents.models import Incident
from breachdesk.incidents.views import incident_of
from breachdesk.people import actions
from breachdesk.people.forms.counts import CountForm
from breachdesk.people.forms.persons import SearchForm
from breachdesk.people.models import Person
from breachdesk.people.overview import Overview, masked_people
from breachdesk.people.personal import cipher_while_it_lives
from breachdesk.people.slices import slice_of
from breachdesk.web import render_page


@requires("people.view_counts")
def counts(request: StaffRequest, reference: str) -> HttpResponse:
    """The ledger, and what was stated on the strength of it."""
    incident = incident_of(request, reference)
    if request.method != "POST":
        return _counts_page(request, incident, CountForm())
    demand(request.user, "people.state_count")
    form = CountForm(request.POST)
    if form.is_valid():
        try:
            actions.state_count(incident, **form.stated(), by=request.user)
        except ValidationError as refusal:
            show_refusal(form, refusal)
        else:
            messages.success(request, "The count is in the ledger. Look below which papers say something else.")
            return redirect("people-counts", reference)
    return _counts_page(request, incident, form, status=422)


def _counts_page(request: StaffRequest, incident: Incident, form: CountForm, status: int = 200) -> HttpResponse:
    context = {"incident": incident, "overview": Overview(incident), "form": form}
    return render_page(request, "people/counts.html", context, status=status)


@requires("people.view_counts")
def people_list(request: StaffRequest, reference: str) -> HttpResponse:
    incident = incident_of(request, reference)
    overview = Overview(incident)
    people = Person.objects.visible_to(request.user).of(incident)
    page = slice_of(people, request.GET, total=overview.people)
    context = {
        "incident": incident,
        "page": page,
        "people": masked_people(incident, page.people),
        "is_destroyed": cipher_while_it_lives(incident.pk) is None,
        "search": SearchForm(),
    }
    return render_page(request, "people/list.html", context)
