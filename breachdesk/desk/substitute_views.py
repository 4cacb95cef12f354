"""Where a public notice may stand for single ones, and the note that one was made."""

from django.contrib import messages
from django.core.exceptions import ValidationError
from django.http import HttpResponse
from django.shortcuts import redirect
from django.utils import timezone
from django.views.decorators.http import require_GET, require_http_methods

from breachdesk.accounts.permissions import StaffRequest, requires
from breachdesk.desk.forms import LetterCostForm, PublishedForm
from breachdesk.desk.substitute import DUTY, watch_of
from breachdesk.incidents.forms import show_refusal
from breachdesk.incidents.views import incident_of
from breachdesk.web import render_page
from notifications.models import Notice
from regulators.actions import Told, meet_duty


@require_GET
@requires("regulators.view_filing")
def substitute(request: StaffRequest, reference: str) -> HttpResponse:
    """What a letter costs is asked for on the page, and goes into what is noted; nothing keeps it."""
    incident, cost = incident_of(request, reference), LetterCostForm(request.GET or None)
    given = cost.cleaned_data["cost"] if cost.is_valid() else None
    context = {
        "incident": incident,
        "watch": watch_of(incident, timezone.now(), given),
        "cost": cost,
        "notices": Notice.objects.visible_to(request.user).of(incident).oldest_first(),
    }
    return render_page(request, "desk/substitute.html", context)


@require_http_methods(["GET", "POST"])
@requires("regulators.meet_duty")
def substitute_published(request: StaffRequest, reference: str, key: str) -> HttpResponse:
    incident = incident_of(request, reference)
    shown = watch_of(incident, timezone.now()).notice(key)
    if shown is None:
        return redirect("substitute", reference)
    form = PublishedForm(request.POST or None)
    if request.method == "POST" and form.is_valid():
        one = shown.obligation
        told = Told(one.regime.id, DUTY, one.place, form.cleaned_data["at"], form.cleaned_data["how"])
        try:
            meet_duty(incident, told, by=request.user)
        except ValidationError as refusal:
            show_refusal(form, refusal)
        else:
            messages.success(request, f"Noted: a public notice for {shown.place}.")
            return redirect("substitute", reference)
    context = {"incident": incident, "shown": shown, "form": form}
    return render_page(request, "desk/substitute_published.html", context, status=422 if form.errors else 200)
