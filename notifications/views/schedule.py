"""When and how fast an edition goes out: set by its authors, foreseen while it is typed."""

from django.contrib import messages
from django.core.exceptions import ValidationError
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect
from django.views.decorators.http import require_POST

from breachdesk.accounts.permissions import requires
from breachdesk.audit.proof import answers_with_proof
from breachdesk.incidents.forms import show_refusal
from breachdesk.web import is_htmx, render_page
from notifications import actions
from notifications.models import Edition
from notifications.timing import ScheduleForm, initial_of, timing_of
from notifications.views import edition_of, user_of
from notifications.views.confirming import Question, address, confirm


@requires("notifications.write_notice")
def edition_schedule(request: HttpRequest, reference: str, pk: object) -> HttpResponse:
    edition, user = edition_of(request, reference, pk), user_of(request)
    form = ScheduleForm(request.POST or None, initial=initial_of(edition, user.zone))
    if request.method == "POST" and form.is_valid():
        try:
            actions.set_schedule(
                edition, schedule=form.schedule, expected_version=form.cleaned_data["version"], by=user
            )
        except ValidationError as refusal:
            show_refusal(form, refusal)
        else:
            messages.success(request, "Kept. " + form.schedule.sentences()[0])
            return redirect(address("edition-detail", edition))
    return _page(request, edition, form, status=422 if request.method == "POST" else 200)


@require_POST
@requires("notifications.write_notice")
def edition_forecast(request: HttpRequest, reference: str, pk: object) -> HttpResponse:
    """What is typed and not kept yet, foreseen: by a button, or as it is typed."""
    edition = edition_of(request, reference, pk)
    form = ScheduleForm(request.POST, initial=initial_of(edition, user_of(request).zone))
    return _page(request, edition, form, status=200 if form.is_valid() else 422)


def _page(request: HttpRequest, edition: Edition, form: ScheduleForm, *, status: int) -> HttpResponse:
    is_typed = form.is_bound and form.is_valid()
    context = {
        "incident": edition.notice.incident,
        "edition": edition,
        "form": form,
        "timing": timing_of(edition, form.schedule if is_typed else None),
        "is_kept": not form.is_bound,
        "is_update": is_htmx(request),
    }
    return render_page(
        request, "notifications/schedule.html", context, partial="notifications/_forecast.html", status=status
    )


@requires("notifications.send_edition")
@answers_with_proof
def edition_disarm(request: HttpRequest, reference: str, pk: object) -> HttpResponse:
    edition = edition_of(request, reference, pk)
    asked = Question(
        question="Not start it by itself?",
        text="It stays approved. It goes out only when somebody starts it.",
        yes="Do not start it by itself",
        no="Leave it as it is",
    )

    def act(version: int, reason: str) -> str:
        actions.disarm_edition(edition, expected_version=version, by=user_of(request))
        messages.success(request, "It does not start by itself any more.")
        return address("edition-detail", edition)

    return confirm(request, edition, asked, act, back="edition-detail")
