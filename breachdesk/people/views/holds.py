"""Who must not be written to for now: put on hold one by one or by a pasted list, and let go."""

from collections.abc import Callable
from uuid import UUID

from django.contrib import messages
from django.core.exceptions import ValidationError
from django.http import HttpResponse
from django.shortcuts import get_object_or_404, redirect
from django.views.decorators.http import require_GET, require_http_methods

from breachdesk.accounts.permissions import StaffRequest, requires
from breachdesk.incidents.forms import show_refusal
from breachdesk.incidents.models import Incident
from breachdesk.incidents.views import incident_of
from breachdesk.people import actions
from breachdesk.people.forms.persons import HoldForm, PastedForm, ReleaseForm
from breachdesk.people.holds import HoldSummary, marked_people, masked_holds
from breachdesk.people.models import Hold, Person
from breachdesk.people.personal import cipher_while_it_lives
from breachdesk.people.views.persons import person_of
from breachdesk.web import paginate, render_page


@require_GET
@requires("people.view_counts")
def holds(request: StaffRequest, reference: str) -> HttpResponse:
    incident = incident_of(request, reference)
    known = Hold.objects.visible_to(request.user).of(incident)
    shows_ended = request.GET.get("ended") == "1"
    page = paginate(request, (known.ended() if shows_ended else known.open()).for_a_list())
    context = {
        "incident": incident,
        "holds": HoldSummary(incident),
        "is_destroyed": cipher_while_it_lives(incident.pk) is None,
        "page": page,
        "shown": masked_holds(incident, list(page)),
        "marked": [] if shows_ended else marked_people(incident),
        "shows_ended": shows_ended,
    }
    return render_page(request, "people/holds.html", context)


@require_http_methods(["GET", "POST"])
@requires("people.hold_person")
def hold(request: StaffRequest, reference: str, pk: UUID) -> HttpResponse:
    incident, person = person_of(request, reference, pk)
    form = HoldForm(request.POST or None, initial={"version": person.version})
    if request.method == "POST" and form.is_valid():
        data = form.cleaned_data
        chosen = {"kind": data["kind"], "until": data["until"], "expected_version": data["version"]}
        try:
            actions.hold_person(person, reason=data["reason"], **chosen, by=request.user)
        except ValidationError as refusal:
            show_refusal(form, refusal)
        else:
            messages.success(request, "This person gets no notice until the hold is over.")
            return redirect("person", reference, pk)
    context = {"incident": incident, "person": person, "form": form}
    return render_page(request, "people/hold.html", context, status=422 if form.errors else 200)


@require_http_methods(["GET", "POST"])
@requires("people.hold_person")
def hold_list(request: StaffRequest, reference: str) -> HttpResponse:
    incident = incident_of(request, reference)
    form = PastedForm(request.POST or None)
    if request.method == "POST" and form.is_valid():
        data = form.cleaned_data
        chosen = {"kind": data["kind"], "until": data["until"], "reason": data["reason"]}
        try:
            held = actions.hold_people(incident, data["pasted"], **chosen, by=request.user)
        except ValidationError as refusal:
            show_refusal(form, refusal)
        else:
            return render_page(request, "people/held_list.html", {"incident": incident, "held": held})
    context = {"incident": incident, "form": form}
    return render_page(request, "people/hold_list.html", context, status=422 if form.errors else 200)


@require_http_methods(["GET", "POST"])
@requires("people.hold_person")
def release(request: StaffRequest, reference: str, pk: UUID) -> HttpResponse:
    """Every hold on the person at once."""
    incident, person = person_of(request, reference, pk)
    return _release(request, incident, person, None, lambda **said: actions.release_person(person, **said))


@require_http_methods(["GET", "POST"])
@requires("people.hold_person")
def release_hold(request: StaffRequest, reference: str, pk: UUID, hold_id: UUID) -> HttpResponse:
    incident, person = person_of(request, reference, pk)
    hold = get_object_or_404(Hold.objects.visible_to(request.user).of(incident).on_people([pk]), pk=hold_id)
    return _release(request, incident, person, hold, lambda **said: actions.release_hold(hold, **said))


def _release(
    request: StaffRequest, incident: Incident, person: Person, hold: Hold | None, act: Callable[..., Person]
) -> HttpResponse:
    form = ReleaseForm(request.POST or None, initial={"version": person.version})
    if request.method == "POST" and form.is_valid():
        data = form.cleaned_data
        try:
            released = act(reason=data["reason"], expected_version=data["version"], by=request.user)
        except ValidationError as refusal:
            show_refusal(form, refusal)
        else:
            messages.success(request, _what_came_of_it(released))
            return redirect("person", incident.reference, person.pk)
    context = {"incident": incident, "person": person, "hold": hold, "form": form}
    return render_page(request, "people/release.html", context, status=422 if form.errors else 200)


def _what_came_of_it(person: Person) -> str:
    if person.held:
        return "This hold is over. Another one still holds the person: they get no notice."
    return "This person may get notices again."
