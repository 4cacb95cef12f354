"""What filings and notices still say as it was: a page of its own, and a few lines on the pages of the case."""

from typing import Any

from django.http import HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404
from django.utils import timezone

from breachdesk.accounts.permissions import requires
from breachdesk.desk.stale import not_searched, stale_answers
from breachdesk.incidents.models import Incident
from breachdesk.web import render_page


@requires("incidents.view_incident")
def stale(request: HttpRequest, reference: str) -> HttpResponse:
    """`paper` is the page of a filing or notice that asks about itself alone."""
    user: Any = request.user
    incident = get_object_or_404(Incident.objects.visible_to(user).with_moments(), reference=reference)
    paper = request.GET.get("paper", "")
    found = stale_answers(incident, user, timezone.now(), paper=paper)
    context = {
        "incident": incident,
        "stale": found,
        "papers": list(dict.fromkeys(one.what for one in found)),
        "out": sum(one.went_out for one in found),
        "paper": paper,
        "not_searched": not_searched(incident, user),
    }
    return render_page(request, "desk/stale.html", context, partial="desk/_stale_here.html")
