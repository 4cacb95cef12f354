"""Whom we have to tell: the duties of a case, what they hang on, and what was done about them."""

from typing import Any

from django.contrib import messages
from django.core.exceptions import ValidationError
from django.http import Http404, HttpResponse
from django.shortcuts import redirect
from django.utils import timezone

from breachdesk.accounts.permissions import StaffRequest, requires
from breachdesk.incidents.views import incident_of
from breachdesk.web import render_page
from regulators import actions
from regulators.duty_forms import AskedForm, ToldForm
from regulators.fact_words import missing_words
from regulators.listing import listing_of
from regulators.models import StatedFact
from regulators.positions import Question, of_the_organisation, question_of
from regulators.standing import Duty, Standing, standing_of

ASKED_FIRST = 6  # questions beside the list; the others are folded


@requires("regulators.view_filing")
def duties(request: StaffRequest, reference: str) -> HttpResponse:
    incident = incident_of(request, reference)
    standing = standing_of(incident, timezone.now())
    asked = _asked(standing)
    context = {
        "incident": incident,
        "standing": standing,
        "owed": listing_of(standing.owed, standing.facts),
        "undecided": listing_of([duty for duty in standing.undecided if duty.is_ours], standing.facts),
        "perhaps_ours": listing_of([duty for duty in standing.undecided if not duty.is_ours], standing.facts),
        "not_owed": listing_of(standing.not_owed, standing.facts),
        "asked_first": asked[:ASKED_FIRST],
        "asked_later": asked[ASKED_FIRST:],
    }
    return render_page(request, "regulators/duties.html", context)


def _asked(standing: Standing) -> list[dict[str, Any]]:
    return [
        {"key": key, "words": missing_words(key, _law_of(key, standing)), "hang": hang, "can": question_of(key)}
        for key, hang in standing.missing.items()
    ]


def _law_of(key: str, standing: Standing) -> str:
    laws = (duty.obligation.regime for duty in standing.duties)
    return next((law.name for law in laws if key == f"reach.{law.id}"), "")


@requires("regulators.view_filing")
def duty(request: StaffRequest, reference: str, key: str) -> HttpResponse:
    incident = incident_of(request, reference)
    standing = standing_of(incident, timezone.now())
    shown = _duty_of(standing, key)
    context = {"incident": incident, "shown": shown, "standing": standing, "asked": _asked_by(shown, standing)}
    return render_page(request, "regulators/duty.html", context)


def _duty_of(standing: Standing, key: str) -> Duty:
    found = standing.duty(key)
    if found is None:
        raise Http404("This case has no such duty.")
    return found


def _asked_by(duty: Duty, standing: Standing) -> list[dict[str, Any]]:
    name = duty.obligation.regime.name
    return [{"key": key, "words": missing_words(key, name), "can": question_of(key)} for key in duty.obligation.missing]


@requires("regulators.state_fact")
def state(request: StaffRequest, reference: str, key: str) -> HttpResponse:
    """Answers one question of one case."""
    incident = incident_of(request, reference)
    question = _question_of(key)
    standing = StatedFact.objects.standing().about(incident, key).first()
    form = AskedForm(question, request.POST or None, initial=AskedForm.initial_of(standing))
    if request.method == "POST" and form.is_valid():
        try:
            actions.state_fact(incident, form.statement(), by=request.user)
        except ValidationError as refusal:
            form.add_error(None, refusal)
        else:
            messages.success(request, "It is stated. Every duty that hangs on it has been worked out again.")
            return redirect("duties", incident.reference)
    past = StatedFact.objects.about(incident, key).newest_first()
    context = {"incident": incident, "question": question, "form": form, "past": past, "standing": standing}
    return render_page(request, "regulators/state.html", context, status=422 if request.method == "POST" else 200)


def _question_of(key: str) -> Question:
    question = question_of(key)
    if question is None:
        raise Http404("No law we hold asks this.")
    return question


@requires("regulators.state_position")
def position(request: StaffRequest) -> HttpResponse:
    """What laws ask about the organisation, once for all cases."""
    standing = {fact.key: fact for fact in StatedFact.objects.of_organisation().standing().with_author()}
    questions = [(question, standing.get(key)) for key, question in of_the_organisation().items()]
    return render_page(request, "regulators/position.html", {"questions": questions})


@requires("regulators.state_position")
def state_position(request: StaffRequest, key: str) -> HttpResponse:
    question = of_the_organisation().get(key)
    if question is None:
        raise Http404("No law we hold asks this about the organisation.")
    standing = StatedFact.objects.standing().about(None, key).first()
    form = AskedForm(question, request.POST or None, initial=AskedForm.initial_of(standing))
    if request.method == "POST" and form.is_valid():
        try:
            actions.state_position(form.statement(), by=request.user)
        except ValidationError as refusal:
            form.add_error(None, refusal)
        else:
            messages.success(request, "It is stated, for every case that says nothing else.")
            return redirect("position")
    past = StatedFact.objects.about(None, key).newest_first()
    context = {"incident": None, "question": question, "form": form, "past": past, "standing": standing}
    return render_page(request, "regulators/state.html", context, status=422 if request.method == "POST" else 200)


@requires("regulators.meet_duty")
def meet(request: StaffRequest, reference: str, key: str) -> HttpResponse:
    incident = incident_of(request, reference)
    shown = _duty_of(standing_of(incident, timezone.now()), key)
    form = ToldForm(shown, request.POST or None, initial={"zone": request.user.zone})
    if request.method == "POST" and form.is_valid():
        try:
            actions.meet_duty(incident, form.told(), by=request.user)
        except ValidationError as refusal:
            form.show(refusal)
        else:
            messages.success(request, f"Recorded: {shown.whom} was told.")
            return redirect("duty", incident.reference, key)
    context = {"incident": incident, "shown": shown, "form": form}
    return render_page(request, "regulators/meet.html", context, status=422 if request.method == "POST" else 200)
