from django.contrib import messages
from django.http import HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404

from breachdesk.accounts.permissions import requires
from breachdesk.audit.proof import answers_with_proof
from notifications import actions, amendments
from notifications.models import Amendment
from notifications.views import edition_of, user_of
from notifications.views.confirming import Question, address, confirm


def said(added: int, changed: int) -> str:
    """37 people who came to the list and 3 who changed."""
    came = f"{added:,} {'person' if added == 1 else 'people'} who came to the list"
    return f"{came} and {changed:,} who changed" if added and changed else came if added else f"{changed:,} who changed"


@requires("notifications.write_notice")
def edition_amend(request: HttpRequest, reference: str, pk: object) -> HttpResponse:
    edition = edition_of(request, reference, pk)
    found = amendments.since(edition)
    asked = Question(
        question="Ask to approve who came since?",
        text=f"{said(found.added, found.changed).capitalize()}. They wait until somebody else approves exactly these "
        "people; everybody else is sent their message meanwhile. Nobody gets two.",
        yes="Ask for approval",
        no="Leave them out",
    )

    def act(version: int, reason: str) -> str:
        kept = actions.ask_amendment(edition, expected_version=version, by=user_of(request))
        messages.success(request, f"Approval is asked for {said(kept.added, kept.changed)}.")
        return address("edition-detail", edition)

    return confirm(request, edition, asked, act, back="edition-detail")


@requires("notifications.approve_edition")
@answers_with_proof
def amendment_approve(request: HttpRequest, reference: str, pk: object, amendment: object) -> HttpResponse:
    edition = edition_of(request, reference, pk)
    waiting: Amendment = get_object_or_404(edition.amendments, pk=amendment)
    number = waiting.added + waiting.changed
    asked = Question(
        question=f"Approve {said(waiting.added, waiting.changed)}?",
        text=f"{waiting.asked_by.name} asked. They get the message that is approved already"
        f"{', at once' if edition.state == 'sending' else ', once it is sent'}. Your name stands beside exactly them.",
        yes=f"Approve {number:,} more",
        no="Not yet",
    )

    def act(version: int, reason: str) -> str:
        actions.approve_amendment(waiting, by=user_of(request))
        messages.success(request, "Approved. They are sent the message like everybody else.")
        return address("edition-detail", edition)

    return confirm(request, edition, asked, act, back="edition-detail")


@requires("notifications.approve_edition")
def amendment_refuse(request: HttpRequest, reference: str, pk: object, amendment: object) -> HttpResponse:
    edition = edition_of(request, reference, pk)
    waiting: Amendment = get_object_or_404(edition.amendments, pk=amendment)
    asked = Question(
        question=f"Refuse {said(waiting.added, waiting.changed)}?",
        text="Who came to the list goes off it again; who changed on it is sent nothing.",
        yes="Refuse it",
        no="Not yet",
        reason_needed=True,
        reason_label="Why are they not to be told?",
        reason_missing="Say why they are not to be told. Whoever asked reads this first.",
    )

    def act(version: int, reason: str) -> str:
        actions.refuse_amendment(waiting, reason=reason, by=user_of(request))
        messages.success(request, "Refused. Nobody was added.")
        return address("edition-detail", edition)

    return confirm(request, edition, asked, act, back="edition-detail")
