"""The reason for the first look of a session at an incident's people: asked wherever somebody is about to be shown."""

from collections.abc import Mapping

from django.core.exceptions import ValidationError
from django.http import HttpRequest, HttpResponse

from breachdesk.accounts.models import User
from breachdesk.incidents.forms import show_refusal
from breachdesk.incidents.models import Incident
from breachdesk.people import actions
from breachdesk.people.forms.persons import ReasonForm
from breachdesk.people.looking import has_said_why, remember_why
from breachdesk.web import render_page


def asked_why(
    request: HttpRequest, incident: Incident, back: str, hidden: Mapping[str, str] | None = None
) -> HttpResponse | None:
    """Nothing once the reason was given, now or before in this session; until then the page that asks for it.

    Its form comes back to the same address, with `hidden` as it was sent.
    """
    if has_said_why(request.session, incident):
        return None
    form = ReasonForm(request.POST if "reason" in request.POST else None)
    if form.is_valid() and _has_begun(request, incident, form):
        return None
    context = {"incident": incident, "form": form, "back": back, "hidden": hidden or {}}
    return render_page(request, "people/why.html", context, status=422 if form.errors else 200)


def _has_begun(request: HttpRequest, incident: Incident, form: ReasonForm) -> bool:
    assert isinstance(request.user, User), "who looks is signed in"
    try:
        actions.begin_looking(incident, reason=form.cleaned_data["reason"], by=request.user)
    except ValidationError as refusal:
        show_refusal(form, refusal)
        return False
    remember_why(request.session, incident)
    return True
