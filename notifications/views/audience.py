"""Whom a notice is for: chosen, counted as it is chosen, and kept."""

from django.contrib import messages
from django.core.exceptions import ValidationError
from django.http import HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404, redirect
from django.views.decorators.http import require_POST

from breachdesk.accounts.permissions import requires
from breachdesk.incidents.forms import show_refusal
from breachdesk.web import is_htmx, render_page
from notifications import actions
from notifications.choosing import AudienceForm
from notifications.models import Notice
from notifications.readership import readership_as, readership_of
from notifications.views import incident_of, user_of


def notice_of(request: HttpRequest, reference: str, pk: object) -> Notice:
    incident = incident_of(request, reference)
    notices = Notice.objects.visible_to(user_of(request)).of(incident)
    return get_object_or_404(notices.select_related("incident"), pk=pk)


@requires("notifications.write_notice")
def notice_audience(request: HttpRequest, reference: str, pk: object) -> HttpResponse:
    notice = notice_of(request, reference, pk)
    form = AudienceForm(request.POST or None, notice=notice)
    if request.method == "POST" and form.is_valid():
        try:
            kept = actions.define_audience(
                notice,
                audience=form.audience,
                fallback=form.order,
                expected_version=form.cleaned_data["version"],
                by=user_of(request),
            )
        except ValidationError as refusal:
            show_refusal(form, refusal)
        else:
            messages.success(request, f"Kept: {readership_of(kept).counted.people:,} people.")
            return redirect("notice-list", reference)
    return _page(request, notice, form, status=422 if request.method == "POST" else 200)


@require_POST
@requires("notifications.write_notice")
def notice_audience_count(request: HttpRequest, reference: str, pk: object) -> HttpResponse:
    """What is chosen and not kept yet, counted: by a button, or as it is chosen."""
    notice = notice_of(request, reference, pk)
    form = AudienceForm(request.POST, notice=notice)
    return _page(request, notice, form, status=200 if form.is_valid() else 422)


def _page(request: HttpRequest, notice: Notice, form: AudienceForm, *, status: int) -> HttpResponse:
    is_chosen = form.is_bound and form.is_valid()
    whom = readership_as(notice, form.audience, form.order) if is_chosen else readership_of(notice)
    context = {"incident": notice.incident, "notice": notice, "form": form, "whom": whom, "is_kept": not form.is_bound}
    context |= {"frozen": notice.editions.frozen().in_order(), "is_update": is_htmx(request)}
    return render_page(
        request, "notifications/audience.html", context, partial="notifications/_audience_count.html", status=status
    )
