from django.contrib import messages
from django.http import HttpRequest, HttpResponse
from django.utils import timezone

from breachdesk.accounts.permissions import requires
from breachdesk.audit.proof import answers_with_proof
from breachdesk.web import render_page
from notifications import actions
from notifications.editions import the_organisation
from notifications.models import Edition
from notifications.progress import progress_of, reasons_of, spark_of
from notifications.schedule import Schedule, local_words
from notifications.timing import limited_of
from notifications.views import edition_of, user_of
from notifications.views.confirming import Question, address, confirm


@requires("notifications.view_notice")
def send(request: HttpRequest, reference: str, pk: object) -> HttpResponse:
    edition = edition_of(request, reference, pk)
    context = _numbers(request, edition) | {
        "reasons": reasons_of(edition),
        "approvals": edition.approvals.in_force().select_related("approver"),
        "batches": edition.batches.latest_first()[:5],
        "others": edition.notice.editions.exclude(pk=edition.pk).in_order(),
        "sender": the_organisation().sender_email,
    }
    return render_page(request, "notifications/send.html", context)


@requires("notifications.view_notice")
def send_numbers(request: HttpRequest, reference: str, pk: object) -> HttpResponse:
    """The numbers alone, asked for every two seconds by everybody who watches."""
    numbers = _numbers(request, edition_of(request, reference, pk))
    return render_page(request, "notifications/_numbers.html", numbers | {"is_update": True})


@requires("notifications.view_notice")
def send_reasons(request: HttpRequest, reference: str, pk: object) -> HttpResponse:
    edition = edition_of(request, reference, pk)
    context = {"edition": edition, "incident": edition.notice.incident, "reasons": reasons_of(edition)}
    return render_page(
        request, "notifications/_reasons.html", context | {"batches": edition.batches.latest_first()[:5]}
    )


def _numbers(request: HttpRequest, edition: Edition) -> dict[str, object]:
    progress = progress_of(edition)
    return {
        "incident": edition.notice.incident,
        "edition": edition,
        "progress": progress,
        "spark": spark_of(edition),
        "limited": limited_of(edition),
        "is_live": edition.state in (Edition.State.SENDING, Edition.State.PAUSED),
        "said": request.GET.get("said", ""),
        "says": f"{edition.state} {progress.milestone}",
    }


@requires("notifications.send_edition")
@answers_with_proof
def edition_start(request: HttpRequest, reference: str, pk: object) -> HttpResponse:
    edition = edition_of(request, reference, pk)
    number, schedule = edition.recipients_count or 0, Schedule.from_json(edition.schedule)
    asked = _asked_to_start(edition, schedule)

    def act(version: int, reason: str) -> str:
        started = actions.start_edition(edition, expected_version=version, by=user_of(request))
        if started.armed_at and schedule.start_at:
            messages.success(request, f"It starts by itself on {local_words(schedule.start_at, schedule.zone)}.")
            return address("edition-detail", edition)
        messages.success(request, f"Sending to {number:,} people has begun.")
        return address("send", edition)

    return confirm(request, edition, asked, act, back="edition-detail")


def _asked_to_start(edition: Edition, schedule: Schedule) -> Question:
    number = edition.recipients_count or 0
    if schedule.start_at and schedule.start_at > timezone.now():
        return Question(
            question=f"Have it start by itself, for {number:,} people?",
            text=f"“{edition.subject}” begins to go out on {local_words(schedule.start_at, schedule.zone)}. Until then "
            "you can take that back.",
            yes="Have it start by itself",
            no="Not yet",
        )
    return Question(
        question=f"Send to {number:,} people?",
        text=f"“{edition.subject}” begins to go out at once. You can pause it at any moment; what has left cannot be "
        "called back.",
        yes=f"Send to {number:,} people",
        no="Not yet",
    )


@requires("notifications.pause_edition")
@answers_with_proof
def edition_pause(request: HttpRequest, reference: str, pk: object) -> HttpResponse:
    edition = edition_of(request, reference, pk)
    waiting = progress_of(edition).queued
    asked = Question(
        question="Pause the send?",
        text=f"Messages already on the wire still arrive; the answer tells how many. The other {waiting:,} people wait "
        "until somebody resumes it.",
        yes="Pause it",
        no="Keep sending",
        ask_reason=True,
    )

    def act(version: int, reason: str) -> str:
        in_air = actions.pause_edition(edition, reason=reason, expected_version=version, by=user_of(request))
        messages.success(request, f"Paused. {in_air:,} messages were already on the wire; none follows them.")
        return address("send", edition)

    return confirm(request, edition, asked, act, back="send")


@requires("notifications.send_edition")
@answers_with_proof
def edition_resume(request: HttpRequest, reference: str, pk: object) -> HttpResponse:
    edition = edition_of(request, reference, pk)
    waiting = progress_of(edition).queued
    asked = Question(
        question=f"Go on with the other {waiting:,} people?",
        text="Nobody who has been sent the message gets it again.",
        yes="Go on sending",
        no="Leave it paused",
    )

    def act(version: int, reason: str) -> str:
        actions.resume_edition(edition, expected_version=version, by=user_of(request))
        messages.success(request, "The send goes on.")
        return address("send", edition)

    return confirm(request, edition, asked, act, back="send")


@requires("notifications.pause_edition")
@answers_with_proof
def edition_cancel(request: HttpRequest, reference: str, pk: object) -> HttpResponse:
    edition = edition_of(request, reference, pk)
    waiting, started = progress_of(edition).queued, edition.started_at is not None
    asked = Question(
        question="Abort this send?" if started else "Cancel this edition?",
        text=f"{waiting:,} people will not be told. What has left cannot be called back, and an aborted send cannot be "
        "resumed: telling them takes a new notice."
        if started
        else "Nobody has been sent anything. The text stays to be read; the people can get another edition.",
        yes="Abort the send" if started else "Cancel the edition",
        no="Keep sending" if started else "Keep it",
        tone="alarm",
        must_match=reference if started else "",
        ask_reason=True,
    )

    def act(version: int, reason: str) -> str:
        in_air = actions.cancel_edition(edition, reason=reason, expected_version=version, by=user_of(request))
        messages.success(request, f"Cancelled. {in_air:,} messages were already on the wire; none follows them.")
        return address("edition-detail", edition)

    return confirm(request, edition, asked, act, back="send" if started else "edition-detail")
