"""How a send is going: one page, live by polling and whole without scripts; and what is changed on the way."""

from collections.abc import Callable, Mapping
from datetime import timedelta
from typing import Any

from django.contrib import messages
from django.contrib.auth.context_processors import PermWrapper
from django.core.exceptions import ValidationError
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect
from django.template.loader import render_to_string
from django.utils.timezone import get_current_timezone_name
from django.views.decorators.http import require_POST

from breachdesk.accounts.permissions import requires
from breachdesk.incidents.forms import show_refusal
from breachdesk.web import is_htmx, paginate, render_page
from notifications import actions, routes
from notifications.batch_counts import with_counts
from notifications.editions import the_organisation
from notifications.hindrance import hindrances_of
from notifications.models import Edition
from notifications.progress import Progress, progress_of, spark_of
from notifications.reasons import hosts_of, reasons_of, trouble_of
from notifications.schedule import Rate, Schedule, in_force
from notifications.standing_still import standstill_of
from notifications.timing import Limited, RateForm, initial_rate, limited_of
from notifications.views import edition_of, user_of
from notifications.views.confirming import Question, address, confirm

SHOWN_BATCHES = 5
LIVE = (Edition.State.SENDING, Edition.State.PAUSED)


@requires("notifications.view_notice")
def send(request: HttpRequest, reference: str, pk: object) -> HttpResponse:
    return _page(request, edition_of(request, reference, pk), None)


def _page(request: HttpRequest, edition: Edition, typed: RateForm | None) -> HttpResponse:
    progress = progress_of(edition)
    context = _numbers(edition, progress) | _reasons(request, edition)
    context |= {
        "said": "",
        "rate_form": typed or RateForm(initial=initial_rate(edition)),
        "approvals": edition.approvals.in_force().select_related("approver"),
        "others": edition.notice.editions.exclude(pk=edition.pk).in_order(),
        "sender": the_organisation().sender_email,
    }
    return render_page(request, "notifications/send.html", context, status=422 if typed else 200)


@requires("notifications.view_notice")
def send_numbers(request: HttpRequest, reference: str, pk: object) -> HttpResponse:
    """The numbers alone, asked for every two seconds by everybody who watches; drawn once for all with equal rights."""
    edition = edition_of(request, reference, pk)
    progress = progress_of(edition)
    said = _says(edition, progress) == request.GET.get("said", "")
    return _drawn(
        request,
        "_numbers",
        edition,
        f"{progress.at.timestamp()} {said}",
        lambda: _numbers(edition, progress) | {"said": request.GET.get("said", ""), "is_update": True},
    )


@requires("notifications.view_notice")
def send_reasons(request: HttpRequest, reference: str, pk: object) -> HttpResponse:
    edition = edition_of(request, reference, pk)
    context = _reasons(request, edition) | {"edition": edition, "incident": edition.notice.incident, "is_update": True}
    return render_page(request, "notifications/_reasons.html", context)


def _says(edition: Edition, progress: Progress) -> str:
    return f"{edition.state} {progress.milestone}"


def _numbers(edition: Edition, progress: Progress) -> dict[str, Any]:
    limited, schedule = limited_of(edition, progress), in_force(edition.schedule, edition.rate)
    left, other = _seconds_left(progress, limited), routes.other_than(edition.route)
    return {
        "incident": edition.notice.incident,
        "edition": edition,
        "progress": progress,
        "limited": limited,
        "left": left,
        "done_at": progress.at + timedelta(seconds=left) if left else None,
        "spark": spark_of(progress, schedule.per_minute),
        "limit": schedule.per_minute,
        "approved_rate": Rate.of(Schedule.from_json(edition.schedule)).words() if edition.rate else "",
        "now": Rate.of(schedule).words(),
        "standstill": standstill_of(edition, progress),
        "way": routes.name_of(edition.route),
        "hindrance": hindrances_of([edition]).get(edition.pk),
        "other_way": routes.name_of(other) if other else "",
        "is_live": edition.state in LIVE,
        "says": _says(edition, progress),
    }


def _seconds_left(progress: Progress, limited: Limited | None) -> int | None:
    """By what was measured and by every limit, whichever takes longer."""
    foreseen = limited.forecast if limited else None
    if foreseen and foreseen.ends_at:
        return max(1, round((foreseen.ends_at - progress.at).total_seconds()))
    return None if limited else progress.seconds_left


def _reasons(request: HttpRequest, edition: Edition) -> dict[str, Any]:
    trouble = trouble_of(edition)
    batches = edition.batches.latest_first()
    page = paginate(request, batches, 50 if "page" in request.GET else SHOWN_BATCHES)
    return {
        "reasons": [(reason, reason.address(edition)) for reason in reasons_of(edition, trouble)],
        "hosts": hosts_of(edition, user_of(request), trouble),
        "batches": with_counts(list(page)),
        "page": page,
        "all_batches": "page" in request.GET,
    }


_drawings: dict[tuple[object, ...], str] = {}


def _drawn(
    request: HttpRequest, name: str, edition: Edition, stamp: str, context: Callable[[], Mapping[str, Any]]
) -> HttpResponse:
    """What looks the same for two colleagues is drawn once."""
    user = user_of(request)
    may = tuple(user.has_perm(f"notifications.{right}") for right in ("pause_edition", "send_edition"))
    key = name, edition.pk, edition.version, stamp, may, get_current_timezone_name()
    if key not in _drawings:
        if len(_drawings) > 50:
            _drawings.clear()
        _drawings[key] = render_to_string(f"notifications/{name}.html", {**context(), "perms": PermWrapper(user)})
    answer = HttpResponse(_drawings[key])
    answer["Cache-Control"], answer["Vary"] = "no-store", "HX-Request, Cookie"
    return answer


@require_POST
@requires("notifications.send_edition")
def edition_rate(request: HttpRequest, reference: str, pk: object) -> HttpResponse:
    """Changed in place by htmx; without scripts the page comes back, with what is wrong beside the field."""
    edition = edition_of(request, reference, pk)
    form = RateForm(request.POST)
    if form.is_valid():
        try:
            in_air = actions.change_rate(
                edition,
                rate=form.rate,
                reason=form.cleaned_data["reason"],
                expected_version=form.cleaned_data["version"],
                by=user_of(request),
            )
        except ValidationError as refusal:
            show_refusal(form, refusal)
        else:
            return _changed(request, edition, in_air)
    if is_htmx(request):
        context = _numbers(edition, progress_of(edition)) | {"rate_form": form}
        return render_page(request, "notifications/_rate.html", context, status=422)
    return _page(request, edition, form)


def _changed(request: HttpRequest, edition: Edition, in_air: int) -> HttpResponse:
    edition.refresh_from_db()
    now = Rate.of(in_force(edition.schedule, edition.rate)).words()
    said = f"From now on: {now}. {in_air:,} messages were on the wire at the change."
    if not is_htmx(request):
        messages.success(request, said)
        return redirect(address("send", edition))
    form = RateForm(initial=initial_rate(edition))
    context = _numbers(edition, progress_of(edition)) | {"rate_form": form, "done": said}
    return render_page(request, "notifications/_rate.html", context)


@requires("notifications.send_edition")
def edition_route(request: HttpRequest, reference: str, pk: object) -> HttpResponse:
    edition = edition_of(request, reference, pk)
    other = routes.other_than(edition.route) or edition.route
    waiting, unknown = progress_of(edition).queued, progress_of(edition).unknown
    doubt = f" The {unknown:,} of whom it is not known stay as they are." if unknown else ""
    asked = Question(
        question=f"Let the others leave by {routes.name_of(other)}?",
        text=f"{waiting:,} people still wait. What is on the wire by {routes.name_of(edition.route)} ends there, and "
        f"nobody’s message is moved to the other way once it may have left.{doubt}",
        yes=f"Take {routes.name_of(other)}",
        no="Leave it as it is",
        reason_needed=True,
        reason_missing="Say why: it stands in the trail.",
    )

    def act(version: int, reason: str) -> str:
        in_air = actions.change_route(
            edition, route=other, reason=reason, expected_version=version, by=user_of(request)
        )
        messages.success(
            request, f"From now on by {routes.name_of(other)}. {in_air:,} messages were on the wire by the other way."
        )
        return address("send", edition)

    return confirm(request, edition, asked, act, back="send")
