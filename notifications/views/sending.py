"""Starting, pausing, going on and aborting: each a page of its own that says what will happen."""

from django.contrib import messages
from django.http import HttpRequest, HttpResponse
from django.utils import timezone

from breachdesk.accounts.permissions import requires
from breachdesk.audit.proof import answers_with_proof
from notifications import actions
from notifications.models import Edition
from notifications.progress import progress_of
from notifications.schedule import Schedule, local_words
from notifications.views import edition_of, user_of
from notifications.views.confirming import Question, address, confirm


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
