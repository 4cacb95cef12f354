"""The screen for whoever answers callers. What is typed goes by POST alone and stands in no address."""

from uuid import UUID

from django import forms
from django.contrib import messages
from django.core.exceptions import ValidationError
from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404, redirect
from django.urls import reverse
from django.views.decorators.http import require_GET, require_http_methods, require_POST

from breachdesk.accounts.permissions import requires
from breachdesk.incidents.forms import show_refusal
from breachdesk.incidents.models import Incident
from breachdesk.people.models import Person
from breachdesk.people.views.why import asked_why
from breachdesk.web import render_page
from notifications.callers import callers, message_of_pass
from notifications.hotline import Answer, Said, answer_caller, note_caller, open_caller, settle_dispute
from notifications.views import incident_of, user_of
from notifications.views.previewing import in_a_frame

DONE = {
    Said.NO_CUSTOMER: "Noted. They are on hold: nothing more goes to them.",
    Said.WRONG_DATA: "Noted. The data protection officer is asked to decide.",
    Said.NO_CONTACT: "Noted. They are on hold: nothing more goes to them.",
}


class CallerForm(forms.Form):
    typed = forms.CharField(
        max_length=254,
        label="Code, email address or customer number",
        widget=forms.TextInput(attrs={"autocomplete": "off", "spellcheck": "false", "autofocus": True}),
        error_messages={"required": "Type a code, or a whole email address or customer number."},
    )


class SaidForm(forms.Form):
    words = forms.CharField(
        max_length=1000,
        label="What the caller says, in their words",
        widget=forms.Textarea(attrs={"rows": 2}),
        error_messages={"required": "Write down what the caller said, in a sentence. Nothing was changed."},
    )


@require_http_methods(["GET", "POST"])
@requires("notifications.answer_callers")
def hotline(request: HttpRequest, reference: str) -> HttpResponse:
    incident, form = incident_of(request, reference), CallerForm(request.POST or None)
    if request.method == "GET" or not form.is_valid():
        return _page(request, incident, form, None, status=422 if request.method == "POST" else 200)
    typed = form.cleaned_data["typed"]
    if page := asked_why(request, incident, reverse("hotline", args=[reference]), {"typed": typed}):
        return page
    return _page(request, incident, CallerForm(), answer_caller(incident, typed, by=user_of(request)))


@require_http_methods(["GET", "POST"])
@requires("notifications.answer_callers")
def hotline_caller(request: HttpRequest, reference: str, pk: UUID) -> HttpResponse:
    """One person, masked as elsewhere; a POST shows the texts they got, and is recorded."""
    incident, person = _person(request, reference, pk)
    if request.method == "GET":
        return _page(request, incident, CallerForm(), Answer(callers(incident, [person]), []))
    if page := asked_why(request, incident, reverse("hotline-caller", args=[reference, pk])):
        return page
    return _page(request, incident, CallerForm(), open_caller(person, by=user_of(request)))


@require_POST
@requires("notifications.answer_callers")
def hotline_said(request: HttpRequest, reference: str, pk: UUID) -> HttpResponse:
    incident, person = _person(request, reference, pk)
    said, form = request.POST.get("said", ""), SaidForm(request.POST)
    asked = {"said": said, "words": request.POST.get("words", "")}
    if page := asked_why(request, incident, reverse("hotline-caller", args=[reference, pk]), asked):
        return page
    if not form.is_valid():
        return _again(request, incident, person, form)
    try:
        note_caller(person, said=said, words=form.cleaned_data["words"], by=user_of(request))
    except ValidationError as refusal:
        show_refusal(form, refusal)
        return _again(request, incident, person, form)
    messages.success(request, DONE[Said(said)])
    return redirect("hotline-caller", reference, pk)


@require_POST
@requires("people.hold_person")
def hotline_settle(request: HttpRequest, reference: str, pk: UUID) -> HttpResponse:
    _, person = _person(request, reference, pk)
    settle_dispute(person, words=request.POST.get("words", "")[:1000], by=user_of(request))
    messages.success(request, "Settled. Nobody waits for a decision about this person any more.")
    return redirect("hotline-caller", reference, pk)


@require_GET
@requires("notifications.answer_callers")
def hotline_message(request: HttpRequest, reference: str) -> HttpResponse:
    """The very text somebody got, alone in its frame, for whoever was shown it."""
    message = message_of_pass(incident_of(request, reference), request.GET.get("as", ""), user_of(request))
    if message is None:
        raise Http404
    return in_a_frame(request, message)


def _person(request: HttpRequest, reference: str, pk: UUID) -> tuple[Incident, Person]:
    incident = incident_of(request, reference)
    known = Person.objects.visible_to(user_of(request)).known_in(incident).with_list()
    return incident, get_object_or_404(known, pk=pk)


def _again(request: HttpRequest, incident: Incident, person: Person, form: SaidForm) -> HttpResponse:
    answer = Answer(callers(incident, [person]), [])
    return _page(request, incident, CallerForm(), answer, said=form, status=422)


def _page(
    request: HttpRequest,
    incident: Incident,
    form: CallerForm,
    answer: Answer | None,
    *,
    said: SaidForm | None = None,
    status: int = 200,
) -> HttpResponse:
    context = {"incident": incident, "form": form, "answer": answer, "said": said or SaidForm()}
    return render_page(request, "notifications/hotline.html", context, status=status)
