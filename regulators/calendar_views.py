"""The dates in one's own calendar: a page to make and revoke the private address, and what lies under it."""

from hashlib import sha256
from urllib.parse import urlencode

from django.contrib import messages
from django.contrib.auth.decorators import login_not_required
from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import redirect
from django.urls import reverse
from django.utils import timezone
from django.views.decorators.http import require_POST, require_safe

from breachdesk.accounts.permissions import StaffRequest, requires
from breachdesk.accounts.staff_mail import absolute
from breachdesk.web import render_page
from regulators import actions
from regulators.models import CalendarFeed


@requires("regulators.view_filing")
def calendar(request: StaffRequest) -> HttpResponse:
    return _page(request)


@require_POST
@requires("regulators.view_filing")
def make(request: StaffRequest) -> HttpResponse:
    """Shows the address in its own answer: it is nowhere to be read again."""
    token = actions.make_calendar_feed(by=request.user)
    return _page(request, absolute(f"{reverse('calendar-feed')}?{urlencode({'key': token})}"))


@require_POST
@requires("regulators.view_filing")
def revoke(request: StaffRequest) -> HttpResponse:
    actions.revoke_calendar_feed(by=request.user)
    messages.success(request, "The private address no longer works.")
    return redirect("calendar")


def _page(request: StaffRequest, address: str = "") -> HttpResponse:
    feed = CalendarFeed.objects.open().of(request.user).first()
    return render_page(request, "regulators/calendar.html", {"feed": feed, "address": address})


@require_safe
@login_not_required
def feed(request: HttpRequest) -> HttpResponse:
    """For a calendar program, which cannot sign in: whoever knows the address reads references and dates.

    The secret stands behind the question mark: of an address that is not found, logs keep the path.
    """
    secret = request.GET.get("key", "")
    found = CalendarFeed.objects.with_token(sha256(secret.encode()).digest()).first()
    if found is None:
        raise Http404("There is no such calendar.")
    from regulators.calendar_feed import calendar_of

    response = HttpResponse(calendar_of(found.user, timezone.now()), content_type="text/calendar; charset=utf-8")
    response["Cache-Control"] = "no-store"
    return response
