"""The risk to people: its score, what the score does not see, and the two decisions that a person takes."""

from dataclasses import dataclass
from typing import Any

from django.contrib import messages
from django.core.exceptions import ValidationError
from django.http import Http404, HttpResponse
from django.shortcuts import redirect
from django.views.decorators.http import require_POST

from breachdesk.accounts.permissions import StaffRequest, requires
from breachdesk.incidents.actions import Verdict, decide_notification, make_assessment
from breachdesk.incidents.assessment import (
    HOUSE_RULE_LABEL,
    Caution,
    Severity,
    Suggestion,
    inputs_from,
    milder_than,
    severity_of,
)
from breachdesk.incidents.edpb import FACTORS, edpb_cases
from breachdesk.incidents.forms import show_refusal
from breachdesk.incidents.models import Assessment, Decision, Incident
from breachdesk.incidents.views import incident_of
from breachdesk.web import render_page
from regulators.assessing_forms import DecisionForm, ScoreForm
from regulators.case_facts import digest_of_facts, facts_of
from regulators.facts import Count, Facts


@dataclass(frozen=True)
class Asked:
    """One of the two decisions: what stands, whether the facts have changed since, and the form for the next."""

    about: Decision.About
    form: DecisionForm
    standing: Decision | None
    past: list[Decision]
    is_reopened: bool


@requires("regulators.view_filing")
def assessment(request: StaffRequest, reference: str) -> HttpResponse:
    return _page(request, incident_of(request, reference))


def _page(request: StaffRequest, incident: Incident, refused: DecisionForm | None = None) -> HttpResponse:
    facts = facts_of(incident)
    made = list(Assessment.objects.of(incident))
    severity = severity_of(inputs_from(made[0].inputs)) if made else None
    asked = _decisions(incident, digest_of_facts(facts), refused)
    context = {
        "incident": incident,
        "made": made,
        "severity": severity,
        "unseen": _unseen(severity),
        "asked": asked,
        "milder": _milder(severity, asked),
        "factors": FACTORS,
        "cases": edpb_cases(),
        "house_rule": HOUSE_RULE_LABEL,
    }
    return render_page(request, "regulators/assessment.html", context, status=422 if refused else 200)


def _unseen(severity: Severity | None) -> list[str]:
    """What stands beside the score, each sentence once."""
    if severity is None:
        return []
    return list(dict.fromkeys([*severity.flags, *(caution.sentence for caution in severity.warnings)]))


def _decisions(incident: Incident, digest: bytes, refused: DecisionForm | None) -> list[Asked]:
    every = list(Decision.objects.of(incident))
    return [_decision(about, [one for one in every if one.about == about], digest, refused) for about in Decision.About]


def _decision(about: Decision.About, past: list[Decision], digest: bytes, refused: DecisionForm | None) -> Asked:
    standing = next((one for one in past if one.superseded_at is None), None)
    initial = {"about": about, "expected": standing.pk if standing else None}
    form = DecisionForm(initial=initial, prefix=about)
    if refused and refused.prefix == about:
        form = refused
    reopened = standing is not None and bytes(standing.facts) != digest
    return Asked(about, form, standing, [one for one in past if one != standing], reopened)


def _milder(severity: Severity | None, asked: list[Asked]) -> tuple[Caution, ...]:
    """What the reasons that stand have to answer, once both are decided."""
    standing = [one.standing for one in asked]
    if severity is None or not all(standing):
        return ()
    authority, people = (bool(one and one.tell) for one in standing)
    return milder_than(severity, Suggestion(tell_authority=authority, tell_people=people))


@requires("incidents.assess_risk")
def score(request: StaffRequest, reference: str) -> HttpResponse:
    incident = incident_of(request, reference)
    facts = facts_of(incident)
    form = ScoreForm(request.POST or None, initial=ScoreForm.initial_of(Assessment.objects.of(incident).first()))
    if request.method == "POST" and form.is_valid():
        inputs = form.inputs(people=_people(facts), kinds=facts.kinds)
        make_assessment(incident, inputs, note=form.cleaned_data["note"], by=request.user)
        messages.success(request, "It is scored. The score suggests; the decisions below are yours.")
        return redirect("assessment", incident.reference)
    context = {"incident": incident, "form": form}
    return render_page(request, "regulators/score.html", context, status=422 if request.method == "POST" else 200)


def _people(facts: Facts) -> int | None:
    """Of a range the upper end; not known at all is not known."""
    count = Count.of(facts.people_all)
    return count.high or count.low or None


@requires("incidents.decide_notification")
@require_POST
def decide(request: StaffRequest, reference: str, about: str) -> HttpResponse:
    incident = incident_of(request, reference)
    if about not in Decision.About.values:
        raise Http404("There are two decisions: about the authority and about the people.")
    form = DecisionForm(request.POST, prefix=about)
    if form.is_valid():
        try:
            decide_notification(incident, _verdict(incident, about, form), by=request.user)
        except ValidationError as refusal:
            show_refusal(form, refusal)
        else:
            messages.success(request, "It is decided. The duties that hang on it have been worked out again.")
            return redirect("assessment", incident.reference)
    return _page(request, incident, form)


def _verdict(incident: Incident, about: str, form: DecisionForm) -> Verdict:
    data: dict[str, Any] = form.cleaned_data
    expected = Decision.objects.of(incident).filter(pk=data["expected"]).first() if data["expected"] else None
    digest = digest_of_facts(facts_of(incident))
    return Verdict(Decision.About(about), form.tells, data["reason"], digest, expected)
